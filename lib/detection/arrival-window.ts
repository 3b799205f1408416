/**
 * What one observer remembers of one site: when it last heard it, and the last 200 intervals.
 *
 * A value that is replaced, never changed: every function returns a new window. Intervals are
 * 16-bit counts of a quantum (2^e ms, chosen from Δ so that the longest interval ever kept fits),
 * and their sums are sums of integers: after any number of beats they equal a recomputation, bit
 * for bit, where floating sums drift into a negative variance.
 *
 * Invariant: all instants are arrivals stamped by the *receiving* region. No sender's clock is in
 * here, so no clock difference can look like silence.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import {
  BOOT_ID_LENGTH_MAX,
  FAIL_INTERVALS_MAX,
  INTERVALS_MAX,
  PRIOR_SAMPLES,
  PRIOR_SPREAD_SHARE,
  QUANTA_MAX,
  QUANTUM_EXPONENT_MAX,
  RECOVERY_ARRIVALS,
} from './limits.ts';

/** One heartbeat as the receiving region saw it. */
export interface Beat {
  /** Chosen anew by each start of the sender; 1 to 64 printable ASCII characters. */
  readonly bootId: string;
  /** Rises with each beat of one boot; a whole number from 0 to 2^53 - 1. */
  readonly sequence: number;
  /** Ingress clock of the receiving region; never the sender's. */
  readonly arrivedAt: EpochMillis;
}

/** The newest beat known of one start of the sender. */
export interface Boot {
  readonly bootId: string;
  readonly lastSequence: number;
}

export interface ArrivalWindow extends Boot {
  readonly lastArrivalAt: EpochMillis;
  /** First arrival of the current boot. */
  readonly startedAt: EpochMillis;
  /** The boot heard before this one: its late beats must not look like another restart. */
  readonly previousBoot: Boot | null;
  /** One quantum is 2^quantumExponent milliseconds. */
  readonly quantumExponent: number;
  /** Quanta, oldest first, at most 200. Read only, by convention. */
  readonly intervals: Uint16Array;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Beats received and lost, halved together from time to time (`LOSS_MEMORY_BEATS`). */
  readonly received: number;
  readonly lost: number;
  /** Arrivals at normal pace since the fail deadline was last crossed; 3 = long ago, or never. */
  readonly arrivalsSinceCrossing: number;
}

/** Whether `text` can name a boot: 1 to 64 printable ASCII characters. */
export function isBootId(text: string): boolean {
  return text.length <= BOOT_ID_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text);
}

/** The window after the very first beat: no interval yet, only the prior. */
export function startWindow(beat: Beat, intervalMs: number): ArrivalWindow {
  return {
    bootId: beat.bootId,
    lastSequence: beat.sequence,
    lastArrivalAt: beat.arrivedAt,
    startedAt: beat.arrivedAt,
    previousBoot: null,
    quantumExponent: quantumExponentFor(intervalMs),
    intervals: new Uint16Array(0),
    sum: 0,
    sumOfSquares: 0,
    received: 1,
    lost: 0,
    arrivalsSinceCrossing: RECOVERY_ARRIVALS,
  };
}

/** The smallest e >= 0 for which 65,535 quanta of 2^e ms cover the longest interval kept. */
export function quantumExponentFor(intervalMs: number): number {
  const exponent = Math.max(
    0,
    Math.ceil(Math.log2((FAIL_INTERVALS_MAX * intervalMs) / QUANTA_MAX)),
  );
  invariant(exponent <= QUANTUM_EXPONENT_MAX, 'interval-too-long-for-window', { intervalMs });
  return exponent;
}

export function quantumMs(window: ArrivalWindow): number {
  return 2 ** window.quantumExponent;
}

/** Adds one interval (milliseconds, >= 0) and drops the oldest of a full window. */
export function pushInterval(window: ArrivalWindow, intervalMs: number): ArrivalWindow {
  invariant(intervalMs >= 0 && Number.isFinite(intervalMs), 'interval-not-a-duration', intervalMs);
  const quanta = Math.min(QUANTA_MAX, Math.round(intervalMs / quantumMs(window)));
  const full = window.intervals.length === INTERVALS_MAX;
  const dropped = full ? (window.intervals[0] ?? 0) : 0;
  const kept = full ? window.intervals.subarray(1) : window.intervals;
  const intervals = new Uint16Array(kept.length + 1);
  intervals.set(kept);
  intervals[kept.length] = quanta;
  return {
    ...window,
    intervals,
    sum: window.sum + quanta - dropped,
    sumOfSquares: window.sumOfSquares + quanta ** 2 - dropped ** 2,
  };
}

/** The same window with other intervals, its sums computed afresh. */
export function withIntervals(window: ArrivalWindow, intervals: Uint16Array): ArrivalWindow {
  invariant(intervals.length <= INTERVALS_MAX, 'window-overfull', { count: intervals.length });
  return { ...window, intervals, ...sumsOf(intervals) };
}

export function sumsOf(intervals: Uint16Array): { sum: number; sumOfSquares: number } {
  let sum = 0;
  let sumOfSquares = 0;
  for (const quanta of intervals) {
    sum += quanta;
    sumOfSquares += quanta ** 2;
  }
  return { sum, sumOfSquares };
}

/** Expresses the window in the quantum of `intervalMs`, after a policy changed Δ. */
export function requantise(window: ArrivalWindow, intervalMs: number): ArrivalWindow {
  const quantumExponent = quantumExponentFor(intervalMs);
  if (quantumExponent === window.quantumExponent) {
    return window;
  }
  const factor = 2 ** (window.quantumExponent - quantumExponent);
  const rescaled = window.intervals.map((quanta) =>
    Math.min(QUANTA_MAX, Math.round(quanta * factor)),
  );
  return withIntervals({ ...window, quantumExponent }, rescaled);
}

/**
 * Reduces what is known to the weight of a prior: 20 evenly spaced quantiles. After a restart the
 * host and the path are the same, but the new process should be believed within 20 beats.
 */
export function thinToPrior(window: ArrivalWindow): ArrivalWindow {
  if (window.intervals.length <= PRIOR_SAMPLES) {
    return window;
  }
  const sorted = window.intervals.slice().sort();
  const step = sorted.length / PRIOR_SAMPLES;
  const thinned = new Uint16Array(PRIOR_SAMPLES).map(
    (_, position) => sorted[Math.floor((position + 0.5) * step)] ?? 0,
  );
  return withIntervals(window, thinned);
}

/** Mean and standard deviation in milliseconds, for people; before any interval, those of the prior. */
export function usualPace(
  window: ArrivalWindow,
  intervalMs: number,
): { readonly meanMs: number; readonly spreadMs: number } {
  const count = window.intervals.length;
  if (count === 0) {
    return { meanMs: intervalMs, spreadMs: PRIOR_SPREAD_SHARE * intervalMs };
  }
  const quantum = quantumMs(window);
  // Exact integers below 2^53 (asserted in limits.ts), so never negative: no NaN under the root.
  const scaledVariance = count * window.sumOfSquares - window.sum ** 2;
  invariant(scaledVariance >= 0, 'window-sums-inconsistent', { count, sum: window.sum });
  return {
    meanMs: (quantum * window.sum) / count,
    spreadMs: (quantum * Math.sqrt(scaledVariance)) / count,
  };
}
