/**
 * The port to what only the provider of the resources can say of a plan: whether functions, topics and
 * tables are there and may be used, and whether quotas let the standby grow.
 *
 * Reads only: describe calls, and dry runs where a service offers them. Total: what cannot be found out
 * is a finding of its own, or none. Implementation: `lib/aws/readiness`.
 */
import type { ServicePolicy } from '../recovery/policy.ts';
import type { Finding } from '../recovery/readiness.ts';

export interface ReadinessPort {
  readonly check: (policy: ServicePolicy) => Promise<readonly Finding[]>;
}
