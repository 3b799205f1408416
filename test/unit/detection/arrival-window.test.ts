import { describe, expect, it } from 'vitest';
import {
  type ArrivalWindow,
  isBootId,
  quantaOf,
  quantumExponentFor,
  quantumMs,
  requantise,
  startWindow,
  thinToPrior,
  usualPace,
} from '../../../lib/detection/arrival-window.ts';
import { sumsOf } from '../../../lib/detection/intervals.ts';
import { INTERVAL_MS, START, seeded } from './arrivals.ts';

const empty = startWindow({ bootId: 'boot-a', sequence: 1, arrivedAt: START }, INTERVAL_MS);

function filled(intervalsMs: readonly number[], window: ArrivalWindow = empty): ArrivalWindow {
  const quanta = intervalsMs.map((intervalMs) => quantaOf(window, intervalMs));
  return {
    ...window,
    intervals: quanta.reduce((known, one) => known.push(one), window.intervals),
  };
}

describe('ArrivalWindow', () => {
  it('keeps the last 200 intervals, oldest first', () => {
    const window = filled(Array.from({ length: 350 }, (_, k) => k));
    expect([...window.intervals]).toEqual(Array.from({ length: 200 }, (_, k) => k + 150));
  });

  it('does not change the window that it was made from', () => {
    const before = filled(Array.from({ length: 200 }, () => 1000));
    const copy = { ...before, intervals: [...before.intervals] };
    before.intervals.push(5000);
    thinToPrior(before);
    requantise(before, 86_400_000);
    expect({ ...before, intervals: [...before.intervals] }).toEqual(copy);
  });

  it('saturates at 65,535 quanta instead of wrapping', () => {
    const window = filled([65_534, 65_535, 65_536, 1e12]);
    expect([...window.intervals]).toEqual([65_534, 65_535, 65_535, 65_535]);
  });

  it('refuses an interval that is negative or not a number', () => {
    expect(() => quantaOf(empty, -1)).toThrow('interval-not-a-duration');
    expect(() => quantaOf(empty, Number.NaN)).toThrow('interval-not-a-duration');
  });

  it('shows mean and spread of its intervals, and those of the prior before the first', () => {
    expect(usualPace(empty, INTERVAL_MS)).toEqual({ meanMs: 1000, spreadMs: 250 });
    expect(usualPace(filled([900, 1100]), INTERVAL_MS)).toEqual({ meanMs: 1000, spreadMs: 100 });
    expect(usualPace(filled([1000, 1000, 1000]), INTERVAL_MS).spreadMs).toBe(0);
  });
});

describe('the quantum', () => {
  it.each([
    [100, 0],
    [1000, 0],
    [5461, 0],
    [5462, 1],
    [10_000, 1],
    [86_400_000, 14],
  ])('for Δ = %i ms is 2^%i ms: the smallest that holds 12 Δ', (intervalMs, exponent) => {
    expect(quantumExponentFor(intervalMs)).toBe(exponent);
    expect(65_535 * 2 ** exponent).toBeGreaterThanOrEqual(12 * intervalMs);
  });

  it('changes with Δ without moving a full window by more than half a quantum', () => {
    const random = seeded(3);
    const before = filled(Array.from({ length: 200 }, () => 500 + random() * 1000));
    const after = requantise(before, 60_000);
    expect(quantumMs(after)).toBe(16);
    const exact = before.intervals.view();
    after.intervals.view().forEach((quanta, position) => {
      expect(Math.abs(quanta * 16 - (exact[position] ?? 0))).toBeLessThanOrEqual(8);
    });
    expect(after.intervals).toMatchObject(sumsOf(after.intervals.view()));
  });

  it('saturates what no longer fits when Δ becomes smaller', () => {
    const slow = startWindow({ bootId: 'b', sequence: 1, arrivedAt: START }, 60_000);
    const after = requantise(filled([1000, 700_000], slow), 1000);
    expect([...after.intervals]).toEqual([1008, 65_535]);
  });

  it('refuses an interval for which no window could be kept', () => {
    expect(() => quantumExponentFor(1e10)).toThrow('interval-too-long-for-window');
  });
});

describe('thinToPrior', () => {
  it('keeps 20 quantiles of a full window', () => {
    const window = thinToPrior(filled(Array.from({ length: 200 }, (_, k) => 199 - k)));
    expect([...window.intervals]).toEqual(Array.from({ length: 20 }, (_, k) => 10 * k + 5));
    expect(window.intervals).toMatchObject(sumsOf(window.intervals.view()));
  });

  it('leaves a window that is no more than a prior as it is', () => {
    const window = filled(Array.from({ length: 20 }, () => 1000));
    expect(thinToPrior(window)).toBe(window);
  });
});

describe('isBootId', () => {
  it('takes 1 to 64 printable ASCII characters', () => {
    expect(['a', 'x'.repeat(64), '0f-~'].map(isBootId)).toEqual([true, true, true]);
    expect(['', 'x'.repeat(65), 'a b', 'ä', 'a\n'].map(isBootId)).toEqual(Array(5).fill(false));
  });
});
