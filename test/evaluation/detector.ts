/**
 * A detector under comparison, reduced to what can be compared: the silence it allows after each beat,
 * as a function of its one parameter. That is the freshness point of Chen et al.; a φ detector is
 * inverted at its threshold, so that no polling enters.
 */
import type { Decisions } from './decisions.ts';

export interface Detector {
  /** The silence allowed at decision `decision`, in milliseconds; rises with the parameter. */
  readonly silenceMs: (decision: number, parameter: number) => number;
  /** Its mean over all decisions, in closed form. */
  readonly meanSilenceMs: (parameter: number) => number;
  readonly parameterMin: number;
  readonly parameterMax: number;
  /** The parameter that its authors would set, by what they would call it. */
  readonly nominal: { readonly [setting: string]: number };
}

export type DetectorFit = (decisions: Decisions) => Detector;

/** Halvings of the parameter's range: beyond the precision of the mean. */
const BISECTIONS = 80;

/**
 * The parameter with the wanted mean silence, by bisection; null where the detector cannot have it.
 */
export function parameterFor(detector: Detector, meanSilenceMs: number): number | null {
  let { parameterMin: low, parameterMax: high } = detector;
  if (
    !(detector.meanSilenceMs(high) >= meanSilenceMs && detector.meanSilenceMs(low) <= meanSilenceMs)
  ) {
    return null;
  }
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (detector.meanSilenceMs(middle) < meanSilenceMs) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** A detector whose silence is an offset of its own plus the parameter times a scale of its own. */
export function affine(
  offsetsMs: Float64Array | null,
  scalesMs: Float64Array | number,
  bounds: Omit<Detector, 'silenceMs' | 'meanSilenceMs'>,
): Detector {
  const offset = offsetsMs === null ? 0 : mean(offsetsMs);
  const scale = typeof scalesMs === 'number' ? scalesMs : mean(scalesMs);
  const scaleAt =
    typeof scalesMs === 'number' ? () => scalesMs : (decision: number) => scalesMs[decision] ?? 0;
  return {
    ...bounds,
    silenceMs: (decision, parameter) =>
      (offsetsMs?.[decision] ?? 0) + parameter * scaleAt(decision),
    meanSilenceMs: (parameter) => offset + parameter * scale,
  };
}

export function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) {
    sum += value;
  }
  return sum / values.length;
}
