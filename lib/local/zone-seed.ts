/**
 * Gives each new service its first DNS record: its primary site, without a fence.
 *
 * Done when a configuration is applied and never during a recovery ("nothing is created during an
 * event"). A name that has a record, or a fence, was set up before and is left alone.
 */
import { AppError } from '../base/errors.ts';
import { fenceName } from '../recovery/fence.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import type { RecordSet, SwitchPort } from '../recovery/switch-port.ts';

/** @throws AppError `zone-not-filled` when the zone refuses a name or does not answer. */
export async function seedZone(
  zone: SwitchPort,
  policies: readonly ServicePolicy[],
): Promise<void> {
  for (const policy of policies) {
    const standing = await zone.read([fenceName(policy.dnsName), policy.dnsName]);
    if (standing.kind !== 'read') {
      throw notFilled(policy, JSON.stringify(standing));
    }
    if (standing.recordSets.length + standing.foreign.length > 0) {
      continue;
    }
    const batch = [{ action: 'CREATE', recordSet: firstRecordSet(policy) }] as const;
    const outcome = await zone.change(batch, `first record of ${policy.service}`);
    if (outcome.kind !== 'applied') {
      throw notFilled(policy, JSON.stringify(outcome));
    }
  }
}

function firstRecordSet({
  dnsName,
  recordType,
  ttlSeconds,
  primary,
  sites,
}: ServicePolicy): RecordSet {
  const values = sites.flatMap(({ site, address }) => (site === primary ? [address] : []));
  return { name: dnsName, type: recordType, ttlSeconds, values };
}

function notFilled({ dnsName }: ServicePolicy, detail: string): AppError {
  return new AppError(`the DNS zone did not take ${dnsName}: ${detail}`, {
    code: 'zone-not-filled',
    hint: 'Names of local services must end in .example.test.',
    retryable: true,
  });
}
