import { describe, expect, test } from 'vitest';
import {
  budgetSpentUntil,
  heldDownUntil,
  settledAt,
  startsWithinDay,
} from '../../../lib/recovery/damping.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import { atMs, safetyPolicy, T0 } from '../../support/service-states.ts';

const { dayMs } = RUN_LIMITS;
const safety = (automaticRunsPerDayMax: number) =>
  safetyPolicy({ holdDownMs: 60_000, automaticRunsPerDayMax });
const startedAt = (...offsetsMs: readonly number[]) => ({
  lastRunEndedAt: null,
  automaticRunStarts: offsetsMs.map(atMs),
});

describe('the hold-down', () => {
  test('is none before the first run', () => {
    expect(heldDownUntil(startedAt(), safety(1), T0)).toBeNull();
  });

  test('lasts exactly as long as the policy says', () => {
    const ended = { lastRunEndedAt: T0, automaticRunStarts: [] };
    expect(heldDownUntil(ended, safety(1), atMs(59_999))).toBe(atMs(60_000));
    expect(heldDownUntil(ended, safety(1), atMs(60_000))).toBeNull();
  });
});

describe('the daily budget', () => {
  test('has room until it is used up', () => {
    expect(budgetSpentUntil(startedAt(-1000), safety(2), T0)).toBeNull();
    expect(budgetSpentUntil(startedAt(-2000, -1000), safety(2), T0)).toBe(atMs(dayMs - 2000));
  });

  test('forgets a start after 24 hours', () => {
    expect(startsWithinDay(startedAt(-dayMs, 1 - dayMs), T0)).toEqual([atMs(1 - dayMs)]);
    expect(budgetSpentUntil(startedAt(-dayMs), safety(1), T0)).toBeNull();
  });

  test('says when there is room, also after the policy was made stricter', () => {
    const three = startedAt(-dayMs - 5000, -3000, -2000);
    expect(budgetSpentUntil(three, safety(1), T0)).toBe(atMs(dayMs - 2000));
  });

  test('of nothing is always spent', () => {
    for (const starts of [startedAt(), startedAt(-1000)]) {
      expect(budgetSpentUntil(starts, safety(0), T0)).toBe(atMs(dayMs));
    }
  });

  test('never waits for an instant that has passed', () => {
    for (const max of [1, 2, 3]) {
      for (const offset of [0, 1000, dayMs - 1000, dayMs]) {
        const until = budgetSpentUntil(startedAt(-3000, -1000, -2000), safety(max), atMs(offset));
        expect(until === null || until > atMs(offset)).toBe(true);
      }
    }
  });
});

describe('a clock that runs ahead', () => {
  test('holds nothing down longer than the policy says, from when another clock speaks', () => {
    const yearMs = 365 * dayMs;
    const ahead = { lastRunEndedAt: atMs(yearMs), automaticRunStarts: [atMs(yearMs), atMs(-1000)] };
    const settled = settledAt(ahead, T0);
    expect(settled).toEqual({ lastRunEndedAt: T0, automaticRunStarts: [T0, atMs(-1000)] });
    expect(heldDownUntil(settled, safety(1), T0)).toBe(atMs(60_000));
    expect(budgetSpentUntil(settled, safety(2), T0)).toBe(atMs(dayMs - 1000));
  });

  test('changes nothing that lies in the past', () => {
    const past = { lastRunEndedAt: atMs(-5), automaticRunStarts: [atMs(-9), atMs(-7)] };
    expect(settledAt(past, T0)).toEqual(past);
    expect(settledAt(startedAt(), T0)).toEqual(startedAt());
  });
});
