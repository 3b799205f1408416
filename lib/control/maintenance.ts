/**
 * Maintenance windows in the log: a person opens and closes them, time closes them too. Pure.
 *
 * When a window goes, the service is looked at in the same entry: what failed meanwhile is recovered
 * now, and no other entry may come to ask for it.
 */
import { epochMillis } from '../base/identifiers.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import type { Moment } from '../recovery/machine.ts';
import {
  describeWindow,
  type MaintenanceWindow,
  standingWindows,
} from '../recovery/maintenance.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { maintenanceTold, withWindows } from './maintenance-windows.ts';
import { reconsider } from './service-events.ts';
import { type Happening, withEvents } from './timeline.ts';

export type MaintenanceCommand = Extract<
  ControlCommand,
  { readonly kind: 'maintenance-start' | 'maintenance-end' }
>;

export function recordMaintenance(
  state: RecoveryState,
  change: { readonly service: ServiceState; readonly command: MaintenanceCommand },
  moment: Moment,
): Reduction {
  const { service, command } = change;
  const { site } = command;
  if (site !== null && !service.policy.sites.some((policy) => policy.site === site)) {
    const known = service.policy.sites.map((policy) => policy.site).join(', ');
    const sentence = `${site} is not a site of ${command.service}; sites: ${known}`;
    return { state, result: refused('unknown-site', sentence) };
  }
  return command.kind === 'maintenance-start'
    ? start(state, { service, command }, moment)
    : end(state, { service, command }, moment);
}

type CommandOf<Kind extends MaintenanceCommand['kind']> = Extract<
  MaintenanceCommand,
  { readonly kind: Kind }
>;

interface Change<Kind extends MaintenanceCommand['kind']> {
  readonly service: ServiceState;
  readonly command: CommandOf<Kind>;
}

/** A second start for the same site takes the place of the first: longer or shorter. */
function start(
  state: RecoveryState,
  { service, command }: Change<'maintenance-start'>,
  moment: Moment,
): Reduction {
  const { site, durationMs, by, reason } = command;
  const isAllowed = durationMs > 0 && durationMs <= RUN_LIMITS.maintenanceMsMax;
  if (!isAllowed) {
    const sentence = `maintenance lasts at most ${RUN_LIMITS.maintenanceMsMax / 3_600_000} hours`;
    return { state, result: refused('maintenance-duration', sentence) };
  }
  const until = epochMillis(moment.at + durationMs);
  const window: MaintenanceWindow = { site, since: moment.at, until, by, reason };
  const others = standingWindows(service, moment.at).filter((other) => other.site !== site);
  const told = maintenanceTold(command.service, `maintenance of ${describeWindow(window)}`);
  return {
    state: settle(state, { service, windows: [...others, window], told }, moment),
    result: accepted('maintenance-started', describeWindow(window)),
  };
}

function end(
  state: RecoveryState,
  { service, command }: Change<'maintenance-end'>,
  moment: Moment,
): Reduction {
  const { site, by, reason } = command;
  const standing = standingWindows(service, moment.at);
  if (!standing.some((window) => window.site === site)) {
    const sentence = `no maintenance of ${site ?? 'the whole service'} stands`;
    return { state, result: refused('no-maintenance', sentence) };
  }
  const sentence = `maintenance of ${site ?? 'the whole service'} ended by ${by}: ${reason}`;
  const windows = standing.filter((window) => window.site !== site);
  const told = maintenanceTold(command.service, sentence);
  return {
    state: settle(state, { service, windows, told }, moment),
    result: accepted('maintenance-ended', sentence),
  };
}

function settle(
  state: RecoveryState,
  change: {
    readonly service: ServiceState;
    readonly windows: readonly MaintenanceWindow[];
    readonly told: readonly Happening[];
  },
  moment: Moment,
): RecoveryState {
  const { service, windows, told } = change;
  const changed = withWindows(service, windows, moment.at);
  return reconsider(withEvents(state, told, moment), changed, {
    ...moment,
    requestedBy: 'tripoint',
    reason: 'automatic',
  });
}
