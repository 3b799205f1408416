/**
 * Damping: what holds an automatic run back for a while, so that a site that comes and goes does not
 * drag the traffic with it. A hold-down after each run, a budget per 24 hours, and a wait for targets
 * that were failed together with the active site.
 *
 * All are measured by the wall clocks of whoever proposed the entries, which may disagree. Two
 * rules keep a wrong clock from stopping recovery for good. An instant in the future of the entry
 * that looks at it was stamped by a clock that runs ahead, and is taken to be now. And a wait never
 * ends in the past: a review that is due at once and decides the same again would repeat for ever.
 * The price: a wrong clock may shorten the damping. Clocks tune, they never decide who is active.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { RUN_LIMITS } from './limits.ts';
import type { SafetyPolicy } from './policy.ts';
import type { ServiceState } from './state.ts';

/** The part of a service's state that damping is about. */
export interface DampingState {
  readonly lastRunEndedAt: EpochMillis | null;
  /** Starts of automatic runs, of which those within 24 hours count. */
  readonly automaticRunStarts: readonly EpochMillis[];
}

/** Takes every instant that lies ahead of `now` to be now. */
export function settledAt(state: DampingState, now: EpochMillis): DampingState {
  const { lastRunEndedAt, automaticRunStarts } = state;
  return {
    lastRunEndedAt: lastRunEndedAt === null ? null : earlier(lastRunEndedAt, now),
    automaticRunStarts: automaticRunStarts.map((start) => earlier(start, now)),
  };
}

/** When the hold-down of the last run ends; null when none holds at `now`. */
export function heldDownUntil(
  { lastRunEndedAt }: DampingState,
  { holdDownMs }: SafetyPolicy,
  now: EpochMillis,
): EpochMillis | null {
  const until = lastRunEndedAt === null ? null : epochMillis(lastRunEndedAt + holdDownMs);
  return until !== null && now < until ? until : null;
}

/**
 * Until when a site that is healthy again must not take the traffic of the active one. Sites that were
 * failed together and come back together were not dead, we were deaf: each is heard when its agent
 * tries again, and the first of them is no better than the active site, which is about to be. A site
 * that did not fail waits for nothing.
 *
 * @returns null = it may now
 */
export function settlingUntil(
  { policy, sites, activeSite }: ServiceState,
  site: string,
  now: EpochMillis,
): EpochMillis | null {
  const active = ownValue(sites, activeSite);
  const target = ownValue(sites, site);
  // Whether the two were failed at once is told by the order of the log; only the wait has a clock.
  const failedIndex = active?.opinion.state === 'failed' ? active.opinionIndex : undefined;
  const backAt = target?.opinionSince ?? null;
  const isTogether = failedIndex !== undefined && (target?.failedUntilIndex ?? 0) > failedIndex;
  if (!isTogether || backAt === null || backAt > now) {
    return null;
  }
  const settlingMs =
    RUN_LIMITS.returnMsMax + RUN_LIMITS.returnIntervals * policy.detection.intervalMs;
  const until = epochMillis(backAt + settlingMs);
  return now < until ? until : null;
}

/** The starts that count against the budget at `now`. */
export function startsWithinDay(
  { automaticRunStarts }: DampingState,
  now: EpochMillis,
): readonly EpochMillis[] {
  return automaticRunStarts.filter((start) => start > now - RUN_LIMITS.dayMs);
}

/** When the budget has room for one more run; null when it has at `now`. */
export function budgetSpentUntil(
  state: DampingState,
  { automaticRunsPerDayMax }: SafetyPolicy,
  now: EpochMillis,
): EpochMillis | null {
  if (automaticRunsPerDayMax <= 0) {
    return epochMillis(now + RUN_LIMITS.dayMs);
  }
  const starts = startsWithinDay(state, now).toSorted((a, b) => a - b);
  const lastToExpire = starts[starts.length - automaticRunsPerDayMax];
  return lastToExpire === undefined ? null : epochMillis(lastToExpire + RUN_LIMITS.dayMs);
}

function earlier(a: EpochMillis, b: EpochMillis): EpochMillis {
  return a < b ? a : b;
}
