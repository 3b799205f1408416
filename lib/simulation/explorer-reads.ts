/**
 * Linearizable reads, as `confirmLeadership` in `log-host.ts` makes them: two strongly consistent
 * reads within one call, and between them whatever may happen. When they show a leader and a quorum in
 * its term, the leader's log as it was read holds all that was committed before the call began.
 *
 * That is checked whether or not the tail could be helped to commit afterwards, which is more than the
 * code promises. A third read adds nothing: whoever is confirmed by three registers is by two of them.
 */
import { invariant } from '../base/invariant.ts';
import { configurationOf, membersAmong, type Server } from '../consensus/server.ts';
import type { Parts } from './explorer-parts.ts';
import {
  at,
  type Layout,
  LEADER,
  layoutOf,
  packReading,
  READING,
  REGION_COUNT,
  readingFloor,
  readingServer,
  type State,
} from './explorer-state.ts';

type Visit = (next: number[], region: number, what: string) => void;

export class ReadMoves {
  readonly #parts: Parts;
  readonly #layout: Layout;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#layout = layoutOf(parts.scope);
  }

  successors(state: State, caller: number, visit: Visit): void {
    const reading = at(state, caller + READING);
    for (let region = 0; region < REGION_COUNT; region += 1) {
      for (const copy of this.#copies(state, caller, region)) {
        const next = state.slice();
        if (reading === 0) {
          next[caller + READING] = packReading(copy, this.#committed(state));
          visit(next, region, 'begins to read');
        } else if (this.#server(readingServer(reading)).identity !== this.#server(copy).identity) {
          next[caller + READING] = 0;
          this.#confirm(state, copy, reading);
          visit(next, region, 'ends the read');
        }
      }
    }
  }

  /** The current copy; and one that the caller remembers, if that would be believed. */
  #copies(state: State, caller: number, region: number): readonly number[] {
    const current = at(state, region);
    const leader = at(state, caller + LEADER);
    const isRemembered =
      leader !== 0 && this.#server(leader).identity === this.#server(current).identity;
    return isRemembered && this.#parts.rules.isBelieved(false) ? [current, leader] : [current];
  }

  #confirm(state: State, second: number, reading: number): void {
    const servers = [this.#server(readingServer(reading)), this.#server(second)];
    const leader = this.#parts.rules.leaderAmong(servers);
    if (leader === null) {
      return;
    }
    const inTerm = servers.filter(({ term }) => term === leader.term);
    if (this.#parts.rules.isQuorum(configurationOf(leader), membersAmong(inTerm))) {
      const number = this.#parts.catalogues.servers.numberOf(leader);
      const held = this.#parts.checks.held(number, at(state, this.#layout.judged));
      invariant(held >= readingFloor(reading), 'stale-read', {
        held,
        floor: readingFloor(reading),
      });
    }
  }

  /** How many entries are judged committed: what a read that begins now must reflect. */
  #committed(state: State): number {
    return this.#parts.checks.judged(at(state, this.#layout.judged)).entries.length;
  }

  #server(number: number): Server {
    return this.#parts.catalogues.servers.valueOf(number);
  }
}
