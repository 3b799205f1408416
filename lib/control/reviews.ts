/**
 * Which services the leader has looked at now: those whose time has come, and those in which something
 * begins so far ahead that only a wrong clock can have written it. Pure.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { isFarAhead } from '../recovery/time-boxes.ts';

export function reviewsDue(
  { services, monitors, runs }: RecoveryState,
  now: EpochMillis,
): readonly string[] {
  const watched = [...Object.values(services), ...Object.values(monitors)];
  const due = watched.filter(({ reviewAt }) => reviewAt !== null && now >= reviewAt);
  const ahead = Object.values(services).filter((service) => isFarAhead(service, runs, now));
  return [...new Set([...due, ...ahead].map(({ policy }) => policy.service))];
}
