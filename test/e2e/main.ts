/**
 * The end-to-end proof: starts a whole local Tripoint as processes and puts it through cases (a) to
 * (i), with real UDP queries, real HTTP and real `kill -9`. Then a second one, with other strategies,
 * for (j) to (m), and one beside a BIND 9 for (n).
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
import { warmStandby } from './cases/j-warm-standby.ts';
import { weights } from './cases/k-weights.ts';
import { drill } from './cases/l-drill.ts';
import { alarm } from './cases/m-alarm.ts';
import { bindAsSwitch } from './cases/n-bind.ts';
import { readmeTranscript } from './cases/readme.ts';
import type { Case, Figures } from './support/case.ts';
import { LocalCluster } from './support/cluster.ts';
import { type SeededRandom, seededRandom } from './support/random.ts';
import type { RecoveryCase } from './support/recovery-case.ts';
import { recoveryConfiguration, startSurroundings } from './support/recovery-place.ts';
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

/** On a cluster of their own, whose services have other strategies. */
const RECOVERY_CASES: { readonly [name: string]: RecoveryCase } = {
  j: warmStandby,
  k: weights,
  l: drill,
  m: alarm,
};

/** Cases of one service come one after the other, those of different ones do not wait for each other. */
const RECOVERY_LANES = ['j', 'k', 'lm'];

/** Starts what it needs by itself. */
const BIND_CASE = 'n';

const ALL_CASES = [...Object.keys(CASES), ...Object.keys(RECOVERY_CASES), BIND_CASE];

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
      only: { type: 'string', default: ALL_CASES.join() },
      rounds: { type: 'string', default: '5' },
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((name) => !ALL_CASES.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`no case ${unknown}; there are ${ALL_CASES.join(', ')}`);
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

function portBaseBy(random: () => number): number {
  const span = PORT_BASE_MAX - PORT_BASE_MIN;
  return PORT_BASE_MIN + Math.floor((random() * span) / 100) * 100;
}

async function startSomewhere(
  root: string,
  configuration: string,
  random: () => number,
): Promise<{ readonly cluster: LocalCluster; readonly startMs: number }> {
  for (let tries = 1; ; tries += 1) {
    const cluster = new LocalCluster({ root, portBase: portBaseBy(random) });
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

async function runCase(name: string, run: () => Promise<Figures>): Promise<Outcome> {
  const startedAt = now();
  const seconds = () => ((now() - startedAt) / 1000).toFixed(1);
  try {
    const figures = await run();
    progress(`(${name}) passed in ${seconds()} s: ${JSON.stringify(figures)}`);
    return { kind: 'passed', figures };
  } catch (thrown) {
    const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    progress(`(${name}) FAILED after ${seconds()} s: ${error}`);
    return { kind: 'failed', error };
  }
}

type Outcomes = { [name: string]: Outcome };

const sayFor = (name: string) => (line: string) => progress(`(${name}) ${line}`);

interface Place {
  readonly root: string;
  readonly random: SeededRandom;
  readonly outcomes: Outcomes;
}

/** Resolves with how long the cluster took to start and to stop. */
async function runDemoCases(arguments_: Arguments, place: Place): Promise<Times> {
  const { rounds, kills, seed } = arguments_;
  const { root, random, outcomes } = place;
  const configuration = await testConfiguration();
  const { cluster, startMs } = await startSomewhere(root, configuration, random.next);
  progress(`up in ${startMs} ms in ${cluster.dir}`);
  const restart = () => cluster.start(configuration);
  for (const [name, run] of chosen(CASES, arguments_)) {
    const context = { cluster, restart, random, seed, say: sayFor(name), rounds, kills };
    outcomes[name] = await runCase(name, () => run(context));
  }
  const stopMs = Math.round(await cluster.stop());
  progress(`stopped in ${stopMs} ms`);
  return { startMs, stopMs };
}

interface Times {
  readonly startMs: number;
  readonly stopMs: number;
}

async function runRecoveryCases(arguments_: Arguments, place: Place): Promise<void> {
  const { random, outcomes } = place;
  const root = join(place.root, 'recovery');
  const surroundings = await startSurroundings();
  const configuration = recoveryConfiguration(surroundings);
  const { cluster, startMs } = await startSomewhere(root, configuration, random.next);
  progress(`services with strategies are up in ${startMs} ms`);
  const cases = chosen(RECOVERY_CASES, arguments_);
  const lanes = RECOVERY_LANES.map((lane) => cases.filter(([name]) => lane.includes(name)));
  const work = lanes.map(async (lane) => {
    for (const [name, run] of lane) {
      const context = { cluster, surroundings, say: sayFor(name) };
      outcomes[name] = await runCase(name, () => run(context));
    }
  });
  await Promise.all(work);
  await cluster.stop();
  surroundings.stop();
}

function chosen<Kind>(
  cases: { readonly [name: string]: Kind },
  { only }: Arguments,
): readonly (readonly [string, Kind])[] {
  return Object.entries(cases).filter(([name]) => only.includes(name));
}

async function main(): Promise<number> {
  const arguments_ = readArguments();
  const { only, seed, keep } = arguments_;
  progress(`seed ${seed}`);
  const random = seededRandom(seed);
  const root = await mkdtemp(join(tmpdir(), 'tripoint-e2e-'));
  const place: Place = { root, random, outcomes: {} };
  const { outcomes } = place;
  const isChosen = (group: object) => Object.keys(group).some((name) => only.includes(name));
  const times = isChosen(CASES) ? await runDemoCases(arguments_, place) : {};
  if (isChosen(RECOVERY_CASES)) {
    await runRecoveryCases(arguments_, place);
  }
  if (only.includes(BIND_CASE)) {
    const portBase = portBaseBy(random.next);
    const context = { portBase, configuration: await testConfiguration(), say: sayFor(BIND_CASE) };
    outcomes[BIND_CASE] = await runCase(BIND_CASE, () => bindAsSwitch(context));
  }
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
  console.log(JSON.stringify({ passed, failed, seed, ...times, cases }));
  return failed === 0 ? 0 : 1;
}

// A case that failed may have left clients behind that would go on for ever.
process.exit(await main());
