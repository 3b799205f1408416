/**
 * Decisions about drills: whether one begins, and whether it goes home now. What keeps a drill away and
 * what ends it is in `drill.ts`; here is what every run is asked besides. Pure.
 */
import { ownValue } from '../base/own-value.ts';
import { acknowledgementDue } from './acknowledgement.ts';
import { isReady } from './analysis.ts';
import type { Reason } from './blocks.ts';
import { act, type Choice, type DecisionMoment, refuse, type Wanted } from './decision.ts';
import { chooseDrill, type DrillRequest, drillEnd } from './drill.ts';
import { gateBefore } from './loss-questions.ts';
import { drainedShares } from './rebalance.ts';
import type { ServiceState, StandingDrill } from './state.ts';
import { type Traffic, wholeTo } from './traffic.ts';

/** Whether a drill begins. It takes no risk that a failover would: no loss is accepted for it. */
export function decideDrill(
  service: ServiceState,
  request: DrillRequest,
  moment: DecisionMoment,
): Choice {
  const choice = chooseDrill(service, request, { at: moment.at, freeze: moment.freeze ?? null });
  if (choice.kind === 'refuse') {
    return refuse(choice.reason, moment);
  }
  const due = acknowledgementDue(service, moment.at);
  if (due !== null) {
    const sentence = `nobody has acknowledged run ${due.run} yet: first look, then practise`;
    return refuse(['acknowledgement-due', sentence], moment);
  }
  const { to } = choice;
  const gate = gateBefore(service, {
    kind: 'drill',
    to,
    mode: 'graceful',
    acceptedBy: null,
    at: moment.at,
  });
  if (gate.kind === 'closed') {
    return refuse([gate.code, gate.sentence], moment);
  }
  const wanted: Wanted = {
    to,
    mode: 'graceful',
    traffic: wholeTo(to),
    loss: gate.loss,
    atOnce: true,
  };
  const seconds = choice.durationMs / 1000;
  return act(wanted, ['drill-authorised', `to ${to} for ${seconds} s, and back`], moment);
}

/**
 * Whether the drill goes home now, because it must or because a person says so. It asks for neither
 * budget nor hold-down, and no freeze keeps it away: it undoes what was done, and a brake that is
 * pulled in the middle of a practice must not leave the traffic where nobody meant it to stay. A home
 * that is not ready gets the traffic only where a person insists.
 * @param asked null = nobody asks: the drill goes home if it must.
 */
export function decideDrillReturn(
  service: ServiceState,
  asked: { readonly force: boolean } | null,
  moment: DecisionMoment,
): Choice {
  const { drill } = service;
  if (drill === null) {
    return refuse(['drill-not-standing', 'no drill stands'], moment);
  }
  const reason: Reason =
    asked !== null
      ? ['drill-ended-by-person', 'as asked']
      : (drillEnd(service, moment.at) ?? ['drill-not-standing', 'its time is not up']);
  if (reason[0] === 'drill-not-standing') {
    return refuse(reason, moment);
  }
  const state = ownValue(service.sites, drill.homeSite)?.opinion.state ?? 'pending';
  const isFit = isReady(service, drill.homeSite);
  const isForced = asked?.force === true;
  const traffic = homeShares(service, { drill, isForced }, moment);
  if (traffic === null || !(isFit || isForced)) {
    const but = state === 'healthy' ? ', but not ready for the traffic' : '';
    const sentence = `${drill.homeSite} is ${state}${but}; only force takes the traffic there`;
    return refuse(['target-not-healthy', sentence], moment);
  }
  const wanted: Wanted = {
    to: drill.homeSite,
    mode: 'graceful',
    traffic,
    loss: null,
    atOnce: true,
  };
  const [code, sentence] = reason;
  const forced = isFit ? '' : ` (${state}, forced)`;
  return act(wanted, [code, `back to ${drill.homeSite}${forced}: ${sentence}`], moment);
}

interface WayHome {
  readonly drill: StandingDrill;
  readonly isForced: boolean;
}

/** As before the drill, without those who could not take it by now; who insists does so for the home alone. */
function homeShares(
  service: ServiceState,
  { drill: { home, homeSite }, isForced }: WayHome,
  { at }: DecisionMoment,
): Traffic | null {
  const before: ServiceState = { ...service, traffic: home };
  const unfit = Object.keys(home).filter(
    (site) => !(isReady(service, site) || (isForced && site === homeSite)),
  );
  return unfit.length === 0 ? home : drainedShares(before, unfit, at);
}
