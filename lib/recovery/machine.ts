/**
 * The DR machine: looks an event up in the table (`transitions.ts`) and does what its row says.
 *
 * Guards read the state; decisions (`decision.ts` and its like) are asked by the rows that name
 * them; an event without a row for the phase changes nothing. Authority does not move here: it moves when
 * a run opens the step that may move traffic, which can be in the entry that starts the run.
 */
import { type EpochMillis, epochMillis, type LogIndex, type Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { acknowledgementAfter } from './acknowledgement.ts';
import { analyse } from './analysis.ts';
import { freezeOf } from './blocks.ts';
import { budgetSpentUntil, heldDownUntil, settledAt, startsWithinDay } from './damping.ts';
import { type Asked, type Choice, targetSettlesAt } from './decision.ts';
import { isTrafficMoved } from './doubt.ts';
import { type DrillRequest, durationOf } from './drill.ts';
import type { Freeze } from './freeze.ts';
import { answerOf, type Hearing, holds } from './guards.ts';
import { RUN_LIMITS } from './limits.ts';
import { nextEnd } from './maintenance.ts';
import { overrideOf, standingOverrides } from './overrides.ts';
import { unprotectedSince } from './protection.ts';
import { isSameTraffic, policyShares } from './rebalance.ts';
import type { Run, RunKind } from './run.ts';
import { needsApproval, openRun, setupOpening } from './run-opening.ts';
import type { Phase, ServiceState, StandingDrill } from './state.ts';
import type { Traffic } from './traffic.ts';
import { type EventKind, TRANSITIONS, type Transition } from './transitions.ts';

export type MachineEvent =
  | { readonly kind: 'evidence-changed' }
  | (Asked & { readonly kind: 'failover-requested'; readonly to: string | null })
  | (Asked & { readonly kind: 'failback-requested' })
  | { readonly kind: 'weights-requested'; readonly weights: Traffic }
  | ({ readonly kind: 'drill-requested' } & DrillRequest)
  | { readonly kind: 'drill-end-requested'; readonly force: boolean }
  | { readonly kind: 'run-done' }
  | {
      readonly kind: 'run-failed';
      readonly isTrafficMoved: boolean;
      /** It failed in the entry that authorised it: nothing outside was touched. */
      readonly isStillborn: boolean;
    }
  /** A person ended the run, or did not approve it. */
  | { readonly kind: 'run-cancelled'; readonly isTrafficMoved: boolean };

/** Where in the log, and when, the event happened; who asked; and what stands around the service. */
export interface Moment {
  readonly index: LogIndex;
  readonly term: Term;
  readonly at: EpochMillis;
  readonly requestedBy: string;
  readonly reason: string;
  /** The kill switch of all services. Absent = none is thrown. */
  readonly freeze?: Freeze | null;
  /** The run of the service that is open. Absent = none is, or nobody looked. */
  readonly openRun?: Run | null;
  /** A run of the service began in this entry: its id is taken, so no other may. Absent = none did. */
  readonly hasAuthorised?: boolean;
}

export interface MachineStep {
  readonly service: ServiceState;
  /** The run that this event authorised; null when it started none. */
  readonly started: Run | null;
}

/** One step of the machine for one service. Pure; total: an event without a row changes nothing. */
export function stepMachine(
  before: ServiceState,
  event: MachineEvent,
  moment: Moment,
): MachineStep {
  const analysed: ServiceState = {
    ...before,
    ...settledAt(before, moment.at),
    unprotectedSince: unprotectedSince(before, moment.at),
    analysis: analyse(before),
  };
  const hearing: Hearing = { service: analysed, event, moment, answers: new Map() };
  const transition = TRANSITIONS.find(
    (candidate) =>
      candidate.phase === analysed.phase.kind &&
      candidate.event === event.kind &&
      candidate.guards.every((guard) => holds(guard, candidate.decision, hearing)),
  );
  const after =
    transition === undefined ? { service: analysed, started: null } : perform(transition, hearing);
  const service = withOccurrence(after.service, event);
  const since = unprotectedSince(service, moment.at);
  const told: ServiceState = { ...service, unprotectedSince: since };
  return { ...after, service: withStandingReviews(told, moment) };
}

/** An instant of the drill calendar is dealt with once, whatever the answer was. */
function withOccurrence(service: ServiceState, event: MachineEvent): ServiceState {
  const occurrence = event.kind === 'drill-requested' ? event.occurrence : null;
  const isNewer = occurrence !== null && occurrence > (service.drillOccurrence ?? 0);
  return isNewer ? { ...service, drillOccurrence: occurrence } : service;
}

// ── Effects ──────────────────────────────────────────────────────────────────────────────────────

function perform(transition: Transition, hearing: Hearing): MachineStep {
  const { service, event, moment } = hearing;
  switch (transition.effect) {
    case 'start-failover':
      return startRun('failover', transition, hearing);
    case 'start-failback':
      return startRun('failback', transition, hearing);
    case 'start-rebalance':
      return startRun('rebalance', transition, hearing);
    case 'start-drill':
      return startRun('drill', transition, hearing);
    case 'start-drill-return':
      return startRun('drill-return', transition, hearing);
    case 'record-refusal':
      return { service: refusedService(transition, hearing), started: null };
    case 'begin-practice':
      return { service: practising(service, moment.at), started: null };
    case 'end-run':
      return {
        service: endedService(transition, service, { event, at: moment.at }),
        started: null,
      };
    case 'none':
      return { service: { ...service, phase: STEADY }, started: null };
  }
}

const STEADY: Phase = { kind: 'steady' };

function startRun(
  kind: Exclude<RunKind, 'setup'>,
  { decision }: Transition,
  hearing: Hearing,
): MachineStep {
  const { service, event, moment } = hearing;
  const choice = decision === null ? null : answerOf(decision, hearing);
  invariant(choice?.kind === 'act', 'run-without-decision', { service: service.policy.service });
  const { wanted } = choice;
  const isAutomatic = event.kind === 'evidence-changed' && kind !== 'drill-return';
  const trigger = event.kind === 'evidence-changed' ? 'automatic' : 'manual';
  const isApproved = overrideOf(service, 'approval', moment.at) !== null;
  // Nobody asked, so the run itself says why: its report is read by those who did not watch.
  const { code, sentence } = choice.decision;
  const reason = kind === 'drill-return' ? `${code}: ${sentence}` : 'automatic';
  const opened = openRun(
    { ...service, weights: weightsAfter(service, event, wanted.traffic) },
    {
      kind,
      trigger,
      ...wanted,
      // What undoes a drill was agreed to when the drill was.
      approval: kind !== 'drill-return' && !isApproved && needsApproval(service.policy, trigger),
      revertAt: null,
    },
    trigger === 'automatic' ? { ...moment, requestedBy: 'tripoint', reason } : moment,
  );
  const { run } = opened;
  const starts = startsWithinDay(service, moment.at);
  return {
    service: {
      ...opened.service,
      phase: { kind: PHASE_OF[kind], run: run.id },
      decision: choice.decision,
      isTrafficInDoubt: service.isTrafficInDoubt || leavesDoubt(service, moment.openRun ?? null),
      automaticRunStarts: isAutomatic ? [...starts, moment.at] : starts,
      acknowledgement: acknowledgementAfter(service, { id: run.id, isAutomatic, at: moment.at }),
      drill: drillAfter(kind, run, hearing),
      reviewAt: null,
    },
    started: run,
  };
}

/** A run that is superseded half-way may have moved traffic, and nobody finishes it. */
function leavesDoubt(service: ServiceState, superseded: Run | null): boolean {
  return superseded !== null && isTrafficMoved(superseded, service);
}

const PHASE_OF: {
  readonly [Kind in Exclude<RunKind, 'setup'>]: Extract<Phase, { readonly run: string }>['kind'];
} = {
  failover: 'recovering',
  failback: 'returning',
  rebalance: 'rebalancing',
  drill: 'drilling',
  'drill-return': 'drill-returning',
};

/** What a person sets stands until they set it otherwise; by itself nothing changes what is due. */
function weightsAfter(
  service: ServiceState,
  event: MachineEvent,
  traffic: Traffic,
): Traffic | null {
  const { policy, weights } = service;
  if (policy.strategy !== 'active-active') {
    return null;
  }
  switch (event.kind) {
    case 'weights-requested':
      return isSameTraffic(traffic, policyShares(policy)) ? null : traffic;
    case 'failover-requested':
      return event.to === null ? weights : traffic;
    case 'failback-requested':
      return null;
    default:
      return weights;
  }
}

function drillAfter(kind: RunKind, run: Run, { service, event }: Hearing): StandingDrill | null {
  if (kind === 'drill-return') {
    return service.drill;
  }
  const asked = event.kind === 'drill-requested' ? event.durationMs : null;
  return kind !== 'drill'
    ? null
    : {
        run: run.id,
        site: run.to,
        home: service.traffic,
        homeSite: service.activeSite,
        revertAt: null,
        durationMs: durationOf(service.policy.drill, asked),
        failedReturns: 0,
      };
}

/** Opens the run that makes the name of a service resolve as it is authorised. */
export function startSetup(
  service: ServiceState,
  moment: Moment,
): { service: ServiceState; started: Run } {
  const opened = openRun(service, setupOpening(service), moment);
  const phase: Phase = { kind: 'setting-up', run: opened.run.id };
  return { service: { ...opened.service, phase }, started: opened.run };
}

function practising(service: ServiceState, at: EpochMillis): ServiceState {
  const { drill } = service;
  invariant(drill !== null, 'practice-without-drill', { service: service.policy.service });
  const revertAt = epochMillis(at + drill.durationMs);
  return {
    ...service,
    phase: { kind: 'practising' },
    isTrafficInDoubt: false,
    drill: { ...drill, revertAt },
    reviewAt: null,
  };
}

function endedService(
  { phase, next }: Transition,
  service: ServiceState,
  { event, at }: { readonly event: MachineEvent; readonly at: EpochMillis },
): ServiceState {
  const isStillborn = event.kind === 'run-failed' && event.isStillborn;
  return {
    ...service,
    phase: next === 'steady' ? STEADY : { kind: 'impaired', cause: 'run-failed' },
    isTrafficInDoubt: next === 'impaired',
    lastRunEndedAt: isStillborn || holdsDown(phase, event.kind) ? at : service.lastRunEndedAt,
    automaticRunStarts: isStillborn
      ? service.automaticRunStarts.filter((start) => start !== at)
      : service.automaticRunStarts,
    drill: drillAtEnd(service.drill, { phase, next }, at),
    reviewAt: null,
  };
}

/**
 * Only a recovery that came through, or that a person stopped, holds the next one down. Writing the first
 * records is none, and a practice must not stand in the way of the real thing. One that failed by
 * itself must be followed at once where a site is left: the daily budget bounds the loop. One that failed in the
 * entry that authorised it did nothing, and would do the same again: it costs no budget, and holds down.
 */
function holdsDown(phase: Phase['kind'], event: EventKind): boolean {
  const isRecovery = phase === 'recovering' || phase === 'returning' || phase === 'rebalancing';
  return isRecovery && (event === 'run-done' || event === 'run-cancelled');
}

/** A drill that failed half-way goes home at once; a return that failed is tried again a little later. */
function drillAtEnd(
  drill: StandingDrill | null,
  { phase, next }: Pick<Transition, 'phase' | 'next'>,
  at: EpochMillis,
): StandingDrill | null {
  if (drill === null || next === 'steady') {
    return null;
  }
  const hasFailedToReturn = phase === 'drill-returning';
  const failedReturns = drill.failedReturns + (hasFailedToReturn ? 1 : 0);
  const pauseMs = hasFailedToReturn ? RUN_LIMITS.drillReturnPauseMs : 0;
  return failedReturns >= RUN_LIMITS.drillReturnsMax
    ? null
    : { ...drill, failedReturns, revertAt: epochMillis(at + pauseMs) };
}

// ── Refusals ─────────────────────────────────────────────────────────────────────────────────────

function refusedService(transition: Transition, hearing: Hearing): ServiceState {
  const { service } = hearing;
  const choice = transition.decision === null ? null : answerOf(transition.decision, hearing);
  invariant(choice?.kind === 'refuse', 'refusal-without-decision', transition);
  return {
    ...service,
    phase: refusedPhase(transition, service.phase),
    decision: choice.decision,
    reviewAt: reviewAfter(service, choice, hearing.moment),
  };
}

function refusedPhase(transition: Transition, phase: Phase): Phase {
  if (transition.next === phase.kind) {
    return phase;
  }
  invariant(transition.next === 'impaired', 'refusal-leads-nowhere', transition);
  return { kind: 'impaired', cause: 'site-failed' };
}

/**
 * A refusal that time alone may lift is looked at again when it may; the others wait for evidence.
 * An earlier review stays: it may be about something else.
 */
function reviewAfter(
  service: ServiceState,
  choice: Extract<Choice, { kind: 'refuse' }>,
  { at }: Moment,
): EpochMillis | null {
  const { safety } = service.policy;
  if (choice.reviewAt !== undefined) {
    return earliest(service.reviewAt, choice.reviewAt);
  }
  switch (choice.decision.code) {
    case 'hold-down':
      return earliest(service.reviewAt, heldDownUntil(service, safety, at));
    case 'daily-budget-spent':
      return earliest(service.reviewAt, budgetSpentUntil(service, safety, at));
    case 'target-settling':
      return earliest(service.reviewAt, targetSettlesAt(service, at));
    default:
      return service.reviewAt;
  }
}

/** Whatever ends by itself is looked at when it does: windows, freezes, overrides, drills. */
function withStandingReviews(service: ServiceState, moment: Moment): ServiceState {
  const { at } = moment;
  const { drill } = service;
  const dueAt = drill?.revertAt ?? null;
  const ends = [
    nextEnd(service, at),
    freezeOf(service, moment)?.until ?? null,
    ...standingOverrides(service, at).map(({ until }) => until),
    dueAt !== null && dueAt > at ? dueAt : null,
  ];
  const reviewAt = ends.reduce(earliest, service.reviewAt);
  return reviewAt === service.reviewAt ? service : { ...service, reviewAt };
}

function earliest(a: EpochMillis | null, b: EpochMillis | null): EpochMillis | null {
  return a === null || (b !== null && b < a) ? b : a;
}
