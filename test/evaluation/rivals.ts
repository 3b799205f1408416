/**
 * The detectors that Tripoint is compared with, as freshness points (see `detector.ts`), each with a
 * window of 200 and without the pause margins that products add on top.
 *
 * Sources: Chen, Toueg, Aguilera (IEEE ToC 2002); Bertier et al. (DSN 2002); Hayashibara et al. (SRDS
 * 2004, the normal φ); Akka's logistic stand-in; Cassandra's exponential φ; Satzger et al. (SAC 2007);
 * 2W-FD (IPDPS 2015).
 */
import { normalZ } from '../../lib/detection/tail.ts';
import { at, type Decisions, type SeriesArrivals, WARM_UP_BEATS } from './decisions.ts';
import { affine, type Detector, type DetectorFit } from './detector.ts';
import { expectedAfterMs, intervalStatistics } from './statistics.ts';

export type RivalName =
  | 'fixed'
  | 'chen'
  | '2w'
  | 'gauss'
  | 'akka'
  | 'cassandra'
  | 'satzger'
  | 'bertier';

/** In this order in every table. */
export const RIVALS: { readonly [Name in RivalName]: DetectorFit } = {
  fixed: () => affine(null, 1, { parameterMin: 0, parameterMax: 1e15, nominal: {} }),
  chen: (decisions) =>
    affine(expectedAfterMs(decisions), 1, { parameterMin: -1e15, parameterMax: 1e15, nominal: {} }),
  '2w': twoWindows,
  gauss: normalDetector,
  akka: akkaForm,
  cassandra: (decisions) =>
    affine(null, intervalStatistics(decisions).meansMs, {
      parameterMin: 0,
      parameterMax: 1e6,
      nominal: { 'phi 8': 8 * Math.LN10, 'phi 16': 16 * Math.LN10 },
    }),
  satzger: (decisions) =>
    affine(null, intervalStatistics(decisions).longestMs, {
      parameterMin: 0,
      parameterMax: 1e6,
      nominal: {},
    }),
  bertier,
};

/** Later of two schedules: Chen's over 200 beats, and that of the last beat alone, which is T + Δ. */
function twoWindows(decisions: Decisions): Detector {
  const later = expectedAfterMs(decisions).map((ms) => Math.max(ms, decisions.trace.intervalMs));
  return affine(later, 1, { parameterMin: -1e15, parameterMax: 1e15, nominal: {} });
}

/** φ 1,500 is as far as anyone would go; where the spread is too small for more, it has no answer. */
const PHI_MAX = 1500;

/** Exact normal φ without a floor under the spread: parameter = standard deviations. */
function normalDetector(decisions: Decisions): Detector {
  const { meansMs, deviationsMs } = intervalStatistics(decisions);
  return affine(meansMs, deviationsMs, {
    parameterMin: -10,
    parameterMax: normalZ(PHI_MAX),
    nominal: { 'phi 8': normalZ(8), 'phi 16': normalZ(16) },
  });
}

/** The floor that Akka puts under the standard deviation: 100 ms at 1 s. */
const AKKA_DEVIATION_SHARE_MIN = 0.1;

function akkaForm(decisions: Decisions): Detector {
  const { meansMs, deviationsMs } = intervalStatistics(decisions);
  const floorMs = AKKA_DEVIATION_SHARE_MIN * decisions.trace.intervalMs;
  return affine(
    meansMs,
    deviationsMs.map((ms) => Math.max(ms, floorMs)),
    {
      parameterMin: -10,
      parameterMax: 1e6,
      nominal: { 'phi 8': akkaZ(8), 'phi 16': akkaZ(16) },
    },
  );
}

/** Where Akka's curve, P = 1 / (1 + exp(z (1.5976 + 0.070566 z²))), has φ: 5.226 for 8. */
export function akkaZ(phi: number): number {
  // ln(1/P - 1), of which the 1 vanishes in doubles from φ = 16 on.
  const logit = phi * Math.LN10 + Math.log1p(-(10 ** -phi));
  let low = 0;
  let high = 1e3;
  for (let step = 0; step < 80; step++) {
    const z = (low + high) / 2;
    if (z * (1.5976 + 0.070566 * z ** 2) < logit) {
      low = z;
    } else {
      high = z;
    }
  }
  return high;
}

const BERTIER = { gamma: 0.1, beta: 1, phi: 4 } as const;

/** Chen's schedule plus a margin that follows the error of the last predictions; nothing to set. */
function bertier(decisions: Decisions): Detector {
  const silencesMs = expectedAfterMs(decisions);
  for (const series of decisions.series) {
    addMargins(series, silencesMs);
  }
  return affine(silencesMs, 0, { parameterMin: 0, parameterMax: 0, nominal: { default: 0 } });
}

function addMargins(series: SeriesArrivals, expectedMs: Float64Array): void {
  let delayMs = 0;
  let variationMs = 0;
  let predictedMs = Number.NaN;
  for (let decision = series.first; decision < series.end; decision++) {
    const beat = WARM_UP_BEATS + decision - series.first;
    const arrivedAtMs = at(series.arrivedAtMs, beat);
    if (!Number.isNaN(predictedMs)) {
      const errorMs = arrivedAtMs - predictedMs - delayMs;
      delayMs += BERTIER.gamma * errorMs;
      variationMs += BERTIER.gamma * (Math.abs(errorMs) - variationMs);
    }
    predictedMs = arrivedAtMs + at(expectedMs, decision);
    expectedMs[decision] = Math.max(
      0,
      at(expectedMs, decision) + BERTIER.beta * delayMs + BERTIER.phi * variationMs,
    );
  }
}
