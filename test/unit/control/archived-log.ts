/** Logs as the archive of a region holds them: real entries, a real chain, segments of any size. */
import { createHash } from 'node:crypto';
import { commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import {
  type AppliedEntry,
  applyEntries,
  emptyReplica,
  type Replica,
} from '../../../lib/consensus/replica.ts';
import type { Entry } from '../../../lib/consensus/server.ts';
import { Archive } from '../../../lib/control/archive.ts';
import type { LogPlace } from '../../../lib/control/log-audit.ts';
import { encodeLogLine, encodeTrailer, viewOf } from '../../../lib/control/log-line.ts';
import { linesOf, segmentPieces } from '../../../lib/control/log-piece.ts';
import { createControlMachine } from '../../../lib/control/machine.ts';
import { StateSnapshots } from '../../../lib/control/state-snapshot.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { createLogStory, type LogStory } from '../../support/log-story.ts';
import { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import { OBSERVERS } from '../../support/service-states.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface ArchivedLog {
  readonly applied: readonly AppliedEntry[];
  /** What the region's replica was after each entry; [0] = before the first. */
  readonly replicas: readonly Replica<RecoveryState>[];
}

/** What a story wrote, as the log has it, with a no-op where a term begins. */
export function logOf(story: LogStory): ArchivedLog {
  const entries: readonly Entry[] = story.log().map(({ index, term: entryTerm, command }) => ({
    index,
    term: entryTerm,
    command: {
      id: commandId(`command-${index}`),
      basis: logIndex(0),
      body: command as unknown as JsonValue,
    },
  }));
  const machine = createControlMachine(OBSERVERS);
  const replicas = [emptyReplica(machine)];
  const applied = entries.flatMap((entry) => {
    const before = replicas.at(-1) ?? emptyReplica(machine);
    const result = applyEntries(before, [entry], { machine, sha256 });
    replicas.push(result.replica);
    return result.applied;
  });
  return { applied, replicas };
}

/** `count` notes, a no-op among every ten entries, a new term with each no-op. */
export function notesLog(count: number): ArchivedLog {
  const machine = createControlMachine(OBSERVERS);
  const entries = Array.from({ length: count }, (_, place): Entry => {
    const index = logIndex(place + 1);
    const reason = `note ${index}: „ü“`;
    const body = { kind: 'note', service: 'checkout', by: 'ann', reason, at: 1000 + index };
    const command = { id: commandId(`command-${index}`), basis: logIndex(0), body };
    const isNoOp = place % 10 === 0;
    return { index, term: term(1 + Math.floor(place / 10)), command: isNoOp ? null : command };
  });
  const start = emptyReplica(machine);
  const { replica, applied } = applyEntries(start, entries, { machine, sha256 });
  return { applied, replicas: [start, replica] };
}

/** The same log with some entries changed, and every link made anew: a forgery by someone who can hash. */
export function rewritten({ applied }: ArchivedLog, change: (entry: Entry) => Entry): ArchivedLog {
  const machine = createControlMachine(OBSERVERS);
  const start = emptyReplica(machine);
  const entries = applied.map(({ entry }) => change(entry));
  const result = applyEntries(start, entries, { machine, sha256 });
  return { applied: result.applied, replicas: [start, result.replica] };
}

/** The same entries in a store, in segments that end where `ends` says. */
export async function stored(
  { applied }: ArchivedLog,
  ends: readonly number[],
): Promise<MemorySnapshotStore> {
  const store = new MemorySnapshotStore();
  const archive = new Archive({ own: store.port, all: new Map() });
  let from = 0;
  for (const end of ends) {
    archive.take(applied.slice(from, end));
    await archive.tick(logIndex(end));
    from = end;
  }
  return store;
}

export function placeOf(name: string, { port }: MemorySnapshotStore): LogPlace {
  return { name, pieces: () => segmentPieces(name, port), store: port };
}

/** As an exported file holds it. */
export function exported({ applied }: ArchivedLog, first = 1): Uint8Array {
  const views = applied.map(viewOf).filter(({ index }) => index >= first);
  const last = views.at(-1);
  const lines = views.map(encodeLogLine);
  const trailer = encodeTrailer({ first, last: last?.index ?? 0, chain: last?.chain ?? '' });
  return new TextEncoder().encode([...lines, trailer, ''].join('\n'));
}

export function filePlace(bytes: Uint8Array, first = 1): LogPlace {
  const piece = { source: 'file', name: 'file', first, last: null, read: () => linesOf([bytes]) };
  return {
    name: 'file',
    pieces: () => Promise.resolve({ kind: 'found', pieces: [piece] }),
    store: null,
  };
}

/** Overwrites an object, as no region ever does. */
export async function overwrite(
  store: MemorySnapshotStore,
  key: string,
  change: (text: string) => string,
): Promise<void> {
  const text = change(store.text(key));
  store.lose(key);
  await store.port.put(key, new TextEncoder().encode(text));
}

/** Keeps a copy of the state, as a region does each minute. */
export async function keepCopy(
  { replicas }: ArchivedLog,
  index: number,
  store: MemorySnapshotStore,
): Promise<void> {
  const replica = replicas.find(({ applied }) => applied.index === index);
  if (replica === undefined) {
    throw new Error(`no replica at ${index}`);
  }
  await new StateSnapshots([store.port]).take(replica);
}

/** A story with a failover in it. */
export function failoverStory(): LogStory {
  const story = createLogStory();
  story.configure();
  story.finishRuns();
  for (const site of ['us-east-1', 'us-west-2']) {
    story.say(site, 'healthy');
  }
  story.elect();
  story.wait(60_000);
  story.say('us-east-1', 'failed');
  story.finishRuns();
  return story;
}
