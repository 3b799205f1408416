/**
 * A Raft server as a value: everything one register holds (Raft paper, figure 2, "State").
 *
 * A server has no process of its own. Whoever calls reads it, steps it (`step.ts`) and writes it
 * back by compare-and-set (`register-port.ts`). All of term, vote, leadership and log tail change
 * in that one write, so no crash can tear them apart.
 */
import type { CommandId, LogIndex, RegionId, Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { JsonValue } from '../base/json.ts';

/** What a client asked for. `basis` bounds how long its id is remembered (`sessions.ts`). */
export interface Command {
  readonly id: CommandId;
  /** Highest applied index its sender knew of when it was first sent. */
  readonly basis: LogIndex;
  readonly body: JsonValue;
}

/** `command: null` is the no-op that a new leader appends (Raft paper, section 8). */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: Command | null;
}

/** The last entry that a snapshot covers; the log begins after it. Index 0 = no snapshot. */
export interface Base {
  readonly index: LogIndex;
  readonly term: Term;
}

/** Who this register is. Checked on every step; a mismatch halts (docs/raft.md, identity). */
export interface Identity {
  readonly clusterId: string;
  readonly region: RegionId;
  /** All voters, sorted. */
  readonly members: readonly RegionId[];
}

export interface Server {
  readonly identity: Identity;
  readonly term: Term;
  /** The region that got this register's vote in `term`. */
  readonly votedFor: RegionId | null;
  /** Equals `term` while this region leads; 0 otherwise. Never a process: a region leads. */
  readonly leaderOf: Term;
  readonly base: Base;
  /** Entries after `base`, contiguous, terms never falling. */
  readonly entries: readonly Entry[];
  /** Highest index known to be committed. Only a hint: always proven, maybe old. */
  readonly commitIndex: LogIndex;
}

export function lastEntry(server: Server): Base {
  return server.entries.at(-1) ?? server.base;
}

/** Term of the entry at `index`; null when it lies before the base or after the end. */
export function termAt(server: Server, index: LogIndex): Term | null {
  if (index === server.base.index) {
    return server.base.term;
  }
  return server.entries[index - server.base.index - 1]?.term ?? null;
}

/** Entries with index above `after`, up to and including `upTo`. Neither may lie before the base. */
export function entriesBetween(server: Server, after: LogIndex, upTo: LogIndex): readonly Entry[] {
  invariant(after >= server.base.index, 'entries-compacted', { after, base: server.base });
  return server.entries.slice(after - server.base.index, upTo - server.base.index);
}

export function isLeader(server: Server): boolean {
  return server.term > 0 && server.leaderOf === server.term;
}

/** -1, 0 or 1: which log is more up-to-date (Raft paper, section 5.4.1). Lexicographic. */
export function compareLogs(left: Base, right: Base): number {
  return Math.sign(left.term - right.term || left.index - right.index);
}

/** Checks what every register must hold. Run after each read and before each write. */
export function checkServer(server: Server): void {
  const { base, entries, commitIndex } = server;
  const last = lastEntry(server);
  invariant(server.leaderOf <= server.term, 'leader-of-future-term', server.identity);
  invariant(
    server.leaderOf === 0 || server.votedFor === server.identity.region,
    'leader-without-own-vote',
    server.identity,
  );
  invariant(commitIndex >= base.index, 'commit-before-base', { base, commitIndex });
  invariant(commitIndex <= last.index, 'commit-beyond-log', { last: last.index, commitIndex });
  invariant(last.term <= server.term, 'entry-from-future-term', { last, term: server.term });
  let previous: Base = base;
  for (const entry of entries) {
    invariant(entry.index === previous.index + 1, 'log-not-contiguous', { index: entry.index });
    invariant(entry.term >= previous.term, 'log-terms-fall', { index: entry.index });
    previous = entry;
  }
}
