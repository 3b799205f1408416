/**
 * All that can happen next when any number of callers take part, each as slow and as forgetful as can
 * be, with any number of late writes. Stronger than `explorer-callers.ts`, and its states are fewer.
 *
 * Nobody need be counted when everybody remembers everything. What a caller can know that matters is a
 * copy of a leader, a candidacy with its votes, or an index proven committed; and whatever could once
 * be known, somebody has known and may act on it at any later time. A late write is no more than that:
 * it lands only where its register still stands as it did, so it does what the same message does that
 * is sent just now by somebody who knows just as little. A crash only forgets what others still know.
 *
 * So a state is the registers, and of the past: the last copy of each term's leader (its log in one
 * term only grows, so each earlier copy is a prefix of it), each candidacy that some register began
 * (with the last end of log it can claim: a longer claim gets every vote that a shorter one gets, and
 * leaves the same behind) with every vote it ever got, and what was ever judged committed.
 */

import { logIndex, type RegionId, term as termOf } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import {
  configurationOf,
  isLeader,
  lastEntry,
  memberOf,
  type Server,
} from '../consensus/server.ts';
import { type Candidacy, COMMANDS, REGIONS, regionNumber } from './explorer-catalogue.ts';
import { ALL, type Outcome, portions } from './explorer-exchanges.ts';
import { Memo, pairKey } from './explorer-memo.ts';
import type { MoveMaker, Parts, Visit } from './explorer-parts.ts';
import { ReadMoves } from './explorer-reads.ts';
import { at, type Layout, layoutOf, REGION_COUNT, type State } from './explorer-state.ts';

export class CrowdMoves implements MoveMaker {
  readonly #parts: Parts;
  readonly #layout: Layout;
  readonly #reads: ReadMoves;
  /** Numbers of the earlier copies of a leader, by the number of the last. */
  readonly #versions: (readonly number[])[] = [];
  /** Number of a server without its commit hint. */
  readonly #bare: number[] = [];
  /** Candidacies after something was learnt or forgotten: what text would have to be made again for. */
  readonly #learnt = new Memo<number>();
  #state: State = [];
  #visit: Visit = () => undefined;
  #what: () => string = () => '';
  #region = 0;

  constructor(parts: Parts) {
    invariant(!parts.scope.hasCompaction, 'crowd-cannot-compact');
    this.#parts = parts;
    this.#layout = layoutOf(parts.scope);
    this.#reads = new ReadMoves(parts);
  }

  get move(): string {
    return `${REGIONS[this.#region]} ${this.#what()}`;
  }

  successors(state: State, visit: Visit): void {
    this.#state = state;
    this.#visit = visit;
    for (let region = 0; region < REGION_COUNT; region += 1) {
      this.#region = region;
      this.#campaign(at(state, region));
      this.#vote(at(state, region));
      this.#lead(at(state, region));
      this.#propose(at(state, region));
      this.#append(at(state, region));
    }
    this.#read();
  }

  #campaign(register: number): void {
    const terms = REGIONS.map((_, region) => this.#server(at(this.#state, region)).term);
    const highest = Math.min(this.#parts.scope.terms, Math.max(...terms) + 1);
    for (let term = this.#server(register).term + 1; term <= highest; term += 1) {
      this.#what = () => `stands for term ${term}`;
      const outcome = this.#parts.exchanges.campaign(register, term);
      this.#take(outcome, null);
    }
  }

  #vote(register: number): void {
    const { candidacies, candidaciesEnd } = this.#layout;
    for (let place = candidacies; place < candidaciesEnd; place += 1) {
      const candidacy = at(this.#state, place);
      const known = candidacy === 0 ? null : this.#parts.catalogues.candidacies.valueOf(candidacy);
      const voter = REGIONS[this.#region];
      if (known !== null && voter !== undefined && voter !== known.candidate) {
        this.#what = () => `is asked to vote for ${known.candidate} in term ${known.term}`;
        const outcome = this.#parts.exchanges.vote(register, candidacy);
        const isVote = outcome !== null && this.#parts.rules.isVote(outcome.reply);
        const number = isVote ? this.#withVote(candidacy, voter) : candidacy;
        this.#take(outcome, { place, number });
      }
    }
  }

  #withVote(number: number, voter: RegionId): number {
    const candidacy = this.#parts.catalogues.candidacies.valueOf(number);
    if (candidacy.isElected || candidacy.votes.includes(voter)) {
      return number;
    }
    return this.#counted({ ...candidacy, votes: [...candidacy.votes, voter].sort() });
  }

  #counted(candidacy: Candidacy): number {
    const configuration = configurationOf(this.#server(at(this.#state, 0)));
    const isElected = this.#parts.rules.isQuorum(configuration, new Set(candidacy.votes));
    const votes = isElected ? [] : candidacy.votes;
    return this.#parts.catalogues.candidacies.numberOf({ ...candidacy, votes, isElected });
  }

  #lead(register: number): void {
    const { candidacies, candidaciesEnd } = this.#layout;
    for (let place = candidacies; place < candidaciesEnd; place += 1) {
      const candidacy = at(this.#state, place);
      const known = candidacy === 0 ? null : this.#parts.catalogues.candidacies.valueOf(candidacy);
      if (known?.isElected === true && REGIONS[this.#region] === known.candidate) {
        this.#what = () => `is made to lead term ${known.term}`;
        this.#take(this.#parts.exchanges.lead(register, known.term), null);
      }
    }
  }

  #propose(register: number): void {
    for (let place = this.#layout.copies; place < this.#layout.copiesEnd; place += 1) {
      const leader = at(this.#state, place);
      if (leader !== 0 && this.#isOf(leader, this.#region)) {
        for (let command = 0; command < this.#parts.scope.commands; command += 1) {
          this.#what = () => `is proposed ${COMMANDS[command]?.id}`;
          for (let commit = this.#proven(leader); commit >= 0; commit -= 1) {
            const proposal = { commit, command };
            this.#take(this.#parts.exchanges.propose(register, leader, proposal), null);
          }
        }
      }
    }
  }

  #append(register: number): void {
    for (let place = this.#layout.copies; place < this.#layout.copiesEnd; place += 1) {
      const leader = at(this.#state, place);
      if (leader !== 0 && !this.#isOf(leader, this.#region)) {
        for (const version of this.#versionsOf(leader)) {
          for (let commit = this.#proven(leader); commit >= 0; commit -= 1) {
            this.#appendFrom(register, version, commit);
          }
        }
      }
    }
  }

  #appendFrom(register: number, version: number, commit: number): void {
    const { identity, term, entries } = this.#server(version);
    for (const some of portions(this.#parts.scope, entries.length)) {
      const few = some === ALL ? '' : `only ${some} of `;
      this.#what = () =>
        `takes ${few}the log of ${identity.region}, leader of term ${term}, up to ${entries.length}`;
      this.#take(this.#parts.exchanges.append(register, version, { commit, entries: some }), null);
    }
  }

  #read(): void {
    if (this.#parts.scope.hasReads) {
      this.#reads.successors(this.#state, this.#layout.callers, (next, region, what) => {
        this.#region = region;
        this.#what = () => `is where somebody ${what}`;
        this.#visit(next);
      });
    }
  }

  // ── What a move leaves behind ──────────────────────────────────────────────────────────────────

  /** The outcome at this region's register, with what was learnt of a candidacy. */
  #take(outcome: Outcome | null, learnt: Learnt | null): void {
    const isChange = outcome !== null && outcome.server !== at(this.#state, this.#region);
    const isNews = learnt !== null && learnt.number !== at(this.#state, learnt.place);
    if (outcome === null || !(isChange || isNews)) {
      return;
    }
    const next = this.#state.slice();
    next[this.#region] = outcome.server;
    if (learnt !== null) {
      next[learnt.place] = learnt.number;
    }
    this.#rememberCandidate(next, this.#region);
    this.#rememberLeader(next, this.#region);
    for (let place = this.#layout.copies; place < this.#layout.copiesEnd; place += 1) {
      this.#judgeFrom(next, at(next, place));
    }
    this.#forget(next);
    this.#visit(next);
  }

  #rememberCandidate(next: number[], region: number): void {
    const server = this.#server(at(next, region));
    const { term, votedFor } = server;
    if (votedFor !== memberOf(server)) {
      return;
    }
    const place = this.#layout.candidacies + (term - 1) * REGION_COUNT + region;
    next[place] = this.#once(at(next, place), at(next, region) * SITUATIONS, (candidacy) => {
      const { index, term: lastTerm } = lastEntry(server);
      const last = { index, term: lastTerm };
      const candidate = server.identity.region;
      return candidacy === null
        ? this.#counted({ term, candidate, last, votes: [candidate], isElected: false })
        : this.#parts.catalogues.candidacies.numberOf({ ...candidacy, last });
    });
  }

  #once(number: number, situation: number, compute: (known: Candidacy | null) => number): number {
    const { candidacies } = this.#parts.catalogues;
    return this.#learnt.of(pairKey(number, situation), () =>
      compute(number === 0 ? null : candidacies.valueOf(number)),
    );
  }

  #rememberLeader(next: number[], region: number): void {
    const number = at(next, region);
    const server = this.#server(number);
    if (isLeader(server)) {
      const place = this.#layout.copies + server.term - 1;
      const known = at(next, place);
      const isOnly = known === 0 || this.#isOf(known, region);
      invariant(isOnly, 'two-leaders-in-one-term', { term: server.term });
      next[place] = this.#bareOf(number);
    }
  }

  #judgeFrom(next: number[], leader: number): void {
    for (let region = 0; leader !== 0 && region < REGION_COUNT; region += 1) {
      if (!this.#isOf(leader, region)) {
        const proven = this.#parts.exchanges.proven(leader, at(next, region));
        const judged = at(next, this.#layout.judged);
        next[this.#layout.judged] = this.#parts.checks.raised(judged, leader, proven);
      }
    }
  }

  /** A leader whose term all registers have left; of a candidacy what nobody can ask any more. */
  #forget(next: number[]): void {
    const terms = REGIONS.map((_, region) => this.#server(at(next, region)).term);
    const lowest = Math.min(...terms);
    const lowestLed = this.#parts.scope.keepsLostLeaders ? 0 : lowest;
    for (let place = this.#layout.copies; place < this.#layout.copiesEnd; place += 1) {
      const leader = at(next, place);
      next[place] = leader !== 0 && this.#server(leader).term < lowestLed ? 0 : leader;
    }
    const { candidacies, candidaciesEnd } = this.#layout;
    for (let place = candidacies; place < candidaciesEnd; place += 1) {
      next[place] = this.#stillOpen(next, at(next, place), lowest);
    }
  }

  #stillOpen(next: readonly number[], number: number, lowest: number): number {
    if (number === 0) {
      return 0;
    }
    const { candidacies } = this.#parts.catalogues;
    const candidacy = candidacies.valueOf(number);
    const own = this.#server(at(next, regionNumber(candidacy.candidate)));
    const isClosed = own.term > candidacy.term || isLeader(own);
    const isAsking = lowest < candidacy.term;
    if (isClosed && !isAsking) {
      return 0;
    }
    return this.#once(number, (isAsking ? 1 : 0) + (isClosed ? 2 : 0), () =>
      candidacies.numberOf({
        ...candidacy,
        last: isAsking ? candidacy.last : NOWHERE,
        votes: isClosed ? [] : candidacy.votes,
        isElected: !isClosed && candidacy.isElected,
      }),
    );
  }

  // ── Small parts ────────────────────────────────────────────────────────────────────────────────

  /** The most that a follower of this leader can know to be committed, when hints are in scope. */
  #proven(leader: number): number {
    if (!this.#parts.scope.hasHints) {
      return 0;
    }
    const { by } = this.#parts.checks.judged(at(this.#state, this.#layout.judged));
    const { term } = this.#server(leader);
    return by.findLastIndex((judge) => judge <= term) + 1;
  }

  /** This copy and each before it, from the one that held just the no-op of its term. */
  #versionsOf(leader: number): readonly number[] {
    const known = this.#versions[leader];
    if (known !== undefined) {
      return known;
    }
    const server = this.#server(leader);
    const first = server.entries.findIndex(({ term }) => term === server.term) + 1;
    const versions: number[] = [];
    for (let length = server.entries.length; length >= first; length -= 1) {
      const entries = server.entries.slice(0, length);
      versions.push(this.#parts.catalogues.servers.numberOf({ ...server, entries }));
    }
    this.#versions[leader] = versions;
    return versions;
  }

  #bareOf(number: number): number {
    this.#bare[number] ??= this.#parts.catalogues.servers.numberOf({
      ...this.#server(number),
      commitIndex: logIndex(0),
    });
    return this.#bare[number];
  }

  #isOf(number: number, region: number): boolean {
    return regionNumber(this.#server(number).identity.region) === region;
  }

  #server(number: number): Server {
    return this.#parts.catalogues.servers.valueOf(number);
  }
}

/** Something learnt of a candidacy, and its place in the row. */
interface Learnt {
  readonly place: number;
  readonly number: number;
}

/** Ways to look at one candidacy apart from those that come with a server. */
const SITUATIONS = 4;
const NOWHERE = { index: logIndex(0), term: termOf(0) };
