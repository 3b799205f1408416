/**
 * What an exploration is made of: the rules, which are the real code unless a control replaces one,
 * and the bounds within which everything is tried.
 */
import { invariant } from '../base/invariant.ts';
import { leaderAmong } from '../consensus/cluster.ts';
import type { Reply } from '../consensus/messages.ts';
import { appendFor, committedIndex } from '../consensus/progress.ts';
import { isQuorum } from '../consensus/quorum.ts';
import { step } from '../consensus/step.ts';

/** Every decision that the explorer does not make itself. A control replaces one of them. */
export interface Rules {
  readonly step: typeof step;
  readonly appendFor: typeof appendFor;
  readonly committedIndex: typeof committedIndex;
  /** Whether these votes elect. */
  readonly isQuorum: typeof isQuorum;
  readonly leaderAmong: typeof leaderAmong;
  /** The elector: whether a reply is a vote. */
  readonly isVote: (reply: Reply) => boolean;
  /** The store: whether it takes a write, given that the revision is still the expected one. */
  readonly isTaken: (isRevisionExpected: boolean) => boolean;
  /** The client: whether a reply without a write counts, given that its copy was just read. */
  readonly isBelieved: (isFresh: boolean) => boolean;
}

export const RULES: Rules = {
  step,
  appendFor,
  committedIndex,
  isQuorum,
  leaderAmong,
  isVote: ({ kind }) => kind === 'yes',
  isTaken: (isRevisionExpected) => isRevisionExpected,
  isBelieved: (isFresh) => isFresh,
};

/** Bounds of one exploration. Within them every order of every move is tried. */
export interface Scope {
  /** Highest term; so the log holds at most this many no-ops. */
  readonly terms: number;
  readonly commands: number;
  /**
   * Processes at a time; one that crashes is replaced by one that knows nothing. `any` is without
   * bound, and with any number of late writes (`explorer-crowd.ts`).
   */
  readonly callers: number | 'any';
  /** Writes that were sent and have not arrived; each may arrive at any later time. */
  readonly lateWrites: number;
  /** Whether what a caller has proven committed goes into the registers as a hint. */
  readonly hasHints: boolean;
  /** Whether an append may carry only the first of the entries that it should, or none. */
  readonly areAppendsCut: boolean;
  /** Whether leaders are remembered whose term all registers have left. By the real rules nobody can use them. */
  readonly keepsLostLeaders: boolean;
  readonly hasReads: boolean;
  /** Whether registers forget what is committed, and take a base from a leader. */
  readonly hasCompaction: boolean;
}

/** The packed forms of a state have this much room (`explorer-state.ts`). */
const LOG_MAX = 7;
const TERMS_MAX = 4;

/**
 * How many entries with a command a log may get. A register that has compacted a command away takes it
 * again, and the sessions must see to it: one such repetition is in scope.
 */
export function commandEntriesMax({ commands, hasCompaction }: Scope): number {
  return commands + (hasCompaction && commands > 0 ? 1 : 0);
}

export function checkScope(scope: Scope): void {
  const entries = scope.terms + commandEntriesMax(scope);
  invariant(scope.terms >= 1 && scope.terms <= TERMS_MAX, 'scope-terms', scope);
  invariant(scope.commands <= 2 && entries <= LOG_MAX, 'scope-log', scope);
  invariant(scope.hasHints || !scope.hasCompaction, 'scope-compacts-without-hints', scope);
  const isCrowd = scope.callers === 'any';
  invariant(isCrowd || scope.callers >= 1, 'scope-empty', scope);
  invariant(!isCrowd || scope.lateWrites === 0, 'scope-counts-late-writes', scope);
}
