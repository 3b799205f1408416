/** Bugs in who votes while the voters change (paper section 6; thesis 4). */
import type { Mutant } from './mutant.ts';

const STEP = 'lib/consensus/step.ts';
const STEPS = 'test/unit/consensus/step.test.ts';
const QUORUM = 'lib/consensus/quorum.ts';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'decided-by-the-new-voters-only',
    file: QUORUM,
    find: 'return hasMajority(voters, members) && (outgoing',
    replace: 'return hasMajority(voters, members) || (outgoing',
    why: 'While a configuration is being left, its majority is not asked.',
  },
  {
    name: 'committed-by-the-new-voters-only',
    file: QUORUM,
    find: 'return outgoing === null ? agreed : Math.min(',
    replace: 'return outgoing === null ? agreed : Math.max(',
    why: 'What a majority of one of the two configurations holds is called committed.',
  },
  {
    name: 'change-upon-change',
    file: STEP,
    find: 'if (!isCommitted) {',
    replace: 'if (!isCommitted && commit.index < 0) {',
    why: 'A second change begins before the first is committed (thesis 4.1, the bug of 2015). Processes ask for one step after the other and see it committed before; the register looks once more.',
    tests: STEPS,
  },
  {
    name: 'any-change',
    file: STEP,
    find: 'const isSound = isStep(current, configuration) && ',
    replace: 'const isSound = ',
    why: 'Voters change without a joint step between. Processes ask for right steps only; the register looks once more.',
    tests: STEPS,
  },
  {
    name: 'learner-stands',
    file: STEP,
    find: 'if (!decidersOf(configurationOf(server)).includes(self)) {',
    replace: 'if (decidersOf(configurationOf(server)).length === 0) {',
    why: 'A table that does not vote yet, or no more, stands for election. Processes let only voters stand; the register looks once more.',
    tests: STEPS,
  },
  {
    name: 'new-table-under-the-old-name',
    file: 'lib/consensus/membership-change.ts',
    find: 'const incarnation = nextIncarnation(lastEntry(leader).index, cluster.random);',
    replace: 'const incarnation = Math.max(1, newestIn(configurationOf(leader), region));',
    why: 'An empty table is taken for the one that was lost, with its votes (scenario 15).',
  },
  {
    name: 'compaction-forgets-who-votes',
    file: STEP,
    find: 'const baseConfiguration = configurationAt(server, base.index);',
    replace: 'const { baseConfiguration } = server;',
    why: 'Behind a new base the voters of long ago come back.',
  },
  {
    name: 'install-forgets-who-votes',
    file: STEP,
    find: 'base, baseConfiguration: configuration, entries',
    replace: 'base, entries',
    why: 'A register that takes a base keeps the voters of its own. The entries that follow the base bring the voters of today along.',
    tests: STEPS,
  },
];
