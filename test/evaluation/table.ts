/** Reports for people. */
import type { NominalRow, OperatingPoint, RivalPoint, TraceReport } from './comparison.ts';
import { SECOND_BAR, type SecondBar } from './verdict.ts';

const COLUMNS = [
  'fixed',
  'chen',
  '2w',
  'gauss',
  'akka',
  'cassandra',
  'satzger',
  'plain-tail',
  'tripoint-without-loss',
] as const;
const HEADINGS = [...COLUMNS.slice(0, -1), 'no-loss'];

export function renderReport(report: TraceReport): string {
  const { trace, series, decisions, intervalMs, transitMs, skippedSeries } = report;
  const lines = [
    `${trace}: ${series} series, ${decisions} decisions, Δ ${seconds(intervalMs)} s, mean transit ${seconds(transitMs)} s` +
      (skippedSeries === 0 ? '' : `; ${skippedSeries} series too short`),
    '',
    '  mistakes at equal mean detection time',
    row(['T_D s', 'φ', 'tripoint', ...HEADINGS]),
    ...report.points.map(pointRow),
    bertierLine(report),
    '',
    '  nominal settings',
    `  ${'detector'.padEnd(22)}${'setting'.padEnd(22)}${['T_D s', 'p99 s', 'max s', 'mistakes', '% of beats', 'per target-day', 'worst 10 %', 'mean s', 'accuracy'].map((word) => word.padStart(15)).join('')}`,
    ...report.nominal.map(nominalRow),
    ...voteLines(report),
    '',
    `  never worse than a fixed timeout beyond noise: ${report.verdict.neverWorseThanFixed ? 'yes' : `NO, at ${report.verdict.worseThanFixedAtMs.map(seconds).join(', ')} s`}`,
    ...secondBarLines(report.verdict.secondBar),
  ];
  return lines.join('\n');
}

function bertierLine({ rivals }: TraceReport): string {
  const bertier = rivals['bertier'];
  return bertier?.tripoint === undefined
    ? '  bertier: at its own detection time there is nothing to compare'
    : `  bertier, at its own ${seconds(bertier.detectionMs)} s: ${bertier.mistakes}; tripoint at the same: ${bertier.tripoint.mistakes}`;
}

/** Of one trace, or of all of them. */
function secondBarLines(rivals: TraceReport['verdict']['secondBar'] | SecondBar['rivals']) {
  return SECOND_BAR.map((name) => {
    const { fewer, equal, more, fewerBeyondNoise, beyondNoise } = rivals[name];
    return `  against ${name}: fewer mistakes at ${fewer} points (${fewerBeyondNoise} beyond noise), as many at ${equal}, more at ${more} (${beyondNoise} beyond noise)`;
  });
}

export function renderSecondBar({ holds, rivals }: SecondBar): string {
  return [
    'all traces',
    ...secondBarLines(rivals),
    `fewer than each of these three at more points than not, and nowhere more beyond noise: ${holds ? 'yes' : 'no'}`,
  ].join('\n');
}

function pointRow(point: OperatingPoint): string {
  const own = String(point.mistakes);
  const rivals = COLUMNS.map((name) => mistakesOf(point.rivals[name]));
  return row([seconds(point.detectionMs), point.phi.toFixed(2), own, ...rivals]);
}

function mistakesOf(rival: RivalPoint | null | undefined): string {
  return rival === null || rival === undefined ? 'n/a' : String(rival.mistakes);
}

function row(cells: readonly string[]): string {
  return `  ${cells.map((cell) => cell.padStart(11)).join('')}`;
}

function nominalRow(one: NominalRow): string {
  const figures = [
    seconds(one.detectionMs),
    seconds(one.detectionMsP99),
    seconds(one.detectionMsMax),
    `${one.mistakes} (${one.low.toFixed(1)}-${one.high.toFixed(1)})`,
    (100 * one.perDecision).toFixed(4),
    one.perTargetDay.toFixed(3),
    (100 * one.worstDecile).toFixed(3),
    seconds(one.mistakeMsMean),
    one.queryAccuracy.toFixed(6),
  ];
  return `  ${one.detector.padEnd(22)}${one.setting.padEnd(22)}${figures.map((figure) => figure.padStart(15)).join('')}`;
}

function voteLines({ vote }: TraceReport): readonly string[] {
  if (vote === null) {
    return [];
  }
  return [
    '',
    `  one observer against two of three, ${vote.targets} targets`,
    row(['T_D s', 'mistakes', 'wrong s', 'vote T_D s', 'mistakes', 'wrong s', '= T_D', 'wrong s']),
    ...vote.points.map(({ oneObserver, twoOfThree, twoOfThreeAtEqualDetection: equal }) =>
      row([
        seconds(oneObserver.detectionMs),
        oneObserver.mistakes.toFixed(1),
        seconds(oneObserver.wrongMs),
        seconds(twoOfThree.detectionMs),
        String(twoOfThree.mistakes),
        seconds(twoOfThree.wrongMs),
        equal === null ? 'n/a' : String(equal.mistakes),
        equal === null ? 'n/a' : seconds(equal.wrongMs),
      ]),
    ),
  ];
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(durationMs < 10_000 ? 3 : 2);
}
