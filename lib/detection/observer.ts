/**
 * The observer as a suspect: before it accuses a site, it asks whether it was watching itself.
 *
 * A judge that was frozen, restarted, or could not reach its table sees every site silent at once,
 * and is the most common cause of false alarms (Lifeguard, 2017; Cassandra's local pause guard).
 * The *baseline* is the instant since which it has watched without a gap: silence before it is no
 * evidence. A *doubt* holds for one round: beats may be waiting that are not stored yet.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { GAP_PERIODS, LATE_PERIODS } from './limits.ts';

export type ObserverDoubt = 'clock-stepped-back' | 'store-errors' | 'evaluation-late';

/** What to remember between two rounds. */
export interface ObserverBaseline {
  readonly evaluatedAt: EpochMillis;
  readonly baselineAt: EpochMillis;
}

export interface SelfObservation extends ObserverBaseline {
  /** Why nobody may be convicted in this round; null = no reason. */
  readonly doubt: ObserverDoubt | null;
}

export interface EvaluationRound {
  readonly now: EpochMillis;
  /** Planned time between two rounds, above 0. */
  readonly periodMs: number;
  /** Calls to this region's own health table that failed since the last round. */
  readonly storeErrors: number;
}

/**
 * @param previous what the last round returned; null after a start.
 * @returns the baseline to judge by in this round, and to remember for the next.
 */
export function observeSelf(
  previous: ObserverBaseline | null,
  round: EvaluationRound,
): SelfObservation {
  const { now, periodMs } = round;
  invariant(periodMs > 0 && Number.isFinite(periodMs), 'period-invalid', { periodMs });
  if (previous === null) {
    return {
      evaluatedAt: now,
      baselineAt: now,
      doubt: round.storeErrors > 0 ? 'store-errors' : null,
    };
  }
  const elapsedMs = now - previous.evaluatedAt;
  const doubt = doubtOf(elapsedMs, round);
  // An outage of the table loses beats, not only rounds; a short delay loses neither.
  const gap = doubt !== null && (doubt !== 'evaluation-late' || elapsedMs > GAP_PERIODS * periodMs);
  return {
    evaluatedAt: now,
    baselineAt: gap ? now : epochMillis(Math.min(previous.baselineAt, now)),
    doubt,
  };
}

function doubtOf(elapsedMs: number, round: EvaluationRound): ObserverDoubt | null {
  if (elapsedMs < 0) {
    return 'clock-stepped-back';
  }
  if (round.storeErrors > 0) {
    return 'store-errors';
  }
  return elapsedMs > LATE_PERIODS * round.periodMs ? 'evaluation-late' : null;
}
