import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reduce } from '../../../lib/control/machine.ts';
import { migrateState } from '../../../lib/control/state-migration.ts';
import { countingAlarms } from '../../../lib/recovery/alarm-policy.ts';
import { isReady } from '../../../lib/recovery/analysis.ts';
import { DECISION_CODES } from '../../../lib/recovery/decision.ts';
import { compareEpochs } from '../../../lib/recovery/fence.ts';
import { standingFreeze } from '../../../lib/recovery/freeze.ts';
import { overrideOf } from '../../../lib/recovery/overrides.ts';
import type { StepAction } from '../../../lib/recovery/plan.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import { isSameTraffic } from '../../../lib/recovery/rebalance.ts';
import {
  freshStep,
  needsWorker,
  openSteps,
  type Run,
  type Step,
  type StepResult,
} from '../../../lib/recovery/run.ts';
import type { RecoveryState, ServiceState } from '../../../lib/recovery/state.ts';
import { movesAuthority, roleOf, shareOf } from '../../../lib/recovery/traffic.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { plots, SEED, startedBy, stepsOf, type Told, tell } from '../../support/plots.ts';
import { EAST, safetyPolicy, servicePolicy, WEST } from '../../support/service-states.ts';

/** Told once for all that is checked; the place of a log names it in a failure. */
const LOGS = fc
  .sample(plots, { seed: SEED, numRuns: 120 })
  .map(({ first, plot }) => tell(plot, [], first));

/** A drill is begun, its home fails sooner or later, and a person insists that it goes there. */
const PRACTICES = fc
  .sample(plots, { seed: SEED, numRuns: 60 })
  .map(({ first, plot }) =>
    tell([begin, ...plot.slice(0, 4), insist, ...plot.slice(4, 16)], [], first),
  );

function begin(story: LogStory): void {
  const words = { service: 'checkout', to: null, durationMs: null, scheduled: false } as const;
  story.write({ kind: 'drill', ...words, by: 'ann', reason: 'practice' });
}

function insist(story: LogStory): void {
  const { drill } = story.service();
  if (drill !== null) {
    story.say(drill.homeSite, 'failed');
  }
  const words = { service: 'checkout', by: 'ann', reason: 'enough' } as const;
  story.write({ kind: 'drill-end', force: true, ...words });
}

function always(check: (step: Told) => void, logs = LOGS): void {
  for (const [place, log] of logs.entries()) {
    for (const step of stepsOf(log)) {
      try {
        check(step);
      } catch (cause) {
        throw new Error(`log ${place}, entry ${step.index}: ${step.command.kind}`, { cause });
      }
    }
  }
}

const NO_ALARMS = { missingData: 'last-known', triggering: [] } as const;
const servicesOf = ({ state }: Told) => Object.values(state.services);
const serviceOf = ({ state }: Told, { service }: Run): ServiceState => {
  const found = state.services[service];
  if (found === undefined) {
    throw new Error(`the run of ${service} has no service`);
  }
  return found;
};
const isForced = ({ command }: Told) => 'force' in command && command.force;
const byItself = (step: Told) =>
  startedBy(step).filter(({ trigger, kind }) => trigger === 'automatic' && kind !== 'drill-return');

function checkAuthority(service: ServiceState, before: ServiceState | undefined): void {
  const { policy, traffic, granted, activeSite } = service;
  const sites = policy.sites.map(({ site }) => site);
  const active = sites.filter((site) => roleOf(service, site) === 'active');
  const serving = sites.filter((site) => shareOf(traffic, site) > 0);
  const expected = policy.strategy === 'active-active' ? serving : [activeSite];
  expect(active.toSorted()).toEqual(granted ? expected.toSorted() : []);
  if (before === undefined) {
    return;
  }
  const isMoved =
    before.activeSite !== activeSite ||
    !isSameTraffic(before.traffic, traffic) ||
    before.granted !== granted;
  const order = compareEpochs(service.epoch, before.epoch);
  expect(
    order,
    'authority moves with a newer epoch, and never with an older',
  ).toBeGreaterThanOrEqual(isMoved ? 1 : 0);
  // An agent that hears two roles of one epoch believes the more cautious.
  const risen = sites.filter(
    (site) => roleOf(before, site) === 'standby' && roleOf(service, site) === 'active',
  );
  expect(order > 0 ? [] : risen, 'no site rises without a newer epoch').toEqual([]);
}

function checkShares({ policy, traffic }: ServiceState): void {
  const shares = Object.values(traffic);
  expect(shares.every((share) => Number.isInteger(share) && share > 0)).toBe(true);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(100);
  const sites = policy.sites.map(({ site }) => site);
  expect(Object.keys(traffic).every((site) => sites.includes(site))).toBe(true);
}

function checkAutomatic(step: Told, run: Run): void {
  const service = serviceOf(step, run);
  const { at } = step.command;
  // A fence that was begun is ended: somebody authorised it, and nobody is active until then.
  const isBegun = step.before.services[run.service]?.granted === false;
  expect(isBegun || service.policy.automatic).toBe(true);
  expect(standingFreeze(service.freeze, at)).toBeNull();
  expect(standingFreeze(step.state.freeze, at)).toBeNull();
  const due = step.before.services[run.service]?.acknowledgement ?? null;
  const isSeen = step.command.kind === 'acknowledge';
  const isAside = overrideOf(service, 'acknowledgement', at) !== null;
  const isAsked = service.policy.safety.acknowledgement;
  const isFree = isSeen || isAside || !isAsked || isBegun;
  expect(due === null || isFree, 'acknowledged first').toBe(true);
  const isDrain = run.kind === 'rebalance' && run.mode === 'emergency';
  const isDampingAside = overrideOf(service, 'hold-down', at) !== null;
  const sinceMs = at - (step.before.services[run.service]?.lastRunEndedAt ?? -Infinity);
  expect(isDrain || isDampingAside || sinceMs >= service.policy.safety.holdDownMs).toBe(true);
}

/** Who gets more than before must be ready, unless a person forced it: then all but the one it goes to. */
function checkTarget(step: Told, run: Run): void {
  const service = serviceOf(step, run);
  const gaining = Object.keys(run.traffic).filter(
    (site) => shareOf(run.traffic, site) > shareOf(run.before, site),
  );
  for (const site of gaining.filter((name) => !(isForced(step) && name === run.to))) {
    expect(isReady(service, site), `${run.id} gives more to ${site}`).toBe(true);
  }
}

/** Between any two entries, by the log alone: who had the role last, and the fence that gave it to another. */
function checkFenced(log: Iterable<Told>): void {
  const holders = new Map<string, string>();
  for (const { state, before, command } of log) {
    for (const { policy, activeSite, granted } of Object.values(state.services)) {
      const holder = holders.get(policy.service);
      const isLeased = policy.fencing === 'lease' && holder !== undefined;
      if (granted && isLeased && holder !== activeSite) {
        expect(command.kind).toBe('finish-step');
        const isOfRun = (run: Run) => 'run' in command && run.id === command.run;
        const steps = state.runs
          .find(isOfRun)
          ?.steps.filter(({ action }) => action.kind === 'fence');
        expect(steps?.some(({ progress }) => progress.kind === 'done')).toBe(true);
      }
      if (granted) {
        holders.set(policy.service, activeSite);
      }
    }
    for (const gone of Object.keys(before.services).filter((name) => !(name in state.services))) {
      holders.delete(gone);
    }
  }
}

const RESULTS: readonly StepResult[] = [
  { kind: 'done', evidence: null },
  { kind: 'failed', code: 'foreign-record' },
  { kind: 'waiting', code: 'lease-not-lapsed' },
];

/** Steps as no configuration has them any more: in any order, with whatever may leave them out. */
const anyPlan: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.record({
      action: fc.constantFrom<StepAction>(
        { kind: 'fence' },
        { kind: 'switch' },
        { kind: 'routing' },
        { kind: 'verify' },
        { kind: 'weights', targetPercent: 50 },
        { kind: 'weights', targetPercent: 100 },
      ),
      essential: fc.boolean(),
      when: fc.constantFrom(null, null, 'source-alive', 'source-failed'),
      undo: fc.constantFrom(null, { kind: 'weights', targetPercent: 0 } as const),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drawn) =>
    drawn.map(({ action, ...rest }, place) =>
      freshStep(planned(`${action.kind}-${place}`, action, rest), place + 1, false),
    ),
  );

/** The open run waits at its first step, and goes on with these. */
function withSteps(
  state: RecoveryState,
  steps: readonly Step[],
  onFailure: Run['onFailure'],
): RecoveryState {
  const runs = state.runs.map((run) =>
    run.outcome.kind === 'open'
      ? { ...run, onFailure, steps: [...run.steps.slice(0, 1), ...steps] }
      : run,
  );
  return { ...state, runs };
}

const hasWork = (run: Run) => run.outcome.kind === 'open' && openSteps(run).some(needsWorker);

interface OddRun {
  readonly steps: readonly Step[];
  readonly onFailure: Run['onFailure'];
  readonly results: readonly StepResult[];
  readonly isLost: boolean;
  /** After how many steps a person cancels the run. */
  readonly cancelAfter: number;
}

const oddRuns: fc.Arbitrary<OddRun> = fc.record({
  steps: anyPlan,
  onFailure: fc.constantFrom('stop', 'undo'),
  results: fc.array(fc.constantFrom(...RESULTS, ...RESULTS.slice(0, 1)), { maxLength: 8 }),
  isLost: fc.boolean(),
  cancelAfter: fc.nat(12),
});

function tellOdd({ steps, onFailure, results, isLost, cancelAfter }: OddRun) {
  const safety = safetyPolicy({ approval: 'manual', holdDownMs: 0 });
  const story = steadyStory(servicePolicy({ fencing: 'lease', safety }));
  const ann = { by: 'ann', reason: 'a test' } as const;
  story.write({ kind: 'failover', service: 'checkout', to: WEST, force: false, ...ann });
  const run = story.run().id;
  story.replace((state) => withSteps(state, steps, onFailure));
  if (isLost) {
    story.say(EAST, 'failed');
  }
  const bob = { by: 'bob', reason: 'a test' } as const;
  story.write({ kind: 'approve', run, step: 'approve', verdict: 'approve', ...bob });
  for (let turn = 0; turn < 20; turn += 1) {
    if (turn === cancelAfter) {
      story.write({ kind: 'cancel-run', run, ...ann });
    }
    if (story.state().runs.some(hasWork)) {
      story.finishStep(results[turn]);
    }
  }
  return story;
}

describe('whatever people do to the safety rules', () => {
  test('one site at most is authorised where one serves, and authority moves with newer epochs only', () => {
    always((step) => {
      for (const service of servicesOf(step)) {
        checkAuthority(service, step.before.services[service.policy.service]);
      }
    });
  });

  test('with leases the role comes to another site by a fence that is done, and in no other way', () => {
    for (const log of LOGS) {
      checkFenced(stepsOf(log));
    }
  });

  test('and so it does whatever the plan of a run says, or lacks', () => {
    const seen = { refused: 0, moved: 0 };
    for (const odd of fc.sample(oddRuns, { seed: SEED, numRuns: 150 })) {
      const story = tellOdd(odd);
      checkFenced(stepsOf(story.log()));
      const { activeSite, granted } = story.service();
      const codes = story
        .state()
        .runs.flatMap(({ steps }) => steps.map(({ lastCode }) => lastCode));
      seen.refused += codes.includes('not-fenced') ? 1 : 0;
      seen.moved += granted && activeSite === WEST ? 1 : 0;
    }
    expect(seen.refused).toBeGreaterThan(20);
    expect(seen.moved).toBeGreaterThan(5);
  });

  test('somebody always serves: the shares are whole and sum to 100', () => {
    always((step) => {
      for (const service of servicesOf(step)) {
        checkShares(service);
      }
    });
  });

  test('nothing starts by itself under a freeze, in a hold-down or before it is acknowledged', () => {
    always((step) => {
      for (const run of byItself(step)) {
        checkAutomatic(step, run);
      }
    });
  });

  test('no site that is not ready gets more traffic, unless a person forces it', () => {
    always((step) => {
      const runs = startedBy(step).filter(({ kind }) => kind !== 'setup');
      for (const run of runs) {
        checkTarget(step, run);
      }
    });
  });

  test('a drill goes to a home that is not ready where a person insists, and nowhere else', () => {
    const seen = { ready: 0, forced: 0 };
    const check = (step: Told): void => {
      for (const run of startedBy(step).filter(({ kind }) => kind === 'drill-return')) {
        expect(run.to).toBe(step.before.services[run.service]?.drill?.homeSite);
        const isFit = isReady(serviceOf(step, run), run.to);
        expect(isFit || isForced(step)).toBe(true);
        checkTarget(step, run);
        seen[isFit ? 'ready' : 'forced'] += 1;
      }
      for (const service of servicesOf(step)) {
        checkAuthority(service, step.before.services[service.policy.service]);
        checkShares(service);
      }
    };
    always(check, PRACTICES);
    for (const log of PRACTICES) {
      checkFenced(stepsOf(log));
    }
    expect(seen.ready).toBeGreaterThan(0);
    expect(seen.forced).toBeGreaterThan(10);
  });

  test('no planned run gives authority to a site against which an alarm rings since it was authorised', () => {
    always(({ index, state }) => {
      const moving = state.runs.filter(
        ({ kind, mode, steps }) =>
          kind !== 'setup' &&
          mode === 'graceful' &&
          steps.some((s) => movesAuthority(s) && !s.isUndo && s.epoch?.index === index),
      );
      for (const { service, from, to, epoch } of moving) {
        const found = state.services[service];
        const alarms = countingAlarms(found?.sites[to], found?.policy.alarms ?? NO_ALARMS);
        const isNew = alarms.some((alarm) => (alarm.index ?? 0) > epoch.index);
        expect(isNew && from !== to).toBe(false);
      }
    });
  });

  test('no freeze keeps the traffic at the site of a drill', () => {
    always((step) => {
      if (step.command.kind === 'drill-end') {
        const service = step.state.services[step.command.service];
        const isHeld = service?.drill != null && service.decision?.index === step.index;
        expect(isHeld && service.decision?.code === 'frozen').toBe(false);
      }
    });
  });

  test('every decision is of the closed list, and no review is due at once again', () => {
    always((step) => {
      for (const { decision } of servicesOf(step)) {
        expect(decision === null || DECISION_CODES.includes(decision.code)).toBe(true);
      }
      if (step.command.kind === 'review') {
        const reviewAt = step.state.services[step.command.service]?.reviewAt ?? Infinity;
        expect(reviewAt).toBeGreaterThan(step.command.at);
      }
    });
  });

  test('a copy of the state that is read back goes on as the state does', () => {
    always(
      ({ before, command, index, term, state }) => {
        const stored = migrateState(JSON.parse(JSON.stringify(before)));
        expect(JSON.stringify(reduce(stored, command, { index, term }).state)).toBe(
          JSON.stringify(state),
        );
      },
      LOGS.slice(0, 8),
    );
  });

  test('the plots above do start runs of each kind', () => {
    const seen = new Set<string>();
    always((step) => {
      for (const { trigger, kind, mode } of startedBy(step)) {
        seen.add(`${trigger} ${kind} ${mode}`);
      }
    });
    for (const run of [
      'automatic failover emergency',
      'automatic failover graceful',
      'automatic rebalance emergency',
      'automatic rebalance graceful',
      'automatic drill-return graceful',
      'manual drill graceful',
      'manual drill-return graceful',
      'manual rebalance graceful',
      'manual failback graceful',
    ]) {
      expect(seen).toContain(run);
    }
  });
});
