/**
 * What holds of a site whose rules changed, until it has beaten by the new ones. Pure.
 *
 * A shorter interval must not convict a site for a silence that was lawful when it began, nor one
 * that has not heard of the change: an agent learns of it by the answer to its next beat, which it
 * sends by the old rules. So silence counts only from a moment after the change, long enough for
 * every region to apply it and for an agent that was refused to try again; and until a beat comes
 * after that, the gentler of the old and the new rules judge. A site that is new, or back after it
 * was left out, may have a record of before, whose silence nobody watched: for it the same holds.
 *
 * The instant is of the log, stamped by whoever proposed the entry: a clock that runs ahead delays
 * convictions by as much, once.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type { DetectionPolicy } from '../detection/policy.ts';
import type { SchedulePolicy } from '../recovery/policy.ts';
import type { WatchChange } from '../recovery/state.ts';
import { CONTROL_TIMINGS } from './limits.ts';

/** What says when a site is silent for too long. */
export interface WatchRules {
  readonly detection: DetectionPolicy;
  /** null = it beats all the time. */
  readonly schedule: SchedulePolicy | null;
}

/** What to keep of a site that had these rules and has others now, or the same. */
export function changedWatch(
  known: WatchChange | undefined,
  { before, after }: { readonly before: WatchRules; readonly after: WatchRules },
  at: EpochMillis,
): { readonly watchChange?: WatchChange } {
  if (isSameWatch(before, after)) {
    return known === undefined ? {} : { watchChange: known };
  }
  const older = known?.before ?? null;
  // The site may not have beaten since the change before this one.
  const isRecent = older !== null && known !== undefined && at - known.at <= older.silenceMsMax;
  const gentlest = isRecent ? gentlerOf(older, before.detection) : before.detection;
  return { watchChange: { at, before: gentlest } };
}

/** Silence before this says nothing of the site; null = there was no change. */
export function watchableFrom(change: WatchChange | null): EpochMillis | null {
  return change === null ? null : epochMillis(change.at + CONTROL_TIMINGS.watchChangeMs);
}

/** The rules by which a silence is judged that began with this beat; null = never heard. */
export function ruledBy(
  detection: DetectionPolicy,
  change: WatchChange | null,
  lastArrivalAt: EpochMillis | null,
): DetectionPolicy {
  const from = watchableFrom(change);
  const isFollowed = from === null || lastArrivalAt === null || lastArrivalAt >= from;
  const before = change?.before ?? null;
  return isFollowed || before === null ? detection : gentlerOf(before, detection);
}

/** A job is judged by its schedule alone. */
function isSameWatch(before: WatchRules, after: WatchRules): boolean {
  const text = ({ detection, schedule }: WatchRules) => JSON.stringify(schedule ?? detection);
  return text(before) === text(after);
}

/** In each number the one that convicts later. */
function gentlerOf(one: DetectionPolicy, other: DetectionPolicy): DetectionPolicy {
  return {
    intervalMs: Math.max(one.intervalMs, other.intervalMs),
    suspectPhi: Math.max(one.suspectPhi, other.suspectPhi),
    failPhi: Math.max(one.failPhi, other.failPhi),
    silenceMsMax: Math.max(one.silenceMsMax, other.silenceMsMax),
  };
}
