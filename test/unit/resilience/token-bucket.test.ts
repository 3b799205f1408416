import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';
import { fullBucket, type TokenBucket, take } from '../../../lib/resilience/token-bucket.ts';

const policies = fc.record({
  capacity: fc.integer({ min: 1, max: 1000 }),
  refillPerSecond: fc.integer({ min: 1, max: 2000 }),
});
/** Steps of a clock that may stand still, run backwards or jump an hour. */
const steps = fc.oneof(
  fc.double({ min: 0, max: 50, noNaN: true }),
  fc.integer({ min: -5000, max: 0 }),
  fc.constant(3_600_000),
);
const requests = fc.array(fc.record({ step: steps, cost: fc.integer({ min: 1, max: 20 }) }), {
  maxLength: 200,
});

interface Grant {
  readonly at: number;
  readonly cost: number;
}

/** Plays the requests; `at` is the latest time shown so far, which is all a limiter may believe. */
function play(
  policy: { readonly capacity: number; readonly refillPerSecond: number },
  script: readonly { readonly step: number; readonly cost: number }[],
): { readonly grants: readonly Grant[]; readonly bucket: TokenBucket } {
  let now = 1000;
  let latest = now;
  let bucket = fullBucket(policy, monotonicMillis(now));
  const grants: Grant[] = [];
  for (const { step, cost } of script) {
    now += step;
    latest = Math.max(latest, now);
    const outcome = take(bucket, monotonicMillis(now), Math.min(cost, policy.capacity));
    bucket = outcome.bucket;
    if (outcome.kind === 'granted') {
      grants.push({ at: latest, cost: Math.min(cost, policy.capacity) });
    }
  }
  return { grants, bucket };
}

describe('take', () => {
  it('grants over any window at most the burst plus the rate, whatever the clock does', () => {
    fc.assert(
      fc.property(policies, requests, (policy, script) => {
        const { grants } = play(policy, script);
        for (const [index, first] of grants.entries()) {
          let granted = 0;
          for (const grant of grants.slice(index)) {
            granted += grant.cost;
            // One millisecond of slack: the bucket counts in whole milliseconds.
            const windowMs = grant.at - first.at + 1;
            const allowed = policy.capacity + (windowMs * policy.refillPerSecond) / 1000;
            expect(granted).toBeLessThanOrEqual(allowed + 1e-6);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the level a whole number of thousandths between empty and full', () => {
    fc.assert(
      fc.property(policies, requests, (policy, script) => {
        const { bucket } = play(policy, script);
        expect(Number.isSafeInteger(bucket.milliTokens)).toBe(true);
        expect(bucket.milliTokens).toBeGreaterThanOrEqual(0);
        expect(bucket.milliTokens).toBeLessThanOrEqual(policy.capacity * 1000);
      }),
    );
  });

  it('names the first millisecond at which the refused request is granted', () => {
    fc.assert(
      fc.property(policies, requests, (policy, script) => {
        const { bucket } = play(policy, script);
        const outcome = take(bucket, monotonicMillis(bucket.updatedAt), policy.capacity);
        fc.pre(outcome.kind === 'refused');
        const readyAt = bucket.updatedAt + outcome.retryAfterMs;
        const early = take(outcome.bucket, monotonicMillis(readyAt - 1), policy.capacity);
        const ready = take(outcome.bucket, monotonicMillis(readyAt), policy.capacity);
        expect([early.kind, ready.kind]).toEqual(['refused', 'granted']);
      }),
    );
  });

  it('draws nothing when it refuses', () => {
    const now = monotonicMillis(0);
    const drained = take(fullBucket({ capacity: 3, refillPerSecond: 1 }, now), now, 2).bucket;
    const refused = take(drained, now, 2);
    expect(refused).toEqual({ kind: 'refused', retryAfterMs: 1000, bucket: drained });
    expect(take(refused.bucket, now, 1).kind).toBe('granted');
  });

  it('does not drift over two hundred thousand small refills', () => {
    let bucket = take(
      fullBucket({ capacity: 1_000_000, refillPerSecond: 3 }, monotonicMillis(0)),
      monotonicMillis(0),
      1_000_000,
    ).bucket;
    for (let at = 1; at <= 200_000; at += 1) {
      bucket = take(bucket, monotonicMillis(at), 1_000_000).bucket;
    }
    expect(bucket.milliTokens).toBe(3 * 200_000);
  });

  it.each([0, -1, 1.5, 4])('treats the cost %d as a bug of the caller', (cost) => {
    const now = monotonicMillis(0);
    const bucket = fullBucket({ capacity: 3, refillPerSecond: 1 }, now);
    expect(() => take(bucket, now, cost)).toThrow('bucket-cost');
  });

  it.each([
    [{ capacity: 0, refillPerSecond: 1 }, 'bucket-capacity'],
    [{ capacity: 1, refillPerSecond: 0.5 }, 'bucket-refill'],
    [{ capacity: 1_000_001, refillPerSecond: 1 }, 'bucket-capacity'],
  ])('refuses the policy %j', (policy, code) => {
    expect(() => fullBucket(policy, monotonicMillis(0))).toThrow(code);
  });
});
