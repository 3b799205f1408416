/**
 * Plots: what may befall services, drawn by chance and written to a log by hand. Properties of whatever
 * the log says are checked on them.
 */
import fc from 'fast-check';
import { epochMillis } from '../../lib/base/identifiers.ts';
import { createControlMachine } from '../../lib/control/machine.ts';
import type { VerdictState } from '../../lib/detection/verdict.ts';
import { OVERRIDE_RULES } from '../../lib/recovery/overrides.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import { needsWorker, openSteps, type Run, type StepResult } from '../../lib/recovery/run.ts';
import type { RecoveryState } from '../../lib/recovery/state.ts';
import { createLogStory, type LogStory, type Written } from './log-story.ts';
import {
  EAST,
  OBSERVERS,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from './service-states.ts';

export const SEED = 20_261_123;
const THIRD = 'us-east-2';
const SITES = [EAST, WEST, THIRD, 'mars'];
export const SERVICES = ['checkout', 'search'];
const VERDICTS = ['healthy', 'failed', 'suspect', 'unknown', 'degraded', 'pending'] as const;

const lively = safetyPolicy({ holdDownMs: 30_000, automaticRunsPerDayMax: 2 });
const three = [EAST, WEST, THIRD].map((site, place) =>
  sitePolicy(site, { weight: [50, 30, 20][place] ?? 0 }),
);
const gate = { lagMsMax: 5000, overLimit: 'block', unknownLag: 'accept', metric: null } as const;

/** Plain failover in several sizes, as they were before there was anything else. */
const PLAIN: readonly ServicePolicy[] = [
  servicePolicy({ safety: lively }),
  servicePolicy({ automatic: false }),
  servicePolicy({
    ttlSeconds: 60,
    safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 1 }),
  }),
  servicePolicy({ sites: [EAST, WEST, THIRD].map((site) => sitePolicy(site)) }),
  servicePolicy({ primary: WEST, sites: [WEST, THIRD].map((site) => sitePolicy(site)) }),
];

/** With every safety rule there is, alone and together. */
const CAREFUL: readonly ServicePolicy[] = [
  servicePolicy({ safety: { ...lively, acknowledgement: true }, replication: gate }),
  servicePolicy({ safety: { ...lively, approval: 'all' }, sites: three, fencing: 'lease' }),
  servicePolicy({
    safety: { ...lively, automaticRunsPerDayMax: 4 },
    returning: { percents: [10, 50, 100], holdMs: 4000 },
    sites: three,
  }),
];

const SHARED: readonly ServicePolicy[] = [
  servicePolicy({
    strategy: 'active-active',
    safety: { ...lively, automaticRunsPerDayMax: 4 },
    returning: { percents: [20, 100], holdMs: 4000 },
    sites: three,
  }),
  servicePolicy({
    strategy: 'active-active',
    safety: { ...lively, holdDownMs: 0, acknowledgement: true },
    sites: three.slice(0, 2),
  }),
];

/** Roles move behind a fence, and nobody is asked. */
export const FENCED: ServicePolicy = servicePolicy({
  fencing: 'lease',
  safety: safetyPolicy({ holdDownMs: 30_000 }),
  sites: [EAST, WEST, THIRD].map((site) => sitePolicy(site)),
});

const RESULTS: readonly StepResult[] = [
  { kind: 'done', evidence: { changeId: 'c-1' } },
  { kind: 'done', evidence: null },
  { kind: 'again', code: 'dns-did-not-answer' },
  { kind: 'failed', code: 'foreign-record' },
];

/** What a test does next; it is made a command of when it is known what stands. */
export type Move = (story: LogStory, skewMs: number) => void;

const at = (story: LogStory, skewMs: number) => epochMillis(story.now() + skewMs);
const oneOf = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
export const openRuns = (state: RecoveryState): readonly Run[] =>
  state.runs.filter(({ outcome }) => outcome.kind === 'open');

const say: fc.Arbitrary<Move> = fc
  .record({
    service: oneOf(...SERVICES),
    site: oneOf(...SITES),
    verdict: oneOf<VerdictState>('healthy', 'healthy', 'failed', 'failed', ...VERDICTS),
    observers: fc.oneof(
      { arbitrary: fc.constant(OBSERVERS), weight: 3 },
      { arbitrary: fc.subarray([...OBSERVERS], { minLength: 1 }), weight: 1 },
    ),
    ageMs: fc.nat(20_000),
  })
  .map(({ service, site, verdict, observers, ageMs }) => (story) => {
    const lastArrivalAt = epochMillis(story.now() - ageMs);
    story.say(site, verdict, { by: observers, service, lastArrivalAt });
  });

const alarm: fc.Arbitrary<Move> = fc
  .record({
    service: oneOf(...SERVICES),
    site: oneOf(...SITES),
    name: oneOf('5xx', 'lag'),
    state: oneOf<'alarm' | 'ok' | 'insufficient-data'>('alarm', 'ok', 'ok', 'insufficient-data'),
  })
  .map((change) => (story, skewMs) => {
    story.write({ kind: 'alarm', ...change }, at(story, skewMs));
  });

const ask: fc.Arbitrary<Move> = fc
  .record({
    service: oneOf(...SERVICES),
    to: oneOf(null, ...SITES),
    force: fc.boolean(),
    isBack: fc.boolean(),
  })
  .map(({ service, to, force, isBack }) => (story, skewMs) => {
    const asked = { service, force, by: 'ann', reason: 'a test' };
    const command = isBack
      ? ({ kind: 'failback', ...asked } as const)
      : ({ kind: 'failover', to, ...asked } as const);
    story.write(command, at(story, skewMs));
  });

const work: fc.Arbitrary<Move> = fc
  .record({
    result: oneOf(...RESULTS),
    isDead: oneOf(true, false, false),
    lateBy: oneOf(0, 0, 0, 1),
  })
  .map(({ result, isDead, lateBy }) => (story, skewMs) => {
    for (const run of openRuns(story.state())) {
      const step = openSteps(run).find(needsWorker);
      if (step !== undefined) {
        const attempt = step.attempt + 1;
        const claim = { run: run.id, step: step.name } as const;
        const [worker = run.to as never] = OBSERVERS;
        story.write({ kind: 'claim-step', ...claim, attempt, worker }, at(story, skewMs));
        if (!isDead) {
          const finish = {
            kind: 'finish-step',
            ...claim,
            attempt: attempt - lateBy,
            result,
          } as const;
          story.write(finish, at(story, skewMs));
        }
      }
    }
  });

/** Brings every open run to its end, as far as the world lets it. */
const complete: fc.Arbitrary<Move> = fc.constant(bringToTheirEnd);
const TURNS_MAX = 30;

function bringToTheirEnd(story: LogStory): void {
  for (let turn = 0; turn < TURNS_MAX && openRuns(story.state()).length > 0; turn += 1) {
    for (const run of openRuns(story.state())) {
      bringOn(story, run);
    }
  }
}

function bringOn(story: LogStory, { id, service }: Run): void {
  const run = story.state().runs.find((candidate) => candidate.id === id);
  const [step] = run?.outcome.kind === 'open' ? openSteps(run) : [];
  if (step === undefined) {
    return;
  }
  const named = { run: id, step: step.name } as const;
  if (step.action.kind === 'approve') {
    story.write({ kind: 'approve', ...named, verdict: 'approve', by: 'bob', reason: 'seen' });
  } else if (needsWorker(step)) {
    const [worker = service as never] = OBSERVERS;
    const attempt = step.attempt + 1;
    story.write({ kind: 'claim-step', ...named, attempt, worker });
    story.write({
      kind: 'finish-step',
      ...named,
      attempt,
      result: { kind: 'done', evidence: null },
    });
  } else {
    story.wait(4000);
    story.write({ kind: 'review', service });
  }
}

const configureFrom = (policies: readonly ServicePolicy[]): fc.Arbitrary<Move> =>
  fc.tuple(oneOf(...policies), fc.option(oneOf(...policies))).map(([first, second]) => (story) => {
    const other = second === null ? [] : [{ ...second, service: 'search', dnsName: 'search.test' }];
    story.configure(first, ...other);
  });

const review: fc.Arbitrary<Move> = oneOf(...SERVICES).map((service) => (story, skewMs) => {
  story.write({ kind: 'review', service }, at(story, skewMs));
});

const pass: fc.Arbitrary<Move> = oneOf(100, 5000, 13_000, 40_000, 90_000_000).map(
  (durationMs) => (story) => story.wait(durationMs),
);

const elect: fc.Arbitrary<Move> = fc.constant((story) => story.elect());

// ── What people do to the rules ──────────────────────────────────────────────────────────────────

const BY = { by: 'ann', reason: 'a test' } as const;
const LENGTHS_MS = [3000, 60_000] as const;

type RuleMove = 'acknowledge' | 'freeze' | 'unfreeze' | 'freeze-all' | 'override' | 'override-end';

const rule: fc.Arbitrary<Move> = fc
  .record({
    service: oneOf(...SERVICES),
    kind: oneOf<RuleMove>(
      'acknowledge',
      'freeze',
      'unfreeze',
      'freeze-all',
      'override',
      'override-end',
    ),
    name: oneOf(...OVERRIDE_RULES),
    durationMs: oneOf(...LENGTHS_MS),
  })
  .map(({ service, kind, name, durationMs }) => (story, skewMs) => {
    const now = at(story, skewMs);
    switch (kind) {
      case 'freeze-all':
        story.write({ kind: 'freeze', service: null, durationMs, ...BY }, now);
        break;
      case 'freeze':
        story.write({ kind, service, durationMs, ...BY }, now);
        break;
      case 'override':
        story.write({ kind, service, rule: name, durationMs, ...BY }, now);
        break;
      case 'override-end':
        story.write({ kind, service, rule: name, ...BY }, now);
        break;
      default:
        story.write({ kind, service, ...BY }, now);
    }
  });

const weigh: fc.Arbitrary<Move> = fc
  .record({ service: oneOf(...SERVICES), east: fc.nat(100), west: fc.nat(100) })
  .map(({ service, east, west }) => (story, skewMs) => {
    const weights = { [EAST]: east, [WEST]: west, [THIRD]: Math.max(0, 100 - east - west) };
    story.write({ kind: 'set-weights', service, weights, ...BY }, at(story, skewMs));
  });

const practise: fc.Arbitrary<Move> = fc
  .record({
    service: oneOf(...SERVICES),
    ends: fc.boolean(),
    force: fc.boolean(),
    durationMs: oneOf(...LENGTHS_MS),
  })
  .map(({ service, ends, force, durationMs }) => (story, skewMs) => {
    const command = ends
      ? ({ kind: 'drill-end', service, force, ...BY } as const)
      : ({ kind: 'drill', service, to: null, durationMs, scheduled: false, ...BY } as const);
    story.write(command, at(story, skewMs));
  });

const cancel: fc.Arbitrary<Move> = fc.constant((story) => {
  for (const { id } of openRuns(story.state())) {
    story.write({ kind: 'cancel-run', run: id, ...BY });
  }
});

const lag: fc.Arbitrary<Move> = fc
  .record({ site: oneOf(EAST, WEST, THIRD), lagMs: oneOf(0, 4000, 9000, null) })
  .map(({ site, lagMs }) => (story) => {
    story.say(site, 'healthy', { replicationLagMs: lagMs });
  });

const plain = [
  { arbitrary: say, weight: 8 },
  { arbitrary: work, weight: 6 },
  { arbitrary: complete, weight: 3 },
  { arbitrary: pass, weight: 3 },
  { arbitrary: ask, weight: 2 },
  { arbitrary: alarm, weight: 2 },
  { arbitrary: review, weight: 2 },
  { arbitrary: elect, weight: 1 },
];
const careful = [
  ...plain,
  { arbitrary: rule, weight: 3 },
  { arbitrary: weigh, weight: 1 },
  { arbitrary: practise, weight: 2 },
  { arbitrary: cancel, weight: 1 },
  { arbitrary: lag, weight: 1 },
];

/** What befalls a service that fails over and does nothing else. */
export const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(...plain, { arbitrary: configureFrom(PLAIN), weight: 1 }),
  { minLength: 20, maxLength: 60, size: 'max' },
);
export const skews: fc.Arbitrary<readonly number[]> = fc.array(
  fc.integer({ min: -7000, max: 7000 }),
  { minLength: 60, maxLength: 60 },
);

/** A policy of any kind to begin with, and what befalls the service then. */
export const plots: fc.Arbitrary<{ first: ServicePolicy; plot: readonly Move[] }> = fc.record({
  first: oneOf(...CAREFUL, ...SHARED),
  plot: fc.array(
    fc.oneof(...careful, { arbitrary: configureFrom([...CAREFUL, ...SHARED]), weight: 1 }),
    { minLength: 20, maxLength: 60, size: 'max' },
  ),
});

export function tell(...plot: Parameters<typeof live>): readonly Written[] {
  return live(...plot).log();
}

/** The same, as a story that can go on. */
export function live(
  plot: readonly Move[],
  skewsMs: readonly number[] = [],
  first: ServicePolicy = servicePolicy({ safety: lively }),
): LogStory {
  const story = createLogStory();
  story.configure(first);
  while (openRuns(story.state()).length > 0) {
    story.finishStep();
  }
  for (const { site } of first.sites) {
    story.say(site, 'healthy');
  }
  plot.forEach((next, place) => {
    next(story, skewsMs[place] ?? 0);
  });
  return story;
}

/** From now on nothing is wrong any more: sites are well, replicas level, alarms over, and every step works out. */
export function heal(story: LogStory, hours: number): void {
  for (let hour = 0; hour < hours; hour += 1) {
    for (const { policy, sites } of Object.values(story.state().services)) {
      const { service } = policy;
      for (const [site, { alarms }] of Object.entries(sites)) {
        for (const { name } of alarms) {
          story.write({ kind: 'alarm', service, site, name, state: 'ok' });
        }
      }
      for (const { site } of policy.sites) {
        story.say(site, 'healthy', { service, replicationLagMs: 0 });
      }
    }
    bringToTheirEnd(story);
    story.waitReviewing(HOUR_MS);
    bringToTheirEnd(story);
  }
}
const HOUR_MS = 3_600_000;

export interface Told extends Written {
  readonly before: RecoveryState;
}

/** Every entry with the state before it. */
export function* stepsOf(log: readonly Written[]): Generator<Told> {
  let before = createControlMachine(OBSERVERS).initial;
  for (const written of log) {
    yield { ...written, before };
    before = written.state;
  }
}

export function startedBy({ before, state }: Pick<Told, 'before' | 'state'>): readonly Run[] {
  return state.runs.filter(({ id }) => before.runs.every((run) => run.id !== id));
}
