/** What came of a failure, held against the objectives, and which runs are its recovery. */
import { describe, expect, test } from 'vitest';
import {
  isRecoveryFrom,
  judge,
  missedObjectives,
} from '../../../lib/simulation/whole/judgement.ts';

const WANTED = { rtoMs: 120_000, rpoMs: 5000 };

describe('the objectives of a service', () => {
  test('are met up to the millisecond, and missed above it', () => {
    const exact = judge(WANTED, { stages: { rtoMs: 120_000 }, rpoMs: 5000 });
    expect(missedObjectives(exact)).toEqual([]);
    const late = judge(WANTED, { stages: { rtoMs: 120_001 }, rpoMs: 5001 });
    expect(missedObjectives(late)).toEqual(['rto', 'rpo']);
    expect(late.rto).toEqual({ objectiveMs: 120_000, actualMs: 120_001, met: false });
  });

  test('that were not reached are not met, and those of no failure are not judged', () => {
    const never = judge(WANTED, { stages: { rtoMs: null }, rpoMs: 0 });
    expect(never.rto).toEqual({ objectiveMs: 120_000, actualMs: null, met: false });
    expect(missedObjectives(never)).toEqual(['rto']);
    const calm = judge(WANTED, null);
    expect([calm.rto.met, calm.rpo.met]).toEqual([null, null]);
    expect(missedObjectives(calm)).toEqual([]);
  });
});

describe('the recovery from the loss of a site', () => {
  const SHARED = { lost: 50, left: 30, other: 20 };

  test('is a failover, or the rebalance that drains the site', () => {
    const failover = { kind: 'failover', before: { lost: 100 }, traffic: { left: 100 } } as const;
    expect(isRecoveryFrom(failover, 'lost')).toBe(true);
    const traffic = { left: 60, other: 40 };
    expect(isRecoveryFrom({ kind: 'rebalance', before: SHARED, traffic }, 'lost')).toBe(true);
  });

  test('is no change of shares that leaves the site some, gives one back, or drains another', () => {
    const less = { lost: 10, left: 50, other: 40 };
    const drained = { left: 60, other: 40 };
    const kind = 'rebalance';
    expect(isRecoveryFrom({ kind, before: SHARED, traffic: less }, 'lost')).toBe(false);
    expect(isRecoveryFrom({ kind, before: drained, traffic: SHARED }, 'lost')).toBe(false);
    expect(isRecoveryFrom({ kind, before: SHARED, traffic: drained }, 'left')).toBe(false);
    const practice = { kind: 'drill', before: { lost: 100 }, traffic: { left: 100 } } as const;
    expect(isRecoveryFrom(practice, 'lost')).toBe(false);
  });
});
