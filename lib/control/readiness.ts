/**
 * Whoever leads looks at the plans of every service, at least every five minutes and when somebody
 * asks: it gathers the facts through the ports that a run would use, with the rights that a run would
 * have, and proposes what it found, if that is news.
 *
 * A look changes nothing. One that hangs is given up by its ports; one service is looked at after the
 * other, so that a fleet of hundreds is not asked about in one burst.
 */
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { MonotonicMillis } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import type { ActionPorts } from '../recovery/action-ports.ts';
import { fenceName } from '../recovery/fence.ts';
import type { HttpProbePolicy } from '../recovery/probe-policy.ts';
import type { Finding } from '../recovery/readiness.ts';
import {
  finding,
  judgeFacts,
  type ReadCapacity,
  type ReadinessFacts,
  type ReadSite,
} from '../recovery/readiness-facts.ts';
import { judgePlans } from '../recovery/readiness-plans.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ReadOutcome, RoutingPort, SwitchPort } from '../recovery/switch-port.ts';
import type { ControlCommand } from './commands.ts';
import { lapseMs, leaseMsMax } from './lease.ts';
import { CONTROL_TIMINGS } from './limits.ts';
import type { ProbePort } from './probe-port.ts';
import type { ReadinessPort } from './readiness-port.ts';

export interface ReadinessPorts {
  readonly switchPort: Pick<SwitchPort, 'read' | 'sharing'>;
  readonly routingPort?: RoutingPort | undefined;
  readonly probePort: ProbePort;
  readonly actions: Pick<ActionPorts, 'scale' | 'database'>;
  /** What only the provider can say: quotas, functions, topics, tables. Absent = there is none. */
  readonly readiness?: ReadinessPort;
}

/** All that a run of this service would trip over now. Reads only. */
async function findUnreadiness(
  ports: ReadinessPorts,
  service: ServiceState,
  surroundings: { readonly services: readonly string[]; readonly clock: Pick<Clock, 'wallNow'> },
): Promise<readonly Finding[]> {
  const sharing = ports.switchPort.sharing ?? 'weighted';
  const leaseMs = lapseMs(leaseMsMax(service, surroundings.clock.wallNow()));
  const [facts, provided, unwired] = await Promise.all([
    gatherFacts(ports, service),
    ports.readiness === undefined ? [] : ports.readiness.check(service.policy),
    judgeRouting(ports, service),
  ]);
  const { services } = surroundings;
  return [
    ...judgeFacts(service, facts),
    ...judgePlans(service, { sharing, services, leaseMs }),
    ...provided,
    ...unwired,
  ];
}

/** A plan that gives the traffic to the data plane needs one that steers the name. */
async function judgeRouting(
  { routingPort }: ReadinessPorts,
  { policy }: ServiceState,
): Promise<readonly Finding[]> {
  const stages = [policy.plans.failover, policy.plans.failback].flatMap(
    (plan) => plan?.stages ?? [],
  );
  const isNeeded =
    policy.dataPlaneName !== undefined ||
    stages.flat().some(({ action }) => action.kind === 'routing');
  if (!isNeeded) {
    return [];
  }
  const status = await routingPort?.status(policy.service, policy.recordType);
  const sentence = 'a `routing` step waits for records with health checks, and there are none';
  const fix = 'name the data-plane record of this service when you deploy, or use a `switch` step';
  return status === undefined || status.kind === 'not-wired'
    ? [finding(['data-plane-not-wired', 'failing'], policy.dnsName, sentence, fix)]
    : [];
}

async function gatherFacts(ports: ReadinessPorts, service: ServiceState): Promise<ReadinessFacts> {
  const { switchPort, actions } = ports;
  const { database } = service.policy;
  const [records, capacities, members, probes] = await Promise.all([
    readRecords(ports, service),
    readCapacities(ports, service),
    database === null ? null : actions.database.read(database),
    probeSites(ports, service),
  ]);
  const sharing = switchPort.sharing ?? 'weighted';
  return { records, sharing, capacities, database: members, probes };
}

/** While a run is at work on the records, or one has failed, they are not as the log says. */
async function readRecords(
  { switchPort }: ReadinessPorts,
  { phase, policy: { dnsName } }: ServiceState,
): Promise<ReadOutcome | null> {
  const isSettled = phase.kind === 'steady' || phase.kind === 'practising';
  return isSettled ? switchPort.read([fenceName(dnsName), dnsName]) : null;
}

function readCapacities(
  { actions }: ReadinessPorts,
  { policy }: ServiceState,
): Promise<readonly ReadCapacity[]> {
  return Promise.all(
    policy.sites.flatMap(({ site, capacity }) =>
      capacity === null
        ? []
        : [actions.scale.read(capacity.resource).then((reading) => ({ site, reading }))],
    ),
  );
}

/** The question that a run ends with, asked now; and how long the certificate is good for. */
function probeSites(
  { probePort }: ReadinessPorts,
  { policy }: ServiceState,
): Promise<readonly ReadSite[]> {
  return Promise.all(
    policy.sites.flatMap(({ site, probeUrl }) =>
      probeUrl === null ? [] : [probeOnce(probePort, site, probeUrl)],
    ),
  );
}

const PROBE_PACE = { intervalMs: 10_000, timeoutMs: 5000, rise: 1, fall: 1 } as const;
/** Two weeks: time to renew by hand. */
const CERTIFICATE_DAYS_MIN = 14;

async function probeOnce(port: ProbePort, site: string, url: string): Promise<ReadSite> {
  const policy: HttpProbePolicy = {
    kind: 'http',
    url,
    method: 'GET',
    statusMin: 200,
    statusMax: 299,
    latencyMsMax: null,
    bodyContains: null,
    serverName: null,
    certificateDaysMin: CERTIFICATE_DAYS_MIN,
    ...PROBE_PACE,
  };
  const { code, detail } = await port.probe(policy, new AbortController().signal);
  return { site, url, code, detail };
}

export interface ReadinessWatchOptions extends ReadinessPorts {
  readonly state: () => RecoveryState;
  readonly isLeading: () => boolean;
  readonly propose: (command: ControlCommand) => void;
  readonly clock: Clock;
  readonly log: LogEvent;
}

interface Look {
  readonly at: MonotonicMillis;
  /** Sites that were healthy then. */
  readonly healthy: ReadonlySet<string>;
}

/** Guards when each service was looked at last by this process, and who was well then. */
export class ReadinessWatch {
  readonly #options: ReadinessWatchOptions;
  readonly #looks = new Map<string, Look>();
  #leadingSince: MonotonicMillis | null = null;

  constructor(options: ReadinessWatchOptions) {
    this.#options = options;
  }

  /** Looks at what is due. Never throws for what the world answers. */
  async round(): Promise<void> {
    const { isLeading, state, clock } = this.#options;
    if (!isLeading()) {
      this.#leadingSince = null;
      this.#looks.clear();
      return;
    }
    this.#leadingSince ??= clock.monotonicNow();
    const { services } = state();
    const due = Object.values(services).filter((service) => this.#isDue(service));
    for (const service of due) {
      await this.#look(service, Object.keys(services));
    }
    for (const name of this.#looks.keys()) {
      if (!Object.hasOwn(services, name)) {
        this.#looks.delete(name);
      }
    }
  }

  /**
   * A new leader leaves sites and agents a moment to be heard before it calls them missing. A site that
   * came up since makes what was said of it untrue, so it is looked at again at once.
   */
  #isDue(service: ServiceState): boolean {
    const { policy, readinessDueAt } = service;
    const now = this.#options.clock.monotonicNow();
    const { readinessMs, readinessFirstMs, readinessAgainMs } = CONTROL_TIMINGS;
    const last = this.#looks.get(policy.service);
    if ((readinessDueAt ?? null) !== null) {
      return true;
    }
    if (last === undefined) {
      return now - (this.#leadingSince ?? now) >= readinessFirstMs;
    }
    const isNewlyHealthy = [...healthySites(service)].some((site) => !last.healthy.has(site));
    return now - last.at >= (isNewlyHealthy ? readinessAgainMs : readinessMs);
  }

  async #look(service: ServiceState, services: readonly string[]): Promise<void> {
    const { clock, propose, log, state } = this.#options;
    const name = service.policy.service;
    this.#looks.set(name, { at: clock.monotonicNow(), healthy: healthySites(service) });
    try {
      const findings = await findUnreadiness(this.#options, service, { services, clock });
      const current = state().services[name];
      const isAsked = (service.readinessDueAt ?? null) !== null;
      if (current !== undefined && (isAsked || isNews(current, findings))) {
        propose({
          kind: 'readiness',
          service: name,
          findings: findings.slice(0, FINDINGS_MAX),
          by: 'tripoint',
          reason: isAsked ? 'asked for' : 'looked again',
          at: clock.wallNow(),
        });
      }
    } catch (thrown) {
      log('error', 'readiness-failed', { service: name, cause: describeError(thrown) });
    }
  }
}

function healthySites({ sites }: ServiceState): ReadonlySet<string> {
  const healthy = Object.entries(sites).filter(([, { opinion }]) => opinion.state === 'healthy');
  return new Set(healthy.map(([site]) => site));
}

/** One entry holds so many; what comes after them is seen when these are mended. */
const FINDINGS_MAX = 50;

/** Sentences tell numbers that change all the time; what is wrong with what is the news. */
function isNews({ readiness }: ServiceState, findings: readonly Finding[]): boolean {
  const keyOf = ({ code, severity, subject }: Finding) => `${severity} ${code} ${subject}`;
  const known = readiness === null ? null : new Set(readiness.findings.map(keyOf));
  const found = new Set(findings.map(keyOf));
  return known === null || known.size !== found.size || [...found].some((key) => !known.has(key));
}
