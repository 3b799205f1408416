/** The traces that a run is about. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError, describeError } from '../../lib/base/errors.ts';
import type { ArrivalTrace } from '../../lib/simulation/traces/arrival-trace.ts';
import { SYNTHETIC_TRACES, syntheticTrace } from '../../lib/simulation/traces/synthetic-traces.ts';
import { parseTrace, TRACE_TEXT_LENGTH_MAX } from '../../lib/simulation/traces/trace-file.ts';
import type { Settings } from './settings.ts';

/** Recorded round trips of volunteers' machines; its note says where they are from. */
const RECORDED = new URL('./data/netlatency-seattle-rtt-12targets-3observers.csv', import.meta.url);
const RECORDED_INTERVAL_MS = 15_000;

/** One after the other: a trace can be large. */
export function* tracesOf(settings: Settings): Generator<ArrivalTrace> {
  if (settings.file !== null) {
    yield parseTrace(basename(settings.file), textOf(settings.file), settings);
    return;
  }
  yield parseTrace('seattle', readFileSync(RECORDED, 'utf8'), {
    kind: 'rtt',
    intervalMs: RECORDED_INTERVAL_MS,
  });
  for (const name of SYNTHETIC_TRACES) {
    yield syntheticTrace(name, settings.seed);
  }
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= TRACE_TEXT_LENGTH_MAX) {
      return readFileSync(file, 'latin1');
    }
  } catch (error) {
    throw new AppError(`${file} cannot be read: ${describeError(error)}`, {
      code: 'trace-unreadable',
      hint: 'Give the path of a CSV file after --trace.',
      retryable: false,
      cause: error,
    });
  }
  throw new AppError(`${file} is larger than ${TRACE_TEXT_LENGTH_MAX} bytes`, {
    code: 'trace-too-large',
    hint: 'Cut it into parts.',
    retryable: false,
  });
}
