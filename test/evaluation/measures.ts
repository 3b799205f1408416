/**
 * What a detector did at one setting: detection time against mistakes (Chen, Toueg, Aguilera 2002).
 *
 * A mistake is a beat that came after the silence allowed for it; a burst of lost beats is one. The
 * detection time is the silence allowed plus the mean transit: a crash right after a beat was sent.
 */
import { at, type Decisions, type SeriesArrivals } from './decisions.ts';
import { poissonBounds } from './poisson.ts';

const DAY_MS = 86_400_000;
/** Quantiles are taken over about so many decisions, evenly spread, when there are more. */
const QUANTILE_SAMPLES_MAX = 100_000;

export interface Measures {
  readonly detectionMs: number;
  readonly detectionMsP99: number;
  readonly detectionMsMax: number;
  readonly mistakes: number;
  /** 95 % bounds of the count. */
  readonly low: number;
  readonly high: number;
  readonly perDecision: number;
  readonly perTargetDay: number;
  /** Mistakes per decision among the worst tenth of the series. */
  readonly worstDecile: number;
  readonly mistakeMsMean: number;
  /** Share of the time in which the answer "alive" was given, as it was true. */
  readonly queryAccuracy: number;
}

export function measure(decisions: Decisions, silenceMs: (decision: number) => number): Measures {
  const { count, silencesMs, trace, series, watchedMs } = decisions;
  const allowedMs = new Float64Array(count);
  const bySeries = new Float64Array(series.length);
  let allowedSumMs = 0;
  let mistakes = 0;
  let wrongMs = 0;
  series.forEach(({ first, end }, position) => {
    let own = 0;
    for (let decision = first; decision < end; decision++) {
      const allowed = silenceMs(decision);
      allowedMs[decision] = allowed;
      allowedSumMs += allowed;
      const overMs = at(silencesMs, decision) - allowed;
      if (overMs > 0) {
        own++;
        wrongMs += overMs;
      }
    }
    mistakes += own;
    bySeries[position] = own;
  });
  const { low, high } = poissonBounds(mistakes);
  return {
    detectionMs: allowedSumMs / count + trace.transitMs,
    ...tailOfDetection(allowedMs, trace.transitMs),
    mistakes,
    low,
    high,
    perDecision: mistakes / count,
    perTargetDay: mistakes / (watchedMs / DAY_MS),
    worstDecile: worstDecile(series, bySeries),
    mistakeMsMean: mistakes === 0 ? 0 : wrongMs / mistakes,
    queryAccuracy: 1 - wrongMs / watchedMs,
  };
}

function tailOfDetection(allowedMs: Float64Array, transitMs: number) {
  const stride = Math.ceil(allowedMs.length / QUANTILE_SAMPLES_MAX);
  const sample = new Float64Array(Math.ceil(allowedMs.length / stride)).map((_, position) =>
    at(allowedMs, position * stride),
  );
  sample.sort();
  let max = -Infinity;
  for (const allowed of allowedMs) {
    max = Math.max(max, allowed);
  }
  return {
    detectionMsP99: at(sample, Math.floor(0.99 * (sample.length - 1))) + transitMs,
    detectionMsMax: max + transitMs,
  };
}

function worstDecile(series: readonly SeriesArrivals[], mistakes: Float64Array): number {
  const worst = series
    .map(({ first, end }, position) => ({
      mistakes: at(mistakes, position),
      decisions: end - first,
    }))
    .sort((a, b) => b.mistakes / b.decisions - a.mistakes / a.decisions)
    .slice(0, Math.ceil(series.length / 10));
  const total = worst.reduce((sum, one) => sum + one.decisions, 0);
  return worst.reduce((sum, one) => sum + one.mistakes, 0) / total;
}
