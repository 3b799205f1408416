/**
 * How much of a silence an observer has watched: only that is evidence.
 *
 * Silence before the *baseline* counts for nothing. A *gap* after it (the table did not answer, the
 * process was frozen) is taken out of the middle, because beats may have been lost in it, and what
 * was watched before and after it is added up. That is safe for one gap and not for two: a site that
 * lives is silent for at most one interval before the gap and one after it, as if a single beat had
 * been lost, and no suspicion comes before 2.2 intervals. With each further gap another interval
 * would be added, so a new gap makes the end of the last one the baseline (`observer.ts`).
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';

export interface WatchGap {
  readonly from: EpochMillis;
  /** At or after `from`. */
  readonly to: EpochMillis;
}

export interface Watch {
  /** Since when the observer has watched, but for the gap. */
  readonly baselineAt: EpochMillis;
  /** Default: none. */
  readonly gap?: WatchGap | null;
}

/** The watched part of the time between two instants, in milliseconds; 0 if `to` is not after `from`. */
export function watchedSilenceMs(
  { baselineAt, gap = null }: Watch,
  { from, to }: { readonly from: EpochMillis; readonly to: EpochMillis },
): number {
  const start = Math.max(from, baselineAt);
  const unwatchedMs = gap === null ? 0 : Math.min(gap.to, to) - Math.max(gap.from, start);
  return Math.max(0, to - start - Math.max(0, unwatchedMs));
}

/** When so much silence after `from` will have been watched, if there is no further gap. */
export function watchedUntil(
  { baselineAt, gap = null }: Watch,
  { from, silenceMs }: { readonly from: EpochMillis; readonly silenceMs: number },
): EpochMillis {
  const start = Math.max(from, baselineAt);
  const end = start + silenceMs;
  const isTouched = gap !== null && gap.to > start && gap.from < end;
  return epochMillis(isTouched ? end + gap.to - Math.max(gap.from, start) : end);
}
