/**
 * The DR machine: one table of phase × event, and the step that runs it.
 *
 * The table is the specification. A test prints it into `docs/state-machine.md`, and the step below
 * has no transition that is not a row of it. Guards are decisions (`decision.ts`); an event without
 * a row for the phase changes nothing.
 */

import type { EpochMillis, LogIndex, Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { analyse } from './analysis.ts';
import { budgetSpentUntil, heldDownUntil, settledAt, startsWithinDay } from './damping.ts';
import {
  type Choice,
  decideFailback,
  decideFailover,
  type SwitchRequest,
  targetSettlesAt,
} from './decision.ts';
import { nextEnd } from './maintenance.ts';
import { originOf } from './origin.ts';
import { planOf, type Run, type RunKind } from './run.ts';
import type { Epoch, Phase, ServiceState } from './state.ts';

export type MachineEvent =
  | { readonly kind: 'evidence-changed' }
  | { readonly kind: 'failover-requested'; readonly to: string | null; readonly force: boolean }
  | { readonly kind: 'failback-requested'; readonly force: boolean }
  | { readonly kind: 'run-done' }
  | { readonly kind: 'run-failed' };

type Guard =
  | 'always'
  | 'active-site-failed'
  | 'active-site-recovered'
  | 'decision-acts'
  | 'decision-refuses';
type Effect = 'start-failover' | 'start-failback' | 'record-refusal' | 'end-run' | 'none';

export interface Transition {
  readonly phase: Phase['kind'];
  readonly event: MachineEvent['kind'];
  readonly guards: readonly Guard[];
  readonly next: Phase['kind'];
  readonly effect: Effect;
}

const FAILED_AND_ACTS = ['active-site-failed', 'decision-acts'] as const;
const FAILED_AND_REFUSES = ['active-site-failed', 'decision-refuses'] as const;

/** First row whose phase, event and guards all match wins. */
export const TRANSITIONS: readonly Transition[] = [
  row('steady', 'evidence-changed', FAILED_AND_ACTS, 'recovering', 'start-failover'),
  row('steady', 'evidence-changed', FAILED_AND_REFUSES, 'impaired', 'record-refusal'),
  row('steady', 'failover-requested', ['decision-acts'], 'recovering', 'start-failover'),
  row('steady', 'failover-requested', ['decision-refuses'], 'steady', 'record-refusal'),
  row('steady', 'failback-requested', ['decision-acts'], 'returning', 'start-failback'),
  row('steady', 'failback-requested', ['decision-refuses'], 'steady', 'record-refusal'),
  row('impaired', 'evidence-changed', FAILED_AND_ACTS, 'recovering', 'start-failover'),
  row('impaired', 'evidence-changed', FAILED_AND_REFUSES, 'impaired', 'record-refusal'),
  row('impaired', 'evidence-changed', ['active-site-recovered'], 'steady', 'none'),
  row('impaired', 'failover-requested', ['decision-acts'], 'recovering', 'start-failover'),
  row('impaired', 'failover-requested', ['decision-refuses'], 'impaired', 'record-refusal'),
  row('impaired', 'failback-requested', ['decision-acts'], 'returning', 'start-failback'),
  row('impaired', 'failback-requested', ['decision-refuses'], 'impaired', 'record-refusal'),
  row('setting-up', 'run-done', ['always'], 'steady', 'end-run'),
  row('setting-up', 'run-failed', ['always'], 'impaired', 'end-run'),
  row('setting-up', 'failover-requested', ['decision-acts'], 'recovering', 'start-failover'),
  row('setting-up', 'failover-requested', ['decision-refuses'], 'setting-up', 'record-refusal'),
  row('setting-up', 'failback-requested', ['decision-acts'], 'returning', 'start-failback'),
  row('setting-up', 'failback-requested', ['decision-refuses'], 'setting-up', 'record-refusal'),
  row('recovering', 'run-done', ['always'], 'steady', 'end-run'),
  row('recovering', 'run-failed', ['always'], 'impaired', 'end-run'),
  row('recovering', 'failover-requested', ['decision-acts'], 'recovering', 'start-failover'),
  row('recovering', 'failover-requested', ['decision-refuses'], 'recovering', 'record-refusal'),
  row('recovering', 'failback-requested', ['decision-acts'], 'returning', 'start-failback'),
  row('recovering', 'failback-requested', ['decision-refuses'], 'recovering', 'record-refusal'),
  row('returning', 'run-done', ['always'], 'steady', 'end-run'),
  row('returning', 'run-failed', ['always'], 'impaired', 'end-run'),
  row('returning', 'failover-requested', ['decision-acts'], 'recovering', 'start-failover'),
  row('returning', 'failover-requested', ['decision-refuses'], 'returning', 'record-refusal'),
  row('returning', 'failback-requested', ['decision-acts'], 'returning', 'start-failback'),
  row('returning', 'failback-requested', ['decision-refuses'], 'returning', 'record-refusal'),
];

/** Where in the log, and when, the event happened; and who asked. */
export interface Moment {
  readonly index: LogIndex;
  readonly term: Term;
  readonly at: EpochMillis;
  readonly requestedBy: string;
  readonly reason: string;
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
    analysis: analyse(situationOf(before)),
  };
  const choice = choose(analysed, event, moment);
  const transition = TRANSITIONS.find(
    (candidate) =>
      candidate.phase === analysed.phase.kind &&
      candidate.event === event.kind &&
      candidate.guards.every((guard) => holds(guard, analysed, choice)),
  );
  return transition === undefined
    ? { service: analysed, started: null }
    : perform(transition, { service: analysed, choice, moment, manual: isManual(event) });
}

function situationOf(service: ServiceState): Parameters<typeof analyse>[0] {
  return {
    service: service.policy.service,
    activeSite: service.activeSite,
    sites: service.sites,
  };
}

function isManual({ kind }: MachineEvent): boolean {
  return kind === 'failover-requested' || kind === 'failback-requested';
}

function choose(service: ServiceState, event: MachineEvent, moment: Moment): Choice {
  switch (event.kind) {
    case 'failover-requested': {
      const request: SwitchRequest = { trigger: 'manual', to: event.to, force: event.force };
      return decideFailover(service, request, moment);
    }
    case 'failback-requested':
      return decideFailback(service, event.force, moment);
    default:
      return decideFailover(service, { trigger: 'automatic' }, moment);
  }
}

function holds(guard: Guard, { analysis, phase }: ServiceState, choice: Choice): boolean {
  switch (guard) {
    case 'always':
      return true;
    case 'active-site-failed':
      return FAILED_CODES.has(analysis.code);
    case 'active-site-recovered':
      return isCauseGone(phase) && SERVING_CODES.has(analysis.code);
    case 'decision-acts':
      return choice.kind === 'act';
    case 'decision-refuses':
      return choice.kind === 'refuse';
  }
}

const FAILED_CODES: ReadonlySet<string> = new Set([
  'active-site-failed',
  'active-site-alarm',
  'active-site-deregistered',
  'all-sites-failed',
]);

const SERVING_CODES: ReadonlySet<string> = new Set([
  'all-sites-healthy',
  'standby-not-ready',
  'active-site-degraded',
]);

/** A failed run leaves traffic in doubt; a healthy site does not settle that, only a new run does. */
function isCauseGone(phase: Phase): boolean {
  return phase.kind === 'impaired' && phase.cause === 'site-failed';
}

interface Performance {
  readonly service: ServiceState;
  readonly choice: Choice;
  readonly moment: Moment;
  readonly manual: boolean;
}

function perform(transition: Transition, performance: Performance): MachineStep {
  const { service, choice, moment } = performance;
  switch (transition.effect) {
    case 'start-failover':
      return startRun('failover', performance);
    case 'start-failback':
      return startRun('failback', performance);
    case 'record-refusal':
      return {
        service: {
          ...service,
          phase: refusedPhase(transition, service.phase),
          decision: choice.decision,
          reviewAt: reviewAfter(performance),
        },
        started: null,
      };
    case 'end-run':
      return {
        service: {
          ...service,
          phase: transition.next === 'steady' ? STEADY : { kind: 'impaired', cause: 'run-failed' },
          lastRunEndedAt: holdsDown(transition, service) ? moment.at : service.lastRunEndedAt,
          reviewAt: null,
        },
        started: null,
      };
    case 'none':
      return { service: { ...service, phase: STEADY }, started: null };
  }
}

function startRun(kind: RunKind, { service, choice, moment, manual }: Performance): MachineStep {
  invariant(choice.kind === 'act', 'run-without-decision', { service: service.policy.service });
  const run = openedRun(service, { kind, to: choice.to, manual, moment });
  const starts = startsWithinDay(service, moment.at);
  return {
    service: {
      ...service,
      phase: { kind: kind === 'failover' ? 'recovering' : 'returning', run: run.id },
      activeSite: choice.to,
      epoch: run.epoch,
      decision: choice.decision,
      automaticRunStarts: manual ? starts : [...starts, moment.at],
      reviewAt: null,
    },
    started: run,
  };
}

/** Opens the run that makes the name of a service resolve to its active site. */
export function startSetup(
  service: ServiceState,
  moment: Moment,
): { service: ServiceState; started: Run } {
  const run = openedRun(service, { kind: 'setup', to: service.activeSite, manual: true, moment });
  const phase: Phase = { kind: 'setting-up', run: run.id };
  return { service: { ...service, phase, epoch: run.epoch }, started: run };
}

interface Opening {
  readonly kind: RunKind;
  readonly to: string;
  readonly manual: boolean;
  readonly moment: Moment;
}

function openedRun(service: ServiceState, { kind, to, manual, moment }: Opening): Run {
  const epoch: Epoch = { term: moment.term, index: moment.index };
  return {
    id: `${service.policy.service}-${moment.index}`,
    service: service.policy.service,
    kind,
    trigger: manual ? 'manual' : 'automatic',
    from: service.activeSite,
    to,
    epoch,
    requestedBy: moment.requestedBy,
    reason: moment.reason,
    analysis: service.analysis.code,
    origin: originOf(service),
    authorisedAt: moment.at,
    steps: planOf(kind),
    outcome: { kind: 'open' },
  };
}

/**
 * Only a recovery that came through holds the next one down. Writing the first records is none; and
 * one that failed must be followed at once where a site is left: the daily budget bounds the loop.
 */
function holdsDown(transition: Transition, { phase }: ServiceState): boolean {
  return transition.next === 'steady' && phase.kind !== 'setting-up';
}

const STEADY: Phase = { kind: 'steady' };

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
function reviewAfter({ service, choice, moment }: Performance): EpochMillis | null {
  const { safety } = service.policy;
  switch (choice.decision.code) {
    case 'hold-down':
      return earliest(service.reviewAt, heldDownUntil(service, safety, moment.at));
    case 'maintenance-window':
      return earliest(service.reviewAt, nextEnd(service, moment.at));
    case 'daily-budget-spent':
      return earliest(service.reviewAt, budgetSpentUntil(service, safety, moment.at));
    case 'target-settling':
      return earliest(service.reviewAt, targetSettlesAt(service, moment.at));
    default:
      return service.reviewAt;
  }
}

function earliest(a: EpochMillis | null, b: EpochMillis | null): EpochMillis | null {
  return a === null || (b !== null && b < a) ? b : a;
}

function row(
  phase: Phase['kind'],
  event: MachineEvent['kind'],
  ...[guards, next, effect]: [readonly Guard[], Phase['kind'], Effect]
): Transition {
  return { phase, event, guards, next, effect };
}
