/**
 * How far a count of rare events could have been off by chance: the exact 95 % bounds of a Poisson
 * mean, in the approximation of Wilson and Hilferty (within 1 % of the exact ones; 10 events are
 * 4.8 to 18.4, none are 0 to 3.7).
 */

const Z_95 = 1.959964;

export interface PoissonBounds {
  readonly low: number;
  readonly high: number;
}

export function poissonBounds(count: number): PoissonBounds {
  return {
    // Below one event (a mean of several counts) the approximation would turn negative.
    low: count === 0 ? 0 : Math.max(0, cubed(count, -Z_95)),
    high: cubed(count + 1, Z_95),
  };
}

function cubed(count: number, z: number): number {
  return count * (1 - 1 / (9 * count) + z / (3 * Math.sqrt(count))) ** 3;
}
