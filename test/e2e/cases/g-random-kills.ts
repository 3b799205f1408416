/**
 * (g) Random `kill -9` of any process during a load of commands: no acknowledged command is lost, and
 * none takes effect twice. The log, read through every region, is held against what clients saw.
 */
import type { LogJson } from '../../../lib/api/schemas.ts';
import { killAtRandom } from '../support/assassin.ts';
import type { Case, CaseContext, Figures } from '../support/case.ts';
import { REGIONS } from '../support/cluster.ts';
import { type NoteClient, type NoteRecord, startNoteClient } from '../support/note-client.ts';
import { seededRandom } from '../support/random.ts';
import { baseline, levelStatus } from '../support/situation.ts';
import { type TimelineWatch, watchTimeline } from '../support/timeline-watch.ts';
import { now, require, until } from '../support/wait.ts';

const CLIENTS = 8;
const PROGRESS_EVERY = 10;

export const randomKills: Case = async (context) => {
  const { cluster, seed } = context;
  await baseline(cluster);
  const watch = watchTimeline(cluster);
  const clients = Array.from({ length: CLIENTS }, (_, position) =>
    startNoteClient({
      cluster,
      random: seededRandom(seed * 31 + position),
      name: `g-${seed}-${process.pid}-${position}`,
    }),
  );
  try {
    return await killUnderLoad(context, { watch, clients });
  } finally {
    void watch.stop();
    for (const client of clients) {
      void client.stop();
    }
  }
};

interface Load {
  readonly watch: TimelineWatch;
  readonly clients: readonly NoteClient[];
}

async function killUnderLoad(
  { cluster, random, kills, say }: CaseContext,
  { watch, clients }: Load,
): Promise<Figures> {
  const startedAt = now();
  const killings = await killAtRandom({
    cluster,
    random,
    kills,
    onKill: ({ order, name }) => {
      if (order % PROGRESS_EVERY === 0) {
        const notes = clients.reduce((sum, { count }) => sum + count(), 0);
        say(`kill ${order} of ${kills} (${name}), ${notes} notes so far`);
      }
    },
  });
  const killingMs = Math.round(now() - startedAt);
  const records = (await Promise.all(clients.map(({ stop }) => stop()))).flat();
  const level = await until('all regions stand at the same entry', () => levelStatus(cluster), {
    timeoutMs: 30_000,
  });
  const effects = await watch.stop();
  const logs = await Promise.all(REGIONS.map((region) => cluster.wholeLog(region)));
  const [log = [], ...others] = logs;
  for (const other of others) {
    requireSameLog(log, other);
  }
  requireContiguous(log);
  require((log.at(-1)?.index ?? 0) >=
    level.consensus.appliedIndex, 'the log that is served ends before the applied entry');
  const duplicates = requireKept(records, log);
  requireOneEffect(records, effects);
  const fates = countBy(records, ({ fate }) => fate);
  return {
    kills: killings.length,
    killsOf: countBy(killings, ({ name }) => name),
    killingMs,
    notes: records.length,
    acknowledged: fates['acknowledged'] ?? 0,
    absent: fates['absent'] ?? 0,
    unknown: fates['unknown'] ?? 0,
    retried: records.filter(({ attempts }) => attempts > 1).length,
    repeatedEntries: duplicates,
    entries: log.length,
    effectsSeen: effects.size,
    totalMs: Math.round(now() - startedAt),
  };
}

type Entries = LogJson['entries'];

function requireSameLog(one: Entries, other: Entries): void {
  const shorter = Math.min(one.length, other.length);
  for (let position = 0; position < shorter; position += 1) {
    const [left, right] = [one[position], other[position]];
    require(left?.index === right?.index &&
      left?.chain ===
        right?.chain, `two regions serve different entries at ${left?.index}/${right?.index}`);
  }
}

function requireContiguous(log: Entries): void {
  log.forEach(({ index }, position) => {
    require(index === position + 1, `entry ${position + 1} is missing from the log`);
  });
}

/** Returns how many entries repeat an earlier command; those take no effect. */
function requireKept(records: readonly NoteRecord[], log: Entries): number {
  const positions = new Map<string, number[]>();
  for (const { command, index } of log) {
    if (command !== null) {
      positions.set(command, [...(positions.get(command) ?? []), index]);
    }
  }
  let repeated = 0;
  for (const { key, text, indexes, fate } of records) {
    const at = positions.get(`key:${key}`) ?? [];
    repeated += Math.max(0, at.length - 1);
    if (fate === 'absent') {
      require(at.length === 0, `${key} was refused for certain, but stands at ${at.join()}`);
    }
    if (fate === 'acknowledged') {
      require(at.length > 0, `${key} was acknowledged and is lost`);
      require(indexes.every(
        (index) => index === at[0],
      ), `${key} was acknowledged at ${indexes.join()} and stands at ${at.join()}`);
      const entry = log[(at[0] ?? 0) - 1];
      require(JSON.stringify(entry?.body).includes(text), `${key} holds another text`);
    }
  }
  return repeated;
}

function requireOneEffect(
  records: readonly NoteRecord[],
  effects: ReadonlyMap<string, ReadonlySet<number>>,
): void {
  const known = new Map(records.map((record) => [`operator: ${record.text}`, record]));
  for (const [sentence, indexes] of effects) {
    require(indexes.size === 1, `"${sentence}" took effect at ${[...indexes].join()}`);
    const record = known.get(sentence);
    const [index] = indexes;
    require(record === undefined ||
      record.fate !== 'acknowledged' ||
      record.indexes[0] ===
        index, `"${sentence}" took effect at ${index}, acknowledged at ${record?.indexes.join()}`);
  }
  const acknowledged = records.filter(({ fate }) => fate === 'acknowledged');
  const unseen = acknowledged.filter(({ text }) => !effects.has(`operator: ${text}`));
  require(unseen.length === 0, `${unseen.length} acknowledged notes never showed on the timeline`);
}

function countBy<Value>(values: readonly Value[], name: (value: Value) => string) {
  const counts: Record<string, number> = {};
  for (const value of values) {
    counts[name(value)] = (counts[name(value)] ?? 0) + 1;
  }
  return counts;
}
