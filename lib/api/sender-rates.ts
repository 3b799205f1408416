/**
 * A token bucket for each heartbeat sender, in bounded memory.
 *
 * Only senders that showed a valid token get a bucket, so nobody can fill the memory by guessing.
 * When there are too many all the same, the one unseen for longest is forgotten: it has most likely
 * refilled, and forgetting a full bucket changes nothing.
 */
import type { MonotonicMillis } from '../base/identifiers.ts';
import {
  fullBucket,
  type TakeOutcome,
  type TokenBucket,
  type TokenBucketPolicy,
  take,
} from '../resilience/token-bucket.ts';

export interface SenderRates {
  /** Draws one token from the sender's bucket. */
  readonly take: (sender: string, now: MonotonicMillis) => TakeOutcome;
  readonly trackedCount: () => number;
}

export function createSenderRates(policy: TokenBucketPolicy, trackedMax: number): SenderRates {
  // In order of last use: a Map iterates in order of insertion.
  const buckets = new Map<string, TokenBucket>();
  return {
    take: (sender, now) => {
      const outcome = take(buckets.get(sender) ?? fullBucket(policy, now), now, 1);
      buckets.delete(sender);
      buckets.set(sender, outcome.bucket);
      if (buckets.size > trackedMax) {
        const [oldest] = buckets.keys();
        buckets.delete(oldest ?? sender);
      }
      return outcome;
    },
    trackedCount: () => buckets.size,
  };
}
