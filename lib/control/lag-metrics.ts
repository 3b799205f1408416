/**
 * Replication lag as a cloud measures it: the leading region asks for the metric of each service that
 * names one, and tells the log when the answer matters (`lib/recovery/replication.ts`).
 *
 * A name or a value of the metric's dimensions may hold `{site}`: then each standby has a metric of its
 * own, and a failover changes which one is read. Where there is none, it is taken for what every
 * standby lacks. A metric that falls silent is not zero: after a few minutes the lag is unknown.
 */
import type { Clock } from '../base/clock.ts';
import { type EpochMillis, epochMillis, type RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { ownValue } from '../base/own-value.ts';
import type { MetricPort } from '../recovery/metric-port.ts';
import type { LagMetric } from '../recovery/policy.ts';
import { type LagReading, lagWordAfter, lastLag } from '../recovery/replication.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { inParallel } from './in-parallel.ts';
import { lagRulesOf } from './lag-words.ts';
import { CONTROL_LIMITS } from './limits.ts';

export interface LagMetricsOptions {
  readonly port: MetricPort;
  readonly region: RegionId;
  readonly state: () => RecoveryState;
  readonly isLeading: () => boolean;
  readonly propose: (command: ControlCommand) => void;
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly log: LogEvent;
}

/** A metric of CloudWatch comes a minute or two late; older than this it says nothing of now. */
const STALE_MS = 300_000;
/** Readings of one metric that its trend is taken from. */
const TREND_READINGS = 10;
/** A trend of less than this is noise. */
const RISE_MS_PER_MINUTE_MIN = 10;

type Reading = Extract<Awaited<ReturnType<MetricPort['newest']>>, { kind: 'found' }>;

/** Guards what it remembers of each metric, for the trend. */
export class LagMetrics {
  readonly #options: LagMetricsOptions;
  readonly #history = new Map<string, readonly Reading[]>();

  constructor(options: LagMetricsOptions) {
    this.#options = options;
  }

  /** Asks for every metric once. Never rejects for what the cloud answers. */
  async round(): Promise<void> {
    if (!this.#options.isLeading()) {
      this.#history.clear();
      return;
    }
    const metered = Object.values(this.#options.state().services).flatMap((service) =>
      standbysOf(service).map((site) => ({ service, site })),
    );
    await inParallel(metered, CONTROL_LIMITS.metricsAtOnceMax, ({ service, site }) =>
      this.#measure(service, site),
    );
  }

  async #measure(service: ServiceState, site: string): Promise<void> {
    const { metric } = service.policy.replication;
    if (metric === null) {
      return;
    }
    const { port, clock, region, propose, log } = this.#options;
    const now = clock.wallNow();
    const named = metricOf(metric, site);
    const reading = await port.newest(named, epochMillis(now - STALE_MS), now);
    if (reading.kind === 'unknown') {
      const { service: name } = service.policy;
      log('warn', 'lag-metric-unread', { service: name, site, cause: reading.cause });
    }
    const key = `${service.policy.service}/${site}`;
    const found = this.#found({ key, unit: metric.unit }, reading, now);
    const before = lastLag(ownValue(service.sites, site)?.lags, 'metric') ?? null;
    const word = lagWordAfter(before, found, lagRulesOf(service));
    if (word !== null && word !== before) {
      const about = { service: service.policy.service, site, source: 'metric' } as const;
      propose({ kind: 'lag', at: now, observer: region, ...about, ...word });
    }
  }

  /** The last reading that is still one of now. */
  #found(
    { key, unit }: Pick<LagMetric, 'unit'> & { readonly key: string },
    reading: Awaited<ReturnType<MetricPort['newest']>>,
    now: EpochMillis,
  ): LagReading {
    const known = (this.#history.get(key) ?? []).filter(({ at }) => now - at < STALE_MS);
    const isNew = reading.kind === 'found' && reading.at > (known.at(-1)?.at ?? 0);
    const history = isNew ? [...known, reading].slice(-TREND_READINGS) : known;
    this.#history.set(key, history);
    const last = history.at(-1);
    const inMs = unit === 'seconds' ? 1000 : 1;
    return {
      lagMs: last === undefined ? null : Math.max(0, last.value * inMs),
      writes: null,
      measuredAt: last?.at ?? now,
      risingMsPerMinute: riseOf(history, inMs),
    };
  }
}

function standbysOf({ policy, activeSite }: ServiceState): readonly string[] {
  return policy.replication.metric === null
    ? []
    : policy.sites.map(({ site }) => site).filter((site) => site !== activeSite);
}

function metricOf({ region, namespace, name, dimensions }: LagMetric, site: string) {
  const filled = (text: string) => text.replaceAll('{site}', site);
  const entries = Object.entries(dimensions).map(([key, value]) => [key, filled(value)] as const);
  return {
    region,
    namespace,
    name,
    dimensions: Object.fromEntries(entries),
  };
}

/** From the first to the last reading; null = it does not rise. */
function riseOf(history: readonly Reading[], inMs: number): number | null {
  const [first, last] = [history[0], history.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) {
    return null;
  }
  const perMinute = ((last.value - first.value) * inMs * 60_000) / (last.at - first.at);
  return perMinute >= RISE_MS_PER_MINUTE_MIN ? perMinute : null;
}
