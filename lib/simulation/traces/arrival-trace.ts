/**
 * Recorded or made-up heartbeats, ready to be replayed: for each series (one target as one observer
 * hears it) the instant at which the beat of each sequence number arrived, or NaN if it never did.
 *
 * Position = sequence number, so loss and reordering are in the data and need no column of their
 * own. `freshArrivals` is what a receiver that ignores overtaken beats makes of a series, and is
 * the one reading that every detector under comparison gets.
 */
import { AppError } from '../../base/errors.ts';

/** The latest instant that a `Date` can show; what lies beyond is no time in milliseconds. */
export const INSTANT_MS_MAX = 8.64e15;
/** Beats a microsecond apart, and a day. A silence of more is no heartbeat. */
const INTERVAL_MS_MIN = 0.001;
export const INTERVAL_MS_MAX = 86_400_000;

/** Whether Δ is one that every part of a replay can count with. */
export function isPace(intervalMs: number): boolean {
  return intervalMs >= INTERVAL_MS_MIN && intervalMs <= INTERVAL_MS_MAX;
}

export interface ArrivalSeries {
  readonly name: string;
  /** By sequence number: milliseconds since the beginning of the trace; NaN = lost. */
  readonly arrivalsMs: Float64Array;
}

export interface ArrivalTrace {
  readonly name: string;
  /** Nominal time between two beats (Δ). */
  readonly intervalMs: number;
  /** Mean time from sending to arrival; 0 where that is not known. */
  readonly transitMs: number;
  readonly series: readonly ArrivalSeries[];
}

/** The beats of a series that were newer than all before them, in order of arrival. */
export interface FreshArrivals {
  readonly sequences: Uint32Array;
  readonly arrivedAtMs: Float64Array;
  /** Beats that a later one had overtaken. They move no detector. */
  readonly overtaken: number;
}

/** Drops what was lost and what was overtaken: a beat counts if no later one arrived before it. */
export function freshArrivals(series: ArrivalSeries): FreshArrivals {
  const { arrivalsMs } = series;
  const sequences = new Uint32Array(arrivalsMs.length);
  let first = arrivalsMs.length;
  let overtaken = 0;
  let earliestLaterMs = Infinity;
  for (let sequence = arrivalsMs.length - 1; sequence >= 0; sequence--) {
    const arrivedAtMs = arrivalsMs[sequence] ?? Number.NaN;
    if (arrivedAtMs <= earliestLaterMs) {
      earliestLaterMs = arrivedAtMs;
      sequences[--first] = sequence;
    } else if (!Number.isNaN(arrivedAtMs)) {
      overtaken++;
    }
  }
  const kept = sequences.slice(first);
  return {
    sequences: kept,
    arrivedAtMs: Float64Array.from(kept, (sequence) => arrivalsMs[sequence] ?? Number.NaN),
    overtaken,
  };
}

/** Beat k was sent at k Δ and took half a round trip; a round trip that is not positive is a loss. */
export function fromRoundTrips(
  name: string,
  roundTripsMs: Float64Array,
  intervalMs: number,
): ArrivalSeries {
  const arrivalsMs = roundTripsMs.map((roundTripMs, sequence) =>
    roundTripMs > 0 ? sequence * intervalMs + roundTripMs / 2 : Number.NaN,
  );
  return { name, arrivalsMs };
}

/** Δ of a trace that does not tell it: the median time between neighbouring beats, over all series. */
export function inferIntervalMs(series: readonly ArrivalSeries[]): number {
  const intervals = series.map(({ arrivalsMs }) => medianStepMs(arrivalsMs)).filter((ms) => ms > 0);
  if (intervals.length === 0) {
    throw new AppError('no series has two neighbouring beats that arrived apart', {
      code: 'trace-without-pace',
      hint: 'Give arrival times that rise along each column, or the pace as --interval-ms.',
      retryable: false,
    });
  }
  return median(Float64Array.from(intervals));
}

function medianStepMs(arrivalsMs: Float64Array): number {
  const steps = new Float64Array(arrivalsMs.length);
  let count = 0;
  for (let sequence = 1; sequence < arrivalsMs.length; sequence++) {
    const stepMs = (arrivalsMs[sequence] ?? Number.NaN) - (arrivalsMs[sequence - 1] ?? Number.NaN);
    if (stepMs > 0) {
      steps[count++] = stepMs;
    }
  }
  return count === 0 ? 0 : median(steps.subarray(0, count));
}

/** Sorts in place. */
function median(values: Float64Array): number {
  values.sort();
  return values[Math.floor((values.length - 1) / 2)] ?? 0;
}
