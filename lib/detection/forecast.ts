/**
 * Early warning: signs that come before a suspicion. Shown and notified, never acted on.
 *
 * Four of them, each of something that drifts while every single beat is still in time:
 * - `loss-rising`: far more beats are lost among the newest 20 than among the newest 1,000;
 * - `interval-drift`: the median interval of the newest 20 beats is longer than that of all 200, by
 *   more than the noise between neighbours explains (a sender that slows down);
 * - `pauses-growing`: each of the last four pauses was longer than the one before (a leak);
 * - `lag-rising`: the replication lag that the site reports rises and goes on rising. Only where no
 *   objective says what a rise is worth: of a service, `lib/recovery/replication.ts` does.
 *
 * A first pause announces itself by nothing, so most failures come without a warning; how many is
 * measured (`docs/prediction.md`). A warning stands for a while and is silent for a while after it, so
 * that it cannot chatter. The memory steps with each beat, is a function of arrivals only, and takes
 * a few numbers beside the window. Invariant: nothing in here reaches a verdict.
 */
import { inSeconds } from '../base/elapsed.ts';
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { type ArrivalWindow, quantumMs } from './arrival-window.ts';
import type { ProbeFinding } from './evidence.ts';
import { longSorted, shortSorted } from './interval-statistics.ts';
import { FORECAST_LIMITS } from './limits.ts';
import type { DetectionPolicy } from './policy.ts';

const NO_SIGN = 'no sign of a failure to come';

/** In order of precedence: of several signs the first is told. */
export const FORECAST_CODES = [
  'loss-rising',
  'interval-drift',
  'pauses-growing',
  'lag-rising',
  // Not of beats: a probe met it (`certificateForecast`).
  'certificate-expires-soon',
] as const;

export type ForecastCode = (typeof FORECAST_CODES)[number];

/** Plain JSON: this is what goes into the log and to people. */
export interface Forecast {
  readonly state: 'none' | 'watch';
  /** null = no sign of anything. */
  readonly code: ForecastCode | null;
  readonly sentence: string;
  readonly since: EpochMillis;
}

/** What is remembered from beat to beat; single precision, so that it is stored exactly. */
export interface ForecastMemory {
  readonly code: ForecastCode | null;
  /** Arrival of the beat at which `code` last changed. */
  readonly since: EpochMillis;
  /** Share of beats lost, as exponential means over about 20 and 1,000 beats. */
  readonly lossFast: number;
  readonly lossSlow: number;
  /** Replication lag, over about 20 and 200 reports; null before the site reported any. */
  readonly lagFastMs: number | null;
  readonly lagSlowMs: number | null;
  /** The last four pauses, oldest first; 0 = none yet. */
  readonly pausesMs: readonly [number, number, number, number];
  /** When the last pause ended. */
  readonly pausedAt: EpochMillis;
}

export const NO_FORECAST: ForecastMemory = {
  code: null,
  since: epochMillis(0),
  lossFast: 0,
  lossSlow: 0,
  lagFastMs: null,
  lagSlowMs: null,
  pausesMs: [0, 0, 0, 0],
  pausedAt: epochMillis(0),
};

export interface ForecastStep {
  /** The window before this beat; null = this is the first one. */
  readonly before: ArrivalWindow | null;
  readonly window: ArrivalWindow;
  /** As this beat reported it; null = it did not. */
  readonly replicationLagMs: number | null;
  /** A rise of it is judged against an objective elsewhere: here it is no sign. */
  readonly hasLagObjective: boolean;
  readonly policy: DetectionPolicy;
}

/** The memory after one more beat. One object and no sort in the common case. */
export function stepForecast(memory: ForecastMemory | null, step: ForecastStep): ForecastMemory {
  const known = memory ?? NO_FORECAST;
  const { window, replicationLagMs: lagMs } = step;
  const lost = newlyLost(step);
  const { fastShare, slowShare, lossSlowShare } = FORECAST_LIMITS;
  // A plain mean at first: a path that always loses must not look like one that begins to.
  const lossShare = Math.max(lossSlowShare, 1 / (window.received + window.lost));
  const pauseMs = newPauseMs(step, lost);
  const [, second, third, fourth] = known.pausesMs;
  const learnt: ForecastMemory = {
    code: known.code,
    since: known.since,
    lossFast: afterLoss(known.lossFast, lost, fastShare),
    lossSlow: afterLoss(known.lossSlow, lost, lossShare),
    lagFastMs: lagMs === null ? known.lagFastMs : towards(known.lagFastMs, lagMs, fastShare),
    lagSlowMs: lagMs === null ? known.lagSlowMs : towards(known.lagSlowMs, lagMs, slowShare),
    pausesMs: pauseMs === null ? known.pausesMs : [second, third, fourth, pauseMs],
    pausedAt: pauseMs === null ? known.pausedAt : window.lastArrivalAt,
  };
  return settled(learnt, step);
}

export function forecastOf(
  memory: ForecastMemory | null,
  window: ArrivalWindow | null,
  policy: DetectionPolicy,
): Forecast {
  const { code, since } = memory ?? NO_FORECAST;
  return {
    state: code === null ? 'none' : 'watch',
    code,
    sentence: sentenceOf(memory ?? NO_FORECAST, window, policy),
    since,
  };
}

/**
 * What a probe foretells. null = it says neither that there is a sign nor that there is none, as
 * after a restart: then what stands goes on standing.
 */
export function certificateForecast(probe: ProbeFinding | null, now: EpochMillis): Forecast | null {
  const none = { state: 'none', code: null, sentence: NO_SIGN, since: now } as const;
  if (probe === null) {
    return none;
  }
  const { state, code, detail: sentence, checkedAt: since } = probe;
  if (state !== 'passing') {
    return null;
  }
  return code === 'certificate-expires-soon' ? { state: 'watch', code, sentence, since } : none;
}

/**
 * How fast the replication lag rises, milliseconds a minute; null = it does not, or too little to tell.
 * On a straight line the two means lie apart by the slope times the difference of their ages.
 *
 * @param newestMs as it was last reported; null = it was not
 */
export function lagRiseMsPerMinute(
  memory: ForecastMemory,
  { newestMs, intervalMs }: { readonly newestMs: number | null; readonly intervalMs: number },
): number | null {
  const { lagFastMs, lagSlowMs } = memory;
  if (lagFastMs === null || lagSlowMs === null || isBackToUsual(memory, newestMs)) {
    return null;
  }
  const { fastShare, slowShare, lagMsMin, lagClearShare } = FORECAST_LIMITS;
  const riseMs = lagFastMs - lagSlowMs;
  const isRising = riseMs >= Math.max(lagMsMin / 2, lagClearShare * lagSlowMs);
  return isRising ? (riseMs / (1 / slowShare - 1 / fastShare)) * (60_000 / intervalMs) : null;
}

/**
 * A lag that is back where it usually is does not rise, whatever the means say: after one high lag, as
 * of a site that was away, the fast one stays above the slow one for minutes.
 */
function isBackToUsual({ lagSlowMs }: ForecastMemory, newestMs: number | null): boolean {
  return newestMs !== null && lagSlowMs !== null && newestMs < lagSlowMs;
}

// ── What is learnt from a beat ───────────────────────────────────────────────────────────────────

/** By the window's own count; once in thousands of beats both counters are halved, and say nothing. */
function newlyLost({ before, window }: ForecastStep): number {
  const lost = before === null ? 0 : window.lost - before.lost;
  return Math.min(Math.max(0, lost), FORECAST_LIMITS.lossesPerGapMax);
}

/** So many beats lost, then one received. */
function afterLoss(mean: number, lost: number, share: number): number {
  const before = lost === 0 ? mean : 1 - (1 - mean) * (1 - share) ** lost;
  return Math.fround(before * (1 - share));
}

/** What is no lag (negative, not a number) leaves the mean as it is. */
function towards(mean: number | null, value: number, share: number): number | null {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    return mean;
  }
  return Math.fround(mean === null ? value : mean + share * (value - mean));
}

/** The interval that this beat ended, if it was a pause: far longer than usual, and of one boot. */
function newPauseMs({ before, window }: ForecastStep, lost: number): number | null {
  if (before === null || before.bootId !== window.bootId) {
    return null;
  }
  const intervalMs = (window.lastArrivalAt - before.lastArrivalAt) / (lost + 1);
  const usualMs = medianOf(longSorted(window)) * quantumMs(window);
  const isPause = usualMs > 0 && intervalMs > FORECAST_LIMITS.pauseRatio * usualMs;
  return isPause && window.intervals.length >= FORECAST_LIMITS.intervalsMin
    ? Math.fround(intervalMs)
    : null;
}

// ── Signs ────────────────────────────────────────────────────────────────────────────────────────

/** `raised` begins a warning, `clear` may end one, what lies between does neither. */
type Sign = 'raised' | 'between' | 'clear';

function settled(memory: ForecastMemory, step: ForecastStep): ForecastMemory {
  const { code, since } = memory;
  const now = step.window.lastArrivalAt;
  const { intervalMs } = step.policy;
  const { standingIntervals, quietIntervals, changeMsMin } = FORECAST_LIMITS;
  const restMs = Math.max(
    changeMsMin,
    (code === null ? quietIntervals : standingIntervals) * intervalMs,
  );
  // A clock that stepped back must not freeze a warning for as long as it stepped.
  const isResting = now >= since && now - since < restMs;
  if (isResting || (code !== null && signOf(code, memory, step) !== 'clear')) {
    return memory;
  }
  const next = FORECAST_CODES.find((candidate) => signOf(candidate, memory, step) === 'raised');
  return next === undefined && code === null
    ? memory
    : { ...memory, code: next ?? null, since: now };
}

function signOf(code: ForecastCode, memory: ForecastMemory, step: ForecastStep): Sign {
  if (step.window.intervals.length < FORECAST_LIMITS.intervalsMin) {
    return 'clear';
  }
  switch (code) {
    case 'loss-rising':
      return signOfLoss(memory);
    case 'interval-drift':
      return signOfDrift(step.window);
    case 'certificate-expires-soon':
      return 'clear';
    case 'pauses-growing':
      return signOfGrowth(memory, step);
    case 'lag-rising':
      return signOfLag(memory, step);
  }
}

function signOfLoss({ lossFast, lossSlow }: ForecastMemory): Sign {
  const { lossShare, lossClearShare, lossRatio } = FORECAST_LIMITS;
  if (lossFast > Math.max(lossShare, lossRatio * lossSlow)) {
    return 'raised';
  }
  return lossFast < lossClearShare || lossFast < lossSlow ? 'clear' : 'between';
}

function signOfDrift(window: ArrivalWindow): Sign {
  const { driftShare, driftSpreads } = FORECAST_LIMITS;
  const usual = medianOf(longSorted(window));
  const drift = medianOf(shortSorted(window)) - usual;
  if (drift < (driftShare * usual) / 2) {
    return 'clear';
  }
  // Only here, where something seems to drift, is the noise worth its sort.
  const isDrifting =
    drift >= driftShare * usual && drift > driftSpreads * neighbourSpread(window.intervals.view());
  return isDrifting ? 'raised' : 'between';
}

/** The spread of intervals as neighbours show it: a trend does not widen it. */
function neighbourSpread(intervals: Uint16Array): number {
  const steps = new Uint16Array(Math.max(0, intervals.length - 1)).map((_, position) =>
    Math.abs((intervals[position + 1] ?? 0) - (intervals[position] ?? 0)),
  );
  return medianOf(steps.sort()) / (0.6745 * Math.SQRT2);
}

function signOfGrowth(memory: ForecastMemory, step: ForecastStep): Sign {
  const [first, second, third, last] = memory.pausesMs;
  const isGrowing = first > 0 && first < second && second < third && third < last;
  if (!isGrowing || !isRecent(memory, step)) {
    return 'clear';
  }
  return last >= FORECAST_LIMITS.pauseGrowth * first ? 'raised' : 'between';
}

function isRecent({ pausedAt }: ForecastMemory, { window, policy }: ForecastStep): boolean {
  const { pauseMemoryIntervals } = FORECAST_LIMITS;
  return window.lastArrivalAt - pausedAt <= pauseMemoryIntervals * policy.intervalMs;
}

function signOfLag(
  memory: ForecastMemory,
  { hasLagObjective, replicationLagMs: newestMs }: ForecastStep,
): Sign {
  const { lagMsMin, lagRatio, lagClearShare } = FORECAST_LIMITS;
  const { lagFastMs, lagSlowMs } = memory;
  if (hasLagObjective || lagFastMs === null || lagSlowMs === null) {
    return 'clear';
  }
  if (isBackToUsual(memory, newestMs)) {
    return 'clear';
  }
  const riseMs = lagFastMs - lagSlowMs;
  if (riseMs > lagMsMin && lagFastMs > lagRatio * lagSlowMs) {
    return 'raised';
  }
  return riseMs < Math.max(lagMsMin / 2, lagClearShare * lagSlowMs) ? 'clear' : 'between';
}

/** Of ascending numbers; 0 where there are none. */
function medianOf(sorted: Uint16Array): number {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

// ── For people ───────────────────────────────────────────────────────────────────────────────────

function sentenceOf(
  memory: ForecastMemory,
  window: ArrivalWindow | null,
  { intervalMs }: DetectionPolicy,
): string {
  const { lossFast, lossSlow, pausesMs, lagFastMs } = memory;
  switch (memory.code) {
    case null:
      return NO_SIGN;
    case 'loss-rising':
      return `${percent(lossFast)} of the newest beats were lost, ${percent(lossSlow)} of all lately`;
    case 'interval-drift': {
      const quantum = window === null ? 1 : quantumMs(window);
      const newestMs = window === null ? 0 : medianOf(shortSorted(window)) * quantum;
      const usualMs = window === null ? 0 : medianOf(longSorted(window)) * quantum;
      return `a beat each ${inSeconds(newestMs)} s, usually ${inSeconds(usualMs)} s: the sender slows down`;
    }
    case 'certificate-expires-soon':
      return 'a certificate expires soon';
    case 'pauses-growing':
      return `pauses grow: ${pausesMs.map(inSeconds).join(', ')} s`;
    case 'lag-rising': {
      const perMinuteMs = lagRiseMsPerMinute(memory, { newestMs: null, intervalMs }) ?? 0;
      return `replication lag ${inSeconds(lagFastMs ?? 0)} s, rising by about ${inSeconds(perMinuteMs)} s a minute`;
    }
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
