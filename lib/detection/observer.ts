/**
 * The observer as a suspect: before it accuses a site, it asks whether it can trust itself.
 *
 * A judge that was frozen, restarted, cut off, or could not reach its table sees every site silent
 * at once, and is the most common cause of false alarms (Lifeguard, 2017; Cassandra's local pause
 * guard). It keeps four answers to that, from the mildest to the strongest:
 *
 * - **What it did not watch is no evidence** (`watch.ts`): an error of its table or a frozen round
 *   leaves a gap in its watch; a restart or a clock that stepped back moves its baseline. A job beats
 *   once and repeats what was refused, so of its runs only a long absence takes one away.
 * - **A doubt holds for one round**: beats may be waiting that are not stored yet.
 * - **A score, 0 to 7**, rises with each round in which something spoke against the observer, and
 *   falls with each clean one. It stretches the thresholds by a quarter for each point; from 4 on the
 *   observer abstains. It recovers by itself: from the worst, four clean rounds later it speaks again.
 * - **A panic guard**: where most sites fall silent at once and no other observer misses them, it
 *   goes no further than *suspect*. That word is in the log before it could have convicted. If the
 *   others see the same, they confirm each other and the guard lifts, so that the loss of a whole
 *   region is found as fast as the loss of one site. If they do not, the observer is the one that
 *   is cut off.
 *
 * **What to pass in each round** (`lib/control/observe.ts`): judge what is due with `doubt: null`;
 * count with `comparisonOf` (`lib/control/comparison.ts`) over those verdicts and the committed ones
 * of the others; call `observeSelf`; if it comes back with a doubt or another score, judge again with
 * it (`judge({ ...self, … })`), and bring those verdicts to the log. Store what it returns, all of it,
 * and hand it in again in the next round, also after a restart.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Comparison } from './comparison.ts';
import { BRIDGED_GAP_MS_MAX, DOUBT_LIMITS, GAP_PERIODS, LATE_PERIODS } from './limits.ts';
import type { Watch, WatchGap } from './watch.ts';

export type ObserverDoubt =
  | 'clock-stepped-back'
  | 'store-errors'
  | 'evaluation-late'
  | 'observer-unwell'
  /** Holds convictions at suspect; the others leave the site unknown. */
  | 'many-silent-at-once';

/** What to remember between two rounds, and over a restart. */
export interface ObserverBaseline extends Watch {
  readonly evaluatedAt: EpochMillis;
  readonly baselineAt: EpochMillis;
  readonly gap?: WatchGap | null;
  /** Since when it is at work, but for moments that a sender bridges; default: the baseline. */
  readonly presentSince?: EpochMillis;
  /** 0 to 7; default 0. */
  readonly score?: number;
  /** Sites that were silent here alone in that round; default 0. */
  readonly alone?: number;
}

export interface SelfObservation extends Required<ObserverBaseline> {
  /** Why nobody may be convicted in this round; null = no reason. */
  readonly doubt: ObserverDoubt | null;
}

export interface EvaluationRound {
  readonly now: EpochMillis;
  /** Planned time between two rounds, above 0. */
  readonly periodMs: number;
  /** Calls to this region's own health table that failed since the last round. */
  readonly storeErrors: number;
  /** How this observer stands beside the others; default: nothing to compare. */
  readonly comparison?: Comparison;
}

const NOTHING_TO_COMPARE: Comparison = { known: 0, unconfirmed: 0, alone: 0 };

/**
 * @param previous what the last round returned; null after a start without a memory.
 * @returns what to judge by in this round, and to remember for the next. Pure; total.
 */
export function observeSelf(
  previous: ObserverBaseline | null,
  round: EvaluationRound,
): SelfObservation {
  const { now, periodMs, comparison = NOTHING_TO_COMPARE } = round;
  invariant(periodMs > 0 && Number.isFinite(periodMs), 'period-invalid', { periodMs });
  const elapsedMs = previous === null ? 0 : now - previous.evaluatedAt;
  const trouble = troubleOf(elapsedMs, round);
  const isWhole = elapsedMs >= periodMs / 2;
  const score = scoreAfter(previous, { trouble, isWhole }, comparison);
  const watch = watchAfter(previous, trouble, round);
  return {
    evaluatedAt: now,
    ...watch,
    presentSince: presentAfter(previous, trouble, watch),
    score,
    alone: comparison.alone,
    doubt: trouble ?? doubtOf(score, comparison),
  };
}

/** By how much a score stretches both thresholds: 1 to 2.75. */
export function stretchOf(score: number): number {
  return 1 + Math.min(score, DOUBT_LIMITS.scoreMax) * DOUBT_LIMITS.stretchShare;
}

type Trouble = 'clock-stepped-back' | 'store-errors' | 'evaluation-late';

function troubleOf(elapsedMs: number, round: EvaluationRound): Trouble | null {
  if (elapsedMs < 0) {
    return 'clock-stepped-back';
  }
  if (round.storeErrors > 0) {
    return 'store-errors';
  }
  return elapsedMs > LATE_PERIODS * round.periodMs ? 'evaluation-late' : null;
}

/** An outage of the table loses beats, and so does a long freeze; a short delay loses none. */
function watchAfter(
  previous: ObserverBaseline | null,
  trouble: Trouble | null,
  { now, periodMs }: EvaluationRound,
): Required<Watch> {
  if (previous === null || trouble === 'clock-stepped-back') {
    return { baselineAt: now, gap: null };
  }
  const { baselineAt, evaluatedAt, gap = null } = previous;
  const isShort = now - evaluatedAt <= GAP_PERIODS * periodMs;
  if (trouble === null || (trouble === 'evaluation-late' && isShort)) {
    return { baselineAt: earlier(baselineAt, now), gap };
  }
  // A write that failed in this round may be of a beat that arrived while the last one was on time.
  const from = epochMillis(Math.max(baselineAt, evaluatedAt - LATE_PERIODS * periodMs));
  return gap !== null && from <= gap.to
    ? { baselineAt, gap: { from: gap.from, to: now } }
    : { baselineAt: gap?.to ?? baselineAt, gap: { from, to: now } };
}

/** A job beats once, and repeats what was refused: only a long absence can have cost its word. */
function presentAfter(
  previous: ObserverBaseline | null,
  trouble: Trouble | null,
  { baselineAt, gap }: Required<Watch>,
): EpochMillis {
  if (previous === null || trouble === 'clock-stepped-back') {
    return baselineAt;
  }
  const isLong = gap !== null && gap.to - gap.from > BRIDGED_GAP_MS_MAX;
  return isLong ? gap.to : (previous.presentSince ?? previous.baselineAt);
}

/**
 * One point for each thing that speaks against the observer, one less for a clean round. A round out
 * of turn, because of news, is no measure of time.
 */
function scoreAfter(
  previous: ObserverBaseline | null,
  round: { readonly trouble: Trouble | null; readonly isWhole: boolean },
  { known, alone }: Comparison,
): number {
  const before = previous?.score ?? 0;
  // One broken path to one site is told once; out of step on most sites is told every round.
  const isOutOfStep = alone > (previous?.alone ?? 0) || (round.isWhole && alone * 2 > known);
  const against = (round.trouble === null ? 0 : 1) + (isOutOfStep ? 1 : 0);
  const relief = against === 0 && round.isWhole ? 1 : 0;
  return Math.min(DOUBT_LIMITS.scoreMax, Math.max(0, before + against - relief));
}

function doubtOf(score: number, { known, unconfirmed }: Comparison): ObserverDoubt | null {
  if (score >= DOUBT_LIMITS.abstainScore) {
    return 'observer-unwell';
  }
  const isMany = unconfirmed > DOUBT_LIMITS.silentAloneMax && unconfirmed * 2 > known;
  const isAll = known > 1 && unconfirmed === known;
  return isMany || isAll ? 'many-silent-at-once' : null;
}

function earlier(left: EpochMillis, right: EpochMillis): EpochMillis {
  return left < right ? left : right;
}
