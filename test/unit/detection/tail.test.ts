import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalPhi } from '../../../lib/detection/tail.ts';
import { TAIL_REFERENCE } from './tail-reference.ts';

const SMALLEST_NORMAL = 2.2250738585072014e-308;

describe('normalPhi', () => {
  it('agrees with 60-digit arithmetic to a relative 1e-11 wherever φ is a normal double', () => {
    const normal = TAIL_REFERENCE.filter(([, phi]) => Number(phi) >= SMALLEST_NORMAL);
    expect(normal.length).toBeGreaterThan(40);
    for (const [z, phi] of normal) {
      const error = Math.abs(normalPhi(z) / Number(phi) - 1);
      expect(error, `z = ${z}`).toBeLessThan(1e-11);
    }
  });

  it('fades to zero below z = -37.5, where φ leaves the normal doubles', () => {
    const tiny = TAIL_REFERENCE.filter(([, phi]) => Number(phi) < SMALLEST_NORMAL);
    expect(tiny.map(([z]) => z)).toEqual([-40, -39, -38.4, -37.5]);
    for (const [z, phi] of tiny) {
      expect(Math.abs(normalPhi(z) - Number(phi)), `z = ${z}`).toBeLessThan(1e-318);
    }
  });

  it('goes on where the subtraction 1 - cdf has nothing left', () => {
    expect(1 - (1 - 10 ** -normalPhi(8.3))).toBe(0);
    expect(normalPhi(8.29)).toBeCloseTo(16.247, 3);
  });

  it('rises strictly with z, also across the seam of its two pieces', () => {
    expectRising(-37, 1e4, 0.01);
    expectRising(2.99999, 3.00001, 1e-9);
    expectRising(-3.00001, -2.99999, 1e-9);
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
