/** The worth of the early warning for people: one row a trace, chance beside each share. */
import { HORIZON_BEATS, type PredictionResult } from './prediction.ts';

export const PREDICTION_HEADER = [
  'trace',
  'events',
  'warnings',
  'foretold',
  'by chance',
  'justified',
  'by chance',
  'ahead, median',
] as const;

export function predictionRow(result: PredictionResult): readonly string[] {
  const { trace, events, warnings, recall, precision, control, leadMs } = result;
  return [
    trace,
    String(events),
    String(warnings),
    percent(recall),
    percent(control.recall),
    percent(precision),
    percent(control.precision),
    leadMs === null ? '–' : `${Math.round(leadMs / 1000)} s`,
  ];
}

export function renderPredictions(results: readonly PredictionResult[]): string {
  const rows = [PREDICTION_HEADER, ...results.map(predictionRow)];
  const lines = rows.map(([first = '', ...rest]) =>
    [`  ${first.padEnd(24)}`, ...rest.map((cell) => cell.padStart(14))].join(''),
  );
  return [
    `early warning, within ${HORIZON_BEATS} beats before a suspicion, against as many at random`,
    ...lines,
  ].join('\n');
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(0)}%`;
}
