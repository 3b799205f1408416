/** Upper limits of the recovery room, with the relations between them checked at load. */
import { invariant } from '../base/invariant.ts';

export const RUN_LIMITS: {
  readonly attemptsMax: number;
  readonly extraAttemptsMax: number;
  readonly runsKeptMax: number;
  readonly timelineEventsMax: number;
  readonly alarmsPerSiteMax: number;
  readonly dayMs: number;
  readonly maintenanceMsMax: number;
  readonly returnMsMax: number;
  readonly returnIntervals: number;
} = {
  /** Claims of one step before it counts as failed. */
  attemptsMax: 30,
  /** The same for a step that a run can do without; fewer, because it holds the run open. */
  extraAttemptsMax: 5,
  /** Runs held in the state; older ones live in reports and the archived log. */
  runsKeptMax: 50,
  timelineEventsMax: 200,
  alarmsPerSiteMax: 20,
  dayMs: 86_400_000,
  /** Longest maintenance window: a week. */
  maintenanceMsMax: 7 * 86_400_000,
  /** After an outage of the way to us, agents are heard again within so long of each other. */
  returnMsMax: 5000,
  /** … and are believed after as many more intervals. */
  returnIntervals: 3,
};

invariant(RUN_LIMITS.timelineEventsMax >= RUN_LIMITS.runsKeptMax, 'limits-timeline-too-short');
