/**
 * The port to one region's health table: an arrival window per site, the timers that say when to
 * look at it, and this observer's own record.
 *
 * One heartbeat is one conditional write, and a tick of the observer reads only what is due. So that
 * nobody has to look at every site, this must hold at every moment:
 *
 *   Whenever time alone can change the verdict of a site, a timer stands at or before that instant.
 *
 * Beats keep it by not touching timers: a timer may be early, never late, and a beat moves the
 * deadline ahead. What could break it, and what keeps it:
 *
 *  1. *A beat that changes a verdict, or brings a deadline forward*, is written with a timer. The
 *     timer is stored first and names the revision that it awaits; it may not be taken down before
 *     that revision stands, because then the write it belongs to is in, or can never get in: its
 *     condition has passed. A writer that died between the two leaves a timer too many, which the
 *     observer drops after `timerAwaitMsMax`, longer than any request can be under way.
 *  2. *Moving a timer* stores the new one before the old one goes, computed from a record that was
 *     read in between. A beat written meanwhile moved the deadline ahead, or brought a timer.
 *  3. *Taking down the last timer* of a site from which nothing is expected any more (it has failed):
 *     first the record is marked `wakesOnBeat`, at the revision that was judged. If a beat came in
 *     between, this conflicts; if one comes later, it finds the mark and brings a timer.
 *  4. *A timer set anew at the same instant* while the old one is being taken down: each putting has
 *     a mark of its own, and only the timer that was read is taken down.
 *
 * Rejected: an index on deadlines (a write unit for each beat, or answers that are stale), the timer
 * and the record in one transaction (twice the price of each beat). Proof: the property test of
 * `test/unit/control/timers.test.ts`. Implementations: `lib/aws/dynamodb/health-store.ts` (AWS and
 * dynalite), `lib/simulation`. Contract suite: `test/contract/health-store`.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { ArrivalWindow } from '../detection/arrival-window.ts';
import type { ForecastMemory } from '../detection/forecast.ts';
import type { JobRecord } from '../detection/job.ts';
import type { SelfObservation } from '../detection/observer.ts';
import type { ReportedStatus } from '../detection/verdict.ts';
import type { LagReading } from '../recovery/replication.ts';
import type { Epoch } from '../recovery/state.ts';

export type { ReportedStatus };

export interface SiteName {
  readonly service: string;
  readonly site: string;
}

export interface SiteRecord extends SiteName {
  /** Rises by one with every applied write. */
  readonly revision: number;
  readonly window: ArrivalWindow;
  /** How the site described itself in its last heartbeat. */
  readonly reportedStatus: ReportedStatus;
  /** As last reported; null = never. */
  readonly replicationLagMs: number | null;
  /** The same, counted in writes; null = not counted. */
  readonly replicationLagWrites: number | null;
  /** What the log should say of the lag: changes only when that does (`lib/recovery/replication.ts`). */
  readonly lagWord: LagReading | null;
  /** The newest grant that the site knows of and holds no role by; null = it says nothing. */
  readonly acknowledgedEpoch: Epoch | null;
  /**
   * Since when each beat said that no answer reaches the site, though this region could have lent it
   * its role; null = the newest does not say so.
   */
  readonly fencedSince: EpochMillis | null;
  /** φ inverted when the last beat arrived: compare with now, no computation needed. */
  readonly suspectAt: EpochMillis;
  readonly failAt: EpochMillis;
  /** The observer has taken down the last timer: the next beat must bring one. */
  readonly wakesOnBeat: boolean;
  /** What the early warning remembers. */
  readonly forecast: ForecastMemory;
  /** What is known of the job, where the site has a schedule; else null. */
  readonly job: JobRecord | null;
}

/** An item that cannot be read. It is the problem of its site, and of no other one. */
export interface DamagedItem extends SiteName {
  /** Which item, and what is wrong with it. */
  readonly cause: string;
}

export type RecordRead =
  | { readonly kind: 'found'; readonly record: SiteRecord }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

export type RecordWrite =
  | { readonly kind: 'applied' }
  | { readonly kind: 'conflict'; readonly record: SiteRecord | null }
  /** A conflict with an item that cannot be read. */
  | { readonly kind: 'damaged'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

export interface FoundRecords {
  readonly records: readonly SiteRecord[];
  readonly damaged: readonly DamagedItem[];
}

export interface SitePage extends FoundRecords {
  /** Where the next page begins; null = this was the last one. */
  readonly next: string | null;
}

/** Says when to look at a site. Early costs a look, late costs a verdict. */
export interface Timer extends SiteName {
  /** Whole milliseconds of this region's clock. */
  readonly at: EpochMillis;
  /** Do not take it down before the record has this revision; 0 = it awaits none. */
  readonly awaits: number;
  /** Tells this putting of the timer from others of the same key. */
  readonly mark: string;
}

export interface DueTimers {
  /** Earliest first. */
  readonly timers: readonly Timer[];
  /** Whose keys cannot be read: nobody's, until someone takes them away. */
  readonly damaged: readonly DamagedItem[];
  /** Whether no more are due than these. */
  readonly isAll: boolean;
}

/** What the observer remembers of itself between evaluations, so that it can doubt itself. */
export type ObserverRecord = Omit<SelfObservation, 'doubt'>;

/** What is known of each site. Reads are strongly consistent: a stale deadline is a false suspicion. */
export interface SiteStore {
  readonly read: (service: string, site: string) => Promise<RecordRead>;
  /** The records that are there, in any order; null = no answer. */
  readonly readMany: (sites: readonly SiteName[]) => Promise<FoundRecords | null>;
  /**
   * Writes the record with revision `expected + 1`, if the stored revision is `expected`
   * (0 = the site has no record). One attempt.
   *
   * @param wakeAt an instant at which a timer is to stand that awaits this revision. It is stored
   *   before the record; unless that is known, the record is not written and the outcome is unknown.
   */
  readonly write: (
    expected: number,
    record: SiteRecord,
    wakeAt: EpochMillis | null,
  ) => Promise<RecordWrite>;
  /**
   * One page of all sites, at most `limit`, in the order of their names. For status views and the slow
   * sweep; never for a tick.
   *
   * @param after `next` of the page before; null = from the beginning.
   * @returns null = no answer
   */
  readonly list: (after: string | null, limit: number) => Promise<SitePage | null>;
}

export interface TimerStore {
  /**
   * Makes the observer look at a site at that instant, or a moment later. This is how anyone who
   * learns of something says so: a probe, a caller's report, a warning.
   *
   * @returns false when it is not known to be stored
   */
  readonly wake: (at: EpochMillis, service: string, site: string) => Promise<boolean>;
  /** Timers at or before `until`, at most `limit`; strongly consistent. null = no answer. */
  readonly due: (until: EpochMillis, limit: number) => Promise<DueTimers | null>;
  /**
   * Moves a timer that was looked after: the next one is stored first, then exactly this one goes.
   *
   * @param nextAt null = only the removal
   * @returns false when either is not known. Then it may stand, and is due again.
   */
  readonly settle: (timer: Timer, nextAt: EpochMillis | null) => Promise<boolean>;
}

export interface ObserverStore {
  readonly readObserver: () => Promise<
    | { readonly kind: 'found'; readonly record: ObserverRecord }
    | { readonly kind: 'absent' }
    | { readonly kind: 'unknown'; readonly cause: string }
  >;
  /** Resolves false when it is not known to be stored. */
  readonly writeObserver: (record: ObserverRecord) => Promise<boolean>;
}

export interface HealthStore extends SiteStore, TimerStore, ObserverStore {}
