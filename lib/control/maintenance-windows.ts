/** What time does to the maintenance windows of a service, and when it must be looked at for them. Pure. */
import type { EpochMillis } from '../base/identifiers.ts';
import { type MaintenanceWindow, nextEnd, standingWindows } from '../recovery/maintenance.ts';
import type { ServiceState } from '../recovery/state.ts';
import type { Happening } from './timeline.ts';

/** The service without the windows whose time has come, and what is told of them. */
export function expireMaintenance(
  service: ServiceState,
  now: EpochMillis,
): { readonly service: ServiceState; readonly told: readonly Happening[] } {
  const { maintenance = [] } = service;
  const over = maintenance.filter(({ until }) => until <= now);
  if (maintenance.length === 0) {
    return { service, told: [] };
  }
  const told = over.flatMap(({ site, by }) =>
    maintenanceTold(
      service.policy.service,
      `maintenance of ${site ?? 'the whole service'} is over (begun by ${by})`,
    ),
  );
  return { service: withWindows(service, standingWindows(service, now), now), told };
}

/** The service is looked at again when the next window ends, if not before. */
export function withWindows(
  service: ServiceState,
  maintenance: readonly MaintenanceWindow[],
  now: EpochMillis,
): ServiceState {
  const ends = nextEnd({ maintenance }, now);
  const { reviewAt } = service;
  const isSooner = ends !== null && (reviewAt === null || ends < reviewAt);
  return { ...service, maintenance, reviewAt: isSooner ? ends : reviewAt };
}

export function maintenanceTold(service: string, sentence: string): readonly Happening[] {
  return [{ service, kind: 'maintenance', sentence }];
}
