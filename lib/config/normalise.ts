/** From a valid file to policies: names and units of the domain, computed defaults filled in. */
import type { ServicePolicy, SitePolicy } from '../recovery/policy.ts';
import { type ConfigurationFile, TOKEN_PATTERN } from './file-schema.ts';
import { CONFIG_LIMITS } from './limits.ts';

export function normalise(file: ConfigurationFile): readonly ServicePolicy[] {
  return Object.entries(file.services).map(([service, body]) => ({
    service,
    dnsName: body.dns.name,
    recordType: body.dns.type,
    ttlSeconds: body.dns.ttl,
    strategy: body.strategy,
    automatic: body.automatic,
    primary: body.primary,
    objectives: { rtoMs: body.objectives.rto, rpoMs: body.objectives.rpo },
    detection: {
      intervalMs: body.detection.interval,
      suspectPhi: body.detection.suspectPhi,
      failPhi: body.detection.failPhi,
      silenceMsMax: body.detection.maxSilence ?? defaultSilence(body.detection.interval),
    },
    safety: {
      holdDownMs: body.safety.holdDown,
      automaticRunsPerDayMax: body.safety.automaticRunsPerDay,
    },
    sites: Object.entries(body.sites).map(
      ([site, { region, address, probe, tokens }]): SitePolicy => ({
        site,
        region: region ?? site,
        address: address.toLowerCase(),
        probeUrl: probe ?? null,
        tokenHashes: tokens.map((token) => TOKEN_PATTERN.exec(token)?.[1] ?? ''),
      }),
    ),
  }));
}

function defaultSilence(intervalMs: number): number {
  const { silenceIntervalsDefault, silenceMsMax } = CONFIG_LIMITS;
  return Math.min(silenceIntervalsDefault * intervalMs, silenceMsMax);
}
