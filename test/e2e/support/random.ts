/** Chance with a seed, so that a failing run can be repeated. */

export interface SeededRandom {
  /** In [0, 1). */
  readonly next: () => number;
  /** Whole, from `min` to `max`, both included. */
  readonly between: (min: number, max: number) => number;
  readonly pick: <Value>(values: readonly Value[]) => Value;
}

/** mulberry32: 32 bits of state, good enough for schedules. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    pick: (values) => {
      const value = values[between(0, values.length - 1)];
      if (value === undefined) {
        throw new RangeError('nothing to pick from');
      }
      return value;
    },
  };
}
