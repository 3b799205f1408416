/**
 * Which verdicts are worth an entry in the log. A quiet fleet brings none.
 *
 * A changed state is news, with two exceptions. Of a site that *flaps*, what stood stands. Its short
 * returns change nothing that anybody could act on, and a site that comes and goes for a day must
 * not fill the log: it is told when it has proven itself. And what was convicted stays so until a
 * beat: that the observer could not watch for a moment (its table failed, its clock stepped) says
 * nothing of a site that it has not heard since. Only an observer that is out of step with the others
 * takes its convictions back.
 *
 * Fresh proof of life is news while as many observers accuse the site as hear it, because the log
 * holds an old proof, which refutes nothing. Where fewer accuse they convict nobody, and a region
 * that was cut off for days costs no entry.
 */
import { isAccusing, isLiving } from './comparison.ts';
import { provenAt } from './opinion.ts';
import type { Verdict, VerdictCode } from './verdict.ts';

export interface NewsContext {
  /** What the log holds of this observer; undefined = nothing. */
  readonly standing: Verdict | undefined;
  /** What it holds of all observers, this one included. */
  readonly committed: readonly Verdict[];
  /** How long a beat proves life. */
  readonly proofMsMax: number;
}

export function isNews(verdict: Verdict, context: NewsContext): boolean {
  const { standing, committed, proofMsMax } = context;
  if (standing === undefined) {
    return true;
  }
  if (verdict.code === 'flapping' && (isAccusing(standing) || standing.state === 'degraded')) {
    return false;
  }
  if (standing.state === 'failed' && isMerelyUnwatched(verdict) && isSameBeat(standing, verdict)) {
    return false;
  }
  if (standing.state !== verdict.state || isServing(standing) !== isServing(verdict)) {
    return true;
  }
  if (isLeaving(standing) !== isLeaving(verdict) || isFenced(standing) !== isFenced(verdict)) {
    return true;
  }
  const accusers = committed.filter(isAccusing).length;
  const living = committed.filter(isLiving).length;
  const ageMs = verdict.judgedAt - standing.judgedAt;
  return accusers >= living && provenAt(verdict) !== null && ageMs >= proofMsMax / 4;
}

/** What an observer says of a silence that it has watched in part. */
const MERELY_UNWATCHED: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'store-errors',
  'evaluation-late',
  'clock-stepped-back',
  'not-watched-long-enough',
  'phi-over-suspect',
  'silence-over-suspect-bound',
]);

function isMerelyUnwatched({ code }: Verdict): boolean {
  return MERELY_UNWATCHED.has(code);
}

function isSameBeat(one: Verdict, other: Verdict): boolean {
  return (
    one.bootId === other.bootId &&
    one.lastSequence === other.lastSequence &&
    one.lastArrivalAt === other.lastArrivalAt
  );
}

function isServing({ code }: Verdict): boolean {
  return code === 'silent-but-serving';
}

function isLeaving({ code }: Verdict): boolean {
  return code === 'deregistered';
}

function isFenced({ code }: Verdict): boolean {
  return code === 'gave-up-role';
}
