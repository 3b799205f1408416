/**
 * Decision: act on an analysis, or refuse; always with a reason code and a sentence.
 *
 * A refusal is as much an answer as an act: it is stored, shown, and explained in
 * `docs/failure-modes.md`. Tests and scripts match the code, never the sentence. What holds a run
 * back is in `blocks.ts`; here is where to go, in which mode, and what that would lose.
 */
import { type EpochMillis, epochMillis, type LogIndex } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isGone, isReady } from './analysis.ts';
import { automaticBlock, manualBlock, type Occasion, openRunBlock, type Reason } from './blocks.ts';
import { settlingUntil } from './damping.ts';
import { isHandoverPending, isSettled } from './doubt.ts';
import {
  DRILL_END_CODES,
  DRILL_REFUSAL_CODES,
  type DrillEndCode,
  type DrillRefusalCode,
} from './drill.ts';
import { describeLoss, type GateAnswer } from './loss-gate.ts';
import { gateBefore } from './loss-questions.ts';
import { windowOf } from './maintenance.ts';
import type { RunMode } from './plan.ts';
import type { LossEstimate } from './run.ts';
import type { Decision, ServiceState } from './state.ts';
import { leadOf, type Traffic, wholeTo } from './traffic.ts';

const OWN_CODES = [
  'failover-authorised',
  'failback-authorised',
  'drain-authorised',
  'return-authorised',
  'weights-authorised',
  'drill-authorised',
  'automatic-off',
  'frozen',
  'maintenance-window',
  'run-in-progress',
  'acknowledgement-due',
  'hold-down',
  'daily-budget-spent',
  'target-settling',
  'return-settling',
  'no-healthy-target',
  'target-not-healthy',
  'data-loss-over-limit',
  'data-loss-unknown',
  'unknown-site',
  'already-active',
  'not-active-active',
  'weights-invalid',
  'would-leave-none',
  'weights-unchanged',
  'drill-not-standing',
] as const;

export type DecisionCode = (typeof OWN_CODES)[number] | DrillRefusalCode | DrillEndCode;

export const DECISION_CODES: readonly DecisionCode[] = [
  ...OWN_CODES,
  ...DRILL_REFUSAL_CODES,
  ...DRILL_END_CODES,
];

/**
 * Who asks for a switch, and to which site; `to: null` lets the policy choose. `force` is the break-glass:
 * it supersedes an open run, goes past a freeze, and takes a site that is not healthy, or is active
 * already. It accepts no loss of data: that is said apart.
 */
export type SwitchRequest =
  | {
      readonly trigger: 'automatic';
      /** The open run does not help against what failed: it is no reason to wait. */
      readonly overtakes?: boolean;
    }
  | (Asked & { readonly trigger: 'manual'; readonly to: string | null });

/** What a person may say beside where to go. */
export interface Asked {
  readonly force: boolean;
  /** null or absent = emergency where the active site is gone, else graceful. */
  readonly mode?: RunMode | null;
  /** Who accepts that data are lost; null or absent = nobody. */
  readonly acceptedBy?: string | null;
  /** All of the traffic in one step. */
  readonly atOnce?: boolean;
}

/** What the run that a decision authorises is to do. */
export interface Wanted {
  readonly to: string;
  /** Which site is left; absent = the active one. */
  readonly from?: string;
  readonly mode: RunMode;
  readonly traffic: Traffic;
  readonly loss: LossEstimate | null;
  readonly atOnce: boolean;
}

export type Choice =
  | { readonly kind: 'act'; readonly wanted: Wanted; readonly decision: Decision }
  | {
      readonly kind: 'refuse';
      readonly decision: Decision;
      /** When it may come out otherwise by time alone. Absent = by its code, or never. */
      readonly reviewAt?: EpochMillis;
    };

/** Place and time of the entry, and what stands around the service. */
export interface DecisionMoment extends Occasion {
  readonly index: LogIndex;
}

/** Whether to fail over now, and to which site. Pure; total. */
export function decideFailover(
  service: ServiceState,
  request: SwitchRequest,
  moment: DecisionMoment,
): Choice {
  const blocked =
    request.trigger === 'automatic'
      ? ((request.overtakes === true ? null : openRunBlock(service)) ??
        automaticBlock(service, moment, {
          site: service.activeSite,
          isHeldDown: true,
          reserve: 0,
        }))
      : request.force
        ? null
        : manualBlock(service, moment);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  return chooseTarget(service, { request, isFailback: false }, moment);
}

/** Failback moves traffic to the primary site, by a person's request only. Pure; total. */
export function decideFailback(
  service: ServiceState,
  asked: Asked,
  moment: DecisionMoment,
): Choice {
  const blocked = asked.force ? null : manualBlock(service, moment);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  const to = service.policy.primary;
  const request: SwitchRequest = { ...asked, trigger: 'manual', to };
  const choice = chooseTarget(service, { request, isFailback: true }, moment);
  if (choice.kind === 'refuse') {
    return choice;
  }
  const { loss } = choice.wanted;
  const isAccepted = loss !== null && loss.acceptedBy !== null;
  const told = isAccepted ? `; ${describeLoss(loss)}` : '';
  return act(
    choice.wanted,
    ['failback-authorised', `back to ${to}, the primary site${told}`],
    moment,
  );
}

interface Search {
  readonly request: SwitchRequest;
  readonly isFailback: boolean;
}

function chooseTarget(service: ServiceState, search: Search, moment: DecisionMoment): Choice {
  const { request } = search;
  return request.trigger === 'automatic' || request.to === null
    ? chooseByPolicy(service, search, moment)
    : chooseAsAsked(service, { ...search, request: { ...request, to: request.to } }, moment);
}

/**
 * The first site in the order of the policy that is ready, need not prove itself, and would lose no more
 * than allowed. Where all would lose too much the first of them says so.
 */
function chooseByPolicy(service: ServiceState, search: Search, moment: DecisionMoment): Choice {
  const { trigger } = search.request;
  const ready = readyTargets(service, moment.at);
  const settled = ready.filter(
    (site) => trigger === 'manual' || settlingUntil(service, site, moment.at) === null,
  );
  const asked = settled.map((to) => ({ to, gate: gateOf(service, { ...search, to }, moment) }));
  const target = asked.find(({ gate }) => gate.kind === 'open') ?? asked[0];
  if (target !== undefined) {
    const { to, gate } = target;
    return throughGate({ service, search, to, gate }, `to ${to}, which is healthy`, moment);
  }
  const [settling] = ready;
  return refuse(
    settling === undefined
      ? ['no-healthy-target', 'no other site is healthy by the quorum and free of maintenance']
      : ['target-settling', `${settling} failed with the active site and is back only just now`],
    moment,
  );
}

/**
 * Sites that the policy may choose, in its order. Where nobody is active the one whose turn it is comes first;
 * where it is only in doubt that the active site has the traffic, last.
 */
function readyTargets(service: ServiceState, at: EpochMillis): readonly string[] {
  const { activeSite, granted, policy } = service;
  const others = policy.sites.map(({ site }) => site).filter((site) => site !== activeSite);
  const unsettled = isSettled(service) ? [] : [activeSite];
  return (granted ? [...others, ...unsettled] : [activeSite, ...others])
    .filter((site) => isReady(service, site))
    .filter((site) => isFreeOfWork(service, site, at));
}

/** A window for the whole service is no reason against a site: what it holds back is decided before. */
function isFreeOfWork(service: ServiceState, site: string, at: EpochMillis): boolean {
  const windows = (service.maintenance ?? []).filter((window) => window.site === site);
  return windowOf({ maintenance: windows }, site, at) === null;
}

/** When the first of the targets that must prove itself has done so; null = none must. */
export function targetSettlesAt(service: ServiceState, at: EpochMillis): EpochMillis | null {
  const ends = readyTargets(service, at).flatMap((site) => settlingUntil(service, site, at) ?? []);
  return ends.length === 0 ? null : epochMillis(Math.min(...ends));
}

function chooseAsAsked(
  service: ServiceState,
  search: Search & {
    readonly request: Extract<SwitchRequest, { trigger: 'manual' }> & { readonly to: string };
  },
  moment: DecisionMoment,
): Choice {
  const { to, force } = search.request;
  const unfit = unfitTarget(service, to, force);
  if (unfit !== null) {
    return refuse(unfit, moment);
  }
  const state = ownValue(service.sites, to)?.opinion.state ?? 'pending';
  const gate = gateOf(service, { ...search, to }, moment);
  return throughGate({ service, search, to, gate }, `to ${to} (${state}), as asked`, moment);
}

/** Why traffic must not go to a site that somebody named; null = it may. */
function unfitTarget(service: ServiceState, to: string, force: boolean): Reason | null {
  const { policy, activeSite, sites } = service;
  if (!policy.sites.some(({ site }) => site === to)) {
    const known = policy.sites.map(({ site }) => site).join(', ');
    return ['unknown-site', `${to} is not a site of this service; sites: ${known}`];
  }
  if (to === activeSite && isSettled(service) && !force) {
    return ['already-active', `${to} is the active site; force writes its records anew`];
  }
  if (isReady(service, to) || force) {
    return null;
  }
  const state = ownValue(sites, to)?.opinion.state ?? 'pending';
  const but = state === 'healthy' ? ', but an alarm stands against it' : '';
  return ['target-not-healthy', `${to} is ${state}${but}; never to a sicker site`];
}

/**
 * Emergency where the active site is gone and nothing can be asked of it, and where a run failed by
 * itself: what was tried gently once is not tried so again. Else graceful.
 */
function modeOf(service: ServiceState, request: SwitchRequest): RunMode {
  const asked = request.trigger === 'manual' ? (request.mode ?? null) : null;
  const { phase } = service;
  const isSecondTry =
    request.trigger === 'automatic' && phase.kind === 'impaired' && phase.cause === 'run-failed';
  return asked ?? (isSecondTry ? 'emergency' : usualMode(service));
}

/** The mode of a run that a person asks for without naming one. */
export function usualMode(service: ServiceState): RunMode {
  return isGone(service, service.activeSite) ? 'emergency' : 'graceful';
}

function gateOf(
  service: ServiceState,
  { request, isFailback, to }: Search & { readonly to: string },
  { at }: DecisionMoment,
): GateAnswer {
  const acceptedBy = request.trigger === 'manual' ? (request.acceptedBy ?? null) : null;
  const kind = isFailback ? 'failback' : 'failover';
  const mode = modeOf(service, request);
  return gateBefore(service, { kind, to, ...sourceOf(service, to), mode, acceptedBy, at });
}

interface AtTheGate {
  readonly service: ServiceState;
  readonly search: Search;
  readonly to: string;
  readonly gate: GateAnswer;
}

function throughGate(
  { service, search, to, gate }: AtTheGate,
  sentence: string,
  moment: DecisionMoment,
): Choice {
  if (gate.kind === 'closed') {
    return refuse([gate.code, gate.sentence], moment);
  }
  const { request } = search;
  const isTold = service.policy.replication.lagMsMax !== null || gate.loss.lagMs !== null;
  const wanted: Wanted = {
    to,
    ...sourceOf(service, to),
    mode: modeOf(service, request),
    traffic: wholeTo(to),
    loss: gate.loss,
    atOnce: request.trigger === 'automatic' || request.atOnce === true,
  };
  const told = isTold ? `${sentence}; ${gate.sentence}` : sentence;
  return act(wanted, ['failover-authorised', told], moment);
}

/** A handover that is repeated leaves the site that still has the traffic, with all that belongs to it. */
function sourceOf(service: ServiceState, to: string): Pick<Wanted, 'from'> {
  const from = leadOf(service.policy, service.traffic);
  const isRepeat = to === service.activeSite && isHandoverPending(service);
  return isRepeat && from !== null ? { from } : {};
}

export function act(
  wanted: Wanted,
  [code, sentence]: Reason,
  { at, index }: DecisionMoment,
): Choice {
  return { kind: 'act', wanted, decision: { kind: 'act', code, sentence, at, index } };
}

export function refuse(
  [code, sentence]: Reason,
  { at, index }: DecisionMoment,
  reviewAt: EpochMillis | null = null,
): Choice {
  const decision: Decision = { kind: 'refuse', code, sentence, at, index };
  return { kind: 'refuse', decision, ...(reviewAt === null ? {} : { reviewAt }) };
}
