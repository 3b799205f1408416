/**
 * Rate limiter as a value: a bucket that fills at a steady rate and is drawn from by each request.
 *
 * Intuition: a caller who was quiet may spend what it saved, up to the size of the bucket; after
 * that it gets exactly the rate. There is no timer: the level is computed from the time that has
 * passed since the last look, so a frozen process owes and gains nothing.
 *
 * Invariant: over any window of t seconds at most `capacity + t * refillPerSecond` tokens are
 * granted, also when the clock stands still, runs backwards or jumps. The level is kept in
 * thousandths of a token: `refillPerSecond` tokens a second are that many thousandths a millisecond,
 * so the arithmetic is in whole numbers and does not drift. Rejected: fixed windows, which let
 * twice the rate through around a window's edge.
 */
import type { MonotonicMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';

export interface TokenBucket {
  /** Largest burst in tokens: a whole number, 1 to 1,000,000. */
  readonly capacity: number;
  /** Tokens a second: a whole number, 1 to 1,000,000. */
  readonly refillPerSecond: number;
  /** Level in thousandths of a token, 0 to `capacity * 1000`. */
  readonly milliTokens: number;
  /** The latest instant seen, in whole milliseconds. Never moves back. */
  readonly updatedAt: number;
}

export type TakeOutcome =
  | { readonly kind: 'granted'; readonly retryAfterMs: 0; readonly bucket: TokenBucket }
  /** Nothing was drawn. The same request is granted after `retryAfterMs` (at least 1) of quiet. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number; readonly bucket: TokenBucket };

export interface TokenBucketPolicy {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

const TOKENS_MAX = 1_000_000;

/** @throws InvariantError when a number of the policy is not whole or out of range. */
export function fullBucket(policy: TokenBucketPolicy, now: MonotonicMillis): TokenBucket {
  const { capacity, refillPerSecond } = policy;
  invariant(isTokenCount(capacity), 'bucket-capacity', { capacity });
  invariant(isTokenCount(refillPerSecond), 'bucket-refill', { refillPerSecond });
  return { capacity, refillPerSecond, milliTokens: capacity * 1000, updatedAt: Math.floor(now) };
}

/**
 * Draws `cost` tokens or none.
 *
 * @throws InvariantError when `cost` is not a whole number from 1 to the capacity: a larger one
 *   could never be granted, so waiting for it would be a lie.
 */
export function take(bucket: TokenBucket, now: MonotonicMillis, cost: number): TakeOutcome {
  invariant(isTokenCount(cost) && cost <= bucket.capacity, 'bucket-cost', { cost });
  const filled = refill(bucket, now);
  const missing = cost * 1000 - filled.milliTokens;
  if (missing > 0) {
    const retryAfterMs = Math.ceil(missing / bucket.refillPerSecond);
    return { kind: 'refused', retryAfterMs, bucket: filled };
  }
  return { kind: 'granted', retryAfterMs: 0, bucket: { ...filled, milliTokens: -missing } };
}

function refill(bucket: TokenBucket, now: MonotonicMillis): TokenBucket {
  const updatedAt = Math.max(bucket.updatedAt, Math.floor(now));
  const gained = (updatedAt - bucket.updatedAt) * bucket.refillPerSecond;
  const milliTokens = Math.min(bucket.capacity * 1000, bucket.milliTokens + gained);
  return { ...bucket, milliTokens, updatedAt };
}

function isTokenCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= TOKENS_MAX;
}
