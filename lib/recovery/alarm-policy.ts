/**
 * What the alarms of a site mean: whether one stands, and which of those that stand count. Pure.
 *
 * The data of an alarm stops in just the regional event that it should tell of, so what an alarm
 * without data counts as is the owner's choice: nothing, what it was before, or an alarm. And an alarm
 * that is not among those that start a run is told and decides nothing, neither against the
 * active site nor against one that could take the traffic.
 *
 * Source: Amazon CloudWatch, "Configuring how CloudWatch alarms treat missing data".
 */
import type { AlarmPolicy } from './policy.ts';
import type { CommittedAlarm, SiteState } from './state.ts';

/** Whether an alarm in this state counts as one that stands. */
function isStanding(
  { state, lastKnown }: CommittedAlarm,
  { missingData }: Pick<AlarmPolicy, 'missingData'>,
): boolean {
  if (state !== 'insufficient-data') {
    return state === 'alarm';
  }
  switch (missingData) {
    case 'ignore':
      return false;
    case 'last-known':
      return lastKnown === 'alarm';
    case 'alarm':
      return true;
  }
}

/** The alarms of a site that stand and mean "not here". */
export function countingAlarms(
  site: SiteState | undefined,
  policy: AlarmPolicy,
): readonly CommittedAlarm[] {
  const { triggering } = policy;
  return (site?.alarms ?? []).filter(
    (alarm) =>
      isStanding(alarm, policy) && (triggering.includes('*') || triggering.includes(alarm.name)),
  );
}
