/** Names of the simulated world: the zone of a name, what a site is asked by, and seeds made of names. */
import type { SitePolicy } from '../../recovery/policy.ts';
import { probeTarget } from '../../recovery/probe-policy.ts';

/** What probes and verifications of a site name. */
export function targetsOf({ address, probeUrl, probes }: SitePolicy): readonly string[] {
  return [address, ...(probeUrl === null ? [] : [probeUrl]), ...probes.map(probeTarget)];
}

/** The zone above a name. */
export function originOf(dnsName: string): string {
  return dnsName.split('.').slice(1).join('.');
}

/** FNV-1a, 32 bits: chance of its own for each name, from one seed. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  return hash >>> 0;
}
