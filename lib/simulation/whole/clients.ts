/**
 * Clients, as a stream of requests behind resolvers with caches; counted in expectation.
 *
 * A resolver asks a random name server when its answer has expired, and some keep an answer longer
 * than they were told. All requests behind one resolver go to the address that it holds. Nothing is
 * drawn for a single request: between two events that change anything the part of the requests that
 * fails is constant, so what is lost is an integral, exact, and as cheap in a year as in a second.
 */
import type { Random } from '../../base/clock.ts';
import type { World } from '../world.ts';
import { ASSUMED, RESOLVER_KINDS } from './assumptions.ts';

export interface Served {
  readonly site: string;
  readonly ttlSeconds: number;
}

export interface ClientsOptions {
  readonly world: World;
  readonly random: Random;
  readonly nameServers: number;
  /** The site whose address a name server answers with (chance: draw among weights); null = none. */
  readonly resolve: (server: number) => Served | null;
  /** Whether a request that reaches the site now is answered. */
  readonly isServing: (site: string) => boolean;
  /** Whether the site takes writes now although another one holds the authority. */
  readonly isDivergent: (site: string) => boolean;
}

interface Resolver {
  readonly share: number;
  readonly ttlSecondsMin: number;
  site: string | null;
}

/** Totals since the start, in seconds of the whole stream of requests. */
export interface ClientTotals {
  readonly failedSeconds: number;
  readonly divergentSeconds: number;
}

export class Clients {
  readonly #options: ClientsOptions;
  readonly #resolvers: readonly Resolver[];
  #since = 0;
  #failing = 0;
  #divergent = 0;
  #failedSeconds = 0;
  #divergentSeconds = 0;
  /** Called with the share that fails from now on, whenever it changes. */
  onShare: (failing: number) => void = () => undefined;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#resolvers = RESOLVER_KINDS.flatMap(({ share, count, ttlSecondsMin }) =>
      Array.from({ length: count }, () => ({ share: share / count, ttlSecondsMin, site: null })),
    );
  }

  /** From now on requests flow. */
  start(): void {
    this.#since = this.#options.world.now;
    for (const resolver of this.#resolvers) {
      // Caches were filled at any time before.
      this.#ask(resolver, this.#options.random());
    }
  }

  get failingShare(): number {
    return this.#failing;
  }

  /** Share of the requests that go to each site now. */
  shares(): ReadonlyMap<string, number> {
    const shares = new Map<string, number>();
    for (const { site, share } of this.#resolvers) {
      if (site !== null) {
        shares.set(site, (shares.get(site) ?? 0) + share);
      }
    }
    return shares;
  }

  /** Up to now. */
  totals(): ClientTotals {
    this.#integrate();
    return { failedSeconds: this.#failedSeconds, divergentSeconds: this.#divergentSeconds };
  }

  /** Something changed that decides which requests fail. */
  readonly look = (): void => {
    const { isServing, isDivergent } = this.#options;
    let failing = 0;
    let divergent = 0;
    for (const { site, share } of this.#resolvers) {
      if (site === null || !isServing(site)) {
        failing += share;
      } else if (isDivergent(site)) {
        divergent += share;
      }
    }
    if (Math.abs(failing - this.#failing) > 1e-9 || Math.abs(divergent - this.#divergent) > 1e-9) {
      this.#integrate();
      this.#failing = failing;
      this.#divergent = divergent;
      this.onShare(failing);
    }
  };

  #integrate(): void {
    const seconds = (this.#options.world.now - this.#since) / 1000;
    this.#since = this.#options.world.now;
    this.#failedSeconds += this.#failing * seconds;
    this.#divergentSeconds += this.#divergent * seconds;
  }

  /** Asks a name server; without an answer it asks again soon, and the clients wait. */
  #ask(resolver: Resolver, leftShare = 1): void {
    const { world, random, nameServers, resolve } = this.#options;
    const served = resolve(Math.floor(random() * nameServers));
    const isOther = resolver.site !== (served?.site ?? null);
    resolver.site = served?.site ?? null;
    if (isOther) {
      this.look();
    }
    const ttlSeconds = Math.max(served?.ttlSeconds ?? 1, resolver.ttlSecondsMin);
    // Requests come all the time, so an answer is asked for as soon as the old one has expired.
    const waitMs = Math.max(1, ttlSeconds) * 1000 * (leftShare + random() / 50);
    world.after(waitMs, () => this.#ask(resolver), 'resolver');
  }
}

/** Requests that a number of seconds of the whole stream stands for. */
export function requestsIn(seconds: number): number {
  return Math.round(seconds * ASSUMED.requestsPerSecond);
}

/** Writes among them. */
export function writesIn(seconds: number): number {
  return Math.round(seconds * ASSUMED.requestsPerSecond * ASSUMED.writeShare);
}
