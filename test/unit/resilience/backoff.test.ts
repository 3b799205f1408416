import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BackoffPolicy, backoffMs } from '../../../lib/resilience/backoff.ts';

const policies = fc
  .record({
    floorMs: fc.integer({ min: 0, max: 10_000 }),
    stepMs: fc.integer({ min: 1, max: 10_000 }),
    span: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ floorMs, stepMs, span }): BackoffPolicy => {
    return { floorMs, stepMs, ceilingMs: floorMs + span };
  });
const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('stays between floor and ceiling for any attempt and any draw', () => {
    fc.assert(
      fc.property(policies, fc.nat(), draws, (policy, attempt, draw) => {
        const waitMs = backoffMs(policy, attempt, () => draw);
        expect(waitMs).toBeGreaterThanOrEqual(policy.floorMs);
        expect(waitMs).toBeLessThanOrEqual(policy.ceilingMs);
        expect(Number.isSafeInteger(waitMs)).toBe(true);
      }),
    );
  });

  it('never waits less after one failure more, for the same draw', () => {
    fc.assert(
      fc.property(policies, fc.nat({ max: 100 }), draws, (policy, attempt, draw) => {
        const random = () => draw;
        expect(backoffMs(policy, attempt + 1, random)).toBeGreaterThanOrEqual(
          backoffMs(policy, attempt, random),
        );
      }),
    );
  });

  it('doubles the upper end until the ceiling holds it', () => {
    const policy = { floorMs: 0, stepMs: 100, ceilingMs: 1000 };
    const upper = [0, 1, 2, 3, 4, 400].map((attempt) => backoffMs(policy, attempt, () => 0.999999));
    expect(upper).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('spreads a crowd over the whole range', () => {
    const policy = { floorMs: 100, stepMs: 900, ceilingMs: 1000 };
    const waits = Array.from({ length: 900 }, (_, index) =>
      backoffMs(policy, 0, () => index / 900),
    );
    expect(new Set(waits).size).toBeGreaterThan(700);
    expect(Math.min(...waits)).toBe(100);
    expect(Math.max(...waits)).toBeGreaterThan(890);
  });

  it.each([
    [{ floorMs: -1, stepMs: 1, ceilingMs: 1 }, 0],
    [{ floorMs: 2, stepMs: 1, ceilingMs: 1 }, 0],
    [{ floorMs: 0, stepMs: 0, ceilingMs: 1 }, 0],
    [{ floorMs: 0, stepMs: 1, ceilingMs: 1 }, -1],
    [{ floorMs: 0, stepMs: 1, ceilingMs: 1 }, 0.5],
  ])('refuses the policy or attempt %j %d', (policy, attempt) => {
    expect(() => backoffMs(policy, attempt, () => 0)).toThrow('invariant violated: backoff-');
  });
});
