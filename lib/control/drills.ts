/**
 * The calendar of drills: which practice run is due, as a command under a fixed id.
 *
 * Instants of a calendar are found here and not in the reducer, because they need the zones of the
 * world. Exactly once for each instant, also when the leader changes in between: every leader
 * proposes the same instant under the same command id, so the log takes one; and the reducer has
 * written down up to which instant it dealt with them, whatever its answer was.
 */
import { type CommandId, commandId, type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { instantWords } from '../base/instant.ts';
import { nextOccurrence } from '../config/cron.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';

export interface DueDrill {
  readonly id: CommandId;
  readonly command: Extract<ControlCommand, { readonly kind: 'drill' }>;
}

/** The drills whose instant has come, and is not too long ago. */
export function dueDrills({ services }: RecoveryState, now: EpochMillis): readonly DueDrill[] {
  return Object.values(services).flatMap((service) => {
    const occurrence = dueOccurrence(service, now);
    return occurrence === null ? [] : [drillOf(service, occurrence, now)];
  });
}

/** Occurrences that are stepped over, at most: of a calendar of minutes the older ones are forgotten. */
const STEPS_MAX = 100;

/** The newest instant that has come, within the grace, and was not dealt with; null = none. */
function dueOccurrence(
  { policy, drillOccurrence }: ServiceState,
  now: EpochMillis,
): EpochMillis | null {
  const schedule = policy.drill?.schedule ?? null;
  if (schedule === null) {
    return null;
  }
  const oldest = epochMillis(now - schedule.graceMs - 1);
  const after = epochMillis(Math.max(oldest, drillOccurrence ?? oldest));
  let due: EpochMillis | null = null;
  let next = nextOccurrence(schedule, after);
  for (let step = 0; step < STEPS_MAX && next !== null && next <= now; step += 1) {
    due = next;
    next = nextOccurrence(schedule, next);
  }
  return due;
}

function drillOf({ policy }: ServiceState, occurrence: EpochMillis, at: EpochMillis): DueDrill {
  return {
    id: commandId(`drill:${policy.service}:${occurrence}`),
    command: {
      kind: 'drill',
      service: policy.service,
      to: null,
      durationMs: null,
      scheduled: true,
      occurrence,
      by: 'tripoint',
      reason: `the calendar, for ${instantWords(occurrence)}`,
      at,
    },
  };
}
