/**
 * The one place that knows what a majority is. Votes, commits and reads all ask here, and the scan
 * is kept dumb on purpose: a clever one once committed on a minority (openraft issue 1802).
 */
import { invariant } from '../base/invariant.ts';

/** Smallest number of members that any other majority must overlap. */
export function majorityOf(memberCount: number): number {
  invariant(Number.isSafeInteger(memberCount) && memberCount > 0, 'no-members', { memberCount });
  return Math.floor(memberCount / 2) + 1;
}

export function isMajority(yesCount: number, memberCount: number): boolean {
  invariant(yesCount <= memberCount, 'more-votes-than-members', { yesCount, memberCount });
  return yesCount >= majorityOf(memberCount);
}
