/**
 * Shares of an active-active service: which site gives its share up, which one gets it back, and
 * what the shares are then. Pure.
 *
 * Taking a site out is safe and urgent: it is not held down, only budgeted. Giving a site its share back is
 * neither: it must have been well for the hold-down, goes by the steps of the policy, and leaves one run
 * of the day's budget for the next failure. So a site that comes and goes ends up out of rotation.
 * Two rules hold always. Somebody must be left: where no other site is ready the shares stay as they
 * are. And only a site that is ready gains: one that is under suspicion keeps what it has.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isReady, isSick, servingSites } from './analysis.ts';
import { apportion } from './apportion.ts';
import { windowOf } from './maintenance.ts';
import type { ServicePolicy } from './policy.ts';
import type { ServiceState } from './state.ts';
import { shareOf, type Traffic, wholeTo } from './traffic.ts';

/** What the shares should be while all is well: as a person set them, or else by the policy. */
export function dueShares({ policy, weights }: Pick<ServiceState, 'policy' | 'weights'>): Traffic {
  return weights ?? policyShares(policy);
}

/** The shares of the policy, whole and summing to 100; all to the primary where nobody has a weight. */
export function policyShares({ strategy, sites, primary }: ServicePolicy): Traffic {
  const weighted = sites.filter(({ weight }) => weight > 0);
  return strategy !== 'active-active' || weighted.length === 0
    ? wholeTo(primary)
    : asTraffic(
        apportion(
          100,
          weighted.map(({ site, weight }) => [site, weight]),
        ),
      );
}

/** Sites that serve and should not, the most urgent first. */
export function sitesToDrain(service: ServiceState): readonly string[] {
  return servingSites(service).filter((site) => isSick(service, site));
}

/**
 * The shares without these sites; null = nobody is left who could take theirs. Of the sites that
 * serve those that are ready take it, by their due shares; where none is, any other that is ready.
 */
export function drainedShares(
  service: ServiceState,
  sick: readonly string[],
  at: EpochMillis,
): Traffic | null {
  const kept = servingSites(service).filter((site) => !sick.includes(site));
  const freed = 100 - sumOf(service.traffic, kept);
  const readyKept = kept.filter((site) => isReady(service, site));
  const heirs = readyKept.length > 0 ? readyKept : sparesOf(service, [...kept, ...sick], at);
  if (heirs.length === 0) {
    return null;
  }
  const due = dueShares(service);
  const gains = apportion(
    freed,
    heirs.map((site) => [site, shareOf(due, site)]),
  );
  const before = kept.map((site) => [site, shareOf(service.traffic, site)] as const);
  return asTraffic([...before, ...gains]);
}

/** Sites without a share that are ready to take one, in the order of the policy. */
function sparesOf(
  service: ServiceState,
  others: readonly string[],
  at: EpochMillis,
): readonly string[] {
  return service.policy.sites
    .map(({ site }) => site)
    .filter((site) => !others.includes(site) && isReady(service, site))
    .filter((site) => windowOf(service, site, at) === null);
}

export interface DueBack {
  readonly site: string;
  readonly traffic: Traffic;
  /** When it has been well for long enough. */
  readonly at: EpochMillis;
}

/**
 * The first site, in the order of the policy, that is ready and has less than it should; null = all
 * have what they should, or one of those that serve is in trouble.
 */
export function siteDueBack(service: ServiceState, now: EpochMillis): DueBack | null {
  const { policy, traffic } = service;
  const serving = servingSites(service);
  if (policy.strategy !== 'active-active' || serving.some((site) => isSick(service, site))) {
    return null;
  }
  const due = dueShares(service);
  for (const { site } of policy.sites) {
    const wanted = sharesAmong(due, new Set([...serving, site]), policy);
    const missing = shareOf(wanted, site) - shareOf(traffic, site);
    const isOut = shareOf(due, site) > 0 && shareOf(traffic, site) === 0;
    if (
      (isOut || missing > ROUNDING_PERCENT) &&
      isReady(service, site) &&
      windowOf(service, site, now) === null
    ) {
      return { site, traffic: wanted, at: provenAt(service, site, now) };
    }
  }
  return null;
}

/** Shares that were divided in another order may differ by so much. */
const ROUNDING_PERCENT = 1;

/** The due shares of these sites alone, as parts of the whole. */
function sharesAmong(
  due: Traffic,
  among: ReadonlySet<string>,
  { sites }: Pick<ServicePolicy, 'sites'>,
): Traffic {
  const weights = sites
    .map(({ site }) => [site, shareOf(due, site)] as const)
    .filter(([site, share]) => among.has(site) && share > 0);
  return asTraffic(apportion(100, weights));
}

/** Since its last trouble it must have been well for the hold-down, or a step of the way back if longer. */
function provenAt(service: ServiceState, site: string, now: EpochMillis): EpochMillis {
  const { safety, returning } = service.policy;
  const state = ownValue(service.sites, site);
  const alarms = (state?.alarms ?? []).map(({ at }) => at);
  const since = Math.max(0, state?.opinionSince ?? now, ...alarms);
  return epochMillis(Math.min(since, now) + Math.max(safety.holdDownMs, returning.holdMs));
}

function sumOf(traffic: Traffic, sites: readonly string[]): number {
  return sites.reduce((sum, site) => sum + shareOf(traffic, site), 0);
}

/** Adds up what each site was given; who has nothing is left out. */
function asTraffic(parts: readonly (readonly [site: string, share: number])[]): Traffic {
  const shares: Record<string, number> = {};
  for (const [site, share] of parts) {
    shares[site] = (shares[site] ?? 0) + share;
  }
  return Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0));
}

export function isSameTraffic(a: Traffic, b: Traffic): boolean {
  const sites = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...sites].every((site) => shareOf(a, site) === shareOf(b, site));
}
