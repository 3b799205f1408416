/**
 * All that can happen next, from any state.
 *
 * A caller has, of everything that `register-client.ts` keeps, only what can matter. Its cached copy
 * of a register is either the current one, then the exchange goes on from it; or it is old, then the
 * write is refused by the compare-and-set, a reply without a write does not count, and either way the
 * caller looks again. So here every exchange goes on from the current copy. What a message is *built*
 * from may be as old as it likes: the leader's copy, the candidate's end of log, the proven index.
 *
 * A write that is made has three fates. It is applied and the caller hears of it; it is applied and
 * nobody hears; or it is late: then it lands at any later moment at which its register still stands at
 * the revision it expects, or never. (A register never comes back to a value it has left: terms rise,
 * and within a term a log only comes nearer to its leader's. So "same revision" is "same value".)
 * Reading what an unheard or late write did is the same as hearing it: a reply is a fact about a copy.
 *
 * More is allowed than the real processes do: any region may stand for election in any term that is
 * not far off, a leader is believed from one read, an older leader's entries are sent on when others
 * know a newer one. Crashes and waiting come between any two moves.
 */
import { term as termOf } from '../base/identifiers.ts';
import {
  configurationOf,
  isLeader,
  lastEntry,
  memberOf,
  type Server,
} from '../consensus/server.ts';
import { type Candidacy, COMMANDS, REGIONS } from './explorer-catalogue.ts';
import { ALL, type Outcome, portions } from './explorer-exchanges.ts';
import { CallerMemory } from './explorer-memory.ts';
import type { MoveMaker, Parts, Visit } from './explorer-parts.ts';
import { ReadMoves } from './explorer-reads.ts';
import { commandEntriesMax } from './explorer-scope.ts';
import {
  at,
  CALLER_WIDTH,
  CANDIDACY,
  COMMIT,
  type Layout,
  LEADER,
  lateRegion,
  lateServer,
  layoutOf,
  packLate,
  REGION_COUNT,
  type State,
} from './explorer-state.ts';

interface Move {
  /** Number of the caller; null = the network moves. */
  readonly caller: number | null;
  readonly what: string;
  /** Number of the region. */
  readonly region: number | null;
}

const NEVER_MOVED: Move = { caller: null, what: 'begins', region: null };

export class CallerMoves implements MoveMaker {
  readonly #parts: Parts;
  readonly #layout: Layout;
  readonly #reads: ReadMoves;
  readonly #memory: CallerMemory;
  #state: State = [];
  #visit: Visit = () => undefined;
  readonly #callerCount: number;
  /** Number and place of the caller that moves. */
  #caller = 0;
  #place = 0;
  #move = NEVER_MOVED;
  #fate = '';

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#layout = layoutOf(parts.scope);
    this.#reads = new ReadMoves(parts);
    this.#memory = new CallerMemory(parts);
    this.#callerCount = Number(parts.scope.callers);
  }

  get move(): string {
    const { caller, what, region } = this.#move;
    const who = caller === null ? '' : `caller ${caller + 1} `;
    return `${who}${what}${region === null ? '' : ` at ${REGIONS[region]}`}${this.#fate}`;
  }

  successors(state: State, visit: Visit): void {
    this.#state = state;
    this.#visit = visit;
    this.#land();
    for (let caller = 0; caller < this.#callerCount; caller += 1) {
      this.#caller = caller;
      this.#place = this.#layout.callers + caller * CALLER_WIDTH;
      this.#look();
      this.#campaign();
      this.#collectVotes();
      this.#lead();
      this.#propose();
      this.#replicate();
      this.#compact();
      this.#read();
      this.#crash();
    }
  }

  // ── The network ────────────────────────────────────────────────────────────────────────────────

  #land(): void {
    for (let place = this.#layout.lateWrites; place < this.#layout.lateWritesEnd; place += 1) {
      const packed = at(this.#state, place);
      if (packed !== 0) {
        this.#move = { caller: null, what: 'a late write lands', region: lateRegion(packed) };
        const next = this.#state.slice();
        next[place] = 0;
        this.#write(next, lateRegion(packed), lateServer(packed));
        this.#settle(next, '');
      }
    }
  }

  /** Whatever else was on its way to this revision comes too late. */
  #write(next: number[], region: number, server: number): void {
    if (next[region] === server) {
      return;
    }
    next[region] = server;
    if (this.#parts.rules.isTaken(false)) {
      return;
    }
    for (let place = this.#layout.lateWrites; place < this.#layout.lateWritesEnd; place += 1) {
      const packed = at(next, place);
      if (packed !== 0 && lateRegion(packed) === region) {
        next[place] = 0;
      }
    }
  }

  /** One exchange with its fates. `hear` adds what the caller learns to the row, if it hears. */
  #exchange(region: number, outcome: Outcome, hear: (next: number[]) => void): void {
    const heard = this.#state.slice();
    this.#write(heard, region, outcome.server);
    hear(heard);
    this.#settle(heard, outcome.reply.kind === 'yes' ? '' : ` (no: ${outcome.reply.reason})`);
    if (outcome.server === at(this.#state, region)) {
      return;
    }
    // A write that nobody hears of is a late one that lands at once: only without room a case of its own.
    const free = this.#state.indexOf(0, this.#layout.lateWrites);
    const hasRoom = free !== -1 && free < this.#layout.lateWritesEnd;
    const next = this.#state.slice();
    if (hasRoom) {
      next[free] = packLate(region, outcome.server);
      this.#settle(next, ' (late)');
    } else {
      this.#write(next, region, outcome.server);
      this.#settle(next, ' (unheard)');
    }
  }

  // ── A caller ───────────────────────────────────────────────────────────────────────────────────

  #look(): void {
    for (let region = 0; region < REGION_COUNT; region += 1) {
      if (isLeader(this.#server(at(this.#state, region)))) {
        this.#move = { caller: this.#caller, what: 'sees the leader', region };
        const next = this.#state.slice();
        this.#memory.adopt(next, this.#place, at(this.#state, region));
        this.#settle(next, '');
      }
    }
  }

  #campaign(): void {
    const highest = Math.min(this.#parts.scope.terms, this.#highestTerm() + 1);
    for (let region = 0; region < REGION_COUNT; region += 1) {
      const register = at(this.#state, region);
      for (let term: number = this.#server(register).term; term <= highest; term += 1) {
        const what = `lets it stand for term ${term}`;
        this.#move = { caller: this.#caller, what, region };
        const outcome = this.#parts.exchanges.campaign(register, term);
        if (outcome?.reply.kind === 'yes') {
          this.#exchange(region, outcome, (next) => this.#stand(next, outcome.server));
        }
      }
    }
  }

  #stand(next: number[], register: number): void {
    const server = this.#server(register);
    const { index, term } = lastEntry(server);
    const own = memberOf(server);
    this.#keepCandidacy(next, {
      term: server.term,
      candidate: server.identity.region,
      last: { index, term },
      votes: [server.identity.region],
      isElected: this.#parts.rules.isQuorum(configurationOf(server), new Set([own])),
    });
  }

  #collectVotes(): void {
    const candidacy = at(this.#state, this.#place + CANDIDACY);
    if (candidacy === 0) {
      return;
    }
    const known = this.#parts.catalogues.candidacies.valueOf(candidacy);
    for (let region = 0; region < REGION_COUNT; region += 1) {
      const voter = REGIONS[region];
      if (voter !== undefined && voter !== known.candidate) {
        const what = `asks its vote for ${known.candidate} in term ${known.term}`;
        this.#move = { caller: this.#caller, what, region };
        const outcome = this.#parts.exchanges.vote(at(this.#state, region), candidacy);
        if (outcome !== null && this.#parts.rules.isVote(outcome.reply)) {
          this.#exchange(region, outcome, (next) => {
            const votes = [...new Set([...known.votes, voter])].sort();
            const { isQuorum } = this.#parts.rules;
            const configuration = configurationOf(this.#server(outcome.server));
            const isElected = known.isElected || isQuorum(configuration, new Set(votes));
            this.#keepCandidacy(next, { ...known, votes, isElected });
          });
        }
      }
    }
  }

  #keepCandidacy(next: number[], candidacy: Candidacy): void {
    const kept = candidacy.isElected ? { ...candidacy, votes: [] } : candidacy;
    next[this.#place + CANDIDACY] = this.#parts.catalogues.candidacies.numberOf(kept);
  }

  #lead(): void {
    const candidacy = at(this.#state, this.#place + CANDIDACY);
    const known = candidacy && this.#parts.catalogues.candidacies.valueOf(candidacy);
    if (known === 0 || !known.isElected) {
      return;
    }
    const region = REGIONS.indexOf(known.candidate);
    this.#move = { caller: this.#caller, what: `makes it lead term ${known.term}`, region };
    const outcome = this.#parts.exchanges.lead(at(this.#state, region), known.term);
    if (outcome?.reply.kind === 'yes') {
      this.#exchange(region, outcome, (next) =>
        this.#memory.adopt(next, this.#place, outcome.server),
      );
    }
  }

  #propose(): void {
    const leader = at(this.#state, this.#place + LEADER);
    if (leader === 0) {
      return;
    }
    const region = REGIONS.indexOf(this.#server(leader).identity.region);
    const register = this.#server(at(this.#state, region));
    // Each term adds at most one entry of its own.
    const room = register.term + commandEntriesMax(this.#parts.scope);
    if (lastEntry(register).index >= room) {
      return;
    }
    const commit = at(this.#state, this.#place + COMMIT);
    for (let command = 0; command < this.#parts.scope.commands; command += 1) {
      const what = `proposes ${COMMANDS[command]?.id} in term ${this.#server(leader).term}`;
      this.#move = { caller: this.#caller, what, region };
      const proposal = { commit, command };
      const outcome = this.#parts.exchanges.propose(at(this.#state, region), leader, proposal);
      if (outcome?.reply.kind === 'yes') {
        this.#exchange(region, outcome, (next) =>
          this.#memory.adopt(next, this.#place, outcome.server),
        );
      }
    }
  }

  #replicate(): void {
    const leader = at(this.#state, this.#place + LEADER);
    if (leader === 0) {
      return;
    }
    const copy = this.#server(leader);
    for (let region = 0; region < REGION_COUNT; region += 1) {
      if (REGIONS[region] !== copy.identity.region) {
        for (const some of portions(this.#parts.scope, copy.entries.length)) {
          this.#append(region, leader, some);
        }
        this.#install(region, leader);
      }
    }
  }

  #append(region: number, leader: number, entries: number): void {
    const what = `appends ${entries === ALL ? '' : `the first ${entries} `}of ${this.#text(leader)}`;
    this.#move = { caller: this.#caller, what, region };
    const commit = at(this.#state, this.#place + COMMIT);
    const register = at(this.#state, region);
    const outcome = this.#parts.exchanges.append(register, leader, { commit, entries });
    if (outcome?.reply.kind === 'yes') {
      this.#exchange(region, outcome, (next) =>
        this.#memory.acknowledge(next, this.#place, outcome.server),
      );
    }
  }

  // ── Snapshots ──────────────────────────────────────────────────────────────────────────────────

  /** The snapshot itself is written before; snapshots of one base are equal, so it is not looked at. */
  #install(region: number, leader: number): void {
    if (this.#parts.scope.hasCompaction) {
      this.#move = {
        caller: this.#caller,
        what: `installs the base of ${this.#text(leader)}`,
        region,
      };
      const outcome = this.#parts.exchanges.install(at(this.#state, region), leader);
      if (outcome?.reply.kind === 'yes') {
        this.#exchange(region, outcome, () => undefined);
      }
    }
  }

  /** A caller compacts up to what it has applied, which is what it knows to be committed. */
  #compact(): void {
    const judged = this.#parts.checks.judged(at(this.#state, this.#layout.judged));
    const applied = judged.entries[at(this.#state, this.#place + COMMIT) - 1];
    if (!this.#parts.scope.hasCompaction || applied === undefined) {
      return;
    }
    for (let region = 0; region < REGION_COUNT; region += 1) {
      this.#move = { caller: this.#caller, what: `compacts up to ${applied.index}`, region };
      const base = { index: applied.index, term: applied.term };
      const outcome = this.#parts.exchanges.compact(at(this.#state, region), base);
      if (outcome?.reply.kind === 'yes') {
        this.#exchange(region, outcome, () => undefined);
      }
    }
  }

  // ── Reads and crashes ──────────────────────────────────────────────────────────────────────────

  #read(): void {
    if (this.#parts.scope.hasReads) {
      this.#reads.successors(this.#state, this.#place, (next, region, what) => {
        this.#move = { caller: this.#caller, what, region };
        this.#settle(next, '');
      });
    }
  }

  #crash(): void {
    this.#move = { caller: this.#caller, what: 'crashes', region: null };
    const next = this.#state.slice();
    next.fill(0, this.#place, this.#place + CALLER_WIDTH);
    this.#settle(next, '');
  }

  // ── Small parts ────────────────────────────────────────────────────────────────────────────────

  #settle(next: number[], fate: string): void {
    this.#fate = fate;
    this.#memory.settle(next);
    this.#visit(next);
    this.#fate = '';
  }

  /** In any register, or on the way to one. */
  #highestTerm(): number {
    let highest = 0;
    for (let place = 0; place < this.#layout.lateWritesEnd; place += 1) {
      const number =
        place < REGION_COUNT ? at(this.#state, place) : lateServer(at(this.#state, place));
      highest = number === 0 ? highest : Math.max(highest, this.#server(number).term);
    }
    return highest;
  }

  #server(number: number): Server {
    return this.#parts.catalogues.servers.valueOf(number);
  }

  #text(leader: number): string {
    const { identity, term } = this.#server(leader);
    return `${identity.region}, leader of term ${termOf(term)}`;
  }
}
