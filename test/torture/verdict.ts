/**
 * Holds what the replicas applied against what the clients were told. Pure; independent of the checker
 * of linearizability, which sees only what clients saw.
 *
 * - State machine safety: one entry and one hash chain at each index, on whichever replica.
 * - Nothing is missing between the first entry and the last.
 * - Exactly once: a command takes effect at one index at most, the same on all replicas.
 * - What was acknowledged took effect at the index that the client was told.
 * - What was rejected is not in the log.
 */
import type { JournalEntry } from './entry-journal.ts';
import type { RecordedOperation } from './operation-journal.ts';

/** Sentences, one for each violation; none = all holds. */
export function violationsIn(
  journals: readonly (readonly JournalEntry[])[],
  operations: readonly RecordedOperation[],
): readonly string[] {
  const log = new Map<number, JournalEntry>();
  const violations: string[] = [];
  for (const entry of journals.flat()) {
    const known = log.get(entry.index);
    if (known === undefined) {
      log.set(entry.index, entry);
    } else if (!isSame(known, entry)) {
      violations.push(
        `replicas applied different entries at ${entry.index}: ${told(known)} and ${told(entry)}`,
      );
    }
  }
  return [...violations, ...gaps(log), ...repeats(log), ...brokenPromises(log, operations)];
}

function isSame(left: JournalEntry, right: JournalEntry): boolean {
  return (
    left.chain === right.chain &&
    left.term === right.term &&
    left.id === right.id &&
    left.tookEffect === right.tookEffect
  );
}

function told({ id, term, chain, tookEffect }: JournalEntry): string {
  return `${id ?? 'no command'} of term ${term} ${tookEffect ? 'with' : 'without'} effect (${chain.slice(0, 8)})`;
}

function gaps(log: ReadonlyMap<number, JournalEntry>): readonly string[] {
  const last = Math.max(0, ...log.keys());
  const missing = Array.from({ length: last }, (_, position) => position + 1).filter(
    (index) => !log.has(index),
  );
  return missing.length === 0
    ? []
    : [`nobody applied ${missing.length} entries below ${last}, the first at ${missing[0]}`];
}

function repeats(log: ReadonlyMap<number, JournalEntry>): readonly string[] {
  const effects = [...log.values()].filter(({ id, tookEffect }) => id !== null && tookEffect);
  return [...Map.groupBy(effects, ({ id }) => id)]
    .filter(([, entries]) => entries.length > 1)
    .map(([id, entries]) => `${id} took effect at ${entries.map(({ index }) => index).join(', ')}`);
}

function brokenPromises(
  log: ReadonlyMap<number, JournalEntry>,
  operations: readonly RecordedOperation[],
): readonly string[] {
  const present = new Set([...log.values()].map(({ id }) => id));
  return operations.flatMap(({ id, op, outcome, index }) => {
    if (index !== null) {
      const entry = log.get(index);
      const isKept = entry?.id === id && entry.tookEffect;
      return isKept ? [] : [`${id} was acknowledged at ${index}, where it did not take effect`];
    }
    const isRejected = outcome === 'fail' && op.kind !== 'read';
    return isRejected && present.has(id) ? [`${id} was rejected and is in the log`] : [];
  });
}
