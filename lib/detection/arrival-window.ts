/**
 * What one observer remembers of one site: when it last heard it, and the last 200 intervals.
 *
 * A value that is replaced, never changed: every function returns a new window, and an older one
 * goes on showing what it showed. That costs no copy, because the versions of a window share their
 * intervals (`intervals.ts`). Intervals are 16-bit counts of a quantum (2^e ms, chosen from Δ
 * so that the longest interval ever kept fits), and their sums are sums of integers: after any
 * number of beats they equal a recomputation, bit for bit, where floating sums drift into a negative
 * variance.
 *
 * Invariant: all instants are arrivals stamped by the *receiving* region. No sender's clock is in
 * here, so no clock difference can look like silence.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { BootMemory } from './boots.ts';
import type { FlapMemory } from './flapping.ts';
import { Intervals } from './intervals.ts';
import {
  BOOT_ID_LENGTH_MAX,
  FAIL_INTERVALS_MAX,
  FLAP_LIMITS,
  PRIOR_SAMPLES,
  PRIOR_SPREAD_SHARE,
  QUANTA_MAX,
  QUANTUM_EXPONENT_MAX,
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

/** A beat of a sender without a memory, which cannot count: `bootId` is the same for all of these. */
export interface Ping extends Omit<Beat, 'sequence'> {
  readonly sequence: null;
}

export interface ArrivalWindow extends BootMemory, FlapMemory {
  readonly lastArrivalAt: EpochMillis;
  /** First arrival of the current boot. */
  readonly startedAt: EpochMillis;
  /** One quantum is 2^quantumExponent milliseconds. */
  readonly quantumExponent: number;
  /** Quanta, oldest first, at most 200. */
  readonly intervals: Intervals;
  /** Beats received and lost, halved together from time to time (`LOSS_MEMORY_BEATS`). */
  readonly received: number;
  readonly lost: number;
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
    formerBoots: [],
    quantumExponent: quantumExponentFor(intervalMs),
    intervals: Intervals.of(new Uint16Array(0)),
    received: 1,
    lost: 0,
    flapPenalty: 0,
    flappedAt: epochMillis(0),
    arrivalsSinceCrossing: FLAP_LIMITS.arrivalsMax,
  };
}

/** The smallest e >= 0 for which 65,535 quanta of 2^e ms cover the longest interval kept. */
export function quantumExponentFor(intervalMs: number): number {
  const longestMs = FAIL_INTERVALS_MAX * intervalMs;
  let exponent = 0;
  for (let coveredMs = QUANTA_MAX; coveredMs < longestMs; coveredMs *= 2) {
    exponent += 1;
    invariant(exponent <= QUANTUM_EXPONENT_MAX, 'interval-too-long-for-window', intervalMs);
  }
  return exponent;
}

export function quantumMs(window: ArrivalWindow): number {
  return 1 << window.quantumExponent;
}

/** An interval (milliseconds, >= 0) in the quanta of this window; the longest saturate. */
export function quantaOf(window: ArrivalWindow, intervalMs: number): number {
  invariant(intervalMs >= 0 && Number.isFinite(intervalMs), 'interval-not-a-duration', intervalMs);
  return Math.min(QUANTA_MAX, Math.round(intervalMs / quantumMs(window)));
}

/** Expresses the window in the quantum of `intervalMs`, after a policy changed Δ. */
export function requantise(window: ArrivalWindow, intervalMs: number): ArrivalWindow {
  const quantumExponent = quantumExponentFor(intervalMs);
  if (quantumExponent === window.quantumExponent) {
    return window;
  }
  const factor = 2 ** (window.quantumExponent - quantumExponent);
  const rescaled = window.intervals
    .view()
    .map((quanta) => Math.min(QUANTA_MAX, Math.round(quanta * factor)));
  return { ...window, quantumExponent, intervals: Intervals.of(rescaled) };
}

/**
 * Reduces what is known to the weight of a prior: 20 evenly spaced quantiles. After a restart the
 * host and the path are the same, but the new process should be believed within 20 beats.
 */
export function thinToPrior(window: ArrivalWindow): ArrivalWindow {
  if (window.intervals.length <= PRIOR_SAMPLES) {
    return window;
  }
  const sorted = window.intervals.ascending();
  const step = sorted.length / PRIOR_SAMPLES;
  const thinned = new Uint16Array(PRIOR_SAMPLES).map(
    (_, position) => sorted[Math.floor((position + 0.5) * step)] ?? 0,
  );
  return { ...window, intervals: Intervals.of(thinned) };
}

/** Mean and standard deviation in milliseconds, for people; before any interval, those of the prior. */
export function usualPace(
  window: ArrivalWindow,
  intervalMs: number,
): { readonly meanMs: number; readonly spreadMs: number } {
  const { length: count, sum, sumOfSquares } = window.intervals;
  if (count === 0) {
    return { meanMs: intervalMs, spreadMs: PRIOR_SPREAD_SHARE * intervalMs };
  }
  const quantum = quantumMs(window);
  // Exact integers below 2^53 (asserted in limits.ts), so never negative: no NaN under the root.
  const scaledVariance = count * sumOfSquares - sum ** 2;
  invariant(scaledVariance >= 0, 'window-sums-inconsistent', { count, sum });
  return {
    meanMs: (quantum * sum) / count,
    spreadMs: (quantum * Math.sqrt(scaledVariance)) / count,
  };
}
