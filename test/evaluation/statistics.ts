/**
 * What the rivals compute from the arrivals before a beat: mean, spread and longest of the last 200
 * intervals, and where Chen's schedule expects the next beat. One pass, constant work a beat.
 */
import { at, type Decisions, type SeriesArrivals, WARM_UP_BEATS } from './decisions.ts';

/** By decision, in milliseconds. */
export interface IntervalStatistics {
  readonly meansMs: Float64Array;
  readonly deviationsMs: Float64Array;
  readonly longestMs: Float64Array;
}

export function intervalStatistics({ series, count }: Decisions): IntervalStatistics {
  const meansMs = new Float64Array(count);
  const deviationsMs = new Float64Array(count);
  const longestMs = new Float64Array(count);
  for (const one of series) {
    const intervals = intervalsOf(one);
    const longest = slidingLongest(intervals);
    let sums = { sum: 0, squares: 0 };
    for (let decision = one.first; decision < one.end; decision++) {
      const begin = decision - one.first;
      // Summed afresh once a window, or millions of additions and subtractions would drift.
      sums =
        begin % WARM_UP_BEATS === 0 ? freshSums(intervals, begin) : slid(sums, intervals, begin);
      const average = sums.sum / WARM_UP_BEATS;
      meansMs[decision] = average;
      deviationsMs[decision] = Math.sqrt(Math.max(0, sums.squares / WARM_UP_BEATS - average ** 2));
      longestMs[decision] = at(longest, begin);
    }
  }
  return { meansMs, deviationsMs, longestMs };
}

function intervalsOf({ arrivedAtMs }: SeriesArrivals): Float64Array {
  const intervals = new Float64Array(arrivedAtMs.length - 1);
  for (let beat = 0; beat < intervals.length; beat++) {
    intervals[beat] = at(arrivedAtMs, beat + 1) - at(arrivedAtMs, beat);
  }
  return intervals;
}

interface Sums {
  readonly sum: number;
  readonly squares: number;
}

function freshSums(intervals: Float64Array, begin: number): Sums {
  let sum = 0;
  let squares = 0;
  for (let position = begin; position < begin + WARM_UP_BEATS; position++) {
    sum += at(intervals, position);
    squares += at(intervals, position) ** 2;
  }
  return { sum, squares };
}

function slid({ sum, squares }: Sums, intervals: Float64Array, begin: number): Sums {
  const dropped = at(intervals, begin - 1);
  const added = at(intervals, begin + WARM_UP_BEATS - 1);
  return { sum: sum + added - dropped, squares: squares + added ** 2 - dropped ** 2 };
}

/** The longest of each 200 neighbours, by their first; a queue of candidates that only falls. */
function slidingLongest(intervals: Float64Array): Float64Array {
  const longest = new Float64Array(Math.max(0, intervals.length - WARM_UP_BEATS + 1));
  const queue = new Uint32Array(intervals.length);
  let head = 0;
  let tail = 0;
  for (let position = 0; position < intervals.length; position++) {
    while (tail > head && at(intervals, at(queue, tail - 1)) <= at(intervals, position)) {
      tail--;
    }
    queue[tail++] = position;
    if (at(queue, head) <= position - WARM_UP_BEATS) {
      head++;
    }
    if (position >= WARM_UP_BEATS - 1) {
      longest[position - WARM_UP_BEATS + 1] = at(intervals, at(queue, head));
    }
  }
  return longest;
}

/**
 * By decision: how long after this beat Chen's schedule expects the next one,
 * EA(k+1) - A(k) = mean(A(i) - Δ i) + (k + 1) Δ - A(k) over the last 200 beats.
 */
export function expectedAfterMs({ trace, series, count }: Decisions): Float64Array {
  const expected = new Float64Array(count);
  for (const one of series) {
    // Of offsets from the schedule, relative to the newest: small numbers, so nothing drifts.
    let sum = 0;
    for (let decision = one.first; decision < one.end; decision++) {
      const beat = WARM_UP_BEATS + decision - one.first;
      const offset = offsetMs(one, beat, trace.intervalMs);
      if ((decision - one.first) % WARM_UP_BEATS === 0) {
        sum = 0;
        for (let back = 0; back < WARM_UP_BEATS; back++) {
          sum += offsetMs(one, beat - back, trace.intervalMs);
        }
      } else {
        sum += offset - offsetMs(one, beat - WARM_UP_BEATS, trace.intervalMs);
      }
      expected[decision] = sum / WARM_UP_BEATS - offset + trace.intervalMs;
    }
  }
  return expected;
}

function offsetMs(
  { arrivedAtMs, sequences }: SeriesArrivals,
  beat: number,
  intervalMs: number,
): number {
  return (
    at(arrivedAtMs, beat) -
    at(arrivedAtMs, 0) -
    intervalMs * (at(sequences, beat) - at(sequences, 0))
  );
}
