/**
 * The port to what callers reported: one item a site in the health table of a region.
 *
 * Best effort on purpose. A lost report is one of many; a store that does not answer leaves the
 * verdict to heartbeats and probes. Implementations: `lib/aws/dynamodb/report-store.ts` (AWS and
 * dynalite), `lib/simulation`. Contract suite: `test/contract/report-store`.
 */
import type { ReportSlot } from '../detection/caller-reports.ts';
import type { SiteName } from './health-store.ts';

export interface SiteReports extends SiteName {
  /** Rises by one with every applied write. */
  readonly revision: number;
  /** Ascending, at most as many as `lib/detection` keeps. */
  readonly slots: readonly ReportSlot[];
}

export type ReportsRead =
  | { readonly kind: 'found'; readonly reports: SiteReports }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly cause: string };

export type ReportsWrite =
  | { readonly kind: 'applied' }
  | { readonly kind: 'conflict'; readonly reports: SiteReports | null }
  | { readonly kind: 'unknown'; readonly cause: string };

export interface ReportStore {
  /** Strongly consistent read of one site. */
  readonly read: (service: string, site: string) => Promise<ReportsRead>;
  /**
   * Writes with revision `expected + 1`, if the stored revision is `expected` (0 = none is stored).
   * One attempt.
   */
  readonly write: (expected: number, reports: SiteReports) => Promise<ReportsWrite>;
  /** Of every site that was ever reported on, perhaps a moment old; null = no answer. */
  readonly list: () => Promise<readonly SiteReports[] | null>;
}
