/**
 * Calls and returns by time, doubly linked, so that an operation goes out of the list and comes back
 * into it at no cost (Knuth's dancing links).
 *
 * A call and a return of one instant count as concurrent: the call stands first, for the clock cannot
 * tell which came first. Entries are numbers; 0 is the head, which also stands after the last.
 */
import type { Interval } from './register-intervals.ts';

export const HEAD = 0;

export class EntryList {
  readonly #operation: Int32Array;
  readonly #isCall: Uint8Array;
  /** The return of a call; 0 = none. */
  readonly #returnOf: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  constructor(intervals: readonly Interval[]) {
    const entries = entriesOf(intervals);
    const size = entries.length + 1;
    this.#operation = new Int32Array(size);
    this.#isCall = new Uint8Array(size);
    this.#returnOf = new Int32Array(size);
    this.#next = Int32Array.from({ length: size }, (_, place) => (place + 1) % size);
    this.#previous = Int32Array.from({ length: size }, (_, place) => (place + size - 1) % size);
    const callOf = new Int32Array(intervals.length);
    entries.forEach(({ operation, isCall }, position) => {
      const place = position + 1;
      this.#operation[place] = operation;
      if (isCall) {
        this.#isCall[place] = 1;
        callOf[operation] = place;
      } else {
        this.#returnOf[callOf[operation] ?? 0] = place;
      }
    });
  }

  after(entry: number): number {
    return this.#next[entry] ?? HEAD;
  }

  isCall(entry: number): boolean {
    return this.#isCall[entry] === 1;
  }

  operationOf(entry: number): number {
    return this.#operation[entry] ?? 0;
  }

  /** Its return goes first, so that what comes after the call is still known. */
  lift(call: number): void {
    const end = this.#returnOf[call] ?? 0;
    if (end !== 0) {
      this.#unlink(end);
    }
    this.#unlink(call);
  }

  /** In the reverse order of lifting. */
  unlift(call: number): void {
    this.#link(call);
    const end = this.#returnOf[call] ?? 0;
    if (end !== 0) {
      this.#link(end);
    }
  }

  #unlink(entry: number): void {
    const [previous = HEAD, next = HEAD] = [this.#previous[entry], this.#next[entry]];
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #link(entry: number): void {
    const [previous = HEAD, next = HEAD] = [this.#previous[entry], this.#next[entry]];
    this.#next[previous] = entry;
    this.#previous[next] = entry;
  }
}

interface Entry {
  readonly operation: number;
  readonly isCall: boolean;
  readonly at: number;
}

function entriesOf(intervals: readonly Interval[]): readonly Entry[] {
  return intervals
    .flatMap(({ call, end }, operation): readonly Entry[] => [
      { operation, isCall: true, at: call },
      ...(end === null ? [] : [{ operation, isCall: false, at: end }]),
    ])
    .sort((left, right) => left.at - right.at || Number(right.isCall) - Number(left.isCall));
}
