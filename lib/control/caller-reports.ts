/**
 * Takes what callers report about a site, and knows what follows from it.
 *
 * Reports arrive at any function of the region, the observer sits in one: they meet in the health
 * table, which the observer's process reads every few seconds. It costs one Query however many
 * sites there are, and an item for each site that was ever reported on. A finding that changed, by
 * a report or by reports growing old, is told, so that the observer looks at the site.
 */
import type { Clock } from '../base/clock.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import {
  type CallerReport,
  callerFinding,
  type ReportSlot,
  withReport,
} from '../detection/caller-reports.ts';
import type { CallerFinding } from '../detection/evidence.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { SiteName } from './health-store.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { ReportStore, SiteReports } from './report-store.ts';
import { watchedSite } from './watched-sites.ts';

export type ReportOutcome =
  | { readonly kind: 'stored'; readonly finding: CallerFinding }
  | { readonly kind: 'unknown-site' }
  /** The table did not answer; the report may or may not count. */
  | { readonly kind: 'unavailable'; readonly cause: string };

export interface CallerReportsOptions {
  readonly store: ReportStore;
  readonly state: () => RecoveryState;
  readonly clock: Pick<Clock, 'wallNow'>;
  /** The finding on this site is another one now. */
  readonly onChange: (site: SiteName) => void;
}

export class CallerReports {
  readonly #options: CallerReportsOptions;
  #known: ReadonlyMap<string, SiteReports> = new Map();
  /** State of the finding that was told last; content ones are not kept. */
  readonly #troubled = new Set<string>();

  constructor(options: CallerReportsOptions) {
    this.#options = options;
  }

  async add({ service, site }: SiteName, report: CallerReport): Promise<ReportOutcome> {
    const { store, state } = this.#options;
    if (watchedSite(state(), service, site) === null) {
      return { kind: 'unknown-site' };
    }
    let read = await store.read(service, site);
    for (let tries = 0; tries < CONTROL_LIMITS.reportAttemptsMax; tries += 1) {
      if (read.kind === 'unknown') {
        return { kind: 'unavailable', cause: read.cause };
      }
      const before = read.kind === 'found' ? read.reports : null;
      const revision = before?.revision ?? 0;
      const slots = withReport(before?.slots ?? [], report);
      const write = await store.write(revision, { service, site, revision: revision + 1, slots });
      switch (write.kind) {
        case 'applied':
          return { kind: 'stored', finding: findingAfter(slots, report.receivedAt) };
        case 'unknown':
          return { kind: 'unavailable', cause: write.cause };
        case 'conflict':
          read =
            write.reports === null ? { kind: 'absent' } : { kind: 'found', reports: write.reports };
      }
    }
    return { kind: 'unavailable', cause: 'too many reports of one site at once' };
  }

  /** Reads what all functions of the region stored. Without an answer the old reports grow old. */
  async refresh(): Promise<void> {
    const listed = await this.#options.store.list();
    if (listed !== null) {
      this.#known = new Map(listed.map((reports) => [keyOf(reports), reports]));
    }
    const now = this.#options.clock.wallNow();
    for (const reports of this.#known.values()) {
      this.#tell(reports, now);
    }
  }

  findingOf(service: string, site: string, now: EpochMillis): CallerFinding | null {
    return callerFinding(this.#slotsOf({ service, site }), now);
  }

  #slotsOf(name: SiteName): readonly ReportSlot[] {
    return this.#known.get(keyOf(name))?.slots ?? [];
  }

  #tell({ service, site, slots }: SiteReports, now: EpochMillis): void {
    const key = keyOf({ service, site });
    const isTroubled = callerFinding(slots, now)?.state === 'troubled';
    if (isTroubled !== this.#troubled.has(key)) {
      if (isTroubled) {
        this.#troubled.add(key);
      } else {
        this.#troubled.delete(key);
      }
      this.#options.onChange({ service, site });
    }
  }
}

/** There is one: the report itself is among them. */
function findingAfter(slots: readonly ReportSlot[], now: EpochMillis): CallerFinding {
  const finding = callerFinding(slots, now);
  invariant(finding !== null, 'report-not-among-its-slots', { slots });
  return finding;
}

function keyOf({ service, site }: SiteName): string {
  return `${service}/${site}`;
}
