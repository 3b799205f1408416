/**
 * φ(silence) and its inverse, the deadline: how suspicious is it to hear nothing for so long?
 *
 * Three pieces, because real arrivals are not normal. A normal *body* up to the 95th percentile u;
 * beyond it an exponential *tail* whose mean θ is the mean excess over u in the window; and a
 * *loss* term: if a share p of beats is lost, each further interval of silence is worth a factor
 * p, so θ is never below Δ / ln(1/p). A pure normal would convict at the first lost beat (low
 * jitter) and was wrong 40 times as often as its φ says on recorded heartbeats.
 *
 *     P(t) = Q((t - m) / s)            t <= u      m median, s = (u - m) / 1.645
 *     P(t) = 0.05 exp(-(t - u) / θ)    t >= u      φ = -log10 P
 *
 * Adaptive upwards fast, downwards slowly: u and θ are the larger of the last 20 and the last 200
 * intervals (2W-FD). Deadlines are bounded on both sides, so that no outage can be learnt as
 * normal. Invariant: φ is finite, never falls as silence grows, and `silenceForPhi` inverts it.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { type ArrivalWindow, quantumMs } from './arrival-window.ts';
import {
  FAIL_INTERVALS_MAX,
  FAIL_INTERVALS_MIN,
  INTERVALS_MAX,
  LEARNING_INTERVALS,
  LOSS_PRIOR_LOST,
  LOSS_PRIOR_SENT,
  LOSS_SHARE_MAX,
  LOSS_SHARE_MIN,
  PRIOR_SAMPLES,
  PRIOR_SPREAD_SHARE,
  SHORT_INTERVALS,
  SPREAD_SHARE_MIN,
  SUSPECT_BOUND_SHARE,
  SUSPECT_INTERVALS_MIN,
  TAIL_PRIOR_MEAN_SHARE,
  TAIL_PRIOR_WEIGHT,
  TAIL_SHARE,
  TAIL_Z,
} from './limits.ts';
import { checkPolicy, type DetectionPolicy } from './policy.ts';
import { normalPhi } from './tail.ts';

/** φ where body and tail meet: 1.301. */
const TAIL_PHI = -Math.log10(TAIL_SHARE);

/** The fitted distribution of the time to the next arrival, all in milliseconds. */
export interface SuspicionModel {
  /** m: the median interval. */
  readonly medianMs: number;
  /** s: spread of the body. */
  readonly spreadMs: number;
  /** u: where the tail begins; one interval in twenty is longer. */
  readonly tailStartMs: number;
  /** θ: each further θ ln 10 of silence adds one to φ. */
  readonly tailMeanMs: number;
}

/** Silences at which a site becomes suspect and failed, whole milliseconds after its last arrival. */
export interface SilenceLimits {
  readonly suspectMs: number;
  /** Above `suspectMs`, at most `boundMs`. */
  readonly failMs: number;
  /** The longest silence that is ever allowed: min(12 Δ, `policy.silenceMsMax`). */
  readonly boundMs: number;
}

export interface Deadlines {
  readonly suspectAt: EpochMillis;
  readonly failAt: EpochMillis;
}

/** When the site becomes suspect and failed if nothing more arrives. Store, compare, do not poll. */
export function deadlines(window: ArrivalWindow, policy: DetectionPolicy): Deadlines {
  const { suspectMs, failMs } = silenceLimits(window, policy);
  return {
    suspectAt: epochMillis(window.lastArrivalAt + suspectMs),
    failAt: epochMillis(window.lastArrivalAt + failMs),
  };
}

/**
 * Both thresholds as silences, within the hard bounds: suspect not before 2.2 Δ (one lost beat),
 * fail not after min(12 Δ, `silenceMsMax`), and by that maximum only while the site is being learnt.
 * Pass the `model` where it is known already: fitting it is the expensive part.
 */
export function silenceLimits(
  window: ArrivalWindow,
  policy: DetectionPolicy,
  model: SuspicionModel = suspicionModel(window, policy),
): SilenceLimits {
  const { intervalMs } = policy;
  const boundMs = Math.ceil(Math.min(FAIL_INTERVALS_MAX * intervalMs, policy.silenceMsMax));
  const suspectFloorMs = SUSPECT_INTERVALS_MIN * intervalMs;
  const suspectBoundMs = Math.max(suspectFloorMs, SUSPECT_BOUND_SHARE * boundMs);
  const failFloorMs = Math.min(FAIL_INTERVALS_MIN * intervalMs, boundMs);
  const learning = window.intervals.length < LEARNING_INTERVALS;
  const suspectMs = within(silenceForPhi(model, policy.suspectPhi), suspectFloorMs, suspectBoundMs);
  const failMs = learning
    ? boundMs
    : within(silenceForPhi(model, policy.failPhi), failFloorMs, boundMs);
  return { suspectMs: Math.ceil(suspectMs), failMs: Math.ceil(failMs), boundMs };
}

/** Fits the model to the window. One sort of at most 200 numbers, twice. */
export function suspicionModel(window: ArrivalWindow, policy: DetectionPolicy): SuspicionModel {
  checkPolicy(policy);
  const { intervalMs } = policy;
  const long = sortedSamplesMs(window, intervalMs, INTERVALS_MAX);
  const short = sortedSamplesMs(window, intervalMs, SHORT_INTERVALS);
  const longTail = tailOf(long, intervalMs);
  const shortTail = tailOf(short, intervalMs);
  const medianMs = sampleAt(long, Math.floor((long.length - 1) / 2));
  const startMs = Math.max(longTail.startMs, shortTail.startMs);
  const spreadMs = Math.max(
    (startMs - medianMs) / TAIL_Z,
    quantumMs(window),
    SPREAD_SHARE_MIN * intervalMs,
  );
  return {
    medianMs,
    spreadMs,
    // Equals startMs, unless the spread was raised to its floor; then the pieces still meet.
    tailStartMs: medianMs + TAIL_Z * spreadMs,
    tailMeanMs: Math.max(
      longTail.excessMs,
      shortTail.excessMs,
      intervalMs / -Math.log(lossShare(window)),
    ),
  };
}

/** φ after `silentMs` of silence (negative counts as 0). Finite, >= 0, never falling. */
export function phiAfter(model: SuspicionModel, silentMs: number): number {
  const silence = Math.max(0, silentMs);
  if (silence >= model.tailStartMs) {
    return TAIL_PHI + (silence - model.tailStartMs) / (model.tailMeanMs * Math.LN10);
  }
  return Math.min(TAIL_PHI, normalPhi((silence - model.medianMs) / model.spreadMs));
}

/** The silence at which φ reaches `phi`, in closed form; for φ below 1.301 the start of the tail. */
export function silenceForPhi(model: SuspicionModel, phi: number): number {
  return model.tailStartMs + model.tailMeanMs * Math.LN10 * Math.max(0, phi - TAIL_PHI);
}

/** Believed chance that a beat is lost on its way: counted, with a prior of 1 in 200. */
export function lossShare(window: ArrivalWindow): number {
  const sent = window.received + window.lost + LOSS_PRIOR_SENT;
  return within((window.lost + LOSS_PRIOR_LOST) / sent, LOSS_SHARE_MIN, LOSS_SHARE_MAX);
}

/** The newest `size` intervals, completed to 20 by pseudo-samples around Δ, ascending. */
function sortedSamplesMs(window: ArrivalWindow, intervalMs: number, size: number): Float64Array {
  const newest = window.intervals.subarray(Math.max(0, window.intervals.length - size));
  const pseudo = Math.max(0, PRIOR_SAMPLES - newest.length);
  const quantum = quantumMs(window);
  const samples = new Float64Array(newest.length + pseudo);
  newest.forEach((quanta, position) => {
    samples[position] = quanta * quantum;
  });
  // Evenly spaced over ± √3 spreads: that range gives even spacing the wanted standard deviation.
  const reach = Math.sqrt(3) * PRIOR_SPREAD_SHARE;
  for (let k = 0; k < pseudo; k++) {
    samples[newest.length + k] = intervalMs * (1 + reach * ((2 * k + 1) / pseudo - 1));
  }
  return samples.sort();
}

/** Where the longest 5% begin, and by how much they exceed that on average (shrunk to 0.02 Δ). */
function tailOf(
  sorted: Float64Array,
  intervalMs: number,
): { readonly startMs: number; readonly excessMs: number } {
  const exceeding = Math.max(1, Math.floor(sorted.length * TAIL_SHARE));
  const startMs = sampleAt(sorted, sorted.length - 1 - exceeding);
  let excessMs = TAIL_PRIOR_WEIGHT * TAIL_PRIOR_MEAN_SHARE * intervalMs;
  for (const sample of sorted.subarray(sorted.length - exceeding)) {
    excessMs += sample - startMs;
  }
  return { startMs, excessMs: excessMs / (exceeding + TAIL_PRIOR_WEIGHT) };
}

function sampleAt(sorted: Float64Array, position: number): number {
  const sample = sorted[position];
  invariant(sample !== undefined, 'sample-out-of-range', { position, count: sorted.length });
  return sample;
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
