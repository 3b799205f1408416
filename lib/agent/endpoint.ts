/**
 * What the agent knows about one region, and when it beats to it next. Data in, data out.
 *
 * Two rules keep a broken region from hurting. At most one request is under way to it, so a black
 * hole holds one socket and not a queue. After a failure it is left alone for a while, but never
 * longer than `BACKOFF_MS_MAX`: a region that returns must hear from its sites within seconds, or
 * it would judge the living as silent.
 */
import type { Random } from '../base/clock.ts';
import type { MonotonicMillis } from '../base/identifiers.ts';
import { backoffMs } from '../resilience/backoff.ts';
import type { HeartbeatAnswer } from './heartbeat-answer.ts';
import { BACKOFF_MS_MAX, INTERVAL_MS_MIN, JITTER_FRACTION, PACE_FACTOR_MAX } from './limits.ts';

/** Why a beat did not arrive, or is not known to have arrived. */
export interface HeartbeatProblem {
  readonly code: /** No connection, or it broke. */
    | 'unreachable'
    /** No answer in time. The region may have the beat all the same. */
    | 'timed-out'
    /** An answer other than 200: wrong token, unknown site, overload. */
    | 'refused'
    /** 200, but not the answer of a Tripoint region. */
    | 'answer-malformed'
    /** The role has lapsed though this region answers: it knows less than was heard before. */
    | 'epoch-outranked'
    /** `status`, `replicationLagMs`, `onRole` of the host threw, or a result was out of range. */
    | 'callback-threw'
    /** A defect of the agent. Beats go on. */
    | 'internal';
  /** Base URL of the region; null when the trouble is in this process. */
  readonly endpoint: string | null;
  /** HTTP status; null when there was none. */
  readonly status: number | null;
  /** One sentence for a log. Holds no token. */
  readonly detail: string;
}

export type BeatOutcome =
  | { readonly kind: 'answered'; readonly answer: HeartbeatAnswer }
  | {
      readonly kind: 'failed';
      readonly problem: HeartbeatProblem;
      /** What the region asked for by Retry-After; 0 when it did not. */
      readonly retryAfterMs: number;
    };

export interface EndpointState {
  readonly endpoint: string;
  readonly isInFlight: boolean;
  readonly failuresInARow: number;
  /** No beat before this instant; null = at the next round. */
  readonly notBefore: MonotonicMillis | null;
  readonly answer: HeartbeatAnswer | null;
  readonly answeredAt: MonotonicMillis | null;
  /** Highest sequence number that the region answered with 200. */
  readonly sequenceAnswered: number;
  /** The trouble of the latest beat; null when it was answered. */
  readonly problem: HeartbeatProblem | null;
}

export function freshEndpoint(endpoint: string): EndpointState {
  return {
    endpoint,
    isInFlight: false,
    failuresInARow: 0,
    notBefore: null,
    answer: null,
    answeredAt: null,
    sequenceAnswered: 0,
    problem: null,
  };
}

export function isDue(state: EndpointState, now: MonotonicMillis): boolean {
  return !state.isInFlight && (state.notBefore === null || now >= state.notBefore);
}

export function afterSuccess(
  state: EndpointState,
  beat: { readonly answer: HeartbeatAnswer; readonly sequence: number },
  now: MonotonicMillis,
): EndpointState {
  return {
    endpoint: state.endpoint,
    isInFlight: false,
    failuresInARow: 0,
    notBefore: null,
    answer: beat.answer,
    answeredAt: now,
    sequenceAnswered: Math.max(state.sequenceAnswered, beat.sequence),
    problem: null,
  };
}

/** Keeps the last answer: what a region said stays the best knowledge until it says otherwise. */
export function afterFailure(
  state: EndpointState,
  beat: { readonly problem: HeartbeatProblem; readonly waitMs: number },
  now: MonotonicMillis,
): EndpointState {
  return {
    ...state,
    isInFlight: false,
    failuresInARow: state.failuresInARow + 1,
    notBefore: (now + beat.waitMs) as MonotonicMillis,
    problem: beat.problem,
  };
}

/**
 * How long to leave a region alone that has failed `failuresInARow` times before this one: between
 * one beat and the bound, longer only if it asked for that and the bound allows.
 */
export function failureWaitMs(
  beat: { readonly intervalMs: number; readonly retryAfterMs: number },
  failuresInARow: number,
  random: Random,
): number {
  const ceilingMs = Math.max(beat.intervalMs, BACKOFF_MS_MAX);
  const policy = { floorMs: beat.intervalMs, stepMs: 2 * beat.intervalMs, ceilingMs };
  const waitMs = backoffMs(policy, failuresInARow, random);
  return Math.min(ceilingMs, Math.max(waitMs, beat.retryAfterMs));
}

/**
 * The time between beats: the shortest that any region asked for last, within a factor of four of
 * the configured interval. The shortest, because a late beat looks like a failure and an early one
 * costs only a request; bounded, because no answer may silence or flood a site.
 */
export function paceMs(endpoints: readonly EndpointState[], intervalMs: number): number {
  const wishes = endpoints.flatMap(({ answer }) => (answer === null ? [] : [answer.nextBeatMs]));
  const wishMs = wishes.length === 0 ? intervalMs : Math.min(...wishes);
  const fastestMs = Math.max(INTERVAL_MS_MIN, intervalMs / PACE_FACTOR_MAX);
  return Math.min(intervalMs * PACE_FACTOR_MAX, Math.max(fastestMs, wishMs));
}

/**
 * When the round after the one planned for `planned`, and begun at `now`, begins. Counted from the
 * plan, so that beats do not drift; a process that was frozen beats once and counts afresh.
 */
export function nextRoundAt(
  planned: MonotonicMillis,
  now: MonotonicMillis,
  beat: { readonly paceMs: number; readonly random: Random },
): MonotonicMillis {
  const gapMs = beat.paceMs * (1 + JITTER_FRACTION * (2 * beat.random() - 1));
  const nextAt = planned + gapMs;
  return (nextAt > now ? nextAt : now + gapMs) as MonotonicMillis;
}
