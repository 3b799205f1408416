import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type SyntheticTraceName,
  syntheticTrace,
} from '../../lib/simulation/traces/synthetic-traces.ts';
import { parseTrace } from '../../lib/simulation/traces/trace-file.ts';
import { measurePredictions, type PredictionResult } from '../evaluation/prediction.ts';
import { PREDICTION_HEADER, predictionRow } from '../evaluation/prediction-table.ts';
import { expectGeneratedPage, markdownTable } from './generated-page.ts';

const PAGE = 'docs/prediction.md';
const BLOCK = /<!-- measured -->[\s\S]*<!-- \/measured -->/;
const RECORDED = 'test/evaluation/data/netlatency-seattle-rtt-12targets-3observers.csv';
const SYNTHETIC: readonly SyntheticTraceName[] = ['gilbert-bursts', 'gc-pauses', 'pace-steps'];

function measure(): readonly PredictionResult[] {
  const text = readFileSync(RECORDED, 'utf8');
  const recorded = [15_000, 1000].map((intervalMs) =>
    parseTrace(`Seattle, each ${intervalMs / 1000} s`, text, { kind: 'rtt', intervalMs }),
  );
  return measurePredictions([...recorded, ...SYNTHETIC.map((name) => syntheticTrace(name, 1))]);
}

test('docs/prediction.md says what is measured', () => {
  const results = measure();
  const page = readFileSync(PAGE, 'utf8');
  expect(page).toMatch(BLOCK);
  const block = `<!-- measured -->\n\n${markdownTable(PREDICTION_HEADER, results.map(predictionRow))}\n\n<!-- /measured -->`;
  expectGeneratedPage(PAGE, page.replace(BLOCK, block));
});

test('the early warning foretells slow declines far better than chance', () => {
  for (const { trace, recall, precision, control } of measurePredictions([])) {
    expect(recall ?? 0, trace).toBeGreaterThan(0.5);
    expect(precision ?? 0, trace).toBeGreaterThan(0.6);
    expect(recall ?? 0, trace).toBeGreaterThan(3 * (control.recall ?? 1));
  }
});
