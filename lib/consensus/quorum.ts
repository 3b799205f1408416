/**
 * The one place that knows what a majority is. Votes, commits and reads all ask here, and the scan
 * is kept dumb on purpose: a clever one once committed on a minority (openraft issue 1802).
 */
import { invariant } from '../base/invariant.ts';
import type { Configuration, MemberId } from './membership.ts';

/** Smallest number of members that any other majority must overlap. */
export function majorityOf(memberCount: number): number {
  invariant(Number.isSafeInteger(memberCount) && memberCount > 0, 'no-members', { memberCount });
  return Math.floor(memberCount / 2) + 1;
}

export function isMajority(yesCount: number, memberCount: number): boolean {
  invariant(yesCount <= memberCount, 'more-votes-than-members', { yesCount, memberCount });
  return yesCount >= majorityOf(memberCount);
}

/** Whether these decide: a majority of the voters, and of those that are being left. */
export function isQuorum(
  { voters, outgoing }: Configuration,
  members: ReadonlySet<MemberId>,
): boolean {
  return hasMajority(voters, members) && (outgoing === null || hasMajority(outgoing, members));
}

function hasMajority(voters: readonly MemberId[], members: ReadonlySet<MemberId>): boolean {
  return isMajority(voters.filter((voter) => members.has(voter)).length, voters.length);
}

/** The highest index that a quorum holds. A member that is not in `held` holds nothing. */
export function quorumIndex(
  { voters, outgoing }: Configuration,
  held: ReadonlyMap<MemberId, number>,
): number {
  const agreed = majorityIndex(voters, held);
  return outgoing === null ? agreed : Math.min(agreed, majorityIndex(outgoing, held));
}

function majorityIndex(voters: readonly MemberId[], held: ReadonlyMap<MemberId, number>): number {
  const ascending = voters.map((voter) => held.get(voter) ?? 0).sort((a, b) => a - b);
  return ascending.at(-majorityOf(voters.length)) ?? 0;
}
