import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import {
  type MachineEvent,
  type Moment,
  startSetup,
  stepMachine,
} from '../../../lib/recovery/machine.ts';
import type { RunKind } from '../../../lib/recovery/run.ts';
import type { Phase, ServiceState, StandingDrill } from '../../../lib/recovery/state.ts';
import { TRANSITIONS, type Transition } from '../../../lib/recovery/transitions.ts';
import {
  alarmOf,
  atMs,
  EAST,
  safetyPolicy,
  servicePolicy,
  serviceState,
  sitePolicy,
  siteState,
  T0,
  WEST,
  withOpinions,
} from '../../support/service-states.ts';

const MOMENT: Moment = {
  index: logIndex(40),
  term: term(3),
  at: T0,
  requestedBy: 'ann',
  reason: 'a test',
};
const EVIDENCE: MachineEvent = { kind: 'evidence-changed' };
const PHASES: readonly Phase['kind'][] = [
  'steady',
  'impaired',
  'setting-up',
  'recovering',
  'returning',
  'rebalancing',
  'drilling',
  'practising',
  'drill-returning',
];
const EVENTS: readonly MachineEvent['kind'][] = [
  'evidence-changed',
  'failover-requested',
  'failback-requested',
  'weights-requested',
  'drill-requested',
  'drill-end-requested',
  'run-done',
  'run-failed',
  'run-cancelled',
];

function phaseOf(kind: Phase['kind']): Phase {
  switch (kind) {
    case 'steady':
    case 'practising':
      return { kind };
    case 'impaired':
      return { kind, cause: 'site-failed' };
    default:
      return { kind, run: 'checkout-30' };
  }
}

const HALVES = { [EAST]: 50, [WEST]: 50 };
const halves = servicePolicy({
  strategy: 'active-active',
  sites: [sitePolicy(EAST, { weight: 50 }), sitePolicy(WEST, { weight: 50 })],
});

type Row = Pick<Transition, 'phase' | 'guards' | 'decision'>;

/** West serves, so that a failback has somewhere to go; of an active-active service both do. */
function serviceFor(row: Row): ServiceState {
  const { phase, guards, decision } = row;
  const isTroubled = guards.includes('active-site-failed') || guards.includes('run-overtaken');
  const refuses = guards.includes('decision-refuses');
  const isOfShares = decision === 'weights' || decision === 'home' || guards.includes('share-due');
  const sites = {
    [EAST]: siteState(refuses && !isOfShares ? 'failed' : 'healthy', {
      opinionSince: atMs(-60_000),
    }),
    [WEST]: siteState(
      isTroubled ? 'failed' : refuses && guards.includes('nobody-active') ? 'suspect' : 'healthy',
    ),
  };
  const shared = { policy: halves, traffic: decision === 'drain' ? HALVES : { [WEST]: 100 } };
  const isShared = isOfShares || guards.includes('active-active');
  return serviceState({
    phase: phaseOf(phase),
    activeSite: WEST,
    traffic: { [WEST]: 100 },
    ...(isShared ? shared : {}),
    granted: !guards.includes('nobody-active'),
    sites,
    drill: refuses ? null : drillFor(row),
    freeze: refuses && isOfShares ? { since: T0, until: atMs(1), by: 'ann', reason: '' } : null,
  });
}

/** One that is over goes home to east; one that a failure overtakes had just begun to go there. */
function drillFor({ phase, guards, decision }: Row): StandingDrill | null {
  const isOver = guards.includes('drill-over') || decision === 'drill-return';
  const { homeSite, revertAt } = isOver
    ? { homeSite: EAST, revertAt: T0 }
    : { homeSite: WEST, revertAt: null };
  return isOver || phase.startsWith('drill')
    ? {
        run: 'checkout-30',
        site: homeSite === EAST ? WEST : EAST,
        home: { [homeSite]: 100 },
        homeSite,
        revertAt,
        durationMs: 60_000,
        failedReturns: 0,
      }
    : null;
}

/** The run that is open: it goes to the site that fails where the row is about that. */
function momentFor({ phase }: Row, service: ServiceState): Moment {
  if (!('run' in phaseOf(phase))) {
    return MOMENT;
  }
  const { started } = startSetup(service, { ...MOMENT, index: logIndex(30) });
  return { ...MOMENT, openRun: started };
}

/** Only force gets past an open run. */
function eventOf(kind: MachineEvent['kind'], { force = false, isMoved = true } = {}): MachineEvent {
  switch (kind) {
    case 'failover-requested':
      return { kind, to: EAST, force };
    case 'failback-requested':
      return { kind, force };
    case 'drill-end-requested':
      return { kind, force: false };
    case 'weights-requested':
      return { kind, weights: { [EAST]: 40, [WEST]: 60 } };
    case 'drill-requested':
      return { kind, to: EAST, durationMs: 5000, occurrence: null };
    case 'run-failed':
      return { kind, isTrafficMoved: isMoved, isStillborn: false };
    case 'run-cancelled':
      return { kind, isTrafficMoved: isMoved };
    default:
      return { kind };
  }
}

const nameOf = ({ phase, event, guards, decision }: Transition) =>
  [phase, event, ...guards, decision].join(' · ');

const STARTS: { readonly [effect in Transition['effect']]?: RunKind } = {
  'start-failover': 'failover',
  'start-failback': 'failback',
  'start-rebalance': 'rebalance',
  'start-drill': 'drill',
  'start-drill-return': 'drill-return',
};

/** Rows that are never reached: an open run holds back what cannot be forced. */
const NEVER = TRANSITIONS.filter(
  ({ phase, event, guards }) =>
    guards.includes('decision-acts') &&
    ((event === 'weights-requested' && 'run' in phaseOf(phase)) ||
      (event === 'drill-requested' && phase !== 'steady')),
);

describe('every row of the table', () => {
  const rows = TRANSITIONS.filter((row) => !NEVER.includes(row));
  test.each(rows.map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
    const before = serviceFor(row);
    const event = eventOf(row.event, {
      force: row.guards.includes('decision-acts'),
      isMoved: !row.guards.includes('traffic-stayed'),
    });
    const { service, started } = stepMachine(before, event, momentFor(row, before));
    expect(service.phase.kind).toBe(row.next);
    const kind = STARTS[row.effect];
    if (kind !== undefined) {
      expect(started?.kind).toBe(kind);
      expect(service).toMatchObject({
        decision: { kind: 'act', index: 40 },
        phase: { run: started?.id },
      });
    } else {
      expect(started).toBeNull();
    }
    if (row.effect === 'record-refusal') {
      expect(service.decision).toMatchObject({ kind: 'refuse', at: T0, index: 40 });
      expect(service.traffic).toEqual(before.traffic);
    }
    if (row.effect === 'end-run') {
      const isRecovery = ['recovering', 'returning', 'rebalancing'].includes(row.phase);
      const isHeld = isRecovery && row.event !== 'run-failed';
      expect(service.lastRunEndedAt).toBe(isHeld ? T0 : null);
    }
  });

  test('no two rows are for the same thing', () => {
    expect(new Set(TRANSITIONS.map(nameOf)).size).toBe(TRANSITIONS.length);
  });
});

describe('what has no row', () => {
  const pairs = PHASES.flatMap((phase) => EVENTS.map((event) => [phase, event] as const));
  const without = pairs.filter(
    ([phase, event]) => !TRANSITIONS.some((row) => row.phase === phase && row.event === event),
  );

  test.each(without)('%s · %s changes nothing', (phase, event) => {
    const before = serviceFor({ phase, guards: ['active-site-failed'], decision: null });
    const { service, started } = stepMachine(before, eventOf(event), MOMENT);
    expect(started).toBeNull();
    expect({ ...service, analysis: before.analysis }).toEqual(before);
  });

  test('is an event that cannot come in that phase, or evidence that may wait', () => {
    expect(without.map((pair) => pair.join(' · '))).toEqual([
      ...['steady', 'impaired'].flatMap((phase) =>
        ['run-done', 'run-failed', 'run-cancelled'].map((event) => `${phase} · ${event}`),
      ),
      'setting-up · evidence-changed',
      ...['run-done', 'run-failed', 'run-cancelled'].map((event) => `practising · ${event}`),
    ]);
  });

  test('a healthy active site changes nothing when evidence arrives', () => {
    const { service, started } = stepMachine(serviceState(), EVIDENCE, MOMENT);
    expect(started).toBeNull();
    expect(service).toMatchObject({ phase: { kind: 'steady' }, decision: null });
  });
});

describe('impairment', () => {
  const failedBack = (opinion: 'suspect' | 'unknown' | 'degraded' | 'healthy') =>
    withOpinions({ [EAST]: opinion, [WEST]: 'failed' }, { phase: phaseOf('impaired') });

  test.each(['suspect', 'unknown'] as const)('lasts while the active site is %s', (opinion) => {
    expect(stepMachine(failedBack(opinion), EVIDENCE, MOMENT).service.phase.kind).toBe('impaired');
  });

  test.each(['degraded', 'healthy'] as const)('ends when the active site is %s', (opinion) => {
    expect(stepMachine(failedBack(opinion), EVIDENCE, MOMENT).service.phase.kind).toBe('steady');
  });

  test('by a failed run ends with a new run only', () => {
    const service = serviceState({ phase: { kind: 'impaired', cause: 'run-failed' } });
    expect(stepMachine(service, EVIDENCE, MOMENT).service.phase).toEqual(service.phase);
    const failed = withOpinions({ [EAST]: 'failed', [WEST]: 'failed' }, { phase: service.phase });
    expect(stepMachine(failed, EVIDENCE, MOMENT).service.phase).toEqual(service.phase);
    const again = stepMachine(
      service,
      { kind: 'failover-requested', to: EAST, force: false },
      MOMENT,
    );
    expect(again.service.phase.kind).toBe('recovering');
  });
});

describe('a run that starts', () => {
  const failed = (changes: Partial<ServiceState> = {}) =>
    withOpinions({ [EAST]: 'failed', [WEST]: 'healthy' }, changes);

  test('tells who asked, why, by which authority and from where to where', () => {
    const { started } = stepMachine(failed(), EVIDENCE, MOMENT);
    expect(started).toMatchObject({
      id: 'checkout-40',
      kind: 'failover',
      trigger: 'automatic',
      from: EAST,
      to: WEST,
      epoch: { term: 3, index: 40 },
      requestedBy: 'tripoint',
      reason: 'automatic',
      analysis: 'active-site-failed',
      authorisedAt: T0,
      outcome: { kind: 'open' },
    });
    expect(started?.steps.map(({ name }) => name)).toEqual([
      'switch',
      'propagate',
      'verify',
      'report',
    ]);
  });

  test('counts against the budget only when it is automatic', () => {
    const old = { automaticRunStarts: [atMs(-86_400_000), atMs(-1000)] };
    expect(stepMachine(failed(old), EVIDENCE, MOMENT).service.automaticRunStarts).toEqual([
      atMs(-1000),
      T0,
    ]);
    const asked = stepMachine(failed(old), eventOf('failback-requested'), MOMENT);
    expect(asked.service.decision?.code).toBe('already-active');
    const manual = { kind: 'failover-requested', to: WEST, force: false } as const;
    expect(stepMachine(failed(old), manual, MOMENT).service.automaticRunStarts).toEqual([
      atMs(-1000),
    ]);
  });

  test('starts for an alarm too, also while beats arrive', () => {
    const sites = {
      [EAST]: siteState('healthy', { alarms: [alarmOf('5xx')] }),
      [WEST]: siteState('healthy'),
    };
    expect(stepMachine(serviceState({ sites }), EVIDENCE, MOMENT).started).toMatchObject({
      to: WEST,
      analysis: 'active-site-alarm',
    });
  });

  test('does not start for what is only unknown, suspect or degraded', () => {
    for (const opinion of ['unknown', 'suspect', 'degraded', 'pending'] as const) {
      const service = withOpinions({ [EAST]: opinion, [WEST]: 'healthy' });
      expect(stepMachine(service, EVIDENCE, MOMENT).started).toBeNull();
    }
  });
});

describe('a refusal that time may lift', () => {
  const failed = (changes: Partial<ServiceState>) =>
    withOpinions({ [EAST]: 'failed', [WEST]: 'healthy' }, changes);
  const reviewAt = (changes: Partial<ServiceState>) =>
    stepMachine(failed(changes), EVIDENCE, MOMENT).service.reviewAt;

  test('is looked at again when the hold-down ends', () => {
    expect(reviewAt({ lastRunEndedAt: atMs(-1000) })).toBe(atMs(59_000));
  });

  test('is looked at again when the budget has room', () => {
    const policy = servicePolicy({
      safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 1 }),
    });
    const starts = [atMs(-7000), atMs(-5000)];
    expect(reviewAt({ policy, automaticRunStarts: starts })).toBe(atMs(86_400_000 - 5000));
  });

  test('leaves an earlier review where it is', () => {
    expect(reviewAt({ lastRunEndedAt: atMs(-1000), reviewAt: atMs(500) })).toBe(atMs(500));
    expect(reviewAt({ lastRunEndedAt: atMs(-1000), reviewAt: atMs(99_000) })).toBe(atMs(59_000));
  });

  test('waits for evidence where time changes nothing', () => {
    expect(reviewAt({ policy: servicePolicy({ automatic: false }) })).toBeNull();
  });

  test('is held down by a clock that ran ahead no longer than by a right one', () => {
    const ahead = { lastRunEndedAt: atMs(365 * 86_400_000) };
    const { service } = stepMachine(failed(ahead), EVIDENCE, MOMENT);
    expect(service).toMatchObject({ decision: { code: 'hold-down' }, reviewAt: atMs(60_000) });
    const later = { ...MOMENT, at: atMs(60_000) };
    expect(stepMachine(service, EVIDENCE, later).started).not.toBeNull();
  });

  test('is not forgotten when the active site recovers: it may be about another site', () => {
    const back = withOpinions(
      { [EAST]: 'healthy', [WEST]: 'suspect' },
      { phase: phaseOf('impaired'), reviewAt: atMs(700) },
    );
    expect(stepMachine(back, EVIDENCE, MOMENT).service).toMatchObject({
      phase: { kind: 'steady' },
      reviewAt: atMs(700),
    });
  });
});

describe('setup', () => {
  test('is a run to the active site with a new epoch, and holds nothing down', () => {
    const { service, started } = startSetup(serviceState({ activeSite: WEST }), MOMENT);
    expect(started).toMatchObject({ kind: 'setup', from: WEST, to: WEST });
    expect(started.steps.map(({ name }) => name)).toEqual(['switch', 'propagate']);
    expect(service).toMatchObject({ activeSite: WEST, epoch: { term: 3, index: 40 } });
    expect(stepMachine(service, { kind: 'run-done' }, MOMENT).service).toMatchObject({
      phase: { kind: 'steady' },
      lastRunEndedAt: null,
      automaticRunStarts: [],
    });
  });
});
