/**
 * The newest 200 intervals of one site as a value: in order of arrival, in ascending order, summed.
 *
 * Copying 200 numbers and sorting them anew would cost a beat fifty times what the beat itself
 * costs. So successive versions share one store: the newest version appends in place, older ones
 * still find their intervals in front of it, because a written slot is never written again. Only the
 * ascending orders belong to the newest version, and catch up with it when they are asked for; an
 * older version that is asked sorts a copy. (Baker, "Shallow binding makes functional arrays fast",
 * 1991.)
 *
 * Invariant: no reader ever sees a version change. What it shows is the same before and after any
 * version is extended, and its sums are those of a recomputation, for they are sums of integers.
 */
import { invariant } from '../base/invariant.ts';
import { INTERVALS_MAX, SHORT_INTERVALS } from './limits.ts';
import { insertSorted, replaceSorted } from './sorted-quanta.ts';

/** Free slots of a new store: so many beats pass between two copies. */
const SPARE_SLOTS = 100;
/** Orders that are further behind than this are sorted anew: catching up would cost more. */
const CATCH_UP_MAX = 30;

/** A list of at most 200 quanta that is extended, never changed. */
export class Intervals {
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly #store: IntervalStore;
  /** How many slots of the store were written when this version was made. */
  readonly #end: number;

  private constructor(
    store: IntervalStore,
    sums: { readonly sum: number; readonly sumOfSquares: number },
  ) {
    this.#store = store;
    this.#end = store.end;
    this.sum = sums.sum;
    this.sumOfSquares = sums.sumOfSquares;
  }

  /** @param quanta oldest first, at most 200; not to be written to any more by the caller. */
  static of(quanta: Uint16Array): Intervals {
    return new Intervals(new IntervalStore(quanta), sumsOf(quanta));
  }

  get length(): number {
    return Math.min(INTERVALS_MAX, this.#end);
  }

  /** These and one more; the oldest of 200 goes. */
  push(quanta: number): Intervals {
    const dropped = this.#store.oldestOfFull(this.#end);
    const store = this.#store.roomAfter(this.#end);
    store.append(quanta);
    return new Intervals(store, {
      sum: this.sum + quanta - dropped,
      sumOfSquares: this.sumOfSquares + quanta ** 2 - dropped ** 2,
    });
  }

  /** Quanta, oldest first. Read only; they stay what they are. */
  view(): Uint16Array {
    return this.#store.newest(INTERVALS_MAX, this.#end);
  }

  /** One of them, counted from the end: 1 is the newest. 0 where there is none. */
  fromNewest(place: number): number {
    return this.#store.slot(this.#end - place);
  }

  /** All of them, ascending. Read only, and good until a newer version is asked. */
  ascending(): Uint16Array {
    return this.#store.ascendingLong(this.#end);
  }

  /** The newest 20, ascending. Read only, and good until a newer version is asked. */
  ascendingNewest(): Uint16Array {
    return this.#store.ascendingShort(this.#end);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.view()[Symbol.iterator]();
  }
}

export function sumsOf(intervals: Uint16Array): { sum: number; sumOfSquares: number } {
  let sum = 0;
  let sumOfSquares = 0;
  for (let place = 0; place < intervals.length; place += 1) {
    const quanta = intervals[place] ?? 0;
    sum += quanta;
    sumOfSquares += quanta * quanta;
  }
  return { sum, sumOfSquares };
}

/** The newest 200 and the newest 20 intervals, each ascending, with room for so many. */
interface Orders {
  readonly long: Uint16Array;
  readonly short: Uint16Array;
}

/** What the versions share. A version is named by its end: the slots written when it was made. */
class IntervalStore {
  /** Quanta, oldest first. */
  readonly #slots: Uint16Array;
  #end: number;
  /** Null until somebody asks: a window that only lies in a cache stays small. */
  #orders: Orders | null = null;
  /** The version that the orders show. */
  #orderedEnd = 0;

  constructor(slots: Uint16Array, end: number = slots.length) {
    invariant(end <= INTERVALS_MAX, 'window-overfull', end);
    this.#slots = slots;
    this.#end = end;
  }

  get end(): number {
    return this.#end;
  }

  /** The store to append to after version `end`: this one, if that is the newest and a slot is free. */
  roomAfter(end: number): IntervalStore {
    if (end === this.#end && end < this.#slots.length) {
      return this;
    }
    const kept = this.newest(INTERVALS_MAX, end);
    const slots = new Uint16Array(INTERVALS_MAX + SPARE_SLOTS);
    slots.set(kept);
    const copy = new IntervalStore(slots, kept.length);
    if (end === this.#end && this.#orders !== null && end - this.#orderedEnd <= CATCH_UP_MAX) {
      copy.#orders = this.#caughtUp();
      copy.#orderedEnd = copy.#end;
      this.#orders = null;
    }
    return copy;
  }

  append(quanta: number): void {
    invariant(this.#end < this.#slots.length, 'interval-store-full', this.#end);
    this.#slots[this.#end] = quanta;
    this.#end += 1;
  }

  /** What the next interval pushes out of version `end`; 0 while there is room. */
  oldestOfFull(end: number): number {
    return end < INTERVALS_MAX ? 0 : (this.#slots[end - INTERVALS_MAX] ?? 0);
  }

  slot(position: number): number {
    return this.#slots[position] ?? 0;
  }

  newest(size: number, end: number): Uint16Array {
    return this.#slots.subarray(Math.max(0, end - size), end);
  }

  ascendingLong(end: number): Uint16Array {
    return end === this.#end
      ? filledPart(this.#caughtUp().long, end)
      : this.newest(INTERVALS_MAX, end).slice().sort();
  }

  ascendingShort(end: number): Uint16Array {
    return end === this.#end
      ? filledPart(this.#caughtUp().short, end)
      : this.newest(SHORT_INTERVALS, end).slice().sort();
  }

  /** The orders of the newest version. */
  #caughtUp(): Orders {
    if (this.#orders === null || this.#end - this.#orderedEnd > CATCH_UP_MAX) {
      this.#orders = this.#sortedOrders();
    } else {
      for (let slot = this.#orderedEnd; slot < this.#end; slot += 1) {
        this.#bring(slot, this.#orders.long);
        this.#bring(slot, this.#orders.short);
      }
    }
    this.#orderedEnd = this.#end;
    return this.#orders;
  }

  #sortedOrders(): Orders {
    // One buffer for both: a buffer costs more memory than the short order itself.
    const buffer = new ArrayBuffer(2 * (INTERVALS_MAX + SHORT_INTERVALS));
    const long = new Uint16Array(buffer, 0, INTERVALS_MAX);
    const short = new Uint16Array(buffer, 2 * INTERVALS_MAX);
    for (const order of [long, short]) {
      const newest = this.newest(order.length, this.#end);
      order.set(newest);
      filledPart(order, newest.length).sort();
    }
    return { long, short };
  }

  /** Brings one slot into an order that shows all slots before it. */
  #bring(slot: number, order: Uint16Array): void {
    const quanta = this.#slots[slot] ?? 0;
    if (slot < order.length) {
      insertSorted(order, slot, quanta);
    } else {
      replaceSorted(order, this.#slots[slot - order.length] ?? 0, quanta);
    }
  }
}

function filledPart(order: Uint16Array, end: number): Uint16Array {
  return end < order.length ? order.subarray(0, end) : order;
}
