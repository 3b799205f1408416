/**
 * All that one region knows of its sites beside their heartbeats, in one place: its own probes and
 * what callers report. Whoever judges a site asks here; what changes here wakes whoever judges.
 */
import type { Clock, Random } from '../base/clock.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import type { SiteEvidence } from '../detection/evidence.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { CallerReports } from './caller-reports.ts';
import type { SiteName, TimerStore } from './health-store.ts';
import { CONTROL_TIMINGS } from './limits.ts';
import type { ProbePort } from './probe-port.ts';
import { Prober } from './probing.ts';
import type { ReportStore } from './report-store.ts';

export interface EvidenceOptions {
  readonly probePort: ProbePort;
  readonly reports: ReportStore;
  readonly health: Pick<TimerStore, 'wake'>;
  readonly state: () => RecoveryState;
  readonly clock: Clock;
  readonly random: Random;
}

export class EvidenceSources {
  readonly reports: CallerReports;
  readonly #options: EvidenceOptions;
  readonly #prober: Prober;
  #refreshing: Promise<void> | null = null;
  /** On the monotonic clock. */
  #refreshAt = -Infinity;

  constructor(options: EvidenceOptions) {
    const { probePort, reports, health, state, clock, random } = options;
    this.#options = options;
    // A wake that is lost costs time, not truth: the site is looked at when its own timer pops.
    const onChange = ({ service, site }: SiteName) => {
      void health.wake(clock.wallNow(), service, site);
    };
    this.#prober = new Prober({ port: probePort, clock, random, onChange });
    this.reports = new CallerReports({ store: reports, state, clock, onChange });
  }

  /** Starts what is due and waits for none of it: a site or a table that hangs holds up nothing. */
  async round(): Promise<void> {
    this.#prober.round(this.#options.state());
    const now = this.#options.clock.monotonicNow();
    if (this.#refreshing === null && now >= this.#refreshAt) {
      this.#refreshAt = now + CONTROL_TIMINGS.reportsMs;
      this.#refreshing = this.reports.refresh().finally(() => {
        this.#refreshing = null;
      });
    }
  }

  /** Until `round` is worth calling again, in milliseconds. */
  pauseMs(): number {
    return this.#prober.pauseMs();
  }

  /** Ends the probes that are under way; `round` starts anew. */
  async stop(): Promise<void> {
    await Promise.all([this.#prober.stop(), this.#refreshing]);
  }

  /** This site is suspect: what its probes say is needed now. */
  probeNow(service: string, site: string): void {
    this.#prober.probeNow(service, site);
  }

  evidenceOf(service: string, site: string, now: EpochMillis): SiteEvidence {
    return {
      probe: this.#prober.findingOf(service, site, now),
      callers: this.reports.findingOf(service, site, now),
    };
  }
}
