/**
 * The quorum's opinion of a site, fused from the verdicts of the observers.
 *
 * Three rules, in this order. A site has *failed* only if a majority of **all configured**
 * observers say so: one that abstains never lowers the bar, 2 of 3 never becomes 1 of 1. *Proof of
 * life refutes*: an accusation does not count once another observer hears the site and has a newer
 * beat than the accuser (the accuser is cut off, the site is not dead). And *unknown is not down*:
 * where too few can say anything, nothing is concluded.
 *
 * Order of beats across observers: by sequence within one boot, which needs no clock; between boots
 * by arrival, where the regions' clocks need to agree only to within the silence that accused.
 * Watermarks of Rapid (ATC 2018); refutation of SWIM (DSN 2002).
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Verdict, VerdictState } from './verdict.ts';

export type OpinionState = VerdictState;

/** Every reason an opinion can have, with the state it leads to. */
export const OPINION_CODES = {
  'never-heard': 'pending',
  heard: 'healthy',
  'heard-by-minority': 'healthy',
  'reports-trouble': 'degraded',
  'majority-suspects': 'suspect',
  'accusations-refuted': 'suspect',
  'majority-failed': 'failed',
  'too-few-verdicts': 'unknown',
} as const;

export type OpinionCode = keyof typeof OPINION_CODES;

export interface ObserverVerdict {
  readonly observer: RegionId;
  readonly verdict: Verdict;
}

export interface Vote {
  readonly observer: RegionId;
  /** Null = this observer has said nothing yet. It abstains. */
  readonly state: VerdictState | null;
  /** The observer whose newer beat refutes this accusation; null = nobody does. */
  readonly refutedBy: RegionId | null;
}

export interface Opinion {
  readonly state: OpinionState;
  readonly code: OpinionCode;
  readonly sentence: string;
  /** One per configured observer, in the configured order. */
  readonly votes: readonly Vote[];
}

/** Bounds how long an old verdict can refute: a region may die with "healthy" as its last word. */
export interface ProofFreshness {
  readonly now: EpochMillis;
  /** A beat that arrived longer ago than this proves nothing now; e.g. `policy.silenceMsMax`. */
  readonly proofMsMax: number;
}

/**
 * @param verdicts the newest verdict of each observer, at most one each; those of regions that are
 *   not configured are ignored.
 * @param observers all configured observers, at least one. Their number sets the majority.
 * @param freshness without it, proof of life never expires (deterministic without a clock).
 */
export function fuseOpinion(
  verdicts: readonly ObserverVerdict[],
  observers: readonly RegionId[],
  freshness: ProofFreshness | null = null,
): Opinion {
  invariant(observers.length > 0, 'no-observers');
  invariant(new Set(observers).size === observers.length, 'observer-configured-twice', observers);
  const heard = new Map(verdicts.map(({ observer, verdict }) => [observer, verdict]));
  invariant(heard.size === verdicts.length, 'observer-votes-twice', verdicts);
  const living = witnesses(verdicts, observers, freshness);
  const votes = observers.map((observer): Vote => {
    const verdict = heard.get(observer);
    return {
      observer,
      state: verdict?.state ?? null,
      refutedBy: verdict === undefined ? null : refuterOf(verdict, living),
    };
  });
  const code = codeOf(votes, observers, heard);
  return { state: OPINION_CODES[code], code, sentence: sentenceOf(code, votes), votes };
}

/** The smallest number that is more than half: 2 of 3, 3 of 5. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

function witnesses(
  verdicts: readonly ObserverVerdict[],
  observers: readonly RegionId[],
  freshness: ProofFreshness | null,
): readonly ObserverVerdict[] {
  return verdicts.filter(
    ({ observer, verdict }) =>
      observers.includes(observer) &&
      isLiving(verdict.state) &&
      verdict.lastArrivalAt !== null &&
      (freshness === null || freshness.now - verdict.lastArrivalAt <= freshness.proofMsMax),
  );
}

function refuterOf(verdict: Verdict, living: readonly ObserverVerdict[]): RegionId | null {
  if (!isAccusing(verdict.state)) {
    return null;
  }
  return living.find((witness) => isNewer(witness.verdict, verdict))?.observer ?? null;
}

function isNewer(witness: Verdict, accusation: Verdict): boolean {
  if (witness.bootId === accusation.bootId) {
    return (witness.lastSequence ?? -1) > (accusation.lastSequence ?? -1);
  }
  return (witness.lastArrivalAt ?? -Infinity) > (accusation.lastArrivalAt ?? -Infinity);
}

function codeOf(
  votes: readonly Vote[],
  observers: readonly RegionId[],
  heard: ReadonlyMap<RegionId, Verdict>,
): OpinionCode {
  if (!observers.some((observer) => (heard.get(observer)?.bootId ?? null) !== null)) {
    return 'never-heard';
  }
  const majority = majorityOf(observers.length);
  const standing = votes.filter((vote) => vote.refutedBy === null);
  const failed = standing.filter((vote) => vote.state === 'failed').length;
  if (failed >= majority) {
    return 'majority-failed';
  }
  const living = votes.filter((vote) => isLiving(vote.state)).length;
  const doubting = standing.filter((vote) => isAccusing(vote.state)).length;
  if (living === 0) {
    return doubting >= majority ? 'majority-suspects' : 'too-few-verdicts';
  }
  if (doubting >= living) {
    return 'majority-suspects';
  }
  if (votes.length - standing.length >= majority) {
    return 'accusations-refuted';
  }
  return codeOfLiving(votes, living, majority);
}

function codeOfLiving(votes: readonly Vote[], living: number, majority: number): OpinionCode {
  const degraded = votes.filter((vote) => vote.state === 'degraded').length;
  if (degraded * 2 > living) {
    return 'reports-trouble';
  }
  return living >= majority ? 'heard' : 'heard-by-minority';
}

function isLiving(state: VerdictState | null): boolean {
  return state === 'healthy' || state === 'degraded';
}

function isAccusing(state: VerdictState | null): boolean {
  return state === 'suspect' || state === 'failed';
}

const MEANINGS: Record<OpinionCode, string> = {
  'never-heard': 'no observer has ever heard this site',
  heard: 'a majority of observers hears this site',
  'heard-by-minority': 'heard, but by less than half of the observers',
  'reports-trouble': 'the site beats and reports trouble',
  'majority-suspects': 'as many observers miss this site as hear it, or more',
  'accusations-refuted': 'most observers miss this site, but another one hears it: it is alive',
  'majority-failed': 'a majority of all observers finds this site failed',
  'too-few-verdicts': 'too few observers can say anything: unknown is not down',
};

function sentenceOf(code: OpinionCode, votes: readonly Vote[]): string {
  const list = votes.map(({ observer, state, refutedBy }) => {
    const refuted = refutedBy === null ? '' : ` (refuted by ${refutedBy})`;
    return `${observer} ${state ?? 'silent'}${refuted}`;
  });
  return `${MEANINGS[code]}: ${list.join(', ')}`;
}
