/**
 * Guards: what the rows of the table ask before they are taken. Some read the state; two are the
 * answers of the decision that the row names, which is asked once and only if a row comes to it. Pure.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { ownValue } from '../base/own-value.ts';
import { countingAlarms } from './alarm-policy.ts';
import { FAILED_CODES, isGone, isSick, SERVING_CODES } from './analysis.ts';
import { type Asked, type Choice, decideFailback, decideFailover, refuse } from './decision.ts';
import { drillEnd } from './drill.ts';
import { decideDrill, decideDrillReturn } from './drill-decision.ts';
import { RUN_LIMITS } from './limits.ts';
import { isSince } from './log-steps.ts';
import type { MachineEvent, Moment } from './machine.ts';
import { siteDueBack, sitesToDrain } from './rebalance.ts';
import { decideDrain, decideHome, decideReturn, decideWeights } from './rebalance-decision.ts';
import type { Run } from './run.ts';
import type { Phase, ServiceState, StandingDrill } from './state.ts';
import { shareOf } from './traffic.ts';
import type { DecisionName, Guard } from './transitions.ts';

/** An event that is being looked at, and the decisions that were asked about it so far. */
export interface Hearing {
  readonly service: ServiceState;
  readonly event: MachineEvent;
  readonly moment: Moment;
  readonly answers: Map<DecisionName, Choice>;
}

export function holds(guard: Guard, decision: DecisionName | null, hearing: Hearing): boolean {
  const { service, event, moment } = hearing;
  switch (guard) {
    case 'always':
      return true;
    case 'active-site-failed':
      return FAILED_CODES.has(service.analysis.code);
    case 'active-site-recovered':
      return isCauseGone(service.phase) && SERVING_CODES.has(service.analysis.code);
    case 'active-active':
      return service.policy.strategy === 'active-active';
    case 'share-due':
      return service.policy.automatic && siteDueBack(service, moment.at) !== null;
    case 'run-overtaken':
      return isOvertaken(service, moment.openRun ?? null);
    case 'drill-over':
      return drillEnd(service, moment.at) !== null && isStillTried(service.drill);
    case 'traffic-stayed':
      return (
        'isTrafficMoved' in event &&
        !event.isTrafficMoved &&
        !service.isTrafficInDoubt &&
        service.granted
      );
    case 'nobody-active':
      return !service.granted && service.policy.strategy !== 'active-active';
    case 'decision-acts':
      return decision !== null && answerOf(decision, hearing).kind === 'act';
    case 'decision-refuses':
      return decision !== null && answerOf(decision, hearing).kind === 'refuse';
  }
}

/** A failed run leaves traffic in doubt; a healthy site does not settle that, only a new run does. */
function isCauseGone(phase: Phase): boolean {
  return phase.kind === 'impaired' && phase.cause === 'site-failed';
}

/**
 * Whether the open run does not help against what failed meanwhile. One that goes to a site which is
 * gone never does. One that was planned has time, and what serves until it is done may fail; one
 * against a failure is on its way, and goes on also if an alarm rings where it goes to.
 */
function isOvertaken(service: ServiceState, run: Run | null): boolean {
  if (run === null || run.reverting !== null) {
    return false;
  }
  const goesTo = service.policy.sites
    .map(({ site }) => site)
    .filter((site) => shareOf(run.traffic, site) > 0);
  const forced = goesTo.filter((site) => !hasNews(service, site, run));
  const newlyTo = goesTo.filter((site) => !forced.includes(site));
  const hasFailed = FAILED_CODES.has(service.analysis.code) && !forced.includes(service.activeSite);
  const isPlanned = run.mode === 'graceful' && run.kind !== 'failover';
  return isPlanned
    ? hasFailed || newlyTo.some((site) => isSick(service, site))
    : newlyTo.some((site) => isGone(service, site));
}

/** What stood against a site when the run was authorised was known then, and somebody forced it. */
function hasNews({ policy, sites }: ServiceState, site: string, { epoch }: Run): boolean {
  const state = ownValue(sites, site);
  return (
    state?.opinionIndex === undefined ||
    isSince(state.opinionIndex, epoch) ||
    countingAlarms(state, policy.alarms).some(({ index }) => isSince(index, epoch))
  );
}

function isStillTried(drill: StandingDrill | null): boolean {
  return drill !== null && drill.failedReturns < RUN_LIMITS.drillReturnsMax;
}

export function answerOf(name: DecisionName, hearing: Hearing): Choice {
  const known = hearing.answers.get(name);
  if (known !== undefined) {
    return known;
  }
  const answer = ask(name, hearing);
  hearing.answers.set(name, answer);
  return answer;
}

function ask(name: DecisionName, { service, event, moment }: Hearing): Choice {
  if (moment.hasAuthorised === true) {
    const sentence = 'the run that this entry authorised failed at once';
    return refuse(['hold-down', sentence], moment, nextTryAt(service, moment.at));
  }
  switch (name) {
    case 'failover':
      return event.kind === 'failover-requested'
        ? askFailover(service, event, moment)
        : askAutomatic(service, moment);
    case 'failback':
      return decideFailback(service, askedBy(event), moment);
    case 'home':
      return decideHome(service, askedBy(event), moment);
    case 'drain':
      return askAutomatic(service, moment);
    case 'return':
      return decideReturn(service, moment);
    case 'weights':
      invariant(event.kind === 'weights-requested', 'row-asks-wrongly', { name });
      return decideWeights(service, event.weights, moment);
    case 'drill':
      invariant(event.kind === 'drill-requested', 'row-asks-wrongly', { name });
      return decideDrill(service, event, moment);
    case 'drill-return':
      return decideDrillReturn(
        service,
        event.kind === 'drill-end-requested' ? { force: event.force } : null,
        moment,
      );
  }
}

/** A run has the number of its entry, so the next one needs another entry, and some time between. */
function nextTryAt({ policy }: ServiceState, at: EpochMillis): EpochMillis {
  return epochMillis(at + Math.max(policy.safety.holdDownMs, RUN_LIMITS.retryPauseMs));
}

/** Where several sites serve, those that should not lose their shares; the others keep theirs. */
function askAutomatic(service: ServiceState, moment: Moment): Choice {
  const request = { trigger: 'automatic', overtakes: 'run' in service.phase } as const;
  return service.policy.strategy === 'active-active'
    ? decideDrain(service, request, moment)
    : decideFailover(service, request, moment);
}

/** Away from whatever should not serve, where that is more than one site's matter and nobody named a target. */
function askFailover(
  service: ServiceState,
  event: Extract<MachineEvent, { kind: 'failover-requested' }>,
  moment: Moment,
): Choice {
  const isDrain =
    service.policy.strategy === 'active-active' &&
    event.to === null &&
    sitesToDrain(service).length > 0;
  return isDrain
    ? decideDrain(service, { trigger: 'manual', force: event.force }, moment)
    : decideFailover(service, { ...event, trigger: 'manual' }, moment);
}

function askedBy(event: MachineEvent): Asked {
  invariant('force' in event, 'row-asks-wrongly', { event: event.kind });
  return event;
}
