/** Upper limits of the recovery room, with the relations between them checked at load. */
import { invariant } from '../base/invariant.ts';

export const RUN_LIMITS: {
  readonly attemptsMax: number;
  readonly extraAttemptsMax: number;
  readonly stepTimeoutMs: number;
  readonly approvalTimeoutMs: number;
  readonly dataPlaneTimeoutMs: number;
  readonly runsKeptMax: number;
  readonly timelineEventsMax: number;
  readonly alarmsPerSiteMax: number;
  readonly dayMs: number;
  readonly maintenanceMsMax: number;
  readonly freezeMsMax: number;
  readonly overrideMsMax: number;
  readonly drillMsMin: number;
  readonly drillMsDefault: number;
  readonly drillMsMax: number;
  readonly drillReturnsMax: number;
  readonly drillReturnPauseMs: number;
  readonly retryPauseMs: number;
  readonly clockAheadMsMax: number;
  readonly returnMsMax: number;
  readonly returnIntervals: number;
} = {
  /** Claims of one step before it counts as failed. */
  attemptsMax: 30,
  /** The same for a step that a run can do without; fewer, because it holds the run open. */
  extraAttemptsMax: 5,
  /** Longest time that one step may take, where no plan says otherwise. */
  stepTimeoutMs: 900_000,
  /**
   * Longest time that a run waits for health checks to turn beside its own switch: every checker has asked
   * twice by then, at the slow interval of 30 s.
   */
  dataPlaneTimeoutMs: 60_000,
  /** Longest time that a run waits for a second person. */
  approvalTimeoutMs: 3_600_000,
  /** Runs held in the state; older ones live in reports and the archived log. */
  runsKeptMax: 50,
  timelineEventsMax: 200,
  alarmsPerSiteMax: 20,
  dayMs: 86_400_000,
  /** Longest maintenance window: a week. */
  maintenanceMsMax: 7 * 86_400_000,
  /** Longest freeze: a week. */
  freezeMsMax: 7 * 86_400_000,
  /** Longest time that a safety rule is set aside: a day. */
  overrideMsMax: 86_400_000,
  /** How long the traffic stays at the site of a drill: at least so long … */
  drillMsMin: 1000,
  /** … where nobody says how long … */
  drillMsDefault: 10 * 60_000,
  /** … and at most. */
  drillMsMax: 86_400_000,
  /** Attempts to bring a drill home by itself … */
  drillReturnsMax: 3,
  /** … so long after one another. */
  drillReturnPauseMs: 60_000,
  /** Least time between a run that failed in the entry that authorised it, and the next try. */
  retryPauseMs: 60_000,
  /** What begins further ahead than this was stamped by a wrong clock, and is looked at at once. */
  clockAheadMsMax: 60_000,
  /** After an outage of the way to us, agents are heard again within so long of each other. */
  returnMsMax: 5000,
  /** … and are believed after as many more intervals. */
  returnIntervals: 3,
};

invariant(RUN_LIMITS.timelineEventsMax >= RUN_LIMITS.runsKeptMax, 'limits-timeline-too-short');
