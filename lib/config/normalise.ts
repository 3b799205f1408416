/** From a valid file to policies: names and units of the domain, computed defaults filled in. */
import type { DetectionPolicy } from '../detection/policy.ts';
import type {
  MonitorPolicy,
  SchedulePolicy,
  ServicePolicy,
  SitePolicy,
} from '../recovery/policy.ts';
import { TOKEN_PATTERN } from './file-fields.ts';
import type { ConfigurationFile } from './file-schema.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { type ProbeEntry, plainProbe, probePolicyOf } from './probe-file.ts';
import { capacityOf, recoveryOf, weightsOf } from './recovery-file.ts';

type ServiceBody = ConfigurationFile['services'][string];

export function normalise(file: ConfigurationFile): readonly ServicePolicy[] {
  return Object.entries(file.services).map(([service, body]) => ({
    service,
    dnsName: body.dns.name,
    recordType: body.dns.type,
    ttlSeconds: body.dns.ttl,
    ...(body.dns.dataPlane === undefined ? {} : { dataPlaneName: body.dns.dataPlane }),
    strategy: body.strategy,
    automatic: body.automatic,
    primary: body.primary,
    objectives: { rtoMs: body.objectives.rto, rpoMs: body.objectives.rpo },
    detection: detectionOf(body.detection),
    safety: {
      holdDownMs: body.safety.holdDown,
      automaticRunsPerDayMax: body.safety.automaticRunsPerDay,
      acknowledgement: body.safety.acknowledgement,
      approval: body.safety.approval,
    },
    ...recoveryOf(body),
    sites: sitesOf(body),
  }));
}

function sitesOf({ strategy, sites }: ServiceBody): readonly SitePolicy[] {
  const weights = weightsOf(
    strategy,
    Object.values(sites).map(({ weight }) => weight),
  );
  return Object.entries(sites).map(([site, body], position) => {
    const { region = site, address, probe, probes, tokens, capacity } = body;
    return {
      site,
      region,
      address: address.toLowerCase(),
      probeUrl: probe ?? null,
      probes: probesOf(probe, probes),
      tokenHashes: hashesOf(tokens),
      capacity: capacity === undefined ? null : capacityOf(capacity, region),
      weight: weights[position] ?? 0,
    };
  });
}

/** Monitors in the order of the file; a site without a schedule takes that of its monitor. */
export function normaliseMonitors({ monitors }: ConfigurationFile): readonly MonitorPolicy[] {
  return Object.entries(monitors).map(([service, body]) => {
    const { provisioning } = body;
    const usual = scheduleOf(body.schedule);
    return {
      service,
      detection: detectionOf(body.detection),
      provisioning:
        provisioning === undefined
          ? null
          : {
              tokenHashes: hashesOf(provisioning.tokens),
              sitesMax: provisioning.maxSites,
              schedule: usual,
            },
      sites: Object.entries(body.sites).map(([site, { tokens, schedule }]) => ({
        site,
        tokenHashes: hashesOf(tokens),
        schedule: scheduleOf(schedule) ?? usual,
      })),
    };
  });
}

type MonitorBody = ConfigurationFile['monitors'][string];

function scheduleOf(schedule: MonitorBody['schedule']): SchedulePolicy | null {
  if (schedule === undefined) {
    return null;
  }
  const { cron, every, timezone = 'UTC', grace: graceMs, maxRun } = schedule;
  const common = { graceMs, runMsMax: maxRun ?? null };
  return cron === undefined
    ? { kind: 'every', everyMs: every ?? CONFIG_LIMITS.everyMsMax, ...common }
    : { kind: 'cron', cron, timezone, ...common };
}

function detectionOf(body: MonitorBody['detection']): DetectionPolicy {
  return {
    intervalMs: body.interval,
    suspectPhi: body.suspectPhi,
    failPhi: body.failPhi,
    silenceMsMax: body.maxSilence ?? defaultSilence(body.interval),
  };
}

function hashesOf(tokens: readonly string[]): readonly string[] {
  return tokens.map((token) => TOKEN_PATTERN.exec(token)?.[1] ?? '');
}

function defaultSilence(intervalMs: number): number {
  const { silenceIntervalsDefault, silenceMsMax } = CONFIG_LIMITS;
  return Math.min(silenceIntervalsDefault * intervalMs, silenceMsMax);
}

/** `probe: URL` is the first of them, unless the list says more about the same URL. */
function probesOf(probe: string | undefined, entries: readonly ProbeEntry[]): SitePolicy['probes'] {
  const isListed = entries.some(({ url }) => url === probe);
  const plain = probe === undefined || isListed ? null : plainProbe(probe);
  const listed = entries.map((entry) => probePolicyOf(entry));
  return [plain, ...listed].filter((policy) => policy !== null);
}
