import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';
import { LOG_LIMITS } from '../../../lib/consensus/settings.ts';
import {
  fullBudget,
  settle,
  throttleWaitMs,
  waitForUnitsMs,
} from '../../../lib/consensus/write-budget.ts';

const POLICY = { unitsPerSecond: 900, burstUnits: 400 };
const SEEDED = { seed: 20_261_123, numRuns: 300 };

function spending(now: number, spentUnits: number) {
  return { now: monotonicMillis(now), spentUnits };
}

describe('a write budget', () => {
  test('takes a burst at once, then waits for what is missing', () => {
    const full = fullBudget(POLICY, spending(0, 0));
    expect(waitForUnitsMs(full, POLICY, 400)).toBe(0);
    const spent = settle(full, POLICY, spending(0, 400));
    expect(waitForUnitsMs(spent, POLICY, 90)).toBe(100);
    expect(waitForUnitsMs(settle(spent, POLICY, spending(100, 400)), POLICY, 90)).toBe(0);
  });

  test('lets a process that waits spend the rate and one burst, over any window', () => {
    const steps = fc.array(fc.record({ units: fc.nat(380), pauseMs: fc.nat(400) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const writes: { at: number; units: number }[] = [];
        let [now, spent] = [0, 0];
        let budget = fullBudget(POLICY, spending(now, spent));
        for (const { units, pauseMs } of list) {
          now += pauseMs;
          budget = settle(budget, POLICY, spending(now, spent));
          now += waitForUnitsMs(budget, POLICY, units);
          budget = settle(budget, POLICY, spending(now, spent));
          expect(waitForUnitsMs(budget, POLICY, units)).toBe(0);
          spent += units;
          writes.push({ at: now, units });
        }
        for (const [from, first] of writes.entries()) {
          let sum = 0;
          for (const { at, units } of writes.slice(from)) {
            sum += units;
            const allowed = POLICY.burstUnits + ((at - first.at) * POLICY.unitsPerSecond) / 1000;
            expect(sum).toBeLessThanOrEqual(allowed + 1e-6);
          }
        }
      }),
      SEEDED,
    );
  });

  test('counts what others spent as spent little by little: no debt for what lies long back', () => {
    const full = fullBudget(POLICY, spending(0, 0));
    // 800 units in a second are within the rate, so the bucket is full at its end.
    expect(waitForUnitsMs(settle(full, POLICY, spending(1000, 800)), POLICY, 400)).toBe(0);
    const debt = settle(full, POLICY, spending(0, 600));
    expect(waitForUnitsMs(debt, POLICY, 1)).toBe(Math.ceil(201_000 / 900));
  });

  test('owes at most one burst, however much was spent', () => {
    const debt = settle(fullBudget(POLICY, spending(0, 0)), POLICY, spending(0, 1_000_000));
    expect(waitForUnitsMs(debt, POLICY, 380)).toBe(Math.ceil(780_000 / 900));
    expect(waitForUnitsMs(debt, POLICY, 9999)).toBe(Math.ceil(800_000 / 900));
  });

  test('gains nothing by a clock that stands still or runs back', () => {
    const spent = settle(fullBudget(POLICY, spending(5000, 0)), POLICY, spending(5000, 400));
    const back = settle(spent, POLICY, spending(10, 400));
    expect(back).toEqual(spent);
    expect(settle(back, POLICY, spending(5000, 400))).toEqual(spent);
  });
});

describe('the pause after a throttled write', () => {
  test('is drawn between its bounds, of which the upper one doubles each time', () => {
    const { throttleWaitMsMin, throttleWaitMsMax } = LOG_LIMITS;
    const longest = (times: number) => throttleWaitMs(LOG_LIMITS, times, () => 0.999_999);
    expect(longest(1)).toBeCloseTo(2 * throttleWaitMsMin, 1);
    expect(longest(2)).toBeCloseTo(4 * throttleWaitMsMin, 1);
    expect(longest(1000)).toBeCloseTo(throttleWaitMsMax, 1);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (times, draw) => {
          const waitMs = throttleWaitMs(LOG_LIMITS, times, () => draw);
          expect(waitMs).toBeGreaterThanOrEqual(throttleWaitMsMin);
          expect(waitMs).toBeLessThanOrEqual(throttleWaitMsMax);
        },
      ),
      SEEDED,
    );
  });
});
