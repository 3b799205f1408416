/**
 * Quotas: may the standby's region grow as large as the one that serves? A quota that was raised in one
 * region and forgotten in the other is found on the day of the disaster, and raising it takes days.
 *
 * Compared are the applied quotas of the regions, for the kinds of resource that the policy names.
 * (Service Quotas API: GetServiceQuota. Source of the idea: Region switch's quota checks.)
 */
import { GetServiceQuotaCommand, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { describeError } from '../../base/errors.ts';
import { QUOTAS, type ServiceQuota as Quota } from '../../config/quotas.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { Finding } from '../../recovery/readiness.ts';
import { finding } from '../../recovery/readiness-facts.ts';

export type QuotaClients = (region: string) => Pick<ServiceQuotasClient, 'send'>;

export async function quotaFindings(
  policy: ServicePolicy,
  clients: QuotaClients,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(QUOTAS).map(([kind, quota]) =>
      compareRegions(regionsOf(policy, kind), quota, clients),
    ),
  );
  return found.flat();
}

/** Where resources of this kind run, that of the primary first. */
function regionsOf({ sites, primary, database }: ServicePolicy, kind: string): readonly string[] {
  const ordered = sites.toSorted((a, b) => Number(b.site === primary) - Number(a.site === primary));
  const members = database?.members ?? {};
  const regions = ordered.flatMap(({ site, capacity }) => {
    if (kind === 'database') {
      const region = members[site]?.region;
      return region === undefined ? [] : [region];
    }
    const resource = capacity?.resource;
    return resource !== undefined && resource.kind === kind && resource.kind !== 'hook'
      ? [resource.region]
      : [];
  });
  return [...new Set(regions)];
}

async function compareRegions(
  regions: readonly string[],
  quota: Quota,
  clients: QuotaClients,
): Promise<readonly Finding[]> {
  const [first, ...others] = regions;
  if (first === undefined || others.length === 0) {
    return [];
  }
  const reference = await readQuota(clients(first), quota);
  const found = await Promise.all(
    others.map(async (region) =>
      judge(region, quota, [reference, await readQuota(clients(region), quota)]),
    ),
  );
  return found.flat();
}

type Reading = number | { readonly cause: string };

async function readQuota(
  client: ReturnType<QuotaClients>,
  { serviceCode, quotaCode }: Quota,
): Promise<Reading> {
  try {
    const command = new GetServiceQuotaCommand({ ServiceCode: serviceCode, QuotaCode: quotaCode });
    const { Quota: applied } = await client.send(command);
    return applied?.Value ?? { cause: 'the answer holds no value' };
  } catch (thrown) {
    return { cause: describeError(thrown) };
  }
}

function judge(
  region: string,
  { name, quotaCode }: Quota,
  [reference, own]: readonly [Reading, Reading],
): readonly Finding[] {
  const subject = `${name} in ${region} (${quotaCode})`;
  const unknown = [reference, own].find((reading) => typeof reading !== 'number');
  if (typeof unknown === 'object') {
    const fix = 'give the control regions servicequotas:GetServiceQuota, or look again';
    return [finding(['resource-unreadable', 'warning'], subject, unknown.cause, fix)];
  }
  const sentence = `it is ${String(own)}, and ${String(reference)} where the service runs usually`;
  const fix = 'ask for an increase now: it takes days';
  return Number(own) < Number(reference)
    ? [finding(['quota-too-small', 'warning'], subject, sentence, fix)]
    : [];
}
