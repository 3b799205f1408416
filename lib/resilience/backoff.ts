/**
 * How long to wait before trying again: exponential growth with full jitter above a floor.
 *
 * Intuition: when a dependency falls, everyone who noticed at the same instant must not come back
 * at the same instant. The ceiling doubles with each failure and the wait is drawn uniformly below
 * it, which spreads a crowd better than a fixed step with a little noise on top. The floor keeps a
 * lucky draw from becoming a busy loop.
 *
 * Invariant: `floorMs` <= wait <= `ceilingMs`, for any attempt and any draw; nothing overflows.
 * Source: M. Brooker, "Exponential Backoff and Jitter" (full jitter). Rejected: decorrelated
 * jitter, which needs the previous wait as state and spreads no better at our bounds.
 */
import type { Random } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';

export interface BackoffPolicy {
  /** No wait is shorter, 0 or more. */
  readonly floorMs: number;
  /** Upper end of the first wait, before doubling; at least 1. */
  readonly stepMs: number;
  /** No wait is longer; at least `floorMs`. */
  readonly ceilingMs: number;
}

/** Doubling further would only leave the range in which integers are exact. */
const DOUBLINGS_MAX = 40;

/**
 * Whole milliseconds to wait after `attempt` failures in a row (0 = after the first failure).
 *
 * @throws InvariantError when the policy contradicts itself or `attempt` is not a counter.
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: Random): number {
  const { floorMs, stepMs, ceilingMs } = policy;
  invariant(floorMs >= 0 && stepMs >= 1 && ceilingMs >= floorMs, 'backoff-policy', { ...policy });
  invariant(Number.isSafeInteger(attempt) && attempt >= 0, 'backoff-attempt', { attempt });
  const grown = stepMs * 2 ** Math.min(attempt, DOUBLINGS_MAX);
  const upperMs = Math.max(floorMs, Math.min(ceilingMs, grown));
  return Math.round(floorMs + random() * (upperMs - floorMs));
}
