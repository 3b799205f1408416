/**
 * What must hold over all registers, replicas and clients of one simulated cluster, checked after
 * every event against what the stores really hold, not against what any process believes.
 *
 * The names are those of the paper, figure 3, where it has one. The checks share no code with what
 * they check but the shape of a server: `termAt` and `lastEntry`.
 */

import { type CommandId, type LogIndex, logIndex, type RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalJson, type JsonValue } from '../base/json.ts';
import type { Configuration, MemberId } from '../consensus/membership.ts';
import type { ProposeOutcome } from '../consensus/proposals.ts';
import type { Copy } from '../consensus/register-port.ts';
import type { AppliedEntry, Replica } from '../consensus/replica.ts';
import {
  type Base,
  configurationAt,
  configurationOf,
  type Entry,
  lastEntry,
  memberOf,
  type Server,
  termAt,
} from '../consensus/server.ts';
import { CommandOracle } from './command-oracle.ts';
import type { KeyValueState } from './key-value-machine.ts';

/** What the stores really hold now. */
export interface Stores {
  readonly copies: readonly Copy[];
  readonly hasSnapshot: (region: RegionId, base: Base) => boolean;
}

interface Committed {
  readonly term: number;
  /** No leader of a later term than this committed it. */
  readonly by: number;
  readonly chain: string;
  /** What the application must be at this index. */
  readonly state: KeyValueState;
}

export class SafetyChecks {
  readonly #stores: Stores;
  readonly #oracle: CommandOracle;
  /** By member: a table that takes the place of another is another. The lost ones stay as they were. */
  readonly #seen = new Map<MemberId, Copy>();
  /** Each committed index, as the first replica applied it. */
  readonly #committed = new Map<LogIndex, Committed>();
  readonly #indexOf = new Map<CommandId, LogIndex>();
  readonly #leaders = new Map<number, MemberId>();
  readonly #acknowledged = new Map<CommandId, LogIndex>();
  readonly #rejected = new Set<CommandId>();
  #highestCommitted = 0;
  #highestObserved = 0;
  #acknowledgedCount = 0;
  #forgottenBelow = 0;
  #copies: readonly Copy[] = [];

  /** `sessionWindowEntries`: how long an id is remembered, as the replicas are told. */
  constructor(stores: Stores, sessionWindowEntries: number) {
    this.#stores = stores;
    this.#oracle = new CommandOracle(sessionWindowEntries);
  }

  get highestCommitted(): number {
    return this.#highestCommitted;
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  isAcknowledged(id: CommandId): boolean {
    return this.#acknowledged.has(id);
  }

  /** Some client makes another call with this id. */
  calledAgain(id: CommandId): void {
    this.#oracle.calledAgain(id);
  }

  isOverrun(id: CommandId): boolean {
    return this.#oracle.isOverrun(id);
  }

  /** Calls that came when their id was forgotten. */
  get overruns(): number {
    return this.#oracle.overruns;
  }

  /** Copies of commands that came too late to take effect. */
  get expired(): number {
    return this.#oracle.expired;
  }

  /** Terms in which some region led. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** The highest index that some client was told of; what is read from now on must include it. */
  get highestObserved(): number {
    return this.#highestObserved;
  }

  // ── Registers ──────────────────────────────────────────────────────────────────────────────────

  /** Looks at every register that has changed since the last call. */
  registers(): void {
    const { copies } = this.#stores;
    if (copies === this.#copies) {
      return;
    }
    this.#copies = copies;
    for (const copy of copies) {
      const member = memberOf(copy.server);
      const before = this.#seen.get(member);
      if (before?.revision !== copy.revision) {
        this.#seen.set(member, copy);
        this.#changed(before?.server ?? null, copy.server);
        this.#requireMatchingLogs(copy.server);
      }
    }
    this.#requireDurable();
  }

  #changed(before: Server | null, after: Server): void {
    if (before !== null) {
      requireForward(before, after);
    }
    if (after.commitIndex > (before?.commitIndex ?? 0)) {
      this.#requireOnMajority(after.commitIndex, termAt(after, after.commitIndex) ?? 0);
    }
    if (after.base.index > (before?.base.index ?? 0)) {
      this.#compacted(after);
    }
    if (after.leaderOf > 0 && after.leaderOf !== before?.leaderOf) {
      this.#elected(after);
    }
  }

  #compacted({ base, identity }: Server): void {
    const known = this.#committed.get(base.index);
    invariant(known?.term === base.term, 'base-not-committed', base);
    const hasSnapshot = this.#stores.hasSnapshot(identity.region, base);
    invariant(hasSnapshot, 'base-without-snapshot', base);
  }

  /** Election Safety, and Leader Completeness. A late leader of an old term may lack what is newer. */
  #elected(leader: Server): void {
    const member = memberOf(leader);
    const known = this.#leaders.get(leader.term) ?? member;
    invariant(known === member, 'two-leaders-in-one-term', { term: leader.term });
    this.#leaders.set(leader.term, member);
    for (const [index, { term, by }] of this.#committed) {
      const isHeld = index <= leader.base.index || termAt(leader, index) === term;
      invariant(isHeld || leader.term <= by, 'leader-lacks-committed-entry', { member, index });
    }
  }

  /** Log Matching: two logs that agree at one index agree below it. */
  #requireMatchingLogs(changed: Server): void {
    for (const { server } of this.#stores.copies) {
      requireMatching(changed, server);
    }
  }

  /** The latest entry that is committed stays where it is; so does all below it, by Log Matching. */
  #requireDurable(): void {
    const latest = logIndex(this.#highestCommitted);
    const known = this.#committed.get(latest);
    if (known !== undefined) {
      this.#requireOnMajority(latest, known.term);
    }
  }

  /**
   * What is committed is on a majority of registers, and stays there: by a configuration that its
   * leader may have counted by, which is that of a log that holds it. A table that was lost held it.
   */
  #requireOnMajority(index: LogIndex, term: number): void {
    const holders = this.#everSeen().filter(
      (server) => index <= server.base.index || termAt(server, index) === term,
    );
    const members = new Set(holders.map(memberOf));
    const isAgreed = holders.some((server) =>
      configurationsFrom(server, index).some((one) => isDecided(one, members)),
    );
    invariant(isAgreed, 'committed-on-a-minority', { index, term });
  }

  /** The registers as they stand, and those that were lost as they stood. */
  #everSeen(): readonly Server[] {
    const servers = new Map(this.#stores.copies.map(({ server }) => [memberOf(server), server]));
    for (const [member, { server }] of this.#seen) {
      if (!servers.has(member)) {
        servers.set(member, server);
      }
    }
    return [...servers.values()];
  }

  // ── Replicas ───────────────────────────────────────────────────────────────────────────────────

  /** State Machine Safety: no two replicas apply different entries at one index. */
  applied(entries: readonly AppliedEntry[]): void {
    for (const { entry, chain } of entries) {
      if (entry.index < this.#forgottenBelow) {
        continue;
      }
      const known = this.#committed.get(entry.index);
      invariant(known === undefined || known.chain === chain, 'replicas-diverge', entry);
      if (known === undefined) {
        this.#committedFirst(entry, chain);
      }
    }
  }

  #committedFirst(entry: Entry, chain: string): void {
    this.#requireOnMajority(entry.index, entry.term);
    // Whoever committed it may lead no more by now.
    const by = Math.max(0, ...this.#leaders.keys());
    const state = this.#oracle.apply(entry);
    this.#committed.set(entry.index, { term: entry.term, by, chain, state });
    this.#highestCommitted = Math.max(this.#highestCommitted, entry.index);
    const id = entry.command?.id;
    if (id !== undefined && !this.#indexOf.has(id)) {
      this.#indexOf.set(id, entry.index);
      invariant(!this.#rejected.has(id), 'rejected-command-committed', { id });
    }
  }

  /** Also a replica that came from a snapshot stands where the others stood. */
  replica({ applied, chain, state }: Replica<KeyValueState>): void {
    if (applied.index < this.#forgottenBelow) {
      return;
    }
    const known = this.#committed.get(applied.index);
    const isKnown = applied.index === 0 || known?.chain === chain;
    invariant(isKnown, 'replica-of-another-log', applied);
    requireState(state, known?.state ?? NOTHING_WRITTEN);
  }

  /**
   * Lets go of what lies below `index`, which no register holds and nobody asks for any more, so that
   * a long run needs no more memory than a short one.
   */
  forgetBelow(index: number): void {
    this.#forgottenBelow = index;
    for (const [id, at] of this.#acknowledged) {
      if (at < index) {
        this.#requireThere(id, at);
        this.#acknowledged.delete(id);
      }
    }
    for (const at of this.#committed.keys()) {
      if (at < index) {
        this.#committed.delete(at);
      }
    }
    for (const [id, at] of this.#indexOf) {
      if (at < index) {
        this.#indexOf.delete(id);
      }
    }
    this.#rejected.clear();
    this.#oracle.forgetBelow(index);
  }

  // ── Clients ────────────────────────────────────────────────────────────────────────────────────

  /** A rejection says that this call wrote nothing; only from a first call does more follow. */
  outcome(id: CommandId, outcome: ProposeOutcome, isFirstCall: boolean): void {
    if (outcome.kind === 'committed') {
      this.#acknowledge(id, outcome.index, outcome.result);
    } else if (outcome.kind === 'rejected' && isFirstCall) {
      invariant(!this.#indexOf.has(id), 'committed-command-rejected', { id });
      this.#rejected.add(id);
    }
  }

  #acknowledge(id: CommandId, index: LogIndex, result: JsonValue): void {
    const known = this.#acknowledged.get(id);
    const isOnce = known === undefined || known === index || this.#oracle.isOverrun(id);
    invariant(isOnce, 'acknowledged-twice', { id, index, known });
    invariant(canonicalJson(result).includes('accepted'), 'acknowledged-without-effect', { id });
    this.#acknowledgedCount += known === undefined ? 1 : 0;
    this.#acknowledged.set(id, index);
    this.#highestObserved = Math.max(this.#highestObserved, index);
  }

  /** Linearizable: a confirmed read reflects all that any client was told before it began. */
  read(observedBefore: number, appliedIndex: LogIndex): void {
    invariant(appliedIndex >= observedBefore, 'stale-read', { appliedIndex, observedBefore });
    this.#highestObserved = Math.max(this.#highestObserved, appliedIndex);
  }

  /** At the end: every acknowledged command stands once, at the place its client was told. */
  finish(): void {
    this.#requireDurable();
    for (const [id, index] of this.#acknowledged) {
      this.#requireThere(id, index);
    }
  }

  #requireThere(id: CommandId, index: LogIndex): void {
    const isThere = this.#indexOf.get(id) === index || this.#oracle.isOverrun(id);
    invariant(isThere, 'acknowledged-command-lost', { id, index });
  }
}

function configurationsFrom(server: Server, index: LogIndex): readonly Configuration[] {
  const latest = configurationOf(server);
  return index < server.base.index ? [latest] : [configurationAt(server, index), latest];
}

function isDecided({ voters, outgoing }: Configuration, members: ReadonlySet<MemberId>): boolean {
  return [voters, outgoing ?? voters].every(
    (list) => list.filter((member) => members.has(member)).length * 2 > list.length,
  );
}

/** A register goes forward only, and votes once a term. */
function requireForward(before: Server, after: Server): void {
  const { region } = after.identity;
  invariant(after.term >= before.term, 'register-term-fell', { region });
  invariant(after.commitIndex >= before.commitIndex, 'register-commit-fell', { region });
  invariant(after.base.index >= before.base.index, 'register-base-fell', { region });
  const isNewTerm = after.term > before.term;
  const isSameVote = before.votedFor === null || after.votedFor === before.votedFor;
  invariant(isNewTerm || isSameVote, 'register-voted-twice', { region, term: after.term });
}

const NOTHING_WRITTEN: KeyValueState = { count: 0, values: {} };

/** Each command took effect once, and what it left is what anybody would expect of it. */
function requireState(found: KeyValueState, expected: KeyValueState): void {
  const detail = { found: found.count, expected: expected.count };
  invariant(found.count <= expected.count, 'command-applied-twice', detail);
  invariant(found.count === expected.count, 'command-not-applied', detail);
  const keys = Object.keys(expected.values);
  invariant(keys.length === Object.keys(found.values).length, 'replica-state-differs', detail);
  for (const key of keys) {
    invariant(found.values[key] === expected.values[key], 'replica-state-differs', { key });
  }
}

function requireMatching(left: Server, right: Server): void {
  const floor = Math.max(left.base.index, right.base.index);
  let isEqualBelow: boolean | null = null;
  const top = Math.min(lastEntry(left).index, lastEntry(right).index);
  for (let index = top; index > floor; index -= 1) {
    const ours = left.entries[index - left.base.index - 1];
    const theirs = right.entries[index - right.base.index - 1];
    const isEqual = ours?.term === theirs?.term;
    const isSameCommand = !isEqual || ours?.command?.id === theirs?.command?.id;
    invariant(isSameCommand && (isEqualBelow === null || isEqual), 'logs-do-not-match', { index });
    isEqualBelow = isEqual ? true : isEqualBelow;
  }
}
