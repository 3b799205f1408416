/**
 * Decision: act on an analysis, or refuse; always with a reason code and a sentence.
 *
 * A refusal is as much an answer as an act: it is stored, shown, and explained in
 * `docs/failure-modes.md`. Tests and scripts match the code, never the sentence.
 */

import { type EpochMillis, epochMillis, type LogIndex } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isReady } from './analysis.ts';
import { budgetSpentUntil, heldDownUntil, settlingUntil, startsWithinDay } from './damping.ts';
import { describeWindow, standingWindows, windowOf } from './maintenance.ts';
import type { Decision, ServiceState } from './state.ts';

export const DECISION_CODES = [
  'failover-authorised',
  'failback-authorised',
  'automatic-off',
  'maintenance-window',
  'run-in-progress',
  'hold-down',
  'daily-budget-spent',
  'target-settling',
  'no-healthy-target',
  'target-not-healthy',
  'unknown-site',
  'already-active',
] as const;

export type DecisionCode = (typeof DECISION_CODES)[number];

/**
 * Who asks for a switch, and to which site; `to: null` lets the policy choose. `force` is the break-glass:
 * it supersedes an open run, and takes a site that is not healthy, or is active already.
 */
export type SwitchRequest =
  | { readonly trigger: 'automatic' }
  | { readonly trigger: 'manual'; readonly to: string | null; readonly force: boolean };

export type Choice =
  | { readonly kind: 'act'; readonly to: string; readonly decision: Decision }
  | { readonly kind: 'refuse'; readonly decision: Decision };

interface Moment {
  readonly at: EpochMillis;
  readonly index: LogIndex;
}

/** Whether to fail over now, and to which site. Pure; total. */
export function decideFailover(
  service: ServiceState,
  request: SwitchRequest,
  moment: Moment,
): Choice {
  const blocked =
    request.trigger === 'automatic'
      ? (openRun(service) ?? automaticBlock(service, moment))
      : request.force
        ? null
        : openRun(service);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  return chooseTarget(service, request, moment);
}

/** Failback moves traffic to the primary site, by a person's request only. Pure; total. */
export function decideFailback(service: ServiceState, force: boolean, moment: Moment): Choice {
  const blocked = force ? null : openRun(service);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  const request: SwitchRequest = { trigger: 'manual', to: service.policy.primary, force };
  const choice = chooseTarget(service, request, moment);
  return choice.kind === 'refuse'
    ? choice
    : act(choice.to, ['failback-authorised', `back to ${choice.to}, the primary site`], moment);
}

type Reason = readonly [code: DecisionCode, sentence: string];

function openRun({ phase }: ServiceState): Reason | null {
  return 'run' in phase
    ? ['run-in-progress', `run ${phase.run} is not finished; force supersedes it`]
    : null;
}

function automaticBlock(service: ServiceState, { at }: Moment): Reason | null {
  const { policy } = service;
  if (!policy.automatic) {
    return ['automatic-off', 'the policy leaves failover to a person'];
  }
  const window = windowOf(service, service.activeSite, at);
  if (window !== null) {
    return ['maintenance-window', `maintenance of ${describeWindow(window)}`];
  }
  const heldUntil = heldDownUntil(service, policy.safety, at);
  if (heldUntil !== null) {
    const leftSeconds = Math.ceil((heldUntil - at) / 1000);
    return ['hold-down', `the last run ended too recently: ${leftSeconds} s of hold-down left`];
  }
  const today = startsWithinDay(service, at).length;
  return budgetSpentUntil(service, policy.safety, at) === null
    ? null
    : ['daily-budget-spent', `${today} automatic runs within 24 h, the policy allows no more`];
}

function chooseTarget(service: ServiceState, request: SwitchRequest, moment: Moment): Choice {
  return request.trigger === 'automatic' || request.to === null
    ? chooseByPolicy(service, request.trigger, moment)
    : chooseAsAsked(service, { ...request, to: request.to }, moment);
}

function chooseByPolicy(
  service: ServiceState,
  trigger: SwitchRequest['trigger'],
  moment: Moment,
): Choice {
  const ready = readyTargets(service, moment.at);
  const target = ready.find(
    (site) => trigger === 'manual' || settlingUntil(service, site, moment.at) === null,
  );
  if (target !== undefined) {
    return act(target, ['failover-authorised', `to ${target}, which is healthy`], moment);
  }
  const [settling] = ready;
  return refuse(
    settling === undefined
      ? ['no-healthy-target', 'no other site is healthy by the quorum and free of maintenance']
      : ['target-settling', `${settling} failed with the active site and is back only just now`],
    moment,
  );
}

/** Sites that the policy may choose, in its order. */
function readyTargets(service: ServiceState, at: EpochMillis): readonly string[] {
  const { policy, activeSite, sites } = service;
  const worked = standingWindows(service, at).map(({ site }) => site);
  return policy.sites
    .map(({ site }) => site)
    .filter((site) => site !== activeSite && !worked.includes(site))
    .filter((site) => isReady(ownValue(sites, site)));
}

/** When the first of the targets that must prove itself has done so; null = none must. */
export function targetSettlesAt(service: ServiceState, at: EpochMillis): EpochMillis | null {
  const ends = readyTargets(service, at).flatMap((site) => settlingUntil(service, site, at) ?? []);
  return ends.length === 0 ? null : epochMillis(Math.min(...ends));
}

function chooseAsAsked(
  service: ServiceState,
  { to, force }: { readonly to: string; readonly force: boolean },
  moment: Moment,
): Choice {
  const { policy, activeSite, sites } = service;
  if (!policy.sites.some(({ site }) => site === to)) {
    const known = policy.sites.map(({ site }) => site).join(', ');
    return refuse(['unknown-site', `${to} is not a site of this service; sites: ${known}`], moment);
  }
  const isRepeat = service.phase.kind === 'impaired' && service.phase.cause === 'run-failed';
  if (to === activeSite && !isRepeat && !force) {
    const but = 'force writes its records anew';
    return refuse(['already-active', `${to} is the active site; ${but}`], moment);
  }
  const state = ownValue(sites, to)?.opinion.state ?? 'pending';
  if (!isReady(ownValue(sites, to)) && !force) {
    const but = state === 'healthy' ? ', but an alarm stands against it' : '';
    return refuse(
      ['target-not-healthy', `${to} is ${state}${but}; never to a sicker site`],
      moment,
    );
  }
  return act(to, ['failover-authorised', `to ${to} (${state}), as asked`], moment);
}

function act(to: string, [code, sentence]: Reason, { at, index }: Moment): Choice {
  return { kind: 'act', to, decision: { kind: 'act', code, sentence, at, index } };
}

function refuse([code, sentence]: Reason, { at, index }: Moment): Choice {
  return { kind: 'refuse', decision: { kind: 'refuse', code, sentence, at, index } };
}
