/**
 * One torture run, from an empty folder to a verdict:
 *
 *   all processes start ─▶ faults ─▶ faults end; all clients must be served ─▶ clients stop
 *   ─▶ one last write; all registers and replicas must become equal ─▶ all stop ─▶ verdict
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandId, type RegionId } from '../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../lib/consensus/bootstrap.ts';
import { isLeader, lastEntry, type Server } from '../../lib/consensus/server.ts';
import { openRegisters } from '../../lib/local/region-stores.ts';
import {
  checkLinearizability,
  type Linearizability,
} from '../../lib/simulation/linearizability.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { now, sleep, until } from '../e2e/support/wait.ts';
import { type JournalEntry, wholeLines } from './entry-journal.ts';
import { Fleet, namesOf } from './fleet.ts';
import { openMember } from './member.ts';
import { type FaultReport, torment } from './nemesis.ts';
import { nowUs, type RecordedOperation, recordedOperations } from './operation-journal.ts';
import { REGIONS } from './settings.ts';
import { violationsIn } from './verdict.ts';

/** After the faults: everybody must be served, and become equal, within these. */
export const HEALED_MS = 15_000;
const LEVEL_MS_MAX = 10_000;
const LAST_WRITE_TRIES = 5;

export interface TortureOptions {
  readonly root: string;
  readonly durationMs: number;
  readonly seed: number;
  readonly isReadConfirmed: boolean;
  readonly say: (line: string) => void;
}

export interface TortureResult {
  readonly operations: readonly RecordedOperation[];
  readonly report: FaultReport;
  readonly linearizability: Linearizability;
  readonly checkMs: number;
  /** From the end of the faults until the last client had a write and a read. */
  readonly recoveryMs: number | null;
  /** Entries, and terms in which some region led. */
  readonly entries: number;
  readonly terms: number;
  readonly compactions: number;
  readonly snapshotInstalls: number;
  /** A sentence for each; linearizability not among them. */
  readonly violations: readonly string[];
}

export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { root, durationMs, seed, say } = options;
  const random = seededRandom(seed);
  const clusterId = `torture-${seed}`;
  const fleet = await Fleet.prepare({ ...options, random, clusterId });
  await fleet.startAll('store');
  await bootstrap(fleet, clusterId);
  await Promise.all([fleet.startAll('control'), fleet.startAll('client')]);
  say('all processes run');
  const faultsEnd = now() + durationMs - HEALED_MS;
  const report = await torment({ fleet, random, until: faultsEnd, say });
  const healedAt = nowUs();
  say('the faults are over');
  await sleep(HEALED_MS);
  const served = fleet.livingClients;
  await fleet.stopAll('client');
  const unlevel = await levelled(fleet);
  await fleet.stopAll('control');
  await fleet.stopAll('store');
  await fleet.close();
  const journals = readJournals(root);
  const recoveryMs = recoveryOf(journals.operations, { served, healedAt });
  const startedAt = now();
  const linearizability = checkLinearizability(journals.operations);
  return {
    operations: journals.operations,
    report,
    linearizability,
    checkMs: Math.round(now() - startedAt),
    recoveryMs,
    entries: Math.max(0, ...journals.entries.flat().map(({ index }) => index)),
    terms: new Set(journals.entries.flat().map(({ term }) => term)).size,
    compactions: journals.count('log-compacted'),
    snapshotInstalls: journals.count('snapshot-installed'),
    violations: [
      ...violationsIn(journals.entries, journals.operations),
      ...fleet.unexpectedEnds.map((end) => `nobody ended it: ${end}`),
      ...journals.errors.map((line) => `logged as an error: ${line}`),
      ...(recoveryMs === null ? [`a client was not served within ${HEALED_MS} ms`] : []),
      ...(unlevel === null ? [] : [unlevel]),
    ],
  };
}

async function bootstrap(fleet: Fleet, clusterId: string): Promise<void> {
  const { registers, close } = openRegisters(clusterId, fleet.stores, 'making');
  await bootstrapCluster({ registers, clusterId, founders: REGIONS.toSorted() });
  close();
}

/** When the last client had both a write and a read that began after the faults; null = never. */
function recoveryOf(
  operations: readonly RecordedOperation[],
  { served, healedAt }: { readonly served: readonly number[]; readonly healedAt: number },
): number | null {
  const late = operations.filter(
    ({ invoke, outcome, index }) => invoke >= healedAt && (outcome === 'ok' || index !== null),
  );
  const firsts = served.flatMap((client) => {
    const own = late.filter((operation) => operation.client === client);
    return [
      own.find(({ op }) => op.kind === 'read')?.complete,
      own.find(({ op }) => op.kind !== 'read')?.complete,
    ];
  });
  const times = firsts.filter((at) => at !== undefined);
  return times.length < firsts.length ? null : Math.round((Math.max(...times) - healedAt) / 1000);
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────────

/**
 * One last write, straight to the stores; then every controller must apply it by itself, and all
 * registers must hold one log. Null = they did; else what did not happen.
 */
async function levelled(fleet: Fleet): Promise<string | null> {
  const [region] = REGIONS;
  if (region === undefined) {
    return 'no region';
  }
  const settings = fleet.memberSettings(region, 'last', null);
  const { host, cluster, close } = openMember(settings, () => undefined);
  try {
    const index = await lastWrite((id) =>
      host.propose(commandId(id), { kind: 'write', key: 'last', value: id }),
    );
    const files = namesOf('control').map((name) => ({ name, index }));
    await until('every controller applied the last write', () => allApplied(fleet, files), {
      timeoutMs: LEVEL_MS_MAX,
    });
    const read = () =>
      Promise.all(REGIONS.map(async (to: RegionId) => cluster.clients.get(to)?.refresh() ?? null));
    await until('all registers are equal', async () => (areLevel(await read()) ? true : null), {
      timeoutMs: LEVEL_MS_MAX,
    });
    return null;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    close();
  }
}

async function lastWrite(
  propose: (id: string) => Promise<{ readonly kind: string; readonly index?: number }>,
): Promise<number> {
  for (let tries = 0; tries < LAST_WRITE_TRIES; tries += 1) {
    const outcome = await propose('last');
    if (outcome.kind === 'committed' && outcome.index !== undefined) {
      return outcome.index;
    }
  }
  throw new Error('not committed: the last write');
}

async function allApplied(
  fleet: Fleet,
  wanted: readonly { readonly name: string; readonly index: number }[],
): Promise<true | null> {
  const isThere = wanted.every(({ name, index }) => {
    const text = readFileSync(fleet.entriesFileOf(name), 'utf8');
    return (wholeLines<JournalEntry>(text).at(-1)?.index ?? 0) >= index;
  });
  return isThere ? true : null;
}

/** One term, one leader, one end, and nothing different in between. */
function areLevel(servers: readonly (Server | null)[]): boolean {
  const found = servers.filter((server) => server !== null);
  const ends = found.map((server) => JSON.stringify([server.term, lastEntry(server)]));
  const floor = Math.max(...found.map(({ base }) => base.index));
  const tails = found.map(({ entries }) =>
    JSON.stringify(entries.filter(({ index }) => index > floor)),
  );
  return (
    found.length === servers.length &&
    found.filter(isLeader).length === 1 &&
    new Set(ends).size === 1 &&
    new Set(tails).size === 1
  );
}

interface Journals {
  readonly operations: readonly RecordedOperation[];
  readonly entries: readonly (readonly JournalEntry[])[];
  /** Lines of logs that say `error`. */
  readonly errors: readonly string[];
  /** How often any process logged this event. */
  readonly count: (event: string) => number;
}

function readJournals(root: string): Journals {
  const texts = (folder: string, prefix: string) =>
    readdirSync(join(root, folder))
      .filter((name) => name.startsWith(prefix))
      .map((name) => readFileSync(join(root, folder, name), 'utf8'));
  const endedAt = nowUs();
  const lines = texts('logs', '').flatMap((text) => text.split('\n'));
  return {
    operations: texts('journals', 'operations-')
      .flatMap((text) => recordedOperations(text, endedAt))
      .sort((left, right) => left.invoke - right.invoke),
    entries: texts('journals', 'entries-').map((text) => wholeLines<JournalEntry>(text)),
    errors: lines.filter((line) => line.includes('"level":"error"')),
    count: (event) => lines.filter((line) => line.includes(`"event":"${event}"`)).length,
  };
}
