/**
 * φ(silence) and its inverse, the deadline: how suspicious is it to hear nothing for so long?
 *
 * P(t) is the believed chance that a living site stays silent for longer than t; φ = -log10 P.
 * A beat is late for three reasons, each with its own piece, because real arrivals are not normal:
 *
 *     schedule  P = Q((t - a) / s)                    to P = 1/4          a pace, s = 0.067 Δ
 *     path      exponential                           to P = 1/20 at u    q lateness, x̄ excess
 *               falling by e each 0.05 Δ + q/6 + 0.6 x̄         to P = 1/89
 *     loss      falling by e each Δ / ln(1/p) + q/12 + x̄/10    for ever
 *
 * A normal distribution alone convicts at the first lost beat and was wrong 40 times as often as
 * its φ says on recorded heartbeats. Lateness q is the window's 95th percentile over the pace, x̄ the
 * mean excess over that percentile, and u = a + 0.065 Δ + e + 0.3 q, where the *earliness* e is how
 * much sooner than usual the last beat came: the next one will be as much later (the schedule of
 * Chen, taken relative to the last arrival, so that a pause re-bases it). Every piece has a part in Δ
 * beside the measured part: without it, deadlines that adapt are worse than one timeout where all
 * sites are alike, because what was measured is noise there. docs/detection.md shows the curves.
 *
 * Adaptive upwards fast, downwards slowly: what the last 20 intervals say beyond all 200 is added at
 * once, and nothing is taken off for it (after 2W-FD). Deadlines are bounded on both sides, so that
 * no outage can be learnt as normal. Invariant: φ is finite, never falls as silence grows, and
 * `silenceForPhi` inverts it.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { type ArrivalWindow, quantumMs } from './arrival-window.ts';
import { longSorted, shortSorted } from './interval-statistics.ts';
import type { Intervals } from './intervals.ts';
import {
  EARLINESS_SHARE_MAX,
  FAIL_INTERVALS_MAX,
  FAIL_INTERVALS_MIN,
  LEARNING_INTERVALS,
  LOSS_PRIOR_LOST,
  LOSS_PRIOR_SENT,
  LOSS_SHARE_MAX,
  LOSS_SHARE_MIN,
  PACE_TOLERANCE_SHARE,
  PATH_DECADES,
  PATH_MEAN_SHARE,
  PATH_START_SHARE,
  PRIOR_SAMPLES,
  PRIOR_SPREAD_SHARE,
  SCHEDULE_SPREAD_SHARE,
  SHORT_INTERVALS,
  SHORT_WEIGHT,
  SUSPECT_BOUND_SHARE,
  SUSPECT_INTERVALS_MIN,
  TAIL_PRIOR_MEAN_SHARE,
  TAIL_PRIOR_WEIGHT,
  TAIL_SHARE,
  TAIL_WEIGHTS,
} from './limits.ts';
import { checkPolicy, type DetectionPolicy } from './policy.ts';
import { normalPhi, normalZ } from './tail.ts';

/** φ where the pieces meet: 0.602, 1.301, 1.951. */
const SCHEDULE_PHI = Math.log10(4);
const TAIL_PHI = -Math.log10(TAIL_SHARE);
const LOSS_PHI = TAIL_PHI + PATH_DECADES;
/** The z above which a normal distribution leaves a quarter. */
const QUARTILE_Z = normalZ(SCHEDULE_PHI);

/** The fitted distribution of the time to the next arrival, all in milliseconds. */
export interface SuspicionModel {
  /** a: half of the beats come later than this after the one before. */
  readonly paceMs: number;
  /** s: what the sender's schedule may slip. */
  readonly spreadMs: number;
  /** u: where the tail begins; one beat in twenty is later. */
  readonly tailStartMs: number;
  /** In the first part of the tail: so much more silence makes P smaller by e … */
  readonly pathMeanMs: number;
  /** … and so much beyond it. */
  readonly lossMeanMs: number;
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

/** Fits the model to the window, which keeps its intervals in order: a few looks, no sort. */
export function suspicionModel(window: ArrivalWindow, policy: DetectionPolicy): SuspicionModel {
  checkPolicy(policy);
  const { intervalMs } = policy;
  const quantum = quantumMs(window);
  const nominal = intervalMs / quantum;
  const long = withPrior(longSorted(window), nominal);
  const short = withPrior(shortSorted(window), nominal);
  const pace = paceOf(long, short, nominal);
  const longTail = tailStart(long);
  const worsening = SHORT_WEIGHT * Math.max(0, shortTail(short) - longTail);
  const lateness = Math.max(0, longTail + worsening - pace);
  const excess = meanExcess(long, longTail, nominal);
  const earlinessMax = Math.max(EARLINESS_SHARE_MAX * nominal, longTail - pace);
  const earliness = within(meanEarliness(window.intervals, pace), 0, earlinessMax);
  const spreadMs = Math.max(quantum, SCHEDULE_SPREAD_SHARE * intervalMs);
  const paceMs = pace * quantum;
  const { start, pathMean, lossMean } = TAIL_WEIGHTS;
  return {
    paceMs,
    spreadMs,
    tailStartMs:
      paceMs +
      QUARTILE_Z * spreadMs +
      PATH_START_SHARE * intervalMs +
      quantum * (earliness + start.lateness * lateness),
    pathMeanMs:
      PATH_MEAN_SHARE * intervalMs +
      quantum * (pathMean.lateness * lateness + pathMean.excess * excess),
    lossMeanMs:
      intervalMs * lossMeanShare(lossShare(window)) +
      quantum * (lossMean.lateness * lateness + lossMean.excess * excess),
  };
}

/** φ after `silentMs` of silence (negative counts as 0). Finite, >= 0, never falling. */
export function phiAfter(model: SuspicionModel, silentMs: number): number {
  const silence = Math.max(0, silentMs);
  const beyondMs = silence - model.tailStartMs;
  if (beyondMs >= 0) {
    const pathMs = Math.min(beyondMs, pathLengthMs(model));
    return (
      TAIL_PHI +
      pathMs / (model.pathMeanMs * Math.LN10) +
      (beyondMs - pathMs) / (model.lossMeanMs * Math.LN10)
    );
  }
  const scheduleEndMs = model.paceMs + QUARTILE_Z * model.spreadMs;
  if (silence >= scheduleEndMs) {
    const share = (silence - scheduleEndMs) / (model.tailStartMs - scheduleEndMs);
    return SCHEDULE_PHI + share * (TAIL_PHI - SCHEDULE_PHI);
  }
  return Math.min(SCHEDULE_PHI, normalPhi((silence - model.paceMs) / model.spreadMs));
}

/** The silence at which φ reaches `phi`; 0 for what φ exceeds from the beginning. */
export function silenceForPhi(model: SuspicionModel, phi: number): number {
  if (phi >= TAIL_PHI) {
    const pathPhi = Math.min(phi, LOSS_PHI) - TAIL_PHI;
    const lossPhi = Math.max(0, phi - LOSS_PHI);
    return (
      model.tailStartMs + Math.LN10 * (pathPhi * model.pathMeanMs + lossPhi * model.lossMeanMs)
    );
  }
  if (phi >= SCHEDULE_PHI) {
    const scheduleEndMs = model.paceMs + QUARTILE_Z * model.spreadMs;
    const share = (phi - SCHEDULE_PHI) / (TAIL_PHI - SCHEDULE_PHI);
    return scheduleEndMs + share * (model.tailStartMs - scheduleEndMs);
  }
  return phi > 0 ? Math.max(0, model.paceMs + model.spreadMs * normalZ(phi)) : 0;
}

/** How long the first piece of the tail is. */
function pathLengthMs(model: SuspicionModel): number {
  return PATH_DECADES * Math.LN10 * model.pathMeanMs;
}

/**
 * The loss term: if a share p of beats is lost, each further interval of silence is worth a factor p.
 * Half-way (in the logarithm) between what was counted and 1 in 200: a count of a few losses is
 * mostly chance, and deadlines that wander with it are worse than one that stands.
 */
function lossMeanShare(counted: number): number {
  return -2 / (Math.log(counted) + Math.log(LOSS_PRIOR_LOST / LOSS_PRIOR_SENT));
}

/** Believed chance that a beat is lost on its way: counted, with a prior of 1 in 200. */
export function lossShare(window: ArrivalWindow): number {
  const sent = window.received + window.lost + LOSS_PRIOR_SENT;
  return within((window.lost + LOSS_PRIOR_LOST) / sent, LOSS_SHARE_MIN, LOSS_SHARE_MAX);
}

/** Ascending quanta, completed to 20 by pseudo-samples around the nominal interval. */
function withPrior(sorted: Uint16Array, nominal: number): Quanta {
  const pseudo = PRIOR_SAMPLES - sorted.length;
  if (pseudo <= 0) {
    return sorted;
  }
  const samples = new Float64Array(PRIOR_SAMPLES);
  samples.set(sorted);
  // Evenly spaced over ± √3 spreads: that range gives even spacing the wanted standard deviation.
  const reach = Math.sqrt(3) * PRIOR_SPREAD_SHARE;
  for (let k = 0; k < pseudo; k++) {
    samples[sorted.length + k] = nominal * (1 + reach * ((2 * k + 1) / pseudo - 1));
  }
  return samples.sort();
}

type Quanta = Uint16Array | Float64Array;

/** Δ, unless the site clearly beats at another pace: medians near Δ differ from it by chance. */
function paceOf(long: Quanta, short: Quanta, nominal: number): number {
  const median = Math.max(sampleAt(long, long.length >>> 1), sampleAt(short, short.length >>> 1));
  return Math.abs(median - nominal) <= PACE_TOLERANCE_SHARE * nominal ? nominal : median;
}

/** One of twenty is longer. */
function tailStart(sorted: Quanta): number {
  return sampleAt(sorted, sorted.length - 1 - exceeding(sorted));
}

/** The same of few samples, where it lies between the two longest: a quarter of the way up. */
function shortTail(sorted: Quanta): number {
  const start = tailStart(sorted);
  return start + 0.25 * (sampleAt(sorted, sorted.length - 1) - start);
}

/** By how much the longest 5 % exceed `start` on average (shrunk to 0.02 Δ). */
function meanExcess(sorted: Quanta, start: number, nominal: number): number {
  const count = exceeding(sorted);
  let excess = TAIL_PRIOR_WEIGHT * TAIL_PRIOR_MEAN_SHARE * nominal;
  for (let position = sorted.length - count; position < sorted.length; position++) {
    excess += sampleAt(sorted, position) - start;
  }
  return excess / (count + TAIL_PRIOR_WEIGHT);
}

function exceeding(sorted: Quanta): number {
  return Math.max(1, Math.floor(sorted.length * TAIL_SHARE));
}

/**
 * How much earlier the last beat came than the 20 before it, each carried forward at the pace. */
function meanEarliness(intervals: Intervals, pace: number): number {
  const count = Math.min(SHORT_INTERVALS, intervals.length);
  let earliness = 0;
  let sum = 0;
  for (let back = 1; back <= count; back++) {
    earliness -= intervals.fromNewest(back) - pace;
    sum += earliness;
  }
  return sum / (count + 1);
}

function sampleAt(sorted: Quanta, position: number): number {
  const sample = sorted[position];
  invariant(sample !== undefined, 'sample-out-of-range', position);
  return sample;
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
