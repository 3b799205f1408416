import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  afterSuccess,
  failureWaitMs,
  freshEndpoint,
  type HeartbeatProblem,
  isDue,
  nextRoundAt,
  paceMs,
} from '../../../lib/agent/endpoint.ts';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';

const problem: HeartbeatProblem = {
  code: 'unreachable',
  endpoint: 'http://a.test',
  status: null,
  detail: 'refused',
};
const answering = (nextBeatMs: number) => ({
  ...freshEndpoint('http://a.test'),
  answer: { role: 'unknown' as const, epoch: null, nextBeatMs, leaseMs: null },
});
const intervals = fc.integer({ min: 100, max: 86_400_000 });
const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('isDue', () => {
  it('asks a region once at a time and leaves a failed one alone until its time has come', () => {
    const fresh = freshEndpoint('http://a.test');
    const failed = afterFailure(fresh, { problem, waitMs: 500 }, monotonicMillis(1000));
    expect(isDue(fresh, monotonicMillis(0))).toBe(true);
    expect(isDue({ ...fresh, isInFlight: true }, monotonicMillis(0))).toBe(false);
    expect(isDue(failed, monotonicMillis(1499))).toBe(false);
    expect(isDue(failed, monotonicMillis(1500))).toBe(true);
  });
});

describe('afterSuccess', () => {
  it('forgets the trouble, and never steps back in sequence', () => {
    const fresh = freshEndpoint('http://a.test');
    const failed = afterFailure(fresh, { problem, waitMs: 500 }, monotonicMillis(0));
    const { answer } = answering(1000);
    const now = monotonicMillis(5);
    const recovered = afterSuccess(failed, { answer, sequence: 9 }, now);
    expect(recovered).toMatchObject({ failuresInARow: 0, notBefore: null, problem: null });
    expect(afterSuccess(recovered, { answer, sequence: 8 }, now).sequenceAnswered).toBe(9);
  });
});

describe('afterFailure', () => {
  it('counts, and keeps the last answer', () => {
    const state = answering(1000);
    const once = afterFailure(state, { problem, waitMs: 10 }, monotonicMillis(0));
    const twice = afterFailure(once, { problem, waitMs: 10 }, monotonicMillis(20));
    expect(twice).toMatchObject({ failuresInARow: 2, notBefore: 30, answer: state.answer });
  });
});

describe('failureWaitMs', () => {
  it('is at least one interval and at most five seconds, or one interval where that is more', () => {
    fc.assert(
      fc.property(intervals, fc.nat({ max: 10_000 }), draws, (intervalMs, failures, draw) => {
        const waitMs = failureWaitMs({ intervalMs, retryAfterMs: 0 }, failures, () => draw);
        expect(waitMs).toBeGreaterThanOrEqual(intervalMs);
        expect(waitMs).toBeLessThanOrEqual(Math.max(intervalMs, 5000));
      }),
    );
  });

  it('heeds Retry-After up to the bound', () => {
    const wait = (retryAfterMs: number) =>
      failureWaitMs({ intervalMs: 1000, retryAfterMs }, 0, () => 0);
    expect([wait(0), wait(3000), wait(3_600_000)]).toEqual([1000, 3000, 5000]);
  });
});

describe('paceMs', () => {
  it('keeps the configured interval until a region asks for another', () => {
    expect(paceMs([freshEndpoint('http://a.test')], 1000)).toBe(1000);
  });

  it('follows the region that asks for the most', () => {
    expect(paceMs([answering(2000), answering(1500), freshEndpoint('x')], 1000)).toBe(1500);
  });

  it('lets no answer silence or flood a site', () => {
    fc.assert(
      fc.property(intervals, fc.double({ min: 1e-9, noNaN: true }), (intervalMs, wish) => {
        const pace = paceMs([answering(wish)], intervalMs);
        expect(pace).toBeGreaterThanOrEqual(Math.max(100, intervalMs / 4));
        expect(pace).toBeLessThanOrEqual(intervalMs * 4);
      }),
    );
  });
});

describe('nextRoundAt', () => {
  it('moves each round by at most a twentieth, from the plan or, when that is past, from now', () => {
    fc.assert(
      fc.property(draws, fc.integer({ min: -5000, max: 50_000 }), (draw, delay) => {
        const planned = monotonicMillis(10_000);
        const now = monotonicMillis(10_000 + delay);
        const next = nextRoundAt(planned, now, { paceMs: 1000, random: () => draw });
        expect(next).toBeGreaterThan(now);
        const origin = next - now < 950 || delay < 950 ? planned : now;
        expect(next - origin).toBeGreaterThanOrEqual(950);
        expect(next - origin).toBeLessThanOrEqual(1050);
      }),
    );
  });

  it('does not drift: a slow round does not move the next one', () => {
    const beat = { paceMs: 1000, random: () => 0.5 };
    expect(nextRoundAt(monotonicMillis(10_000), monotonicMillis(10_400), beat)).toBe(11_000);
  });
});
