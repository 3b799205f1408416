/**
 * Decisions about the shares of an active-active service: take a site out, give one its share back,
 * set the shares as a person wants them. The shares themselves are found by `rebalance.ts`. Pure.
 */
import { ownValue } from '../base/own-value.ts';
import { isReady, isSick } from './analysis.ts';
import {
  automaticBlock,
  budgetWithReserve,
  manualBlock,
  openRunBlock,
  type Reason,
} from './blocks.ts';
import { budgetSpentUntil, heldDownUntil } from './damping.ts';
import {
  type Asked,
  act,
  type Choice,
  type DecisionMoment,
  refuse,
  type Wanted,
} from './decision.ts';
import { isSettled } from './doubt.ts';
import { drainedShares, dueShares, isSameTraffic, siteDueBack, sitesToDrain } from './rebalance.ts';
import type { ServiceState } from './state.ts';
import { leadOf, shareOf, type Traffic } from './traffic.ts';

/** Runs of the daily budget that giving a share back leaves for the next failure. */
const RESERVE = 1;

export type DrainRequest =
  | { readonly trigger: 'automatic'; readonly overtakes: boolean }
  | { readonly trigger: 'manual'; readonly force: boolean };

/** Whether the sites that should not serve lose their shares now, and to whom. Pure; total. */
export function decideDrain(
  service: ServiceState,
  request: DrainRequest,
  moment: DecisionMoment,
): Choice {
  const sick = sitesToDrain(service);
  const [site = service.activeSite] = sick;
  const blocked = drainBlock(service, { request, site }, moment);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  const traffic = drainedShares(service, sick, moment.at);
  if (traffic === null) {
    const sentence = 'no other site is healthy by the quorum and could take the share';
    return refuse(['no-healthy-target', sentence], moment);
  }
  const wanted = wantedShares(service, traffic, { from: site, mode: 'emergency', atOnce: true });
  return act(
    wanted,
    ['drain-authorised', `no traffic to ${sick.join(', ')}; ${describeTraffic(traffic)}`],
    moment,
  );
}

function drainBlock(
  service: ServiceState,
  { request, site }: { readonly request: DrainRequest; readonly site: string },
  moment: DecisionMoment,
): Reason | null {
  if (request.trigger === 'manual') {
    return request.force ? null : manualBlock(service, moment);
  }
  return (
    (request.overtakes ? null : openRunBlock(service)) ??
    automaticBlock(service, moment, { site, isHeldDown: false, reserve: 0 })
  );
}

/** Whether a site that is well again gets its share back now. Pure; total. */
export function decideReturn(service: ServiceState, moment: DecisionMoment): Choice {
  const due = siteDueBack(service, moment.at);
  if (due === null) {
    return refuse(['no-healthy-target', 'no site is due to get traffic back'], moment);
  }
  const { site, traffic } = due;
  const blocked =
    openRunBlock(service) ??
    automaticBlock(service, moment, { site, isHeldDown: true, reserve: RESERVE });
  if (blocked !== null) {
    return refuse(blocked, moment, returnReviewAt(service, blocked, moment));
  }
  if (moment.at < due.at) {
    const leftSeconds = Math.ceil((due.at - moment.at) / 1000);
    const sentence = `${site} is well again, and gets traffic if it stays so for ${leftSeconds} s more`;
    return refuse(['return-settling', sentence], moment, due.at);
  }
  const options = { to: site, mode: 'graceful', atOnce: false } as const;
  return act(
    wantedShares(service, traffic, options),
    ['return-authorised', `${site} is well again; ${describeTraffic(traffic)}`],
    moment,
  );
}

function returnReviewAt(
  service: ServiceState,
  [code]: Reason,
  { at }: DecisionMoment,
): ReturnType<typeof budgetSpentUntil> {
  switch (code) {
    case 'hold-down':
      return heldDownUntil(service, service.policy.safety, at);
    case 'daily-budget-spent':
      return budgetSpentUntil(service, budgetWithReserve(service, RESERVE), at);
    default:
      return null;
  }
}

/** A person wants the shares that the policy says, of the sites that are ready. Pure; total. */
export function decideHome(service: ServiceState, asked: Asked, moment: DecisionMoment): Choice {
  const blocked = asked.force ? null : manualBlock(service, moment);
  if (blocked !== null) {
    return refuse(blocked, moment);
  }
  const unweighted: ServiceState = { ...service, weights: null };
  const sick = service.policy.sites
    .map(({ site }) => site)
    .filter((site) => !isReady(service, site) || isSick(service, site));
  const traffic = drainedShares({ ...unweighted, traffic: dueShares(unweighted) }, sick, moment.at);
  if (traffic === null) {
    return refuse(['no-healthy-target', 'no site is healthy by the quorum'], moment);
  }
  if (isSameTraffic(traffic, service.traffic) && isSettled(service) && !asked.force) {
    return refuse(['weights-unchanged', `the shares are ${describeTraffic(traffic)}`], moment);
  }
  const wanted = wantedShares(service, traffic, {
    mode: asked.mode ?? 'graceful',
    atOnce: asked.atOnce === true,
  });
  return act(wanted, ['failback-authorised', `back to ${describeTraffic(traffic)}`], moment);
}

/** Whether the shares become what a person asks for. Pure; total. */
export function decideWeights(
  service: ServiceState,
  weights: Traffic,
  moment: DecisionMoment,
): Choice {
  const reason = weightsBlock(service, weights, moment);
  if (reason !== null) {
    return refuse(reason, moment);
  }
  const traffic = Object.fromEntries(Object.entries(weights).filter(([, share]) => share > 0));
  const wanted = wantedShares(service, traffic, { mode: 'graceful', atOnce: true });
  return act(wanted, ['weights-authorised', `${describeTraffic(traffic)}, as asked`], moment);
}

function weightsBlock(
  service: ServiceState,
  weights: Traffic,
  moment: DecisionMoment,
): Reason | null {
  const { policy, traffic } = service;
  if (policy.strategy !== 'active-active') {
    return ['not-active-active', `${policy.service} is ${policy.strategy}: one site has it all`];
  }
  const unknown = Object.keys(weights).find(
    (site) => !policy.sites.some((known) => known.site === site),
  );
  if (unknown !== undefined) {
    return ['unknown-site', `${unknown} is not a site of this service`];
  }
  const shares = Object.values(weights);
  const sum = shares.reduce((all, share) => all + share, 0);
  if (sum === 0) {
    return ['would-leave-none', 'somebody must serve: not all shares may be zero'];
  }
  if (sum !== 100 || shares.some((share) => !Number.isInteger(share) || share < 0)) {
    return ['weights-invalid', 'shares are whole per cents, none below zero, that sum to 100'];
  }
  const sicker = Object.keys(weights).find(
    (site) => shareOf(weights, site) > shareOf(traffic, site) && !isReady(service, site),
  );
  if (sicker !== undefined) {
    const state = ownValue(service.sites, sicker)?.opinion.state ?? 'pending';
    return ['target-not-healthy', `${sicker} is ${state}; it may keep its share, and get no more`];
  }
  return (
    manualBlock(service, moment) ??
    (isSameTraffic(weights, traffic) && isSettled(service)
      ? ['weights-unchanged', `the shares are ${describeTraffic(traffic)}`]
      : null)
  );
}

/** `us-east-1 60 %, us-west-2 40 %`. */
function describeTraffic(traffic: Traffic): string {
  return Object.entries(traffic)
    .map(([site, share]) => `${site} ${share} %`)
    .join(', ');
}

/** A run has one target: who gains most, or who was named. */
function wantedShares(
  { policy, traffic: before }: ServiceState,
  traffic: Traffic,
  options: Pick<Wanted, 'mode' | 'atOnce'> & { readonly to?: string; readonly from?: string },
): Wanted {
  const { mode, atOnce, to, from } = options;
  const gains = policy.sites
    .map(({ site }) => ({ site, gain: shareOf(traffic, site) - shareOf(before, site) }))
    .toSorted((a, b) => b.gain - a.gain);
  const target = to ?? gains[0]?.site ?? policy.primary;
  const source = from ?? gains.at(-1)?.site ?? leadOf(policy, before) ?? policy.primary;
  return { to: target, from: source, mode, atOnce, traffic, loss: null };
}
