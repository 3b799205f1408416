import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import type { VerdictState } from '../../../lib/detection/verdict.ts';
import { compareEpochs } from '../../../lib/recovery/fence.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { currentStep, type Run, type StepResult } from '../../../lib/recovery/run.ts';
import type { RecoveryState, ServiceState } from '../../../lib/recovery/state.ts';
import { type LogStory, steadyStory, type Written } from '../../support/log-story.ts';
import { EAST, OBSERVERS, servicePolicy, sitePolicy, WEST } from '../../support/service-states.ts';

const SEED = 20_261_123;
const THIRD = 'us-east-2';
const SITES = [EAST, WEST, THIRD, 'mars'];
const SERVICES = ['checkout', 'search'];
const VERDICTS = ['healthy', 'failed', 'suspect', 'unknown', 'degraded', 'pending'] as const;

const POLICIES: readonly ServicePolicy[] = [
  servicePolicy({ safety: { holdDownMs: 30_000, automaticRunsPerDayMax: 2 } }),
  servicePolicy({ automatic: false }),
  servicePolicy({ ttlSeconds: 60, safety: { holdDownMs: 0, automaticRunsPerDayMax: 1 } }),
  servicePolicy({ sites: [EAST, WEST, THIRD].map((site) => sitePolicy(site)) }),
  servicePolicy({ primary: WEST, sites: [WEST, THIRD].map((site) => sitePolicy(site)) }),
];

const RESULTS: readonly StepResult[] = [
  { kind: 'done', evidence: { changeId: 'c-1' } },
  { kind: 'done', evidence: null },
  { kind: 'again', code: 'dns-did-not-answer' },
  { kind: 'failed', code: 'foreign-record' },
];

/** What a test does next; it is made a command of when it is known what stands. */
type Move = (story: LogStory, skewMs: number) => void;

const at = (story: LogStory, skewMs: number) => epochMillis(story.now() + skewMs);
const oneOf = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
const stepOf = (run: Run) => {
  const current = currentStep(run);
  if (current === null) {
    throw new Error(`the open run ${run.id} has no step left`);
  }
  return current.step;
};
const openRuns = (state: RecoveryState): readonly Run[] =>
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
      const step = stepOf(run);
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
  });

/** Does what is left of every open run. */
const complete: fc.Arbitrary<Move> = fc.constant((story) => story.finishRuns());

const configure: fc.Arbitrary<Move> = fc
  .tuple(oneOf(...POLICIES), fc.option(oneOf(...POLICIES)))
  .map(([first, second]) => (story) => {
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

const move = fc.oneof(
  { arbitrary: say, weight: 8 },
  { arbitrary: work, weight: 6 },
  { arbitrary: complete, weight: 3 },
  { arbitrary: pass, weight: 3 },
  { arbitrary: ask, weight: 2 },
  { arbitrary: alarm, weight: 2 },
  { arbitrary: review, weight: 2 },
  { arbitrary: configure, weight: 1 },
  { arbitrary: elect, weight: 1 },
);
const moves = fc.array(move, { minLength: 20, maxLength: 60, size: 'max' });
const skews = fc.array(fc.integer({ min: -7000, max: 7000 }), { minLength: 60, maxLength: 60 });

function tell(plot: readonly Move[], skewsMs: readonly number[] = []): readonly Written[] {
  const story = steadyStory(...POLICIES.slice(0, 1));
  plot.forEach((next, place) => {
    next(story, skewsMs[place] ?? 0);
  });
  return story.log();
}

/** Every entry with the state before it. */
function* stepsOf(log: readonly Written[]): Generator<Written & { before: RecoveryState }> {
  let before = createControlMachine(OBSERVERS).initial;
  for (const written of log) {
    yield { ...written, before };
    before = written.state;
  }
}

function checkService(service: ServiceState, { state, index, term }: Written): void {
  const { policy, phase, activeSite, epoch, sites } = service;
  const configured = policy.sites.map(({ site }) => site);
  expect(configured).toContain(activeSite);
  expect(Object.keys(sites).toSorted()).toEqual(configured.toSorted());
  expect(compareEpochs(epoch, { term, index })).toBeLessThanOrEqual(0);
  const open = openRuns(state).filter((run) => run.service === policy.service);
  expect(open.map(({ id }) => id)).toEqual('run' in phase ? [phase.run] : []);
  expect(open.every(({ to }) => to === activeSite)).toBe(true);
  const alarms = Object.values(sites).map((site) => site.alarms.length);
  expect(Math.max(...alarms)).toBeLessThanOrEqual(RUN_LIMITS.alarmsPerSiteMax);
}

function checkStep(step: Written & { before: RecoveryState }): void {
  const { before, state, index } = step;
  for (const [name, service] of Object.entries(state.services)) {
    checkService(service, step);
    const old = before.services[name];
    if (old !== undefined) {
      expect(compareEpochs(service.epoch, old.epoch)).toBeGreaterThanOrEqual(0);
      expect(service.activeSite === old.activeSite || service.epoch.index === index).toBe(true);
    }
  }
  expect(state.runs.length - openRuns(state).length).toBeLessThanOrEqual(RUN_LIMITS.runsKeptMax);
  expect(state.timeline.length).toBeLessThanOrEqual(RUN_LIMITS.timelineEventsMax);
  for (const run of before.runs.filter(({ outcome }) => outcome.kind !== 'open')) {
    const after = state.runs.find(({ id }) => id === run.id);
    expect(after === undefined || after === run, 'an ended run stays as it ended').toBe(true);
  }
}

const startedBy = ({ before, state }: { before: RecoveryState; state: RecoveryState }) =>
  state.runs.filter(({ id }) => before.runs.every((run) => run.id !== id));

const settings = { seed: SEED, numRuns: 150 };

describe('whatever the log says', () => {
  test('a service has one active site, at most one open run, and an epoch that never falls', () => {
    fc.assert(
      fc.property(moves, skews, (plot, skewsMs) => {
        for (const step of stepsOf(tell(plot, skewsMs))) {
          checkStep(step);
        }
      }),
      settings,
    );
  });

  test('the same log gives the same state, also from a copy that was stored in between', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        const log = tell(plot);
        let replayed = createControlMachine(OBSERVERS).initial;
        for (const { command, index, term } of log) {
          const stored = JSON.parse(JSON.stringify(replayed)) as RecoveryState;
          replayed = reduce(stored, command, { index, term }).state;
        }
        const last = log.at(-1)?.state;
        expect(JSON.stringify(replayed)).toBe(JSON.stringify(last));
        expect(replayed).toStrictEqual(last);
      }),
      settings,
    );
  });

  test('no run starts by itself where the policy leaves that to people', () => {
    fc.assert(
      fc.property(moves, skews, (plot, skewsMs) => {
        for (const step of stepsOf(tell(plot, skewsMs))) {
          for (const run of startedBy(step).filter(({ trigger }) => trigger === 'automatic')) {
            expect(step.state.services[run.service]?.policy.automatic).toBe(true);
          }
        }
      }),
      settings,
    );
  });

  test('no run goes to a site that is not healthy, unless a person forced it', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        for (const { command, ...step } of stepsOf(tell(plot))) {
          const isForced = 'force' in command && command.force;
          for (const run of startedBy(step).filter(({ kind }) => kind !== 'setup')) {
            const target = step.state.services[run.service]?.sites[run.to];
            expect(isForced || target?.opinion.state === 'healthy').toBe(true);
          }
        }
      }),
      settings,
    );
  });

  test('a review is never due again at once', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        for (const { command, state } of tell(plot)) {
          const reviewAt =
            command.kind === 'review' ? state.services[command.service]?.reviewAt : null;
          expect(reviewAt ?? Infinity).toBeGreaterThan(command.at);
        }
      }),
      settings,
    );
  });
});

/** What damping has to be held against: when each service ran by itself, and when a run ended. */
interface Past {
  readonly starts: Map<string, readonly number[]>;
  readonly ends: Map<string, number>;
}

function checkDamping(step: Written & { before: RecoveryState }, { starts, ends }: Past): void {
  const automatic = startedBy(step).filter(({ trigger }) => trigger === 'automatic');
  for (const { service, authorisedAt } of automatic) {
    const safety = step.state.services[service]?.policy.safety;
    const dayBefore = authorisedAt - RUN_LIMITS.dayMs;
    const today = (starts.get(service) ?? []).filter((start) => start > dayBefore);
    expect(today.length).toBeLessThan(safety?.automaticRunsPerDayMax ?? 0);
    const sinceMs = authorisedAt - (ends.get(service) ?? -Infinity);
    expect(sinceMs).toBeGreaterThanOrEqual(safety?.holdDownMs ?? Infinity);
    starts.set(service, [...today, authorisedAt]);
  }
}

function remember(
  { before, state }: Written & { before: RecoveryState },
  { starts, ends }: Past,
): void {
  const wereOpen = new Set(openRuns(before).map(({ id }) => id));
  for (const { id, service, kind, outcome } of state.runs) {
    if (outcome.kind === 'done' && kind !== 'setup' && wereOpen.has(id)) {
      ends.set(service, outcome.at);
    }
  }
  // A service that leaves the configuration begins anew when it comes back.
  for (const service of SERVICES.filter((name) => state.services[name] === undefined)) {
    starts.delete(service);
    ends.delete(service);
  }
}

describe('while the clocks agree', () => {
  test('hold-down and budget hold', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        const past: Past = { starts: new Map(), ends: new Map() };
        for (const step of stepsOf(tell(plot))) {
          checkDamping(step, past);
          remember(step, past);
        }
      }),
      settings,
    );
  });

  test('the moves above do start runs of each kind, and end them in each way', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(moves, (plot) => {
        for (const run of tell(plot).at(-1)?.state.runs ?? []) {
          seen.add(`${run.trigger} ${run.kind} ${run.outcome.kind}`);
        }
      }),
      settings,
    );
    for (const kind of [
      'automatic failover',
      'manual failover',
      'manual failback',
      'manual setup',
    ]) {
      for (const outcome of ['open', 'done', 'failed']) {
        expect(seen).toContain(`${kind} ${outcome}`);
      }
    }
  });
});
