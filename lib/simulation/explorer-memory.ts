/**
 * What a counted caller remembers of what it hears: the replicator's rules for copies of leaders and
 * for what is proven, and when something remembered can be of no use any more. Forgetting that makes
 * one state of many that no future can tell apart.
 */
import { isLeader, lastEntry, type Server } from '../consensus/server.ts';
import { REGIONS } from './explorer-catalogue.ts';
import type { Parts } from './explorer-parts.ts';
import {
  at,
  CALLER_WIDTH,
  CANDIDACY,
  COMMIT,
  type Layout,
  LEADER,
  layoutOf,
  REGION_COUNT,
} from './explorer-state.ts';

export class CallerMemory {
  readonly #parts: Parts;
  readonly #layout: Layout;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#layout = layoutOf(parts.scope);
  }

  /** As the replicator does: the latest copy of the latest leader, and never less committed. */
  adopt(next: number[], caller: number, seen: number): void {
    const known = at(next, caller + LEADER);
    const server = this.#server(seen);
    const old = known === 0 ? null : this.#server(known);
    if (old !== null && old.term > server.term) {
      return;
    }
    const isShorter = old?.term === server.term && lastEntry(old).index > lastEntry(server).index;
    next[caller + LEADER] = isShorter ? known : seen;
    this.#learnCommit(next, caller, server.commitIndex);
  }

  /** The follower's copy as an acknowledgement: what it proves is judged, and remembered. */
  acknowledge(next: number[], caller: number, follower: number): void {
    const leader = at(next, caller + LEADER);
    const proven = this.#parts.exchanges.proven(leader, follower);
    this.#learnCommit(next, caller, proven);
    this.#judge(next, leader, proven);
  }

  /** Judges by what stands in the registers now, notes who leads, and forgets what is of no use. */
  settle(next: number[]): void {
    for (let region = 0; region < REGION_COUNT; region += 1) {
      this.#judgeFrom(next, region);
    }
    next[this.#layout.leaders] = this.#parts.checks.leaders(next);
    for (let place = this.#layout.callers; place < this.#layout.callersEnd; place += CALLER_WIDTH) {
      this.#forgetLeader(next, place);
      this.#forgetCandidacy(next, place);
    }
  }

  /** Without hints in scope nobody would ever use what he knows. */
  #learnCommit(next: number[], caller: number, index: number): void {
    if (this.#parts.scope.hasHints) {
      next[caller + COMMIT] = Math.max(at(next, caller + COMMIT), index);
    }
  }

  #judge(next: number[], leader: number, proven: number): void {
    const judged = at(next, this.#layout.judged);
    next[this.#layout.judged] = this.#parts.checks.raised(judged, leader, proven);
  }

  #judgeFrom(next: number[], region: number): void {
    const leader = at(next, region);
    if (isLeader(this.#server(leader))) {
      for (let other = 0; other < REGION_COUNT; other += 1) {
        if (other !== region) {
          this.#judge(next, leader, this.#parts.exchanges.proven(leader, at(next, other)));
        }
      }
    }
  }

  /** Once all registers have left its term, none takes its entries and none acknowledges them. */
  #forgetLeader(next: number[], caller: number): void {
    const leader = at(next, caller + LEADER);
    const isKept = leader === 0 || this.#parts.scope.keepsLostLeaders;
    if (!isKept && this.#isLeft(next, this.#server(leader).term)) {
      next[caller + LEADER] = 0;
    }
  }

  /** Once it leads or cannot, and nobody is below its term, no register would answer to it. */
  #forgetCandidacy(next: number[], caller: number): void {
    const candidacy = at(next, caller + CANDIDACY);
    if (candidacy !== 0) {
      const { term, candidate } = this.#parts.catalogues.candidacies.valueOf(candidacy);
      const own = this.#server(at(next, REGIONS.indexOf(candidate)));
      const isClosed = own.term > term || isLeader(own);
      next[caller + CANDIDACY] = isClosed && this.#isLeft(next, term - 1) ? 0 : candidacy;
    }
  }

  #isLeft(next: readonly number[], term: number): boolean {
    for (let region = 0; region < REGION_COUNT; region += 1) {
      if (this.#server(at(next, region)).term <= term) {
        return false;
      }
    }
    return true;
  }

  #server(number: number): Server {
    return this.#parts.catalogues.servers.valueOf(number);
  }
}
