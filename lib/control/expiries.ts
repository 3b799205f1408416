/**
 * What time ends by itself besides maintenance windows: freezes, and safety rules that were set aside.
 * Each end is told, because whoever asked may rely on it still. Pure.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { Moment } from '../recovery/machine.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { type Happening, withEvents } from './timeline.ts';

/** The name under which the timeline tells what is about all services. */
export const ALL_SERVICES = '*';

/** The service without what is over, and what is told of it. */
export function expireSafety(
  service: ServiceState,
  now: EpochMillis,
): { readonly service: ServiceState; readonly told: readonly Happening[] } {
  const { freeze, overrides, policy } = service;
  const isThawed = freeze !== null && freeze.until <= now;
  const over = overrides.filter(({ until }) => until <= now);
  if (!isThawed && over.length === 0) {
    return { service, told: [] };
  }
  const told = over.map(({ rule, by, reason }) => ({
    service: policy.service,
    kind: 'override-expired',
    sentence: `${rule} holds again: it was set aside by ${by} (${reason})`,
  }));
  const standing = overrides.filter(({ until }) => until > now);
  return {
    service: { ...service, overrides: standing, freeze: isThawed ? null : freeze },
    told: isThawed ? [...told, thawed(policy.service, freeze.by)] : told,
  };
}

/** The state without the kill switch whose time is up. */
export function expireGlobalFreeze(state: RecoveryState, moment: Moment): RecoveryState {
  const { freeze } = state;
  return freeze === null || freeze.until > moment.at
    ? state
    : withEvents({ ...state, freeze: null }, [thawed(ALL_SERVICES, freeze.by)], moment);
}

function thawed(service: string, by: string): Happening {
  return { service, kind: 'freeze-expired', sentence: `the freeze begun by ${by} is over` };
}
