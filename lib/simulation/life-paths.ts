/**
 * Which rare ways a life went: a path that no life of a campaign takes is not tested.
 *
 * It looks at what the registers were and are, after each event that changed one.
 */
import type { RegionId } from '../base/identifiers.ts';
import type { Copy } from '../consensus/register-port.ts';
import { lastEntry, type Server, termAt } from '../consensus/server.ts';

export interface PathCounts {
  /** Logs that lost entries which were never committed. */
  truncations: number;
  /** Writes of each kind that landed after their sender had given up. */
  lateVotes: number;
  lateEntries: number;
  lateBases: number;
  /** Writes of a leader that landed when a later term had begun elsewhere. */
  deposedWrites: number;
  /** Two regions that stood for election in one term. */
  splitTerms: number;
}

export class LifePaths {
  readonly counts: PathCounts = {
    truncations: 0,
    lateVotes: 0,
    lateEntries: 0,
    lateBases: 0,
    deposedWrites: 0,
    splitTerms: 0,
  };
  readonly #seen = new Map<RegionId, Server>();
  #copies: readonly Copy[] = [];

  /** `isLate`: what changed the registers was a late request. */
  look(copies: readonly Copy[], isLate: boolean): void {
    if (copies === this.#copies) {
      return;
    }
    this.#copies = copies;
    for (const { server } of copies) {
      const { region } = server.identity;
      const before = this.#seen.get(region);
      this.#seen.set(region, server);
      if (before !== undefined && before !== server) {
        this.#changed(before, server, isLate);
      }
    }
  }

  #changed(before: Server, after: Server, isLate: boolean): void {
    const last = lastEntry(before);
    const hasGrown = lastEntry(after).index > last.index;
    const isKept = after.base.index >= last.index || termAt(after, last.index) === last.term;
    this.counts.truncations += isKept ? 0 : 1;
    this.counts.deposedWrites += hasGrown && this.#isOutOfDate(after) ? 1 : 0;
    this.counts.splitTerms += after.term > before.term && this.#isSplit(after) ? 1 : 0;
    if (isLate) {
      this.counts.lateVotes += after.votedFor !== before.votedFor ? 1 : 0;
      this.counts.lateEntries += hasGrown ? 1 : 0;
      this.counts.lateBases += after.base.index > before.base.index ? 1 : 0;
    }
  }

  #isOutOfDate({ term }: Server): boolean {
    return this.#copies.some(({ server }) => server.term > term);
  }

  #isSplit({ term, votedFor }: Server): boolean {
    return this.#copies.some(
      ({ server }) =>
        server.term === term && server.votedFor !== votedFor && server.votedFor !== null,
    );
  }
}
