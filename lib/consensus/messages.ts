/**
 * What can be asked of a register, and what it answers. The names are the Raft paper's, figure 2;
 * `campaign`, `lead` and `propose` are the parts of a candidate and of a leader that a process
 * would do to itself, and that a caller here does to the region's register.
 */
import type { LogIndex, Term } from '../base/identifiers.ts';
import type { Configuration, MemberId } from './membership.ts';
import type { Base, Command, Entry } from './server.ts';

/** The candidate's own vote; freezes its log for the term. Sent to the candidate's register. */
interface Campaign {
  readonly kind: 'campaign';
  readonly term: Term;
}

/** RequestVote (paper section 5.2 and 5.4.1). */
interface Vote {
  readonly kind: 'vote';
  readonly term: Term;
  readonly candidate: MemberId;
  /** End of the candidate's log, as read after its own vote. */
  readonly last: Base;
}

/** The caller has seen a majority of votes for this region in `term`. */
interface Lead {
  readonly kind: 'lead';
  readonly term: Term;
}

/** Client commands for the leader's log. */
interface Propose {
  readonly kind: 'propose';
  readonly term: Term;
  readonly commands: readonly Command[];
  /** What the sender has proven committed; by (index, term), as a stale leader may hold another entry there. */
  readonly commit: Base;
}

/** The next step of a change of who votes, for the leader's log (paper section 6). */
interface Change {
  readonly kind: 'change';
  readonly term: Term;
  readonly configuration: Configuration;
  /** What the sender has proven committed: the configuration in force must be. */
  readonly commit: Base;
}

/** AppendEntries (paper section 5.3). */
interface Append {
  readonly kind: 'append';
  readonly term: Term;
  readonly leader: MemberId;
  readonly previous: Base;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
}

/** InstallSnapshot (paper section 7). The snapshot of `base` is already in the register's table. */
interface Install {
  readonly kind: 'install';
  readonly term: Term;
  readonly leader: MemberId;
  readonly base: Base;
  /** Who voted at the base. */
  readonly configuration: Configuration;
}

/**
 * Forgets entries up to `base`, which its sender has applied (so it is committed) and whose snapshot
 * is already in the register's table.
 */
interface Compact {
  readonly kind: 'compact';
  readonly base: Base;
}

export type Message = Campaign | Vote | Lead | Propose | Change | Append | Install | Compact;

export type Refusal =
  /** The register is in a higher term: the sender is out of date. */
  | 'term-moved-on'
  | 'voted-for-another'
  | 'log-behind'
  | 'not-candidate'
  /** A learner, or no member any more: it stands for nothing. */
  | 'not-a-voter'
  | 'not-leader'
  /** The configuration in force is not committed yet. */
  | 'change-under-way'
  /** Not one of the steps of `membership.ts` from the configuration in force. */
  | 'not-a-step'
  | 'previous-missing'
  | 'not-in-log';

/** `yes` holds in `server`, which must be written before anyone relies on it. */
export type Reply = { readonly kind: 'yes' } | { readonly kind: 'no'; readonly reason: Refusal };
