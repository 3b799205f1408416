/**
 * The end-to-end proof: starts a whole local Tripoint as processes and puts it through cases (a) to
 * (i), with real UDP queries, real HTTP and real `kill -9`.
 *
 * ```
 * npm run e2e -- --json [--only a,b] [--rounds 5] [--kills 100] [--seed 1] [--keep]
 * ```
 * Progress goes to standard error; the last line of standard output is one JSON object. Exit code 1
 * when a case failed. `--keep` leaves the folder behind, with all logs; so does a failure.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LOCAL_DEFAULTS } from '../../lib/local/run-local.ts';
import { siteKilled } from './cases/a-site-killed.ts';
import { failback } from './cases/b-failback.ts';
import { leaderKilled } from './cases/c-leader-killed.ts';
import { regionReturns } from './cases/d-region-returns.ts';
import { twoRegionsKilled } from './cases/e-two-regions-killed.ts';
import { everythingRestarted } from './cases/f-everything-restarted.ts';
import { randomKills } from './cases/g-random-kills.ts';
import { logChecked } from './cases/h-log-checked.ts';
import { tableLost } from './cases/i-table-lost.ts';
import { readmeTranscript } from './cases/readme.ts';
import type { Case, CaseContext, Figures } from './support/case.ts';
import { LocalCluster } from './support/cluster.ts';
import { seededRandom } from './support/random.ts';
import { now } from './support/wait.ts';

const CASES: { readonly [name: string]: Case } = {
  readme: readmeTranscript,
  a: siteKilled,
  b: failback,
  c: leaderKilled,
  d: regionReturns,
  e: twoRegionsKilled,
  f: everythingRestarted,
  g: randomKills,
  h: logChecked,
  i: tableLost,
};

/** Away from the ephemeral ports, and with room for the ports above the base. */
const PORT_BASE_MIN = 10_000;
const PORT_BASE_MAX = 30_000;
const PORT_TRIES = 5;

interface Arguments {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly kills: number;
  readonly seed: number;
  readonly keep: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: Object.keys(CASES).join() },
      rounds: { type: 'string', default: '5' },
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((name) => CASES[name] === undefined);
  if (unknown !== undefined) {
    throw new RangeError(`no case ${unknown}; there are ${Object.keys(CASES).join(', ')}`);
  }
  return {
    only,
    rounds: count('rounds', values.rounds),
    kills: count('kills', values.kills),
    seed: count('seed', values.seed),
    keep: values.keep,
  };
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new RangeError(`--${name} takes a whole number, not ${text}`);
  }
  return Number(text);
}

/** The demo, but ready for many failovers in a row. */
async function testConfiguration(): Promise<string> {
  const demo = await readFile(LOCAL_DEFAULTS.configFile, 'utf8');
  return demo
    .replace(/holdDown: \S+/, 'holdDown: 0s')
    .replace(/automaticRunsPerDay: \S+/, 'automaticRunsPerDay: 100');
}

function progress(line: string): void {
  console.error(line);
}

async function startSomewhere(
  root: string,
  configuration: string,
  random: () => number,
): Promise<{ readonly cluster: LocalCluster; readonly startMs: number }> {
  for (let tries = 1; ; tries += 1) {
    const span = PORT_BASE_MAX - PORT_BASE_MIN;
    const portBase = PORT_BASE_MIN + Math.floor((random() * span) / 100) * 100;
    const cluster = new LocalCluster({ root, portBase });
    try {
      return { cluster, startMs: Math.round(await cluster.start(configuration)) };
    } catch (cause) {
      const isTaken = cause instanceof Error && cause.message.includes('port');
      if (!isTaken || tries === PORT_TRIES) {
        throw cause;
      }
    }
  }
}

type Outcome =
  | { readonly kind: 'passed'; readonly figures: Figures }
  | { readonly kind: 'failed'; readonly error: string };

async function runCase(name: string, context: CaseContext): Promise<Outcome> {
  const startedAt = now();
  const seconds = () => ((now() - startedAt) / 1000).toFixed(1);
  const runner = CASES[name];
  try {
    const figures = runner === undefined ? {} : await runner(context);
    progress(`(${name}) passed in ${seconds()} s: ${JSON.stringify(figures)}`);
    return { kind: 'passed', figures };
  } catch (thrown) {
    const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    progress(`(${name}) FAILED after ${seconds()} s: ${error}`);
    return { kind: 'failed', error };
  }
}

async function main(): Promise<number> {
  const { only, rounds, kills, seed, keep } = readArguments();
  progress(`seed ${seed}`);
  const random = seededRandom(seed);
  const root = await mkdtemp(join(tmpdir(), 'tripoint-e2e-'));
  const configuration = await testConfiguration();
  const { cluster, startMs } = await startSomewhere(root, configuration, random.next);
  progress(`up in ${startMs} ms in ${cluster.dir}`);
  const restart = () => cluster.start(configuration);
  const outcomes: { [name: string]: Outcome } = {};
  for (const name of only) {
    const say = (line: string) => progress(`(${name}) ${line}`);
    outcomes[name] = await runCase(name, { cluster, restart, random, seed, say, rounds, kills });
  }
  const stopMs = Math.round(await cluster.stop());
  progress(`stopped in ${stopMs} ms`);
  const failed = Object.values(outcomes).filter(({ kind }) => kind === 'failed').length;
  if (failed > 0 || keep) {
    progress(`everything is kept in ${root}`);
  } else {
    await rm(root, { recursive: true, force: true });
  }
  const cases = Object.fromEntries(
    Object.entries(outcomes).map(([name, outcome]) => [
      name,
      outcome.kind === 'passed' ? outcome.figures : { error: outcome.error },
    ]),
  );
  const passed = only.length - failed;
  console.log(JSON.stringify({ passed, failed, seed, startMs, stopMs, cases }));
  return failed === 0 ? 0 : 1;
}

// A case that failed may have left clients behind that would go on for ever.
process.exit(await main());
