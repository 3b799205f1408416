/**
 * Looks for an order of the operations on one register that explains what everybody was told: Wing and
 * Gong's algorithm ("Testing and verifying concurrent objects", 1993) with Lowe's memory of
 * configurations ("Testing for linearizability", 2017), as in porcupine.
 *
 * Calls and returns stand in a list by time. The search takes some call that stands before the first
 * return, lets it take effect, and takes it and its return out of the list. When it meets a return, the
 * operation should have taken effect by now: it goes back and tries another call. A configuration (who
 * has taken effect, what the register holds) that was met before leads nowhere new.
 *
 * Registers allow four shortcuts, all exact, without which a wrong history of twenty clients would
 * take for ever:
 * - What changes nothing and fits takes effect at once: wherever else it could stand, it can stand here.
 * - A write that nobody looks for takes effect just before some other write: nobody can tell.
 * - A value that is overwritten while somebody still has to find it, and that nobody is left to write,
 *   is a dead end.
 * - All before the first operation that is missing have taken effect, and none called after its return
 *   has: only what lies between is remembered of a configuration, and a value only if it is looked for.
 *
 * Invariant: it takes no more steps than it was given; who runs out of them says `unknown`.
 */
import { invariant } from '../base/invariant.ts';
import { EntryList, HEAD } from './entry-list.ts';
import {
  type Interval,
  NEVER_WRITTEN,
  type RegisterIntervals,
  type ValueNumber,
} from './register-intervals.ts';

export type SearchOutcome = {
  readonly kind: 'ok' | 'illegal' | 'unknown';
  readonly steps: number;
  /** If ok: what the register holds at the end of the order that was found. */
  readonly value: ValueNumber;
};

/** A configuration is remembered as text; so many operations in it cost one step more. */
const OPERATIONS_PER_STEP = 16;
/** Operations in one character of that text. */
const CHARACTER_BITS = 16;

interface Taken {
  readonly entry: number;
  readonly valueBefore: ValueNumber;
  /** Whether another call in its place may lead further. */
  readonly isChoice: boolean;
}

export function searchLinearization(register: RegisterIntervals, stepsMax: number): SearchOutcome {
  return new Search(register).run(stepsMax);
}

class Search {
  readonly #intervals: readonly Interval[];
  readonly #list: EntryList;
  readonly #done: Uint8Array;
  /** Operations with an end, and those without, each by time of call. */
  readonly #definite: readonly number[];
  readonly #open: readonly number[];
  /** Place of a definite operation among its kind. */
  readonly #placeOf: Int32Array;
  /** For each definite operation how many of them are called before its return. */
  readonly #windowEnd: Int32Array;
  /** For each value who still has to find it, who may still want to, and who may still write it. */
  readonly #finders: Int32Array;
  readonly #seekers: Int32Array;
  readonly #writers: Int32Array;
  /** Whether some operation sees every value, because it knows what it did not find. */
  readonly #hasMisses: boolean;
  readonly #met = new Set<string>();
  readonly #taken: Taken[] = [];
  #value: ValueNumber = NEVER_WRITTEN;
  /** Place of the first definite operation that has not taken effect. */
  #low = 0;
  #definiteLeft: number;
  #steps = 0;

  constructor({ intervals, values }: RegisterIntervals) {
    this.#intervals = intervals;
    this.#list = new EntryList(intervals);
    this.#done = new Uint8Array(intervals.length);
    const numbers = intervals.map((_, number) => number);
    this.#definite = numbers.filter((number) => intervals[number]?.end !== null);
    this.#open = numbers.filter((number) => intervals[number]?.end === null);
    this.#placeOf = new Int32Array(intervals.length);
    for (const [place, number] of this.#definite.entries()) {
      this.#placeOf[number] = place;
    }
    this.#windowEnd = windowEnds(this.#definite.flatMap((number) => intervals[number] ?? []));
    this.#finders = new Int32Array(values.length);
    this.#seekers = new Int32Array(values.length);
    this.#writers = new Int32Array(values.length);
    for (const interval of intervals) {
      this.#count(interval, 1);
    }
    this.#hasMisses = intervals.some(({ misses }) => misses !== null);
    this.#definiteLeft = this.#definite.length;
  }

  run(stepsMax: number): SearchOutcome {
    let entry = this.#advance();
    while (this.#definiteLeft > 0) {
      this.#steps += 1;
      if (this.#steps > stepsMax) {
        return this.#outcome('unknown');
      }
      if (this.#list.isCall(entry)) {
        entry = this.#choose(entry) ? this.#advance() : this.#list.after(entry);
        continue;
      }
      const last = this.#lastChoice();
      if (last === null) {
        return this.#outcome('illegal');
      }
      entry = this.#list.after(last.entry);
    }
    return this.#outcome('ok');
  }

  #outcome(kind: SearchOutcome['kind']): SearchOutcome {
    return { kind, steps: this.#steps, value: this.#value };
  }

  /** Takes whatever fits and changes nothing. Returns the first entry after that. */
  #advance(): number {
    let entry = this.#list.after(HEAD);
    while (this.#list.isCall(entry)) {
      this.#steps += 1;
      const { writes, ...needs } = this.#intervalAt(entry);
      if (writes === null && accepts(needs, this.#value)) {
        this.#take(entry, { value: this.#value, isChoice: false });
      }
      entry = this.#list.after(entry);
    }
    return this.#list.after(HEAD);
  }

  /** Lets a write take effect, unless it cannot, or nothing new comes of it. */
  #choose(entry: number): boolean {
    const interval = this.#intervalAt(entry);
    if (interval.writes === null || !accepts(interval, this.#value)) {
      return false;
    }
    // Looked for while its return still stands: what is called after that cannot come before it.
    const unsought = interval.finds === null ? this.#unsought() : [];
    const valueBefore = this.#value;
    this.#take(entry, { value: interval.writes, isChoice: true });
    for (const other of unsought.filter((one) => one !== entry)) {
      this.#take(other, { value: this.#value, isChoice: false });
    }
    const isDeadEnd = this.#value !== valueBefore && this.#isMissed(valueBefore);
    if (isDeadEnd || !this.#isNew()) {
      this.#lastChoice();
      return false;
    }
    return true;
  }

  /** Calls of writes that can take effect now and that nobody will look for. */
  #unsought(): readonly number[] {
    const found: number[] = [];
    let entry = this.#list.after(HEAD);
    while (this.#list.isCall(entry)) {
      this.#steps += 1;
      const { finds, writes } = this.#intervalAt(entry);
      if (finds === null && !this.#isSought(writes)) {
        found.push(entry);
      }
      entry = this.#list.after(entry);
    }
    return found;
  }

  #isMissed(value: ValueNumber): boolean {
    return (this.#finders[value] ?? 0) > 0 && this.#writers[value] === 0;
  }

  #isSought(value: ValueNumber | null): boolean {
    return value === null || this.#hasMisses || (this.#seekers[value] ?? 0) > 0;
  }

  #take(entry: number, after: { readonly value: ValueNumber; readonly isChoice: boolean }): void {
    this.#taken.push({ entry, valueBefore: this.#value, isChoice: after.isChoice });
    this.#value = after.value;
    this.#mark(this.#list.operationOf(entry), 1);
    this.#list.lift(entry);
  }

  /** Takes all back from the last choice on; null = there was none. */
  #lastChoice(): Taken | null {
    for (let last = this.#taken.pop(); last !== undefined; last = this.#taken.pop()) {
      this.#mark(this.#list.operationOf(last.entry), 0);
      this.#value = last.valueBefore;
      this.#list.unlift(last.entry);
      if (last.isChoice) {
        return last;
      }
    }
    return null;
  }

  #mark(number: number, done: 0 | 1): void {
    const interval = this.#intervalOf(number);
    this.#done[number] = done;
    this.#count(interval, done === 1 ? -1 : 1);
    if (interval.end === null) {
      return;
    }
    this.#definiteLeft += done === 1 ? -1 : 1;
    if (done === 0) {
      this.#low = Math.min(this.#low, this.#placeOf[number] ?? 0);
    }
    while (this.#done[this.#definite[this.#low] ?? -1] === 1) {
      this.#low += 1;
    }
  }

  #intervalAt(entry: number): Interval {
    return this.#intervalOf(this.#list.operationOf(entry));
  }

  #intervalOf(number: number): Interval {
    const interval = this.#intervals[number];
    invariant(interval !== undefined, 'no-such-operation', { number });
    return interval;
  }

  #count({ finds, writes, end }: Interval, change: 1 | -1): void {
    if (finds !== null) {
      add(this.#seekers, finds, change);
      // What may never take effect need not find anything.
      add(this.#finders, finds, end === null ? 0 : change);
    }
    if (writes !== null) {
      add(this.#writers, writes, change);
    }
  }

  #isNew(): boolean {
    const before = this.#met.size;
    this.#met.add(this.#configuration());
    return this.#met.size > before;
  }

  #configuration(): string {
    const end = this.#windowEnd[this.#low] ?? this.#low;
    this.#steps += Math.floor((end - this.#low + this.#open.length) / OPERATIONS_PER_STEP);
    const value = this.#isSought(this.#value) ? this.#value : '-';
    const window = this.#bits(this.#definite, this.#low, end);
    const open = this.#bits(this.#open, 0, this.#open.length);
    return `${value} ${this.#low} ${window}${open}`;
  }

  /** Which of these operations, from one place to another, have taken effect. */
  #bits(numbers: readonly number[], from: number, to: number): string {
    let text = '';
    for (let start = from; start < to; start += CHARACTER_BITS) {
      let code = 0;
      for (let place = start; place < Math.min(to, start + CHARACTER_BITS); place += 1) {
        code = code * 2 + (this.#done[numbers[place] ?? 0] ?? 0);
      }
      text += String.fromCharCode(code);
    }
    return text;
  }
}

function add(counts: Int32Array, place: number, change: number): void {
  counts[place] = (counts[place] ?? 0) + change;
}

function accepts(
  { finds, misses }: Pick<Interval, 'finds' | 'misses'>,
  value: ValueNumber,
): boolean {
  return (finds === null || finds === value) && misses !== value;
}

/** How many of these, which stand by time of call, are called before the return of each. */
function windowEnds(definite: readonly Interval[]): Int32Array {
  const calls = Float64Array.from(definite, ({ call }) => call);
  return Int32Array.from(definite, ({ end }) => countUpTo(calls, end ?? 0));
}

/** How many numbers of this ascending list are at most `limit`. */
function countUpTo(ascending: Float64Array, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
