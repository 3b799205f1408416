/**
 * What a site may believe about its own role, and until when. Data in, data out.
 *
 * Intuition: a role is lent, not given. Each answer of a region lends it for a while, counted from
 * when the answered request was *sent*: the region cannot have promised anything before that, so
 * the site's count ends no later than the region's, whatever the network did with the answer. When
 * the time has passed and nobody has renewed it, the role is `unknown`: the site fences itself.
 *
 * Invariants: the highest epoch ever heard decides, for the life of the process, so a region that
 * lags cannot bring an old role back; and a lease counts only for the role and epoch that it came
 * with. Time is the monotonic clock of this process, nobody's wall clock.
 *
 * Source: C. Gray and D. Cheriton, "Leases", SOSP 1989. What it cannot do: stop a process that is
 * frozen between looking at its role and acting on it. For that, hand the epoch to what is written.
 */
import type { MonotonicMillis } from '../base/identifiers.ts';
import type { HeartbeatAnswer } from './heartbeat-answer.ts';
import {
  LEASE_INTERVALS_ABSENT,
  LEASE_INTERVALS_BELIEVED_MIN,
  LEASE_INTERVALS_MAX,
  LEASE_RISK_INTERVALS,
  UNHEARD_INTERVALS_MAX,
} from './limits.ts';
import { decideRole, isSameRole, ROLE_UNKNOWN, type SiteRole } from './role.ts';

export interface Belief {
  /** The role of the highest epoch heard so far. */
  readonly granted: SiteRole;
  /** When the latest request was sent whose answer gave that role; null before the first. */
  readonly grantedAt: MonotonicMillis | null;
  /** From here on nobody vouches for the role. */
  readonly until: MonotonicMillis | null;
}

export const NO_BELIEF: Belief = { granted: ROLE_UNKNOWN, grantedAt: null, until: null };

export interface LeaseTerms {
  /** The time between beats in force, within the bounds of the agent. */
  readonly paceMs: number;
  /** How much before its end the role is given up, so that there is time to act on it. */
  readonly marginMs: number;
}

/** What an answer to the request sent at `sentAt` makes of the belief. */
export function renewed(
  belief: Belief,
  heard: { readonly answer: HeartbeatAnswer; readonly sentAt: MonotonicMillis },
  terms: LeaseTerms,
): Belief {
  const { answer, sentAt } = heard;
  if (isOutranked(answer, belief)) {
    return belief;
  }
  const until = (sentAt + believedMs(answer, terms)) as MonotonicMillis;
  if (answer.leaseMs === 0 && isSameRole(belief.granted, answer)) {
    // The region repeats what it heard last, and vouches for nothing.
    return belief;
  }
  if (!isSameRole(belief.granted, answer)) {
    return { granted: { role: answer.role, epoch: answer.epoch }, grantedAt: sentAt, until };
  }
  // Answers overtake each other: an older one takes nothing away.
  return {
    granted: belief.granted,
    grantedAt: later(belief.grantedAt, sentAt),
    until: later(belief.until, until),
  };
}

/** Whether something newer was heard before, which this answer does not know of. */
export function isOutranked(answer: SiteRole, { granted }: Belief): boolean {
  return !isSameRole(decideRole([granted, answer]), answer);
}

/** After the end the epoch stays, so that whoever demotes knows which grant has ended. */
export function roleAt({ granted, until }: Belief, now: MonotonicMillis): SiteRole {
  return until !== null && now < until ? granted : { role: 'unknown', epoch: granted.epoch };
}

/**
 * Whether a role was given up because nobody renewed it, or none was ever heard of: the beats say so,
 * because whoever hears them cannot know that no answer gets back. A region that knows of no role
 * lends none, so there is nothing to give up.
 */
export function isFenced(
  { granted, grantedAt, until }: Belief,
  now: MonotonicMillis,
  { startedAt, paceMs }: { readonly startedAt: MonotonicMillis; readonly paceMs: number },
): boolean {
  if (grantedAt === null || until === null) {
    return now - startedAt > UNHEARD_INTERVALS_MAX * paceMs;
  }
  return granted.role !== 'unknown' && now >= until;
}

/** What is left of the lease; 0 when there is none. */
export function leaseLeftMs({ until }: Belief, now: MonotonicMillis): number {
  return until === null ? 0 : Math.max(0, until - now);
}

/** A lease that the latest round did not renew: no region may be spared now. */
export function isAtRisk(belief: Belief, now: MonotonicMillis, paceMs: number): boolean {
  const { granted, grantedAt } = belief;
  const isHeld = granted.role !== 'unknown' && leaseLeftMs(belief, now) > 0;
  return isHeld && grantedAt !== null && now - grantedAt > LEASE_RISK_INTERVALS * paceMs;
}

/**
 * How long an answer is believed. Never beyond what the region lends; never beyond twelve beats,
 * because no answer may switch the fencing off; and the margin takes nothing that would let the
 * role lapse between two good beats.
 */
export function believedMs(
  { leaseMs, nextBeatMs }: Pick<HeartbeatAnswer, 'leaseMs' | 'nextBeatMs'>,
  { paceMs, marginMs }: LeaseTerms,
): number {
  const lentMs = leaseMs ?? LEASE_INTERVALS_ABSENT * nextBeatMs;
  const cappedMs = Math.min(lentMs, LEASE_INTERVALS_MAX * paceMs);
  return Math.max(cappedMs - marginMs, Math.min(cappedMs, LEASE_INTERVALS_BELIEVED_MIN * paceMs));
}

function later(left: MonotonicMillis | null, right: MonotonicMillis): MonotonicMillis {
  return left !== null && left > right ? left : right;
}
