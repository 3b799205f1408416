/**
 * How far the followers' logs agree with the leader's, and what that commits. Pure.
 *
 * An acknowledgement is a fact about a register seen in the leader's term, never about what a
 * caller sent: an entry found in a register whose term has moved on is no ack (paper figure 8).
 */
import { type LogIndex, logIndex } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Message } from './messages.ts';
import { quorumIndex } from './quorum.ts';
import {
  type Base,
  configurationOf,
  entriesBetween,
  isLeader,
  lastEntry,
  memberOf,
  type Server,
  termAt,
} from './server.ts';

/**
 * Highest index up to which both logs are equal; null = the follower is behind the leader's base.
 *
 * `leader` may be an old copy, and the follower's base beyond its end: what a base covers is
 * committed, and a leader holds all that is committed before it adds more, so the follower has it all.
 */
export function matchIndex(leader: Server, follower: Server): LogIndex | null {
  const end = lastEntry(leader).index;
  if (follower.base.index > end) {
    return end;
  }
  const floor = Math.max(leader.base.index, follower.base.index);
  const top = Math.min(end, lastEntry(follower).index);
  for (let index = top; index > floor; index -= 1) {
    if (termAt(leader, logIndex(index)) === termAt(follower, logIndex(index))) {
      return logIndex(index);
    }
  }
  if (top < floor) {
    return null;
  }
  const here = logIndex(floor);
  return termAt(leader, here) === termAt(follower, here) ? here : null;
}

/** The append that brings a follower level with the leader; null = it needs a snapshot first. */
export function appendFor(leader: Server, follower: Server, commitIndex: LogIndex): Message | null {
  const matched = matchIndex(leader, follower);
  if (matched === null) {
    return null;
  }
  const term = termAt(leader, matched);
  invariant(term !== null, 'match-outside-leader-log', { matched });
  const previous: Base = { index: matched, term };
  const entries = entriesBetween(leader, matched, lastEntry(leader).index);
  return {
    kind: 'append',
    term: leader.term,
    leader: memberOf(leader),
    previous,
    entries,
    commitIndex,
  };
}

/**
 * Highest index that the leader may call committed: on a majority of registers, all seen in the
 * leader's term, and ending in an entry of that term (paper section 5.4.2). 0 = none proven.
 *
 * By the configuration at the end of this copy. An older copy may not know of a change that came
 * after: then the change is not committed without a majority of the voters that the copy does know,
 * and they hold all that comes before it (docs/raft.md, who votes).
 */
export function committedIndex(leader: Server, followers: readonly Server[]): LogIndex {
  if (!isLeader(leader)) {
    return leader.commitIndex;
  }
  const held = new Map([[memberOf(leader), lastEntry(leader).index]]);
  for (const follower of followers.filter(({ term }) => term === leader.term)) {
    held.set(memberOf(follower), matchIndex(leader, follower) ?? logIndex(0));
  }
  const agreed = quorumIndex(configurationOf(leader), held);
  const isOwnTerm = termAt(leader, logIndex(agreed)) === leader.term;
  return logIndex(isOwnTerm ? Math.max(agreed, leader.commitIndex) : leader.commitIndex);
}
