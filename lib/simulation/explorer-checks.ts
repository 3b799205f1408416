/**
 * What must hold in every state, and at every write. The names are the paper's, figure 3, where it
 * has one; `safety-checks.ts` asks the same of seeded lives.
 *
 * What is committed is judged by everybody at once: by each caller from what it remembers, and in
 * every state by somebody who sees all registers as they stand. It only ever grows, and what has once
 * been judged is held against every later state.
 */
import { createHash } from 'node:crypto';
import type { Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { applyEntries, emptyReplica } from '../consensus/replica.ts';
import { isLeader, type Server } from '../consensus/server.ts';
import {
  heldOf,
  isSameEntry,
  type Judged,
  NOTHING_JUDGED,
  regionNumber,
} from './explorer-catalogue.ts';
import { Memo, pairKey } from './explorer-memo.ts';
import {
  at,
  type Layout,
  leaderIn,
  REGION_COUNT,
  type State,
  withLeader,
} from './explorer-state.ts';
import type { Catalogues } from './explorer-symmetry.ts';
import { LEDGER_MACHINE } from './ledger.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Room for an index in a key. */
const LOG_ROOM = 8;

export class Checks {
  readonly #catalogues: Catalogues;
  readonly #layout: Layout;
  /** Length of the judged prefix that each server holds, by server and judgement. */
  readonly #held = new Memo<number>();
  readonly #matching = new Memo<true>();
  /** What a judgement becomes, by leader's copy, judgement and index. */
  readonly #raised = new Memo<number>();

  constructor(catalogues: Catalogues, layout: Layout) {
    this.#catalogues = catalogues;
    this.#layout = layout;
  }

  judged(number: number): Judged {
    return number === 0 ? NOTHING_JUDGED : this.#catalogues.judgements.valueOf(number);
  }

  /** A register goes forward only, and votes once a term. */
  write(before: Server, after: Server): void {
    invariant(after.term >= before.term, 'register-term-fell');
    invariant(after.commitIndex >= before.commitIndex, 'register-commit-fell');
    invariant(after.base.index >= before.base.index, 'register-base-fell');
    const isNewTerm = after.term > before.term;
    const isSameVote = before.votedFor === null || after.votedFor === before.votedFor;
    invariant(isNewTerm || isSameVote, 'register-voted-twice', { term: after.term });
  }

  /** Every register in this state, and each against the others and against what is committed. */
  state(state: State): void {
    const judged = at(state, this.#layout.judged);
    const { length } = this.judged(judged).entries;
    let holders = 0;
    for (let region = 0; region < REGION_COUNT; region += 1) {
      const number = at(state, region);
      const held = this.held(number, judged);
      holders += held === length ? 1 : 0;
      this.#register(number, judged, held);
      this.#requireMatching(number, at(state, (region + 1) % REGION_COUNT));
    }
    invariant(2 * holders > REGION_COUNT, 'committed-on-a-minority', { length });
  }

  /** Election Safety. The row's memory of who led in which term, with this state's leaders. */
  leaders(state: State): number {
    let leaders = at(state, this.#layout.leaders);
    for (let region = 0; region < REGION_COUNT; region += 1) {
      const server = this.#catalogues.servers.valueOf(at(state, region));
      if (isLeader(server)) {
        const known = leaderIn(leaders, server.term) ?? region;
        invariant(known === region, 'two-leaders-in-one-term', { term: server.term });
        leaders = withLeader(leaders, server.term, region);
      }
    }
    return leaders;
  }

  /** What is judged once this leader's log, as in this copy, is committed up to `index`. */
  raised(judged: number, leader: number, index: number): number {
    if (index === 0) {
      return judged;
    }
    const key = pairKey(leader, judged) * LOG_ROOM + index;
    return this.#raised.of(key, () =>
      this.#raise(judged, this.#catalogues.servers.valueOf(leader), index),
    );
  }

  /** How many of the judged entries this server holds, from the first on. */
  held(number: number, judged: number): number {
    return this.#held.of(pairKey(number, judged), () =>
      heldOf(this.#catalogues.servers.valueOf(number), this.judged(judged)),
    );
  }

  /** Commit hints are true. Leader Completeness: a leader holds what leaders of older terms committed. */
  #register(number: number, judged: number, held: number): void {
    const server = this.#catalogues.servers.valueOf(number);
    const { region } = server.identity;
    invariant(server.commitIndex <= held, 'commit-hint-false', { region });
    if (isLeader(server)) {
      const needed = this.judged(judged).by.findLastIndex((by) => by < server.term) + 1;
      invariant(held >= needed, 'leader-lacks-committed-entry', { region, index: held + 1 });
    }
  }

  /** Log Matching. */
  #requireMatching(left: number, right: number): void {
    const { servers } = this.#catalogues;
    this.#matching.of(pairKey(left, right), () => {
      requireMatching(servers.valueOf(left), servers.valueOf(right));
      return true;
    });
  }

  /** State Machine Safety: what was judged at an index stays; and no command takes effect twice. */
  #raise(judged: number, leader: Server, index: number): number {
    const { entries, by } = this.judged(judged);
    const { base } = leader;
    invariant(base.index <= entries.length, 'base-not-committed', base);
    const upTo = leader.entries.slice(0, Math.max(0, index - base.index));
    for (const entry of upTo) {
      const known = entries[entry.index - 1];
      invariant(known === undefined || isSameEntry(entry, known), 'committed-entry-changed', entry);
    }
    const beyond = upTo.filter((entry) => entry.index > entries.length);
    const all = [...entries, ...beyond];
    const { replica } = applyEntries(emptyReplica(LEDGER_MACHINE), all, {
      machine: LEDGER_MACHINE,
      sha256,
    });
    invariant(replica.state.repeats === 0, 'command-applied-twice');
    const sooner = (place: number): Term => {
      const known = by[place] ?? leader.term;
      return place < index && leader.term < known ? leader.term : known;
    };
    return all.length === 0
      ? 0
      : this.#catalogues.judgements.numberOf({
          entries: all,
          by: all.map((_, place) => sooner(place)),
        });
  }
}

/** Two logs that agree at one index agree below it, and hold the same command there. */
function requireMatching(left: Server, right: Server): void {
  const floor = Math.max(left.base.index, right.base.index);
  const ours = left.entries.slice(floor - left.base.index);
  const theirs = right.entries.slice(floor - right.base.index);
  const lastEqual = ours.findLastIndex((entry, place) => entry.term === theirs[place]?.term);
  const isMatching = ours
    .slice(0, lastEqual + 1)
    .every((entry, place) => isSameEntry(entry, theirs[place]));
  invariant(isMatching, 'logs-do-not-match', {
    regions: [regionNumber(left.identity.region), regionNumber(right.identity.region)],
  });
}
