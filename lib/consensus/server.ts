/**
 * A Raft server as a value: everything one register holds (Raft paper, figure 2, "State").
 *
 * A server has no process of its own. Whoever calls reads it, steps it (`step.ts`) and writes it
 * back by compare-and-set (`register-port.ts`). All of term, vote, leadership and log tail change
 * in that one write, so no crash can tear them apart.
 */
import {
  type CommandId,
  type LogIndex,
  logIndex,
  type RegionId,
  type Term,
  term as termOf,
} from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { JsonValue } from '../base/json.ts';
import {
  type Configuration,
  foundingConfiguration,
  type MemberId,
  memberId,
} from './membership.ts';

/** What a client asked for. `basis` bounds how long its id is remembered (`sessions.ts`). */
export interface Command {
  readonly id: CommandId;
  /** Highest applied index its sender knew of when it was first sent. */
  readonly basis: LogIndex;
  readonly body: JsonValue;
}

/** `command: null` is the no-op that a new leader appends (Raft paper, section 8), or a change of who votes. */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: Command | null;
  /** Who votes from here on, in force as soon as it is in the log (`membership.ts`). */
  readonly configuration?: Configuration;
}

/** The last entry that a snapshot covers; the log begins after it. Index 0 = no snapshot. */
export interface Base {
  readonly index: LogIndex;
  readonly term: Term;
}

/** Whose register it is. What is found elsewhere under this name halts (docs/raft.md, identity). */
export interface ClusterIdentity {
  readonly clusterId: string;
  readonly region: RegionId;
  /** The regions that the cluster was made with, sorted. They never change, whoever votes today. */
  readonly founders: readonly RegionId[];
}

export interface Identity extends ClusterIdentity {
  /** 1 for the region's first table; a higher one for each that took its place (`nextIncarnation`). */
  readonly incarnation: number;
}

export interface Server {
  readonly identity: Identity;
  readonly term: Term;
  /** The member that got this register's vote in `term`. */
  readonly votedFor: MemberId | null;
  /** Equals `term` while this region leads; 0 otherwise. Never a process: a region leads. */
  readonly leaderOf: Term;
  readonly base: Base;
  /** Who voted at `base`. Who votes now: `configurationOf`. */
  readonly baseConfiguration: Configuration;
  /** Entries after `base`, contiguous, terms never falling. */
  readonly entries: readonly Entry[];
  /** Highest index known to be committed. Only a hint: always proven, maybe old. */
  readonly commitIndex: LogIndex;
}

/** A register that has never voted and holds nothing. */
export function pristineServer(identity: Identity): Server {
  return {
    identity,
    term: termOf(0),
    votedFor: null,
    leaderOf: termOf(0),
    base: { index: logIndex(0), term: termOf(0) },
    baseConfiguration: foundingConfiguration(identity.founders),
    entries: [],
    commitIndex: logIndex(0),
  };
}

export function memberOf({ identity }: Server): MemberId {
  return memberId(identity.region, identity.incarnation);
}

/** The members that these registers are. */
export function membersAmong(servers: readonly Server[]): ReadonlySet<MemberId> {
  return new Set(servers.map(memberOf));
}

/** Who votes, as far as this register's log goes (thesis section 4.1: the latest, committed or not). */
export function configurationOf(server: Server): Configuration {
  return server.entries.findLast(isChange)?.configuration ?? server.baseConfiguration;
}

/** Who voted at `index`, which must not lie before the base. */
export function configurationAt(server: Server, index: LogIndex): Configuration {
  const before = entriesBetween(server, server.base.index, index);
  return before.findLast(isChange)?.configuration ?? server.baseConfiguration;
}

/** Where the configuration in force stands in the log; the base's index when it is not in the tail. */
export function configurationIndex(server: Server): LogIndex {
  return server.entries.findLast(isChange)?.index ?? server.base.index;
}

function isChange({ configuration }: Entry): boolean {
  return configuration !== undefined;
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
    server.leaderOf === 0 || server.votedFor === memberOf(server),
    'leader-without-own-vote',
    server.identity,
  );
  invariant(commitIndex >= base.index, 'commit-before-base', { base, commitIndex });
  invariant(commitIndex <= last.index, 'commit-beyond-log', { last: last.index, commitIndex });
  invariant(last.term <= server.term, 'entry-from-future-term', { last, term: server.term });
  let previous: Base = base;
  for (const entry of entries) {
    // A long log is checked often: what would be said of a fault is put together only for one.
    if (entry.index !== previous.index + 1 || entry.term < previous.term) {
      invariant(entry.index === previous.index + 1, 'log-not-contiguous', { index: entry.index });
      invariant(false, 'log-terms-fall', { index: entry.index });
    }
    previous = entry;
  }
}
