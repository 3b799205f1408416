/**
 * A trace as every detector sees it: for each fresh beat after the warm-up one *decision*, namely how
 * long a silence to allow; and how long the silence then was.
 *
 * All detectors get the same arrivals, the same window of 200 and the same warm-up. Overtaken beats
 * move none of them.
 */
import { AppError } from '../../lib/base/errors.ts';
import {
  type ArrivalTrace,
  type FreshArrivals,
  freshArrivals,
} from '../../lib/simulation/traces/arrival-trace.ts';

/** Beats before the first decision, and beats a detector looks back. */
export const WARM_UP_BEATS = 200;

export interface SeriesArrivals extends FreshArrivals {
  readonly name: string;
  /** Its decisions are those from `first` to before `end`. */
  readonly first: number;
  readonly end: number;
}

export interface Decisions {
  readonly trace: ArrivalTrace;
  /** Series with at least one decision. */
  readonly series: readonly SeriesArrivals[];
  /** Names of series that ended within the warm-up. */
  readonly skipped: readonly string[];
  readonly count: number;
  /** By decision: milliseconds until the next fresh beat. */
  readonly silencesMs: Float64Array;
  /** Time watched, summed over the series. */
  readonly watchedMs: number;
  /** Mean time between two sequence numbers: the pace in fact, losses not counted. */
  readonly paceMs: number;
}

/** @throws AppError `trace-too-short` when no series outlasts the warm-up. */
export function decisionsOf(trace: ArrivalTrace): Decisions {
  const series: SeriesArrivals[] = [];
  const skipped: string[] = [];
  let count = 0;
  for (const one of trace.series) {
    const fresh = freshArrivals(one);
    const own = fresh.sequences.length - 1 - WARM_UP_BEATS;
    if (own > 0) {
      series.push({ ...fresh, name: one.name, first: count, end: count + own });
      count += own;
    } else {
      skipped.push(one.name);
    }
  }
  if (series.length === 0) {
    throw new AppError('no series of the trace is long enough', {
      code: 'trace-too-short',
      hint: `Every detector warms up for ${WARM_UP_BEATS} beats: give at least ${WARM_UP_BEATS + 2} arrivals.`,
      retryable: false,
    });
  }
  return { trace, series, skipped, count, ...silences(series, count) };
}

function silences(series: readonly SeriesArrivals[], count: number) {
  const silencesMs = new Float64Array(count);
  let watchedMs = 0;
  let beats = 0;
  for (const { arrivedAtMs, sequences, first, end } of series) {
    for (let decision = first; decision < end; decision++) {
      const beat = WARM_UP_BEATS + decision - first;
      silencesMs[decision] = at(arrivedAtMs, beat + 1) - at(arrivedAtMs, beat);
    }
    const last = sequences.length - 1;
    watchedMs += at(arrivedAtMs, last) - at(arrivedAtMs, WARM_UP_BEATS);
    beats += at(sequences, last) - at(sequences, WARM_UP_BEATS);
  }
  return { silencesMs, watchedMs, paceMs: watchedMs / beats };
}

/** Indexing where the index is known to be in range; NaN would show up in every figure. */
export function at(values: ArrayLike<number>, position: number): number {
  return values[position] ?? Number.NaN;
}
