/**
 * The states that were met, as fingerprints of 64 bits in the order they were met, each with the one
 * it was met from: 12 bytes a state and 8 in the table that finds it. Full rows are kept only while
 * they wait to be expanded.
 */
import { invariant } from '../base/invariant.ts';

const FIRST_CAPACITY = 1 << 16;
const NO_PARENT = 0xffffffff;

/** Fingerprints by number. Guards three arrays that grow together with the table over them. */
export class Visited {
  readonly #statesMax: number;
  #count = 0;
  #highs = new Uint32Array(FIRST_CAPACITY);
  #lows = new Uint32Array(FIRST_CAPACITY);
  #parents = new Uint32Array(FIRST_CAPACITY);
  /** Open addressing; the number of a state plus one, 0 = free. At most half full. */
  #table = new Uint32Array(2 * FIRST_CAPACITY);

  constructor(statesMax: number) {
    this.#statesMax = statesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** False when it was there. */
  add(high: number, low: number, parent: number | null): boolean {
    const slot = this.#slotOf(high, low);
    if (this.#table[slot] !== 0) {
      return false;
    }
    invariant(this.#count < this.#statesMax, 'scope-too-large', { statesMax: this.#statesMax });
    this.#highs[this.#count] = high;
    this.#lows[this.#count] = low;
    this.#parents[this.#count] = parent ?? NO_PARENT;
    this.#count += 1;
    this.#table[slot] = this.#count;
    if (this.#count === this.#highs.length) {
      this.#grow();
    }
    return true;
  }

  isState(number: number, high: number, low: number): boolean {
    return this.#highs[number] === high && this.#lows[number] === low;
  }

  /** Numbers from the first state to this one, each met from the one before. */
  pathTo(number: number): readonly number[] {
    const path = [number];
    for (let parent = this.#parents[number]; parent !== NO_PARENT; parent = this.#parents[parent]) {
      invariant(parent !== undefined, 'state-without-parent', { number });
      path.unshift(parent);
    }
    return path;
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#table.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    for (let taken = this.#table[slot]; taken; taken = this.#table[slot]) {
      if (this.isState(taken - 1, high, low)) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const capacity = 2 * this.#highs.length;
    this.#highs = grown(this.#highs, capacity);
    this.#lows = grown(this.#lows, capacity);
    this.#parents = grown(this.#parents, capacity);
    this.#table = new Uint32Array(2 * capacity);
    for (let number = 0; number < this.#count; number += 1) {
      const slot = this.#slotOf(this.#highs[number] ?? 0, this.#lows[number] ?? 0);
      this.#table[slot] = number + 1;
    }
  }
}

function grown(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(array);
  return larger;
}

/** Rows of one depth, waiting to be expanded: first in, first out. */
export class Rows {
  readonly #width: number;
  #numbers: Uint32Array<ArrayBuffer>;
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#numbers = new Uint32Array(1024 * width);
  }

  get count(): number {
    return this.#count;
  }

  push(row: readonly number[]): void {
    const start = this.#count * this.#width;
    if (start === this.#numbers.length) {
      this.#numbers = grown(this.#numbers, 2 * start);
    }
    this.#numbers.set(row, start);
    this.#count += 1;
  }

  rowAt(place: number): number[] {
    const start = place * this.#width;
    return Array.from(this.#numbers.subarray(start, start + this.#width));
  }
}
