/**
 * `npm run -s evaluate`: mistakes against detection time, ours and eight rivals on the same arrivals.
 *
 * Exit code 0 = on no trace of the repository is ours worse than a fixed timeout beyond chance;
 * 1 = it is; 2 = wrong words or an unreadable file. With `--trace` the verdict is in the output only,
 * as the second bar always is: fewer mistakes than Akka's form, Cassandra's form and 2W.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../lib/base/errors.ts';
import { curveChart } from './chart.ts';
import { compare, type TraceReport } from './comparison.ts';
import { measurePrediction, measurePredictions, type PredictionResult } from './prediction.ts';
import { renderPredictions } from './prediction-table.ts';
import { type Settings, settingsFrom } from './settings.ts';
import { renderReport, renderSecondBar } from './table.ts';
import { tracesOf } from './traces.ts';
import { secondBarOf } from './verdict.ts';

function main(words: readonly string[]): number {
  try {
    return evaluate(settingsFrom(words));
  } catch (error) {
    if (!(error instanceof AppError)) {
      throw error;
    }
    console.error(`${error.message} (${error.code})\n${error.hint}`);
    return 2;
  }
}

function evaluate(settings: Settings): number {
  const began = performance.now();
  const reports: TraceReport[] = [];
  const predictions: PredictionResult[] = [];
  for (const trace of tracesOf(settings)) {
    const report = compare(trace, settings);
    reports.push(report);
    if (settings.charts !== null) {
      writeChart(settings.charts, report);
    }
    predictions.push(measurePrediction(trace));
    if (!settings.json) {
      console.log(`${renderReport(report)}\n`);
    }
  }
  predictions.push(...(settings.file === null ? measurePredictions([]) : []));
  const holds = reports.every(({ verdict }) => verdict.neverWorseThanFixed);
  const secondBar = secondBarOf(reports.map(({ verdict }) => verdict));
  if (settings.json) {
    const elapsedMs = Math.round(performance.now() - began);
    console.log(
      JSON.stringify({ holds, secondBar, elapsedMs, traces: reports, prediction: predictions }),
    );
  } else {
    console.log(`${renderPredictions(predictions)}\n`);
    console.log(renderSecondBar(secondBar));
    console.log(
      `never worse than a fixed timeout: ${holds ? 'holds' : 'DOES NOT HOLD'} on ${reports.length} traces`,
    );
  }
  return holds || settings.file !== null ? 0 : 1;
}

function writeChart(directory: string, report: TraceReport): void {
  mkdirSync(directory, { recursive: true });
  const name = report.trace.replaceAll(/[^a-zA-Z0-9.-]/g, '-');
  writeFileSync(join(directory, `${name}.svg`), curveChart(report));
}

process.exitCode = main(process.argv.slice(2));
