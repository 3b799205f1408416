/**
 * Mutants that change nothing but time, or nothing at all: no test of what the log promises can tell
 * them from the right code. They stand here with the reason, so that nobody tries them again, and so
 * that a change which ends the reason is seen: each must still fit its source.
 */
import type { Mutant } from './mutant.ts';

const PULSE = 'lib/consensus/pulse.ts';
const REPLICATOR = 'lib/consensus/replicator.ts';
const SILENCE = 'lib/consensus/silence.ts';

export const EQUIVALENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'winner-does-not-beat',
    file: PULSE,
    find: 'this.#beat(election.leader);',
    replace: '',
    why: 'The first beat comes from the region that won, when it looks: at most one election more.',
  },
  {
    name: 'cut-off-region-elects-first',
    file: SILENCE,
    find: '(ownClient(this.#cluster).isReachable ? 1 : 2) * waitMs',
    replace: 'waitMs',
    why: 'A region that cannot reach its own register may win; it cannot beat, and the next one is elected.',
  },
  {
    name: 'blind-leader-does-not-look',
    file: PULSE,
    find: 'const isBlind = ownClient(this.#cluster).cached === null;',
    replace: 'const isBlind = false;',
    why: 'After a write in doubt a leading region beats again when it looks next, `followMs` later.',
  },
  {
    name: 'challenge-always-answered-by-election',
    file: PULSE,
    find: 'if (!isSucceeded) {',
    replace: 'if (isSucceeded || !isSucceeded) {',
    why: 'A deposed leader deposes its successor, once: from then on it knows that it follows.',
  },
  {
    name: 'any-leader',
    file: 'lib/consensus/cluster.ts',
    find: 'leaders.find(({ term }) => term === highest) ??',
    replace: 'leaders[0] ??',
    why: 'A deposed leader that is taken for the leader finds no quorum in its term: nothing is committed or confirmed, and its register follows as soon as the right one writes.',
  },
  {
    name: 'older-copy-adopted',
    file: REPLICATOR,
    find: 'lastEntry(leader).index >= lastEntry(known).index ? leader : known',
    replace: 'leader',
    why: 'An older copy of the same leader is a prefix of the newer one: what is missing waits for the next call.',
  },
  {
    name: 'acknowledgements-of-the-leader-before-kept',
    file: REPLICATOR,
    find: 'this.#acknowledged.clear();',
    replace: '',
    why: 'Each names its term, and both who reads them compare it.',
  },
  {
    name: 'region-left-to-its-own-register',
    file: 'lib/consensus/log-host.ts',
    find: 'if (commit !== null && commit.index > this.replica.applied.index && this.#leader !== null) {',
    replace: 'if (commit !== null && commit.index < 0 && this.#leader !== null) {',
    why: 'A region whose register lags waits for the leading region to bring it level, which it does.',
  },
  {
    name: 'no-chance-in-timeouts',
    file: SILENCE,
    find: 'this.#draw * spread',
    replace: 'spread',
    why: 'All regions look for a leader at once (paper 5.2), and one is always nearer: delays are chance enough.',
  },
];
