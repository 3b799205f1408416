/**
 * Takes a heartbeat: one conditional write of one item, judged later.
 *
 * The site's record is cached, so the common case is a single round trip: step the cached window,
 * write it if its revision still stands. A conflict brings the newer record back.
 */
import { ownValue } from '../base/own-value.ts';
import type { ArrivalOutcome } from '../detection/record-arrival.ts';
import { recordArrival } from '../detection/record-arrival.ts';
import { deadlines } from '../detection/suspicion.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { Heartbeat, IngestOutcome } from './control-plane.ts';
import type { HealthStore, RecordRead, SiteRecord } from './health-store.ts';
import { CONTROL_LIMITS } from './limits.ts';

export class Ingest {
  readonly #health: HealthStore;
  readonly #state: () => RecoveryState;
  /** Least recently used first. */
  readonly #cache = new Map<string, Extract<RecordRead, { kind: 'found' }>>();
  /** Sites with beats under way; an entry goes with its last beat. */
  readonly #queues = new Map<string, { readonly waiting: number; readonly tail: Promise<void> }>();
  #storeErrors = 0;

  constructor(health: HealthStore, state: () => RecoveryState) {
    this.#health = health;
    this.#state = state;
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
    const state = this.#state();
    if (state.configHash === null) {
      return { kind: 'unavailable', cause: 'this region has not caught up with the log yet' };
    }
    const policy = ownValue(state.services, beat.service)?.policy;
    if (policy === undefined || !policy.sites.some(({ site }) => site === beat.site)) {
      return { kind: 'unknown-site' };
    }
    const outcome = await this.#inTurn(beat, policy);
    return outcome.kind === 'stored' ? this.#answer(beat, policy) : outcome;
  }

  /**
   * One beat of a site at a time: beats that race each other for one item would all lose, and a
   * sender gone wild would look like a broken store. A site with too many waiting is turned away.
   */
  async #inTurn(beat: Heartbeat, policy: ServicePolicy): Promise<Stored> {
    const key = `${beat.service}/${beat.site}`;
    const queue = this.#queues.get(key) ?? { waiting: 0, tail: Promise.resolve() };
    if (queue.waiting >= CONTROL_LIMITS.beatsWaitingMax) {
      return {
        kind: 'unavailable',
        cause: 'this site sends faster than its record can be written',
      };
    }
    const turn = queue.tail.then(() => this.#store(beat, policy));
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

  async #store(beat: Heartbeat, policy: ServicePolicy): Promise<Stored> {
    let last: Attempt = { kind: 'conflict' };
    for (let attempts = 0; attempts < CONTROL_LIMITS.ingestAttemptsMax; attempts += 1) {
      last = await this.#tryOnce(beat, policy);
      if (last.kind === 'stored') {
        return last;
      }
      if (last.kind === 'unreadable') {
        break;
      }
    }
    if (last.kind === 'conflict') {
      return { kind: 'unavailable', cause: 'too many writers of one site at once' };
    }
    this.#storeErrors += 1;
    return { kind: 'unavailable', cause: last.cause };
  }

  /** One conditional write of the record as it is known here. */
  async #tryOnce(beat: Heartbeat, policy: ServicePolicy): Promise<Attempt> {
    const key = `${beat.service}/${beat.site}`;
    const known = this.#cache.get(key) ?? (await this.#read(beat));
    if (known.kind === 'unknown') {
      return { kind: 'unreadable', cause: known.cause };
    }
    const record = known.kind === 'found' ? known.record : null;
    const next = recordAfter(record, beat, policy);
    if (next === null) {
      return { kind: 'stored' };
    }
    const write = await this.#health.write(record?.revision ?? 0, next);
    // After a lost answer only a read tells whether this beat is in; a repeat of it is harmless.
    this.#cache.delete(key);
    switch (write.kind) {
      case 'applied':
        this.#remember(key, next);
        return { kind: 'stored' };
      case 'conflict':
        if (write.record !== null) {
          this.#remember(key, write.record);
        }
        return { kind: 'conflict' };
      default:
        return { kind: 'unanswered', cause: write.cause };
    }
  }

  #read({ service, site }: Heartbeat): Promise<RecordRead> {
    return this.#health.read(service, site);
  }

  #answer({ service, site }: Heartbeat, policy: ServicePolicy): IngestOutcome {
    const standing = ownValue(this.#state().services, service);
    return {
      kind: 'accepted',
      role:
        standing === undefined ? 'unknown' : standing.activeSite === site ? 'active' : 'standby',
      epoch: standing?.epoch ?? null,
      nextBeatMs: policy.detection.intervalMs,
    };
  }

  #remember(key: string, record: SiteRecord): void {
    this.#cache.delete(key);
    this.#cache.set(key, { kind: 'found', record });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CONTROL_LIMITS.cachedSitesMax && oldest !== undefined) {
      this.#cache.delete(oldest);
    }
  }
}

type Attempt =
  | { readonly kind: 'stored' }
  | { readonly kind: 'conflict' }
  /** The write may be in. */
  | { readonly kind: 'unanswered'; readonly cause: string }
  | { readonly kind: 'unreadable'; readonly cause: string };

type Stored =
  | { readonly kind: 'stored' }
  | { readonly kind: 'unavailable'; readonly cause: string };

/** The record to write; null = this beat is known already. */
function recordAfter(
  known: SiteRecord | null,
  beat: Heartbeat,
  policy: ServicePolicy,
): SiteRecord | null {
  const arrival = { arrivedAt: beat.receivedAt, sequence: beat.sequence, bootId: beat.bootId };
  const outcome: ArrivalOutcome = recordArrival(known?.window ?? null, arrival, policy.detection);
  if (outcome.kind === 'duplicate' || outcome.kind === 'refused') {
    return null;
  }
  return {
    service: beat.service,
    site: beat.site,
    revision: (known?.revision ?? 0) + 1,
    window: outcome.window,
    reportedStatus: beat.status,
    replicationLagMs: beat.replicationLagMs,
    ...deadlines(outcome.window, policy.detection),
  };
}
