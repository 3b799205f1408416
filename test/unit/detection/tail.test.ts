import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalPhi, normalZ } from '../../../lib/detection/tail.ts';
import { TAIL_REFERENCE } from './tail-reference.ts';

/** Two steps of the subnormal doubles: no arithmetic on them can promise less. */
const TWO_STEPS = 1e-323;

describe('normalPhi', () => {
  it('agrees with 60-digit arithmetic to a relative 1e-12 from z = -40 to 10,000', () => {
    expect([TAIL_REFERENCE.at(0)?.[0], TAIL_REFERENCE.at(-1)?.[0]]).toEqual([-40, 1e4]);
    for (const [z, text] of TAIL_REFERENCE) {
      const phi = Number(text);
      const error = Math.abs(normalPhi(z) - phi);
      expect(error, `z = ${z}`).toBeLessThanOrEqual(Math.max(1e-12 * phi, TWO_STEPS));
    }
  });

  it('is tested where φ leaves the normal doubles and fades to zero', () => {
    const subnormal = TAIL_REFERENCE.filter(([, phi]) => Number(phi) < 2.2250738585072014e-308);
    const phis = subnormal.map(([z]) => normalPhi(z));
    expect(phis.filter((phi) => phi === 0).length).toBeGreaterThan(4);
    expect(phis.filter((phi) => phi > 0).length).toBeGreaterThan(4);
  });

  it('goes on where the subtraction 1 - cdf has nothing left', () => {
    expect(1 - (1 - 10 ** -normalPhi(8.3))).toBe(0);
    expect(normalPhi(8.29)).toBeCloseTo(16.247, 3);
  });

  it('rises strictly with z, also across the seam of its two pieces', () => {
    expectRising(-37, 1e4, 0.01);
    expectRising(2.99999, 3.00001, 1e-9);
    expectRising(-3.00001, -2.99999, 1e-9);
    // Wherever the fraction takes one term less.
    for (const z of Array.from({ length: 40 }, (_, k) => Math.sqrt(380 / (k + 1)))) {
      expectRising(z - 1e-6, z + 1e-6, 1e-9);
      expectRising(-z - 1e-6, -z + 1e-6, 1e-9);
    }
  });

  it('is finite and never falls for any two doubles', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (left, right) => {
        const [low, high] = left <= right ? [left, right] : [right, left];
        const [phiLow, phiHigh] = [normalPhi(low), normalPhi(high)];
        return (
          Number.isFinite(phiLow) && Number.isFinite(phiHigh) && 0 <= phiLow && phiLow <= phiHigh
        );
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });

  it('refuses what is not a number', () => {
    expect(() => normalPhi(Number.NaN)).toThrow('z-not-a-number');
  });
});

describe('normalZ', () => {
  it('has the values of the tables', () => {
    const zs = [1, 3, 8, 10, 16].map((phi) => normalZ(phi));
    [1.28155, 3.09023, 5.612, 6.36134, 8.22208].forEach((z, position) => {
      expect(zs[position]).toBeCloseTo(z, 5);
    });
  });

  it('inverts φ on both sides of the mean', () => {
    for (const phi of [1e-300, 1e-9, 0.1, 0.30103, 0.6, 2, 50, 1e4]) {
      expect(Math.abs(normalPhi(normalZ(phi)) / phi - 1)).toBeLessThan(1e-11);
    }
  });

  it('refuses what is no φ', () => {
    expect(() => normalZ(0)).toThrow('phi-out-of-range');
    expect(() => normalZ(Number.NaN)).toThrow('phi-out-of-range');
  });
});

function expectRising(from: number, to: number, step: number): void {
  let previous = normalPhi(from);
  let falls = 0;
  for (let k = 1; from + k * step <= to; k++) {
    const current = normalPhi(from + k * step);
    falls += current > previous ? 0 : 1;
    previous = current;
  }
  expect(falls).toBe(0);
}
