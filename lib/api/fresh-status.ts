/**
 * The status for whoever wants to see the sites: their records are read when somebody asks, never on
 * the way of a heartbeat.
 *
 * A health table that does not answer must not keep the status from being shown: after a moment it
 * shows what this region knew before.
 */
import type { StatusView } from '../control/control-plane.ts';
import type { ApiDependencies } from './dependencies.ts';
import { API_LIMITS } from './limits.ts';

export async function freshStatus({
  plane,
  clock,
}: Pick<ApiDependencies, 'plane' | 'clock'>): Promise<StatusView> {
  await Promise.race([plane.look(), clock.sleep(API_LIMITS.lookPatienceMs)]);
  return plane.status();
}
