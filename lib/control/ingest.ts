/**
 * Takes heartbeats: one conditional write of one item for each, judged later.
 *
 * The site's record is cached, so the common case is a single round trip: step the cached window,
 * write it if its revision still stands. A conflict brings the newer record back. Beats that come
 * together are recorded together: one write for all of one site.
 *
 * A record is taken out of the cache while it is stepped, and comes back only when the write of it
 * is known to be applied, so that nothing is ever built on a guess.
 */
import { invariant } from '../base/invariant.ts';
import { ownValue } from '../base/own-value.ts';
import { LEASE_INTERVALS } from '../detection/limits.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { roleOf } from '../recovery/traffic.ts';
import { recordAfter, wakeAtOf } from './beat-record.ts';
import type { Heartbeat, IngestOutcome } from './control-plane.ts';
import type { HealthStore, RecordRead, SiteRecord } from './health-store.ts';
import { inParallel } from './in-parallel.ts';
import { Lender, type Lending } from './lender.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { type WatchedSite, watchedSite } from './watched-sites.ts';

export class Ingest {
  readonly #health: HealthStore;
  readonly #state: () => RecoveryState;
  readonly #lender: Lender | null;
  /** Least recently used first. */
  readonly #cache = new Map<string, SiteRecord>();
  /** Sites with beats under way; an entry goes with its last turn. */
  readonly #queues = new Map<string, { readonly waiting: number; readonly tail: Promise<void> }>();
  #storeErrors = 0;

  /** @param lending without it no active role of a fenced service is lent */
  constructor(health: HealthStore, state: () => RecoveryState, lending: Lending | null = null) {
    this.#health = health;
    this.#state = state;
    this.#lender = lending === null ? null : new Lender(lending);
  }

  /**
   * Calls that the store left unanswered since the last time: the observer doubts itself by them.
   * Conflicts are no errors of the store.
   */
  takeStoreErrors(): number {
    const errors = this.#storeErrors;
    this.#storeErrors = 0;
    return errors;
  }

  async ingest(beat: Heartbeat): Promise<IngestOutcome> {
    const [outcome] = await this.#ofSite([beat]);
    return outcome ?? NOT_TAKEN;
  }

  /**
   * Beats of several sites, at most `batchBeatsMax`: those of one site in their order and with one
   * write, those of several sites side by side.
   *
   * @returns an outcome for each beat, in the order of `beats`
   */
  async ingestBatch(beats: readonly Heartbeat[]): Promise<readonly IngestOutcome[]> {
    invariant(beats.length <= CONTROL_LIMITS.batchBeatsMax, 'batch-too-large', beats.length);
    const places = new Map<string, number[]>();
    for (const [place, beat] of beats.entries()) {
      const key = keyOf(beat);
      const known = places.get(key);
      if (known === undefined) {
        places.set(key, [place]);
      } else {
        known.push(place);
      }
    }
    const outcomes: IngestOutcome[] = beats.map(() => NOT_TAKEN);
    await inParallel([...places.values()], CONTROL_LIMITS.batchSitesParallelMax, async (own) => {
      const taken = await this.#ofSite(own.flatMap((place) => beats[place] ?? []));
      for (const [turn, place] of own.entries()) {
        outcomes[place] = taken[turn] ?? NOT_TAKEN;
      }
    });
    return outcomes;
  }

  /** Beats of one site. */
  async #ofSite(beats: readonly Heartbeat[]): Promise<readonly IngestOutcome[]> {
    const state = this.#state();
    const [first] = beats;
    if (first === undefined) {
      return [];
    }
    if (state.configHash === null) {
      return beats.map(() => NOT_CAUGHT_UP);
    }
    const site = watchedSite(state, first.service, first.site);
    if (site === null) {
      return beats.map(() => ({ kind: 'unknown-site' }));
    }
    for (const beat of beats) {
      this.#lender?.hear(beat);
    }
    const heard = beats.map((beat) => (this.#isOurFault(beat, site) ? unfenced(beat) : beat));
    const outcome = await this.#inTurn(heard, site);
    return outcome.kind === 'stored'
      ? beats.map((beat, place) => this.#answer(beat, site, outcome.areNew[place] ?? false))
      : beats.map(() => outcome);
  }

  /**
   * One write of a site at a time: beats that race each other for one item would all lose, and a
   * sender gone wild would look like a broken store. A site with too many waiting is turned away.
   */
  async #inTurn(beats: readonly Heartbeat[], site: WatchedSite): Promise<Stored> {
    const key = keyOf(site);
    const queue = this.#queues.get(key) ?? { waiting: 0, tail: Promise.resolve() };
    if (queue.waiting >= CONTROL_LIMITS.beatsWaitingMax) {
      return TOO_FAST;
    }
    const turn = queue.tail.then(() => this.#store(beats, site));
    const settled = turn.then(
      () => this.#leave(key),
      () => this.#leave(key),
    );
    this.#queues.set(key, { waiting: queue.waiting + 1, tail: settled });
    return turn;
  }

  #leave(key: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined || queue.waiting <= 1) {
      this.#queues.delete(key);
    } else {
      this.#queues.set(key, { ...queue, waiting: queue.waiting - 1 });
    }
  }

  async #store(beats: readonly Heartbeat[], site: WatchedSite): Promise<Stored> {
    let last: Attempt = { kind: 'conflict' };
    /** What an unanswered write told first: after it, a new beat looks like a known one. */
    let firstNew: readonly boolean[] | null = null;
    for (let attempts = 0; attempts < CONTROL_LIMITS.ingestAttemptsMax; attempts += 1) {
      last = await this.#tryOnce(beats, site);
      if (last.kind === 'stored') {
        return { kind: 'stored', areNew: firstNew ?? last.areNew };
      }
      if (last.kind === 'damaged') {
        return { kind: 'unavailable', cause: last.cause };
      }
      if (last.kind === 'unreadable') {
        break;
      }
      firstNew = last.kind === 'unanswered' ? (firstNew ?? last.areNew) : firstNew;
    }
    if (last.kind === 'conflict') {
      return TOO_MANY_WRITERS;
    }
    this.#storeErrors += 1;
    return { kind: 'unavailable', cause: last.cause };
  }

  /** One conditional write of the record as it is known here. */
  async #tryOnce(beats: readonly Heartbeat[], site: WatchedSite): Promise<Attempt> {
    const key = keyOf(site);
    const cached = this.#cache.get(key);
    const read = cached === undefined ? await this.#health.read(site.service, site.site) : null;
    if (read?.kind === 'unknown') {
      return { kind: 'unreadable', cause: read.cause };
    }
    if (read?.kind === 'damaged') {
      return read;
    }
    const known = cached ?? recordOf(read);
    this.#cache.delete(key);
    const { record, areNew } = recordAfter(known, beats, site);
    if (record === null) {
      this.#remember(key, known);
      return { kind: 'stored', areNew };
    }
    const wakeAt = wakeAtOf(known, record, {
      isFirstHere: cached === undefined,
      intervalMs: site.detection.intervalMs,
    });
    const write = await this.#health.write(known?.revision ?? 0, record, wakeAt);
    switch (write.kind) {
      case 'applied':
        this.#remember(key, record);
        return { kind: 'stored', areNew };
      case 'conflict':
        this.#remember(key, write.record);
        return { kind: 'conflict' };
      case 'damaged':
        return write;
      default:
        // Only a read tells whether these beats are in; a repeat of them is harmless.
        return { kind: 'unanswered', cause: write.cause, areNew };
    }
  }

  /** Waits for nothing: the role and what vouches for it are of one moment. */
  #answer(beat: Heartbeat, watched: WatchedSite, isNew: boolean): IngestOutcome {
    const { service, site, detection } = watched;
    const standing = ownValue(this.#state().services, service);
    const common = { kind: 'accepted', nextBeatMs: detection.intervalMs, isNew } as const;
    if (standing === undefined) {
      return { ...common, role: 'unknown', epoch: null, leaseMs: null };
    }
    const { epoch } = standing;
    return {
      ...common,
      role: roleOf(standing, site),
      epoch,
      leaseMs: this.#leaseMs(beat, watched),
    };
  }

  /** What the role of a service's site would be lent for by an answer that goes out now. */
  #leaseMs(beat: Heartbeat, { service, site, detection }: WatchedSite): number {
    const standing = ownValue(this.#state().services, service);
    const isLent = standing?.policy.fencing === 'lease' && roleOf(standing, site) === 'active';
    return isLent
      ? (this.#lender?.lendMs(beat, detection.intervalMs) ?? 0)
      : LEASE_INTERVALS * detection.intervalMs;
  }

  /**
   * Whether a site that is without its role may be so because of this region: it vouches for nothing
   * that would last until the next beat. Without leases nobody has to be heard to serve.
   */
  #isOurFault(beat: Heartbeat, watched: WatchedSite): boolean {
    const { service, detection } = watched;
    const fencing = ownValue(this.#state().services, service)?.policy.fencing;
    return fencing !== 'lease' || this.#leaseMs(beat, watched) < detection.intervalMs;
  }

  #remember(key: string, record: SiteRecord | null): void {
    this.#cache.delete(key);
    if (record === null) {
      return;
    }
    this.#cache.set(key, record);
    if (this.#cache.size > CONTROL_LIMITS.cachedSitesMax) {
      const [oldest] = this.#cache.keys();
      this.#cache.delete(oldest ?? key);
    }
  }
}

function unfenced(beat: Heartbeat): Heartbeat {
  return beat.fenced === true ? { ...beat, fenced: false } : beat;
}

type Attempt =
  | { readonly kind: 'stored'; readonly areNew: readonly boolean[] }
  | { readonly kind: 'conflict' }
  /** The write may be in. */
  | { readonly kind: 'unanswered'; readonly cause: string; readonly areNew: readonly boolean[] }
  | { readonly kind: 'unreadable'; readonly cause: string }
  /** No error of the store: other sites are not in doubt by it. */
  | { readonly kind: 'damaged'; readonly cause: string };

type Unavailable = Extract<IngestOutcome, { kind: 'unavailable' }>;
type Stored = { readonly kind: 'stored'; readonly areNew: readonly boolean[] } | Unavailable;

const NOT_TAKEN: Unavailable = { kind: 'unavailable', cause: 'this beat was not taken' };
const NOT_CAUGHT_UP: Unavailable = {
  kind: 'unavailable',
  cause: 'this region has not caught up with the log yet',
};
const TOO_FAST: Unavailable = {
  kind: 'unavailable',
  cause: 'this site sends faster than its record can be written',
};
const TOO_MANY_WRITERS: Unavailable = {
  kind: 'unavailable',
  cause: 'too many writers of one site at once',
};

function keyOf({ service, site }: { readonly service: string; readonly site: string }): string {
  return `${service}/${site}`;
}

function recordOf(
  read: Exclude<RecordRead, { kind: 'unknown' | 'damaged' }> | null,
): SiteRecord | null {
  return read?.kind === 'found' ? read.record : null;
}
