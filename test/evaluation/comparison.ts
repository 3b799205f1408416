/**
 * The curve of a trace: ours and every rival at the same mean detection times.
 *
 * Operating points are multiples of the pace, from just above it to six of them; detectors that
 * cannot have such a mean detection time have no answer there (Bertier's has one point, its own, at
 * which ours is measured too). Where paths take long, points count
 * from whole tenths of the pace that a beat is under way.
 */
import type { ArrivalTrace } from '../../lib/simulation/traces/arrival-trace.ts';
import { type Decisions, decisionsOf } from './decisions.ts';
import { type Detector, parameterFor } from './detector.ts';
import { type Measures, measure } from './measures.ts';
import { type Fitted, fitOurs, ours, plainExponentialTail, withoutLoss } from './ours.ts';
import { RIVALS } from './rivals.ts';
import { type TraceVerdict, verdictOf } from './verdict.ts';
import { compareVote, type VoteComparison } from './vote.ts';

const POINTS = [31 / 30, 16 / 15, 1.1, 1.15, 1.2, 4 / 3, 1.5, 1.75, 2, 2.2, 2.5, 3, 4, 6] as const;
/** A mean silence below this many paces suspects most living sites at every beat: no point. */
const SILENCE_PACES_MIN = 1.02;

export interface RivalPoint {
  readonly mistakes: number;
  readonly low: number;
  readonly high: number;
  readonly detectionMs: number;
  /** Of a rival with nothing to set, at its own detection time: ours at the same. */
  readonly tripoint?: RivalPoint;
}

export interface OperatingPoint extends Measures {
  readonly phi: number;
  readonly rivals: { readonly [name: string]: RivalPoint | null };
}

export interface NominalRow extends Measures {
  readonly detector: string;
  readonly setting: string;
}

export interface TraceReport {
  readonly trace: string;
  readonly intervalMs: number;
  readonly transitMs: number;
  readonly series: number;
  readonly skippedSeries: number;
  readonly decisions: number;
  readonly overtaken: number;
  /** At the point next to 4/3 of the pace (Bertier: at its own); the others are in `points`. */
  readonly detectionMs: number;
  readonly mistakes: number;
  readonly rivals: { readonly [name: string]: RivalPoint | null };
  readonly points: readonly OperatingPoint[];
  /** Detectors without a parameter, and ours at the same detection time. */
  readonly nominal: readonly NominalRow[];
  readonly vote: VoteComparison | null;
  readonly verdict: TraceVerdict;
}

export interface ComparisonOptions {
  /** Wanted detection times instead of the multiples of the pace. */
  readonly detectionMs: readonly number[] | null;
}

const HEADLINE_PACES = 4 / 3;

export function compare(trace: ArrivalTrace, options: ComparisonOptions): TraceReport {
  const decisions = decisionsOf(trace);
  const fitted = fitOurs(decisions);
  const own = ours(fitted);
  const wanted = (options.detectionMs ?? operatingPoints(decisions)).flatMap((detectionMs) => {
    const phi = parameterFor(own, detectionMs - trace.transitMs);
    return phi === null ? [] : [{ detectionMs, phi }];
  });
  const { rivals, nominal, bertier } = measureRivals(decisions, fitted, {
    wantedMs: wanted.map(({ detectionMs }) => detectionMs),
    own,
  });
  const points = wanted.map(
    ({ phi }, position): OperatingPoint => ({
      phi,
      ...measure(decisions, (decision) => own.silenceMs(decision, phi)),
      rivals: Object.fromEntries(
        Object.entries(rivals).map(([name, row]) => [name, row[position] ?? null]),
      ),
    }),
  );
  const headline = nearest(points, HEADLINE_PACES * basisMs(decisions) + trace.transitMs);
  const headlineRivals = { ...headline?.rivals, bertier };
  return {
    trace: trace.name,
    intervalMs: trace.intervalMs,
    transitMs: trace.transitMs,
    series: decisions.series.length,
    skippedSeries: decisions.skipped.length,
    decisions: decisions.count,
    overtaken: decisions.series.reduce((sum, one) => sum + one.overtaken, 0),
    detectionMs: headline?.detectionMs ?? 0,
    mistakes: headline?.mistakes ?? 0,
    rivals: headlineRivals,
    points,
    nominal: [...ourNominal(decisions, fitted), ...nominal],
    vote: compareVote(decisions, own, points),
    verdict: verdictOf(points, headlineRivals),
  };
}

function nearest(
  points: readonly OperatingPoint[],
  detectionMs: number,
): OperatingPoint | undefined {
  return points.toSorted(
    (a, b) => Math.abs(a.detectionMs - detectionMs) - Math.abs(b.detectionMs - detectionMs),
  )[0];
}

function basisMs({ trace, paceMs }: Decisions): number {
  return Math.max(trace.intervalMs, paceMs > 1.02 * trace.intervalMs ? paceMs : 0);
}

function operatingPoints(decisions: Decisions): number[] {
  const basis = basisMs(decisions);
  const { transitMs } = decisions.trace;
  const underWay = Math.floor((10 * transitMs) / basis) / 10;
  return POINTS.map((paces) => (paces + underWay) * basis).filter(
    (detectionMs) => detectionMs - transitMs >= SILENCE_PACES_MIN * basis,
  );
}

interface Task {
  readonly wantedMs: readonly number[];
  readonly own: Detector;
}

/** One rival after the other: each needs arrays as long as the trace. */
function measureRivals(decisions: Decisions, fitted: Fitted, { wantedMs, own }: Task) {
  const rivals: { [name: string]: (RivalPoint | null)[] } = {};
  const nominal: NominalRow[] = [];
  const at = (detector: Detector) =>
    wantedMs.map((detectionMs) => pointAt(decisions, detector, detectionMs));
  for (const [name, detectorFor] of Object.entries(RIVALS)) {
    const detector = detectorFor(decisions);
    rivals[name] = at(detector);
    nominal.push(...nominalRows(decisions, name, detector));
  }
  const bertier = againstBertier(decisions, nominal, own);
  rivals['plain-tail'] = at(plainExponentialTail(fitted));
  rivals['tripoint-without-loss'] = at(withoutLoss(fitted));
  return { rivals, nominal, bertier };
}

/** null where ours cannot be as fast, or as slow, on average. */
function againstBertier(
  decisions: Decisions,
  nominal: readonly NominalRow[],
  own: Detector,
): RivalPoint | null {
  const bertier = nominal.find(({ detector }) => detector === 'bertier');
  const tripoint = bertier === undefined ? null : pointAt(decisions, own, bertier.detectionMs);
  if (bertier === undefined || tripoint === null) {
    return null;
  }
  const { mistakes, low, high, detectionMs } = bertier;
  return { mistakes, low, high, detectionMs, tripoint };
}

function pointAt(decisions: Decisions, detector: Detector, detectionMs: number): RivalPoint | null {
  const parameter = parameterFor(detector, detectionMs - decisions.trace.transitMs);
  if (parameter === null) {
    return null;
  }
  const {
    mistakes,
    low,
    high,
    detectionMs: had,
  } = measure(decisions, (decision) => detector.silenceMs(decision, parameter));
  return { mistakes, low, high, detectionMs: had };
}

function nominalRows(decisions: Decisions, name: string, detector: Detector): NominalRow[] {
  return Object.entries(detector.nominal).map(([setting, parameter]) => ({
    detector: name,
    setting,
    ...measure(decisions, (decision) => detector.silenceMs(decision, parameter)),
  }));
}

/** At φ 8 and 16: the formula, its control arms, and what ships: with the hard bounds. */
function ourNominal(decisions: Decisions, fitted: Fitted): NominalRow[] {
  const shipped = [
    { setting: 'suspect (φ 8, bounded)', limitsMs: fitted.suspectMs },
    { setting: 'fail (φ 16, bounded)', limitsMs: fitted.failMs },
  ].map(({ setting, limitsMs }) => ({
    detector: 'tripoint',
    setting,
    ...measure(decisions, (decision) => limitsMs[decision] ?? 0),
  }));
  return [
    ...shipped,
    ...nominalRows(decisions, 'tripoint', ours(fitted)),
    ...nominalRows(decisions, 'tripoint-without-loss', withoutLoss(fitted)),
    ...nominalRows(decisions, 'plain-tail', plainExponentialTail(fitted)),
  ];
}
