/**
 * Protection: whether another site could take the traffic if the one that serves failed now. Pure.
 *
 * After a failover a service is on its last leg until a standby is well again, and nobody notices: so
 * since when it is unprotected is part of the state, told when it begins and when it is over.
 *
 * Source: Azure Site Recovery's "reprotect"; the post-recovery blocks of AWS ARC Region switch.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { isReady } from './analysis.ts';
import type { ServiceState } from './state.ts';

/** Whether a second site is ready. Which one serves, or whether several do, makes no difference. */
function isProtected(service: Pick<ServiceState, 'policy' | 'sites' | 'activeSite'>): boolean {
  return service.policy.sites.some(
    ({ site }) => site !== service.activeSite && isReady(service, site),
  );
}

/** Since when no other site could take over, as of now; null = one can. */
export function unprotectedSince(service: ServiceState, now: EpochMillis): EpochMillis | null {
  return isProtected(service) ? null : (service.unprotectedSince ?? now);
}
