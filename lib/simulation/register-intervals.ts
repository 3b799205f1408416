/**
 * The operations on one register as a checker of linearizability wants them: intervals of time, and
 * what each needs of the register and does to it, with values as small numbers.
 *
 * What is unknown makes the search exponential: a write that may take effect at any time, or never,
 * can be tried everywhere. Two facts about values rid it of nearly all of that, both exact:
 *
 * - Nobody saw it. If no operation wants to find the value, then whatever comes next after the write is
 *   a write too, and without it all is as before. It is left out. (Not where some `cas` is known to have
 *   found another value than it wanted: such an operation sees every value.)
 * - Somebody saw it, and nobody else writes that value. Then it took effect, at the latest when the
 *   first who saw it got the answer. It is an operation like any other, with that end.
 *
 * Where values are written once only, as our own clients do, no operation is open after this.
 */
import type { HistoryOperation } from './history.ts';

/** A value as a number; the value before any write is 0. */
export type ValueNumber = number;

export const NEVER_WRITTEN: ValueNumber = 0;

export interface Interval {
  readonly operation: HistoryOperation;
  readonly call: number;
  /** Null: it may take effect at any time after `call`, or never. */
  readonly end: number | null;
  /** What the register must hold just before; null = anything. */
  readonly finds: ValueNumber | null;
  /** What it must not hold just before. */
  readonly misses: ValueNumber | null;
  /** What it holds just after; null = what it held. */
  readonly writes: ValueNumber | null;
}

export interface RegisterIntervals {
  /** By time of call. */
  readonly intervals: readonly Interval[];
  /** By number. */
  readonly values: readonly (string | null)[];
}

/** `operations` are all of one key. */
export function intervalsOf(operations: readonly HistoryOperation[]): RegisterIntervals {
  const values = new Values();
  const intervals = operations
    .filter(({ op, outcome }) => outcome === 'ok' || (outcome === 'unknown' && op.kind !== 'read'))
    .map((operation) => intervalOf(operation, values))
    .sort((left, right) => left.call - right.call);
  const settled = withKnownEnds(intervals);
  return { intervals: withoutUnseen(settled), values: values.texts };
}

class Values {
  readonly texts: (string | null)[] = [null];
  readonly #numbers = new Map<string, ValueNumber>();

  numberOf(text: string): ValueNumber {
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      return known;
    }
    this.#numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

const UNTOUCHED = { finds: null, misses: null, writes: null };

function intervalOf(operation: HistoryOperation, values: Values): Interval {
  const { op, invoke: call, complete, outcome, result } = operation;
  const times = { operation, call, end: outcome === 'ok' ? complete : null };
  switch (op.kind) {
    case 'write':
      return { ...times, ...UNTOUCHED, writes: values.numberOf(op.value) };
    case 'read': {
      const finds = typeof result === 'string' ? values.numberOf(result) : NEVER_WRITTEN;
      return { ...times, ...UNTOUCHED, finds };
    }
    case 'cas': {
      const from = values.numberOf(op.from);
      const hasMissed = outcome === 'ok' && result === false;
      return hasMissed
        ? { ...times, ...UNTOUCHED, misses: from }
        : { ...times, misses: null, finds: from, writes: values.numberOf(op.to) };
    }
  }
}

/** Gives an end to what must have taken effect because somebody saw its value. */
function withKnownEnds(intervals: readonly Interval[]): readonly Interval[] {
  const writers = Map.groupBy(intervals, ({ writes }) => writes);
  const ends = new Map(intervals.map((interval) => [interval, interval.end]));
  const seen = intervals.filter(({ end }) => end !== null);
  for (let seer = seen.pop(); seer !== undefined; seer = seen.pop()) {
    const end = ends.get(seer) ?? Number.POSITIVE_INFINITY;
    const [writer, another] = seer.finds === null ? [] : (writers.get(seer.finds) ?? []);
    const isOnlyWriter = writer !== undefined && another === undefined && writer.end === null;
    // Seen before it was asked for: left open, so that whoever saw it is found to be wrong.
    if (
      isOnlyWriter &&
      writer.call <= end &&
      end < (ends.get(writer) ?? Number.POSITIVE_INFINITY)
    ) {
      ends.set(writer, end);
      seen.push(writer);
    }
  }
  return intervals.map((interval) => ({ ...interval, end: ends.get(interval) ?? null }));
}

/** Leaves out open operations whose value nobody can have looked for. */
function withoutUnseen(intervals: readonly Interval[]): readonly Interval[] {
  if (intervals.some(({ misses }) => misses !== null)) {
    return intervals;
  }
  const kept = new Set(intervals.filter(({ end }) => end !== null));
  const wanted = [...kept].flatMap(({ finds }) => finds ?? []);
  const open = Map.groupBy(
    intervals.filter(({ end }) => end === null),
    ({ writes }) => writes,
  );
  for (let value = wanted.pop(); value !== undefined; value = wanted.pop()) {
    const writers = open.get(value) ?? [];
    open.delete(value);
    for (const writer of writers) {
      kept.add(writer);
      if (writer.finds !== null) {
        wanted.push(writer.finds);
      }
    }
  }
  return intervals.filter((interval) => kept.has(interval));
}
