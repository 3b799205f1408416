/**
 * (g) Random `kill -9` of any process during a load of commands: no acknowledged command is lost, and
 * none takes effect twice. The log, read through every region, is held against what clients saw.
 */
import { killAtRandom } from '../support/assassin.ts';
import type { Case, CaseContext, Figures } from '../support/case.ts';
import { REGIONS } from '../support/cluster.ts';
import {
  requireContiguous,
  requireKept,
  requireOneEffect,
  requireSameLog,
} from '../support/log-comparison.ts';
import { type NoteClient, startNoteClient } from '../support/note-client.ts';
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

function countBy<Value>(values: readonly Value[], name: (value: Value) => string) {
  const counts: Record<string, number> = {};
  for (const value of values) {
    counts[name(value)] = (counts[name(value)] ?? 0) + 1;
  }
  return counts;
}
