/**
 * One fingerprint for all states that differ in names only.
 *
 * No rule of the log looks at a region's name (the tie that prefers the own region is the elector's
 * taste, and here any region may stand), at a command's, or at which process is which. So renaming
 * regions or commands, or exchanging callers, turns every run into a run, and every violation into a
 * violation: one state of each such family is enough. The fingerprint of a state is the least over
 * its renamings. Only renamings that bring the registers into ascending order of their nameless form
 * are tried: that order exists for each family, and is left open only by registers that look alike.
 *
 * 64 bits stand for a state. With n states the chance that any two share theirs, and a state is thus
 * missed, is about n²/2⁶⁵: below one in three hundred thousand for ten million.
 */
import type { RegionId } from '../base/identifiers.ts';
import { regionOf } from '../consensus/membership.ts';
import type { Entry, Server } from '../consensus/server.ts';
import {
  type Candidacy,
  Catalogue,
  COMMANDS,
  candidacyText,
  IDENTITIES,
  type Judged,
  judgedText,
  REGIONS,
  regionNumber,
  serverText,
} from './explorer-catalogue.ts';
import type { Scope } from './explorer-scope.ts';
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
  leaderIn,
  packReading,
  READING,
  REGION_COUNT,
  readingFloor,
  readingServer,
  type State,
  withLeader,
} from './explorer-state.ts';

export interface Catalogues {
  readonly servers: Catalogue<Server>;
  readonly candidacies: Catalogue<Candidacy>;
  readonly judgements: Catalogue<Judged>;
}

export function newCatalogues(): Catalogues {
  return {
    servers: new Catalogue(serverText),
    candidacies: new Catalogue(candidacyText),
    judgements: new Catalogue(judgedText),
  };
}

interface Renaming {
  /** New number of each region. */
  readonly regions: readonly number[];
  /** Whether the two commands change names. */
  readonly areCommandsSwapped: boolean;
  /** Numbers of renamed values, by the number of the value; filled when first asked for. */
  readonly servers: number[];
  readonly candidacies: number[];
  readonly judgements: number[];
}

const ORDERS: readonly (readonly number[])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

export class Symmetry {
  readonly #catalogues: Catalogues;
  readonly #layout: Layout;
  readonly #terms: number;
  readonly #renamings: readonly Renaming[];
  readonly #shapes = new Catalogue<string>((text) => text);
  /** Number of the nameless form of each server. */
  readonly #shapeOf: number[] = [];
  /** The fingerprint last asked for. */
  #high = 0;
  #low = 0;

  constructor(catalogues: Catalogues, scope: Scope) {
    this.#catalogues = catalogues;
    this.#layout = layoutOf(scope);
    this.#terms = scope.terms;
    const swaps = scope.commands === 2 ? [false, true] : [false];
    this.#renamings = ORDERS.flatMap((regions) =>
      swaps.map((areCommandsSwapped) => ({
        regions,
        areCommandsSwapped,
        servers: [],
        candidacies: [],
        judgements: [],
      })),
    );
  }

  get high(): number {
    return this.#high;
  }

  get low(): number {
    return this.#low;
  }

  /** Computes `high` and `low`, each 32 bits. */
  fingerprint(state: State): void {
    const shapes = [0, 1, 2].map((region) => this.#shape(at(state, region)));
    let isFirst = true;
    let high = 0;
    let low = 0;
    for (const renaming of this.#renamings) {
      if (isAscending(shapes, renaming.regions)) {
        this.#hash(state, renaming);
        if (isFirst || this.#high < high || (this.#high === high && this.#low < low)) {
          high = this.#high;
          low = this.#low;
          isFirst = false;
        }
      }
    }
    this.#high = high;
    this.#low = low;
  }

  #hash(state: State, renaming: Renaming): void {
    const hash = new Hash();
    const { regions } = renaming;
    for (let place = 0; place < REGION_COUNT; place += 1) {
      hash.add(this.#server(renaming, at(state, regions.indexOf(place))));
    }
    this.#hashLateWrites(hash, state, renaming);
    this.#hashCallers(hash, state, renaming);
    this.#hashMemories(hash, state, renaming);
    hash.add(this.#judged(renaming, at(state, this.#layout.judged)));
    hash.add(this.#leaders(renaming, at(state, this.#layout.leaders)));
    this.#high = hash.high;
    this.#low = hash.low;
  }

  #hashLateWrites(hash: Hash, state: State, renaming: Renaming): void {
    let high = 0;
    let low = 0;
    for (let place = this.#layout.lateWrites; place < this.#layout.lateWritesEnd; place += 1) {
      const packed = at(state, place);
      if (packed !== 0) {
        const one = new Hash();
        one.add(renaming.regions[lateRegion(packed)] ?? 0);
        one.add(this.#server(renaming, lateServer(packed)));
        high += one.high;
        low += one.low;
      }
    }
    hash.add(high);
    hash.add(low);
  }

  #hashCallers(hash: Hash, state: State, renaming: Renaming): void {
    let high = 0;
    let low = 0;
    for (let c = this.#layout.callers; c < this.#layout.callersEnd; c += CALLER_WIDTH) {
      const one = new Hash();
      one.add(this.#server(renaming, at(state, c + LEADER)));
      one.add(at(state, c + COMMIT));
      one.add(this.#candidacy(renaming, at(state, c + CANDIDACY)));
      const reading = at(state, c + READING);
      one.add(packReading(this.#server(renaming, readingServer(reading)), readingFloor(reading)));
      high += one.high;
      low += one.low;
    }
    hash.add(high);
    hash.add(low);
  }

  /** Each copy and each candidacy tells its own term and region: their places say nothing. */
  #hashMemories(hash: Hash, state: State, renaming: Renaming): void {
    const { copies, copiesEnd, candidacies, candidaciesEnd } = this.#layout;
    let high = 0;
    let low = 0;
    for (let place = copies; place < candidaciesEnd; place += 1) {
      const number = at(state, place);
      if (number !== 0) {
        const one = new Hash();
        one.add(place < copiesEnd ? 1 : 2);
        one.add(
          place < candidacies ? this.#server(renaming, number) : this.#candidacy(renaming, number),
        );
        high += one.high;
        low += one.low;
      }
    }
    hash.add(high);
    hash.add(low);
  }

  // ── Renamed values ─────────────────────────────────────────────────────────────────────────────

  #server(renaming: Renaming, number: number): number {
    const { servers } = this.#catalogues;
    return lookedUp(renaming.servers, number, () =>
      servers.numberOf(renamedServer(servers.valueOf(number), renaming)),
    );
  }

  #candidacy(renaming: Renaming, number: number): number {
    const { candidacies } = this.#catalogues;
    return lookedUp(renaming.candidacies, number, () =>
      candidacies.numberOf(renamedCandidacy(candidacies.valueOf(number), renaming)),
    );
  }

  #judged(renaming: Renaming, number: number): number {
    const { judgements } = this.#catalogues;
    return lookedUp(renaming.judgements, number, () =>
      judgements.numberOf(renamedJudged(judgements.valueOf(number), renaming)),
    );
  }

  #leaders({ regions }: Renaming, leaders: number): number {
    let renamed = 0;
    for (let term = 1; term <= this.#terms; term += 1) {
      const leader = leaderIn(leaders, term);
      renamed = leader === null ? renamed : withLeader(renamed, term, regions[leader] ?? 0);
    }
    return renamed;
  }

  #shape(number: number): number {
    return lookedUp(this.#shapeOf, number, () =>
      this.#shapes.numberOf(namelessText(this.#catalogues.servers.valueOf(number))),
    );
  }
}

/** What stands in the table for this number, put there when first asked for; 0 stays 0. */
function lookedUp(table: number[], number: number, compute: () => number): number {
  const known = number === 0 ? 0 : table[number];
  if (known !== undefined) {
    return known;
  }
  const computed = compute();
  table[number] = computed;
  return computed;
}

function isAscending(shapes: readonly number[], regions: readonly number[]): boolean {
  const shapeAt = (place: number) => shapes[regions.indexOf(place)] ?? 0;
  return shapeAt(0) <= shapeAt(1) && shapeAt(1) <= shapeAt(2);
}

/** What all renamings of a server have in common. */
function namelessText(server: Server): string {
  const { votedFor, identity, term, leaderOf, commitIndex, base } = server;
  const vote = votedFor === null ? 'none' : String(votedFor === identity.region);
  const log = server.entries.map((entry) => `${entry.term}${entry.command === null ? '-' : '+'}`);
  return [term, vote, leaderOf, commitIndex, base.index, base.term, ...log].join(' ');
}

function renamedServer(server: Server, renaming: Renaming): Server {
  const { regions } = renaming;
  const identity = IDENTITIES[regions[regionNumber(server.identity.region)] ?? 0];
  const voted = server.votedFor === null ? -1 : REGIONS.indexOf(regionOf(server.votedFor));
  return {
    ...server,
    identity: identity ?? server.identity,
    votedFor: REGIONS[regions[voted] ?? -1] ?? null,
    entries: renamedEntries(server.entries, renaming),
  };
}

function renamedEntries(entries: readonly Entry[], renaming: Renaming): readonly Entry[] {
  const [x, y] = COMMANDS;
  if (!renaming.areCommandsSwapped || x === undefined || y === undefined) {
    return entries;
  }
  return entries.map((entry) =>
    entry.command === null ? entry : { ...entry, command: entry.command.id === x.id ? y : x },
  );
}

function renamedCandidacy(candidacy: Candidacy, { regions }: Renaming): Candidacy {
  const renamed = (region: RegionId) => REGIONS[regions[regionNumber(region)] ?? 0] ?? region;
  const votes = candidacy.votes.map(renamed).sort();
  return { ...candidacy, candidate: renamed(candidacy.candidate), votes };
}

function renamedJudged({ entries, by }: Judged, renaming: Renaming): Judged {
  return { entries: renamedEntries(entries, renaming), by };
}

/** Two chains of 32 bits over a row of numbers, mixed as in MurmurHash3. */
class Hash {
  #high = 0x9747b28c;
  #low = 0x3c6ef372;

  get high(): number {
    return finished(this.#high);
  }

  get low(): number {
    return finished(this.#low);
  }

  add(value: number): void {
    this.#high = chained(this.#high, Math.imul(value, 0xcc9e2d51));
    this.#low = chained(this.#low, Math.imul(value, 0x85ebca77));
  }
}

function chained(chain: number, scattered: number): number {
  const turned = (scattered << 15) | (scattered >>> 17);
  const mixed = chain ^ Math.imul(turned, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(chain: number): number {
  const once = Math.imul(chain ^ (chain >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
