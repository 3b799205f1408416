/**
 * The observer: each tick it judges every site of this region's health table and brings to the log
 * what it changed its mind about. A quiet fleet brings nothing.
 */

import type { Clock } from '../base/clock.ts';
import { type EpochMillis, epochMillis, type RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { observeSelf, type SelfObservation } from '../detection/observer.ts';
import { judge, type Verdict } from '../detection/verdict.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import type { LiveObservation } from './control-plane.ts';
import type { HealthStore, SiteRecord } from './health-store.ts';
import { CONTROL_TIMINGS } from './limits.ts';
import { proofMsMaxOf } from './service-events.ts';

export interface ObserverOptions {
  readonly region: RegionId;
  readonly health: HealthStore;
  readonly clock: Clock;
  /** Store errors of heartbeats since the last round. */
  readonly takeStoreErrors: () => number;
}

export class Observer {
  readonly #options: ObserverOptions;
  #self: SelfObservation | null = null;
  #records: ReadonlyMap<string, SiteRecord> = new Map();

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** One round. Returns the verdicts that differ from what the log holds of this observer. */
  async observe(state: RecoveryState): Promise<readonly ControlCommand[]> {
    const now = this.#options.clock.wallNow();
    const storeErrors = (await this.#readRecords()) + this.#options.takeStoreErrors();
    const previous = this.#self ?? (await this.#recall());
    this.#self = observeSelf(previous, { now, periodMs: CONTROL_TIMINGS.tickMs, storeErrors });
    const { evaluatedAt, baselineAt } = this.#self;
    await this.#options.health.writeObserver({ evaluatedAt, baselineAt });
    return this.#sitesOf(state).flatMap(({ service, site }) => {
      const verdict = this.#judge(service, site, now);
      return this.#isNews(service, site, verdict) ? [this.#command(service, site, verdict)] : [];
    });
  }

  /** Takes over what the controller of this region left in the table, and judges nothing itself. */
  async look(): Promise<void> {
    const [, self] = await Promise.all([this.#readRecords(), this.#recall()]);
    this.#self = self ?? this.#self;
  }

  /**
   * A changed state is news. So is a fresh proof of life of a site that as many observers accuse as
   * hear: the log holds an old proof, which refutes nothing. Where fewer accuse they convict nobody,
   * and a region that was cut off for days costs no entry.
   */
  #isNews({ policy, sites }: ServiceState, site: string, verdict: Verdict): boolean {
    const verdicts = ownValue(sites, site)?.verdicts ?? {};
    const standing = verdicts[this.#options.region]?.verdict;
    if (standing?.state !== verdict.state) {
      return true;
    }
    const committed = Object.values(verdicts);
    const accusers = committed.filter((other) => isAccusing(other.verdict)).length;
    const living = committed.filter((other) => isLiving(other.verdict)).length;
    const ageMs = verdict.judgedAt - standing.judgedAt;
    return accusers >= living && isLiving(verdict) && ageMs >= proofMsMaxOf(policy.detection) / 4;
  }

  /** When the next site becomes suspect or failed if nothing more is heard; null = none is due. */
  nextDeadline(): EpochMillis | null {
    const now = this.#options.clock.wallNow();
    const ahead = [...this.#records.values()]
      .flatMap(({ suspectAt, failAt }) => [suspectAt, failAt])
      .filter((deadline) => deadline > now);
    return ahead.length === 0 ? null : epochMillis(Math.min(...ahead));
  }

  /** What this region sees now, fresher than the log. Judged anew at each call. */
  observations(state: RecoveryState): readonly LiveObservation[] {
    const now = this.#options.clock.wallNow();
    return this.#sitesOf(state).map(({ service, site }) => {
      const verdict = this.#judge(service, site, now);
      const record = this.#recordOf(service, site);
      return {
        service: service.policy.service,
        site,
        phi: verdict.phi,
        silentMs: verdict.lastArrivalAt === null ? null : now - verdict.lastArrivalAt,
        lastBeatAt: verdict.lastArrivalAt,
        suspectAt: record?.suspectAt ?? null,
        failAt: record?.failAt ?? null,
        replicationLagMs: record?.replicationLagMs ?? null,
        sentence: verdict.sentence,
      };
    });
  }

  async #readRecords(): Promise<number> {
    const records = await this.#options.health.list();
    if (records === null) {
      return 1;
    }
    this.#records = new Map(records.map((record) => [`${record.service}/${record.site}`, record]));
    return 0;
  }

  /** After a start: when did this region last evaluate, and since when without a gap? */
  async #recall(): Promise<SelfObservation | null> {
    const read = await this.#options.health.readObserver();
    return read.kind === 'found' ? { ...read.record, doubt: null } : null;
  }

  #judge(service: ServiceState, site: string, now: EpochMillis): Verdict {
    const record = this.#recordOf(service, site);
    return judge({
      window: record?.window ?? null,
      reportedStatus: record?.reportedStatus ?? 'ok',
      now,
      baselineAt: this.#self?.baselineAt ?? now,
      doubt: this.#self?.doubt ?? null,
      policy: service.policy.detection,
    });
  }

  #command({ policy }: ServiceState, site: string, verdict: Verdict): ControlCommand {
    const record = this.#records.get(`${policy.service}/${site}`);
    return {
      kind: 'verdict',
      at: this.#options.clock.wallNow(),
      observer: this.#options.region,
      service: policy.service,
      site,
      verdict,
      replicationLagMs: record?.replicationLagMs ?? null,
    };
  }

  #recordOf({ policy }: ServiceState, site: string): SiteRecord | undefined {
    return this.#records.get(`${policy.service}/${site}`);
  }

  #sitesOf({ services }: RecoveryState): readonly { service: ServiceState; site: string }[] {
    return Object.values(services).flatMap((service) =>
      Object.keys(service.sites).map((site) => ({ service, site })),
    );
  }
}

export function isAccusing({ state }: Verdict): boolean {
  return state === 'suspect' || state === 'failed';
}

function isLiving({ state }: Verdict): boolean {
  return state === 'healthy' || state === 'degraded';
}
