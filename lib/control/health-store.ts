/**
 * The port to one region's health table: an arrival window per site, and this observer's own record.
 *
 * One heartbeat is one conditional write. Implementations: `lib/aws/dynamodb/health-store.ts` (AWS
 * and dynalite), `lib/simulation`. Contract suite: `test/contract/health-store`.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { ArrivalWindow } from '../detection/arrival-window.ts';

/** How the site described itself in its last heartbeat. */
export type ReportedStatus = 'ok' | 'degraded' | 'failing';

export interface SiteRecord {
  readonly service: string;
  readonly site: string;
  /** Rises by one with every applied write. */
  readonly revision: number;
  readonly window: ArrivalWindow;
  readonly reportedStatus: ReportedStatus;
  /** As last reported; null = never. */
  readonly replicationLagMs: number | null;
  /** φ inverted when the last beat arrived: compare with now, no computation needed. */
  readonly suspectAt: EpochMillis;
  readonly failAt: EpochMillis;
}

export type RecordRead =
  | { readonly kind: 'found'; readonly record: SiteRecord }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly cause: string };

export type RecordWrite =
  | { readonly kind: 'applied' }
  | { readonly kind: 'conflict'; readonly record: SiteRecord | null }
  | { readonly kind: 'unknown'; readonly cause: string };

/** What an observer remembers of itself between evaluations, so that it can doubt itself. */
export interface ObserverRecord {
  readonly evaluatedAt: EpochMillis;
  readonly baselineAt: EpochMillis;
}

export interface HealthStore {
  /** Strongly consistent read of one site. */
  readonly read: (service: string, site: string) => Promise<RecordRead>;
  /**
   * Writes the record with revision `expected + 1`, if the stored revision is `expected`
   * (0 = the site has no record). One attempt.
   */
  readonly write: (expected: number, record: SiteRecord) => Promise<RecordWrite>;
  /** Every site record of this region; null = no answer. */
  readonly list: () => Promise<readonly SiteRecord[] | null>;
  readonly readObserver: () => Promise<
    | { readonly kind: 'found'; readonly record: ObserverRecord }
    | { readonly kind: 'absent' }
    | { readonly kind: 'unknown'; readonly cause: string }
  >;
  /** Resolves false when it is not known to be stored. */
  readonly writeObserver: (record: ObserverRecord) => Promise<boolean>;
}
