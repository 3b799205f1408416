/**
 * Mutants of the safety rules: each takes one rule away, and is hunted by the test that is about it.
 * Lives of the log never see them, because they write no commands of people.
 */
import type { Mutant } from './mutant.ts';

const ALARMS = 'lib/recovery/alarm-policy.ts';
const BLOCKS = 'lib/recovery/blocks.ts';
const DECISION = 'lib/recovery/decision.ts';
const DRILLS = 'lib/recovery/drill-decision.ts';
const DRILL_RULES = 'lib/recovery/drill.ts';
const DOUBT = 'lib/recovery/doubt.ts';
const EXPIRIES = 'lib/control/expiries.ts';
const FREEZE = 'lib/recovery/freeze.ts';
const GUARDS = 'lib/recovery/guards.ts';
const GATE = 'lib/recovery/loss-gate.ts';
const MACHINE = 'lib/recovery/machine.ts';
const OVERRIDES = 'lib/recovery/overrides.ts';
const SHARES = 'lib/recovery/rebalance.ts';
const SHARE_DECISION = 'lib/recovery/rebalance-decision.ts';

const OF_COMMANDS = 'test/unit/control/safety-commands.test.ts';
const OF_DECISIONS = 'test/unit/recovery/decision.test.ts';
const OF_DRILLS = 'test/unit/recovery/drill-decision.test.ts';
const OF_ENDINGS = 'test/unit/control/run-endings.test.ts';
const OF_SHARES = 'test/unit/recovery/rebalance.test.ts';
const OF_LOGS = 'test/unit/control/machine.test.ts';

export const RECOVERY_MUTANTS: readonly Mutant[] = [
  {
    name: 'handover-left-half-done',
    file: BLOCKS,
    find: "return !granted && !('run' in phase) &&",
    replace: "return granted && !('run' in phase) &&",
    why: 'A fence that was begun waits for people, and nobody is active until then.',
    tests: OF_ENDINGS,
  },
  {
    name: 'freeze-holds-nothing-back',
    file: FREEZE,
    find: 'if (freeze === null || freeze.until <= now) {',
    replace: 'if (freeze === null || freeze.until > now) {',
    why: 'A kill switch that begins when it ends.',
    tests: OF_DECISIONS,
  },
  {
    name: 'freeze-of-all-not-looked-at',
    file: BLOCKS,
    find: 'standingFreeze(freeze ?? null, at)',
    replace: 'standingFreeze(null, at)',
    why: 'The kill switch of all services holds nobody.',
    tests: OF_COMMANDS,
  },
  {
    name: 'freeze-stays-for-ever',
    file: EXPIRIES,
    find: 'return freeze === null || freeze.until > moment.at',
    replace: 'return freeze === null || freeze.until > 0',
    why: 'The end of the kill switch is told to nobody.',
    tests: OF_COMMANDS,
  },
  {
    name: 'people-held-by-nothing',
    file: BLOCKS,
    find: 'return openRunBlock(service) ?? freezeBlock(service, occasion);',
    replace: 'return openRunBlock(service);',
    why: 'A person goes past a freeze without forcing it.',
    tests: OF_DECISIONS,
  },
  {
    name: 'acknowledgement-not-asked-for',
    file: BLOCKS,
    find: '    (isBegun ? null : acknowledgementBlock(service, at)) ??\n',
    replace: '',
    why: 'Automatic runs follow each other with nobody looking.',
    tests: OF_DECISIONS,
  },
  {
    name: 'override-outlives-its-end',
    file: OVERRIDES,
    find: '.filter(({ until }) => now < until)',
    replace: '.filter(({ until }) => now <= until)',
    why: 'A rule that was set aside never holds again at its instant.',
    tests: OF_DECISIONS,
  },
  {
    name: 'gate-lets-everything-through',
    file: GATE,
    find: 'const isOver = lag !== null && lag.lagMs > lagMsMax;',
    replace: 'const isOver = lag !== null && lag.lagMs > Infinity;',
    why: 'Data are lost without a word.',
    tests: OF_DECISIONS,
  },
  {
    name: 'gate-of-the-wrong-side',
    file: GATE,
    find: 'lag.lagMs > lagMsMax;',
    replace: 'lag.lagMs >= lagMsMax;',
    why: 'The limit itself is allowed.',
    tests: OF_DECISIONS,
  },
  {
    name: 'force-accepts-the-loss',
    file: DECISION,
    find: "const acceptedBy = request.trigger === 'manual' ? (request.acceptedBy ?? null) : null;",
    replace:
      "const acceptedBy = request.trigger === 'manual' ? (request.acceptedBy ?? (request.force ? 'force' : null)) : null;",
    why: 'Who forces a switch has not said that data may be lost.',
    tests: OF_DECISIONS,
  },
  {
    name: 'sicker-site-allowed',
    file: DECISION,
    find: 'if (isReady(service, to) || force) {',
    replace: 'if (isReady(service, to) || !force) {',
    why: 'Traffic goes to a site that is not healthy.',
    tests: OF_DECISIONS,
  },
  {
    name: 'alarm-without-data-is-none',
    file: ALARMS,
    find: "return lastKnown === 'alarm';",
    replace: 'return false;',
    why: 'An alarm goes quiet in the event that it should tell of.',
    tests: OF_DECISIONS,
  },
  {
    name: 'drain-leaves-nobody',
    file: SHARES,
    find: '  if (heirs.length === 0) {\n    return null;\n  }\n',
    replace: '',
    why: 'All shares fall to nobody: the name would be empty.',
    tests: OF_SHARES,
  },
  {
    name: 'suspect-inherits',
    file: SHARES,
    find: 'const readyKept = kept.filter((site) => isReady(service, site));',
    replace: 'const readyKept = kept;',
    why: 'A site under suspicion gets more traffic.',
    tests: OF_SHARES,
  },
  {
    name: 'share-back-at-once',
    file: SHARE_DECISION,
    find: 'if (moment.at < due.at) {',
    replace: 'if (moment.at < 0) {',
    why: 'A site that comes and goes drags the traffic with it.',
    tests: OF_SHARES,
  },
  {
    name: 'return-spends-the-last-run',
    file: SHARE_DECISION,
    find: 'const RESERVE = 1;',
    replace: 'const RESERVE = 0;',
    why: 'Nothing of the budget is left for the next failure.',
    tests: OF_SHARES,
  },
  {
    name: 'all-shares-zero',
    file: SHARE_DECISION,
    find: 'if (sum === 0) {',
    replace: 'if (sum < 0) {',
    why: 'A person may switch everybody off, or is told the wrong reason why not.',
    tests: OF_SHARES,
  },
  {
    name: 'drill-home-held-by-freeze',
    file: DRILLS,
    find: '  if (drill === null) {',
    replace: '  if (drill === null || service.freeze !== null) {',
    why: 'A brake pulled in the middle of a practice leaves the traffic where nobody meant it to stay.',
    tests: OF_DRILLS,
  },
  {
    name: 'drill-begins-under-freeze',
    file: DRILL_RULES,
    find: '  if (frozen !== null) {',
    replace: '  if (frozen !== null && frozen === null) {',
    why: 'Traffic moves although nothing may.',
    tests: OF_DRILLS,
  },
  {
    name: 'drill-holds-recovery-down',
    file: MACHINE,
    find: "phase === 'recovering' || phase === 'returning' || phase === 'rebalancing';",
    replace: "phase !== 'setting-up';",
    why: 'After a practice the real thing has to wait.',
    tests: OF_COMMANDS,
  },
  {
    name: 'run-to-a-dead-site-goes-on',
    file: GUARDS,
    find: ': newlyTo.some((site) => isGone(service, site));',
    replace: ': false;',
    why: 'A failover to a site that fails meanwhile runs into its time-outs.',
    tests: OF_LOGS,
  },
  {
    name: 'role-under-the-epoch-of-the-fence',
    file: 'lib/recovery/run-progress.ts',
    find: '{ ...withAuthority(service), epoch: { term, index } }',
    replace: '{ ...withAuthority(service), epoch: term < 0 ? { term, index } : service.epoch }',
    why: 'The target, told to stand by under that epoch, does not believe that it is active.',
    tests: OF_ENDINGS,
  },
  {
    name: 'undone-means-moved',
    file: DOUBT,
    find: 'return !isTakenBack;',
    replace: 'return isTakenBack;',
    why: 'Traffic that was taken back counts as astray, and the other way about.',
    tests: 'test/unit/recovery/run-ending.test.ts',
  },
];
