/**
 * Tortures the real log, as processes on this machine, and judges what its clients saw:
 *
 *   npm run torture -- [--minutes 1] [--seed S] [--history FILE] [--json] [--keep]
 *
 * Three stores on disk, three controllers and nine clients in three processes; `kill -9`, SIGSTOP, and
 * connections that are slow, stalled or broken. Progress goes to standard error; the last line of standard
 * output is one JSON object. Exit code 1 unless everything holds and every kind of fault was met.
 *
 * `--unconfirmed-reads` is the negative control: clients read their local replica without asking a
 * majority. Then the run passes if the checker finds that out, and faults need not be met.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '../../lib/base/errors.ts';
import { historyLine } from '../../lib/simulation/history.ts';
import { HEALED_MS, type TortureResult, torture } from './torture.ts';

const MINUTE_MS = 60_000;
/** Some seconds of faults must be left beside the time after them. */
const MINUTES_MIN = (1.2 * HEALED_MS) / MINUTE_MS;
const MINUTES_MAX = 24 * 60;
const VIOLATIONS_TOLD = 20;

interface Arguments {
  readonly minutes: number;
  readonly seed: number;
  readonly history: string | null;
  readonly isReadConfirmed: boolean;
  readonly keep: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      history: { type: 'string' },
      json: { type: 'boolean', default: false },
      'unconfirmed-reads': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes >= MINUTES_MIN && minutes <= MINUTES_MAX)) {
    throw new RangeError(`--minutes takes a number from ${MINUTES_MIN} to ${MINUTES_MAX}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError('--seed takes a whole number');
  }
  return {
    minutes,
    seed,
    history: values.history ?? null,
    isReadConfirmed: !values['unconfirmed-reads'],
    keep: values.keep,
  };
}

function summaryOf({ minutes, seed, isReadConfirmed }: Arguments, result: TortureResult): Summary {
  const { operations, report, linearizability } = result;
  const count = (outcome: string) =>
    operations.filter((operation) => operation.outcome === outcome).length;
  const { faults, ...figures } = report;
  const missingFaults = Object.keys(faults).filter((kind) => faults[kind] === 0);
  const isIllegal = linearizability.kind === 'illegal';
  const failures = [...(isIllegal ? [linearizability.sentence] : []), ...result.violations];
  const isSound = linearizability.kind === 'ok' && failures.length === 0;
  const isVacuous = missingFaults.length > 0 || count('ok') === 0;
  return {
    passed: isReadConfirmed ? isSound && !isVacuous : isIllegal && failures.length === 1,
    minutes,
    seed,
    operations: operations.length,
    ok: count('ok'),
    fail: count('fail'),
    unknown: count('unknown'),
    ...figures,
    faults,
    missingFaults,
    entries: result.entries,
    terms: result.terms,
    compactions: result.compactions,
    snapshotInstalls: result.snapshotInstalls,
    recoveryMs: result.recoveryMs,
    confirmedReads: isReadConfirmed,
    linearizable: linearizability.kind,
    checkMs: result.checkMs,
    violations: failures.length,
    failures: failures.slice(0, VIOLATIONS_TOLD),
  };
}

interface Summary {
  readonly passed: boolean;
  readonly [figure: string]: unknown;
}

async function main(): Promise<number> {
  const given = readArguments();
  const { minutes, seed, history, isReadConfirmed, keep } = given;
  const startedAt = performance.now();
  const say = (line: string) =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  say(`seed ${seed}`);
  const root = await mkdtemp(join(tmpdir(), 'tripoint-torture-'));
  const durationMs = minutes * MINUTE_MS;
  const run = torture({ root, durationMs, seed, isReadConfirmed, say });
  const result = await run.catch((thrown: unknown) => ({ thrown }));
  if ('thrown' in result) {
    say(`everything is kept in ${root}`);
    const failures = [describeError(result.thrown)];
    console.log(JSON.stringify({ passed: false, minutes, seed, violations: 1, failures }));
    return 1;
  }
  if (history !== null) {
    await writeFile(history, result.operations.map((one) => `${historyLine(one)}\n`).join(''));
  }
  const summary = summaryOf(given, result);
  if (keep || !summary.passed) {
    say(`everything is kept in ${root}`);
  } else {
    await rm(root, { recursive: true, force: true });
  }
  console.log(JSON.stringify(summary));
  return summary.passed ? 0 : 1;
}

// A process that could not be stopped in order must not keep this one alive.
process.exit(await main());
