/**
 * The simulated application and the checks on it: a ledger that writes down which commands were
 * applied, where, and in which order; and the observer that compares every replica, every register
 * and every client's memory with one another after each event.
 */
import type { CommandId, LogIndex, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { AppliedEntry, StateMachine } from '../consensus/replica.ts';
import { isLeader, type Server } from '../consensus/server.ts';

export interface Ledger {
  /** How many commands were applied. */
  readonly count: number;
  /** The latest ones, oldest first, for readers. */
  readonly latest: readonly CommandId[];
  /** Commands that were applied a second time. Exactly once means: always 0. */
  readonly repeats: number;
}

const LATEST_MAX = 300;

export const LEDGER_MACHINE: StateMachine<Ledger> = {
  initial: { count: 0, latest: [], repeats: 0 },
  apply: (state, command) => {
    const count = state.count + 1;
    const latest = [...state.latest, command.id].slice(-LATEST_MAX);
    const repeats = state.repeats + (state.latest.includes(command.id) ? 1 : 0);
    return { state: { count, latest, repeats }, result: { kind: 'accepted', count } };
  },
};

/** What must hold over all processes and registers of one simulated cluster, from start to end. */
export class SafetyChecks {
  /** Chain and command of each committed index, as the first replica applied it. */
  readonly #committed = new Map<LogIndex, { chain: string; id: CommandId | null }>();
  readonly #indexOf = new Map<CommandId, LogIndex>();
  readonly #leaders = new Map<number, RegionId>();
  readonly #acknowledged = new Map<CommandId, LogIndex>();
  readonly #rejected = new Set<CommandId>();

  get highestCommitted(): LogIndex {
    return Math.max(0, ...this.#committed.keys()) as LogIndex;
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  /** State machine safety: no two replicas apply different entries at one index. */
  applied(entries: readonly AppliedEntry[]): void {
    for (const { entry, chain } of entries) {
      const known = this.#committed.get(entry.index);
      invariant(known === undefined || known.chain === chain, 'replicas-diverge', entry);
      const id = entry.command?.id ?? null;
      this.#committed.set(entry.index, { chain, id });
      if (id !== null && !this.#indexOf.has(id)) {
        this.#indexOf.set(id, entry.index);
        invariant(!this.#rejected.has(id), 'rejected-command-committed', { id });
      }
    }
  }

  /** Election safety: one leader a term. Log matching is what `applied` finds out. */
  register(server: Server): void {
    if (isLeader(server)) {
      const known = this.#leaders.get(server.term) ?? server.identity.region;
      invariant(known === server.identity.region, 'two-leaders-in-one-term', { term: server.term });
      this.#leaders.set(server.term, known);
    }
  }

  acknowledged(id: CommandId, index: LogIndex): void {
    const known = this.#acknowledged.get(id);
    invariant(known === undefined || known === index, 'acknowledged-twice', { id });
    this.#acknowledged.set(id, index);
  }

  rejected(id: CommandId): void {
    invariant(!this.#indexOf.has(id), 'committed-command-rejected', { id });
    this.#rejected.add(id);
  }

  /** Linearizable reads: a confirmed read reflects all that was acknowledged before it began. */
  read(acknowledgedBefore: LogIndex, appliedIndex: LogIndex): void {
    invariant(appliedIndex >= acknowledgedBefore, 'stale-read', {
      appliedIndex,
      acknowledgedBefore,
    });
  }

  get highestAcknowledged(): LogIndex {
    return Math.max(0, ...this.#acknowledged.values()) as LogIndex;
  }

  ledger({ repeats }: Ledger): void {
    invariant(repeats === 0, 'command-applied-twice', { repeats });
  }

  /** At the end: every acknowledged command stands once, at the place its client was told. */
  finish(): void {
    for (const [id, index] of this.#acknowledged) {
      invariant(this.#indexOf.get(id) === index, 'acknowledged-command-lost', { id, index });
    }
  }
}
