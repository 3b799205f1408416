/**
 * What must hold over all registers, replicas and clients of one simulated cluster, checked after
 * every event against what the stores really hold, not against what any process believes.
 *
 * The names are those of the paper, figure 3, where it has one. The checks share no code with what
 * they check but the shape of a server: `termAt` and `lastEntry`.
 */

import type { CommandId, LogIndex, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalJson, type JsonValue } from '../base/json.ts';
import type { ProposeOutcome } from '../consensus/proposals.ts';
import type { Copy } from '../consensus/register-port.ts';
import type { AppliedEntry, Replica } from '../consensus/replica.ts';
import { type Base, type Entry, lastEntry, type Server, termAt } from '../consensus/server.ts';
import type { Ledger } from './ledger.ts';

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
}

export class SafetyChecks {
  readonly #stores: Stores;
  readonly #seen = new Map<RegionId, Copy>();
  /** Each committed index, as the first replica applied it. */
  readonly #committed = new Map<LogIndex, Committed>();
  readonly #indexOf = new Map<CommandId, LogIndex>();
  readonly #leaders = new Map<number, RegionId>();
  readonly #acknowledged = new Map<CommandId, LogIndex>();
  readonly #rejected = new Set<CommandId>();
  #highestCommitted = 0;
  #highestObserved = 0;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  get highestCommitted(): number {
    return this.#highestCommitted;
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
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
    for (const copy of this.#stores.copies) {
      const { region } = copy.server.identity;
      const before = this.#seen.get(region);
      if (before?.revision !== copy.revision) {
        this.#seen.set(region, copy);
        this.#changed(before?.server ?? null, copy.server);
      }
    }
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
    const { region } = leader.identity;
    const known = this.#leaders.get(leader.term) ?? region;
    invariant(known === region, 'two-leaders-in-one-term', { term: leader.term });
    this.#leaders.set(leader.term, region);
    for (const [index, { term, by }] of this.#committed) {
      const isHeld = index <= leader.base.index || termAt(leader, index) === term;
      invariant(isHeld || leader.term <= by, 'leader-lacks-committed-entry', { region, index });
    }
    this.#requireMatchingLogs();
  }

  /** Log Matching: two logs that agree at one index agree below it. */
  #requireMatchingLogs(): void {
    const servers = this.#stores.copies.map(({ server }) => server);
    for (const left of servers) {
      for (const right of servers) {
        requireMatching(left, right);
      }
    }
  }

  /** What is committed is on a majority of registers, and stays there. */
  #requireOnMajority(index: LogIndex, term: number): void {
    const { copies } = this.#stores;
    const holders = copies.filter(
      ({ server }) => index <= server.base.index || termAt(server, index) === term,
    );
    invariant(holders.length * 2 > copies.length, 'committed-on-a-minority', { index, term });
  }

  // ── Replicas ───────────────────────────────────────────────────────────────────────────────────

  /** State Machine Safety: no two replicas apply different entries at one index. */
  applied(entries: readonly AppliedEntry[]): void {
    for (const { entry, chain } of entries) {
      const known = this.#committed.get(entry.index);
      invariant(known === undefined || known.chain === chain, 'replicas-diverge', entry);
      if (known === undefined) {
        this.#committedFirst(entry, chain);
      }
    }
  }

  #committedFirst(entry: Entry, chain: string): void {
    this.#requireOnMajority(entry.index, entry.term);
    const by = Math.max(0, ...this.#stores.copies.map(({ server }) => server.leaderOf));
    this.#committed.set(entry.index, { term: entry.term, by, chain });
    this.#highestCommitted = Math.max(this.#highestCommitted, entry.index);
    const id = entry.command?.id;
    if (id !== undefined && !this.#indexOf.has(id)) {
      this.#indexOf.set(id, entry.index);
      invariant(!this.#rejected.has(id), 'rejected-command-committed', { id });
    }
  }

  /** Also a replica that came from a snapshot stands where the others stood. */
  replica({ applied, chain, state }: Replica<Ledger>): void {
    const known = this.#committed.get(applied.index);
    const isKnown = applied.index === 0 || known?.chain === chain;
    invariant(isKnown, 'replica-of-another-log', applied);
    invariant(state.repeats === 0, 'command-applied-twice', { repeats: state.repeats });
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
    invariant(known === undefined || known === index, 'acknowledged-twice', { id, index, known });
    invariant(canonicalJson(result).includes('accepted'), 'acknowledged-without-effect', { id });
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
    this.#requireMatchingLogs();
    for (const [id, index] of this.#acknowledged) {
      invariant(this.#indexOf.get(id) === index, 'acknowledged-command-lost', { id, index });
    }
  }
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
