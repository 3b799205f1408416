/**
 * Holds the points of a trace against the two bars.
 *
 * First bar, which decides the exit code: nowhere more mistakes than a fixed timeout beyond chance.
 * Second bar, which is reported: fewer mistakes than the φ forms of Akka and Cassandra and than 2W.
 * Beyond noise means above the upper 95 % bound of the other's count, so of many points a few lie
 * there by chance alone.
 */
import type { OperatingPoint, RivalPoint } from './comparison.ts';
import type { RivalName } from './rivals.ts';

export const SECOND_BAR = ['akka', 'cassandra', '2w'] as const satisfies readonly RivalName[];
type SecondBarRival = (typeof SECOND_BAR)[number];

/** At how many points ours made fewer, as many, more mistakes. */
export interface Score {
  readonly fewer: number;
  readonly equal: number;
  readonly more: number;
  /** Points at which the rival made more mistakes than our upper bound. */
  readonly fewerBeyondNoise: number;
  /** Points at which ours made more mistakes than the rival's upper bound. */
  readonly beyondNoise: number;
}

export interface TraceVerdict {
  /** At no point more mistakes than the upper 95 % bound of the fixed timeout's. */
  readonly neverWorseThanFixed: boolean;
  /** Detection times, in ms, at which it was worse. */
  readonly worseThanFixedAtMs: readonly number[];
  readonly secondBar: { readonly [Name in SecondBarRival]: RivalVerdict };
  /** By rival; one without a parameter has one point, its own. */
  readonly against: { readonly [name: string]: Score };
}

export interface RivalVerdict extends Score {
  /** Behind at some point beyond noise; or else ahead at some; or else neither. */
  readonly standing: 'ahead' | 'within-noise' | 'behind';
  /** Detection times, in ms, at which ours made more mistakes beyond noise. */
  readonly behindAtMs: readonly number[];
}

export interface PooledVerdict extends Score {
  /** Traces of each standing. */
  readonly traces: { readonly [Standing in RivalVerdict['standing']]: number };
  /** Fewer mistakes at more points than not, and nowhere more beyond noise. */
  readonly holds: boolean;
}

export interface SecondBar {
  readonly holds: boolean;
  readonly rivals: { readonly [Name in SecondBarRival]: PooledVerdict };
}

/** @param rivals those of the trace as a whole: of them, rivals that have but one point count here. */
export function verdictOf(
  points: readonly OperatingPoint[],
  rivals: { readonly [name: string]: RivalPoint | null },
): TraceVerdict {
  const worse = points.filter(
    (point) => point.mistakes > (point.rivals['fixed']?.high ?? Infinity),
  );
  const names = [...new Set(points.flatMap((point) => Object.keys(point.rivals)))];
  const pairs = (name: string) => [...pairsOf(points, name), ...ownPair(rivals[name])];
  return {
    neverWorseThanFixed: worse.length === 0,
    worseThanFixedAtMs: worse.map(({ detectionMs }) => detectionMs),
    secondBar: perRival((name) => rivalVerdict(pairs(name))),
    against: Object.fromEntries(names.map((name) => [name, scoreOf(pairs(name))])),
  };
}

/** All traces together. */
export function secondBarOf(verdicts: readonly TraceVerdict[]): SecondBar {
  const rivals = perRival((name) => pooled(verdicts.map(({ secondBar }) => secondBar[name])));
  return { holds: Object.values(rivals).every(({ holds }) => holds), rivals };
}

function perRival<Value>(judge: (name: SecondBarRival) => Value) {
  return { akka: judge('akka'), cassandra: judge('cassandra'), '2w': judge('2w') };
}

interface Pair {
  readonly detectionMs: number;
  readonly mistakes: number;
  readonly high: number;
  readonly rival: RivalPoint;
}

function pairsOf(points: readonly OperatingPoint[], name: string): readonly Pair[] {
  return points.flatMap(({ detectionMs, mistakes, high, rivals }) => {
    const rival = rivals[name];
    return rival === null || rival === undefined ? [] : [{ detectionMs, mistakes, high, rival }];
  });
}

function ownPair(rival: RivalPoint | null | undefined): readonly Pair[] {
  return rival?.tripoint === undefined ? [] : [{ ...rival.tripoint, rival }];
}

function scoreOf(pairs: readonly Pair[]): Score {
  const count = (holds: (pair: Pair) => boolean) => pairs.filter(holds).length;
  return {
    fewer: count(({ mistakes, rival }) => mistakes < rival.mistakes),
    equal: count(({ mistakes, rival }) => mistakes === rival.mistakes),
    more: count(({ mistakes, rival }) => mistakes > rival.mistakes),
    fewerBeyondNoise: count(({ high, rival }) => rival.mistakes > high),
    beyondNoise: count(isBehind),
  };
}

function isBehind({ mistakes, rival }: Pair): boolean {
  return mistakes > rival.high;
}

function rivalVerdict(pairs: readonly Pair[]): RivalVerdict {
  const score = scoreOf(pairs);
  const behind = pairs.filter(isBehind);
  const other = score.fewerBeyondNoise > 0 ? 'ahead' : 'within-noise';
  return {
    ...score,
    standing: behind.length > 0 ? 'behind' : other,
    behindAtMs: behind.map(({ detectionMs }) => detectionMs),
  };
}

function pooled(verdicts: readonly RivalVerdict[]): PooledVerdict {
  const sum = (field: keyof Score) => verdicts.reduce((total, one) => total + one[field], 0);
  const traces = (standing: RivalVerdict['standing']) =>
    verdicts.filter((one) => one.standing === standing).length;
  const score = {
    fewer: sum('fewer'),
    equal: sum('equal'),
    more: sum('more'),
    fewerBeyondNoise: sum('fewerBeyondNoise'),
    beyondNoise: sum('beyondNoise'),
  };
  return {
    ...score,
    traces: {
      ahead: traces('ahead'),
      'within-noise': traces('within-noise'),
      behind: traces('behind'),
    },
    holds: score.beyondNoise === 0 && score.fewer > score.more,
  };
}
