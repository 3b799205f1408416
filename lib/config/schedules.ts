/**
 * How often the functions run, how long they may, and how these numbers must fit each other.
 *
 * A schedule fires at most once a minute, a second is what detection needs: so one invocation of the
 * controller loops for almost the whole minute. The gap until the next one starts must stay below
 * the shortest election timeout, or a leading region that is merely between two invocations would
 * lose its leadership each minute. All durations are milliseconds unless they say otherwise.
 */
import { invariant } from '../base/invariant.ts';
import { AWS_TIMINGS } from '../consensus/settings.ts';
import { GAP_PERIODS } from '../detection/limits.ts';
import { FLAP_DECAY_MS } from '../recovery/alarm-damping.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** The function that detects, decides and acts. */
export const CONTROLLER_SCHEDULE = {
  periodMs: MINUTE_MS,
  /** No tick begins after this much of an invocation. */
  loopMs: 58 * SECOND_MS,
  /** Room for the last tick's effects to end; an invocation that hangs is killed here. */
  timeoutMs: 90 * SECOND_MS,
} as const;

export const SNAPSHOT_SCHEDULE = {
  periodMs: 60 * MINUTE_MS,
  timeoutMs: 5 * MINUTE_MS,
} as const;

/** Longer than a command may take to be answered `unknown`, so that the caller gets that answer. */
export const API_TIMEOUT_MS: number = 15 * SECOND_MS;
export const ALARM_TIMEOUT_MS: number = 30 * SECOND_MS;

/** The queue in front of the alarm function. */
export const ALARM_QUEUE: { readonly againMs: number; readonly receivesMax: number } = {
  /** After this a message that was not done with comes again. */
  againMs: 45 * SECOND_MS,
  /** Times that it comes; after that it is for a person. */
  receivesMax: 40,
};

invariant(
  CONTROLLER_SCHEDULE.periodMs - CONTROLLER_SCHEDULE.loopMs < AWS_TIMINGS.electionTimeoutMsMin,
  'schedule-gap-over-election-timeout',
);
/** An observer that missed more rounds than this forgets all silence: each minute, that would be. */
invariant(
  CONTROLLER_SCHEDULE.periodMs - CONTROLLER_SCHEDULE.loopMs < GAP_PERIODS * SECOND_MS,
  'schedule-gap-resets-observer',
);
invariant(
  CONTROLLER_SCHEDULE.timeoutMs > CONTROLLER_SCHEDULE.loopMs + AWS_TIMINGS.proposeTimeoutMs,
  'schedule-kills-last-tick',
);
invariant(API_TIMEOUT_MS > AWS_TIMINGS.proposeTimeoutMs, 'api-timeout-below-propose-timeout');
invariant(ALARM_QUEUE.againMs > ALARM_TIMEOUT_MS, 'alarm-comes-again-while-worked-on');
// While a change is held back its alarm counts as flapping, so that a later word is not dropped as known.
invariant(ALARM_QUEUE.againMs < 2 * FLAP_DECAY_MS, 'alarm-comes-again-too-late');
invariant(ALARM_TIMEOUT_MS > AWS_TIMINGS.proposeTimeoutMs, 'alarm-timeout-below-propose-timeout');
invariant(
  SNAPSHOT_SCHEDULE.timeoutMs < SNAPSHOT_SCHEDULE.periodMs,
  'snapshot-timeout-above-its-period',
);
