/**
 * The quorum's opinion of a site, fused from the verdicts of the observers.
 *
 * Four rules, in this order. A site has *left* if an observer has its word for it, nobody has a newer
 * beat, and with those that miss it they are a majority. It has *failed* only if a majority of **all
 * configured** observers say so: one that abstains never lowers the bar, 2 of 3 never becomes 1 of 1.
 * *Proof of life refutes*: an accusation does not count once another observer hears the site and has
 * a newer beat than the accuser, or finds it serving (the accuser is cut off, the site is not dead);
 * nor does an *outdated* one, the last word of a region that has missed a whole life of the site
 * since, unless nobody is left whose proof of life is fresh. A site has *given up its role* if a
 * majority of all configured observers heard it say so. And *unknown is not down*: where too few can say anything, nothing is concluded.
 *
 * Order of beats across observers: by sequence within one boot, which needs no clock; between boots
 * by arrival, where the regions' clocks need to agree only to within the silence that accused.
 * Watermarks of Rapid (ATC 2018); refutation of SWIM (DSN 2002).
 */
import { type EpochMillis, epochMillis, type RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { isAccusing, isLiving } from './comparison.ts';
import { FAIL_INTERVALS_MAX, FUTURE_MS_MAX } from './limits.ts';
import type { Verdict, VerdictState } from './verdict.ts';

export type OpinionState = VerdictState;

/** Every reason an opinion can have, with the state it leads to. */
export const OPINION_CODES = {
  'never-heard': 'pending',
  deregistered: 'pending',
  heard: 'healthy',
  'heard-by-minority': 'healthy',
  'reports-trouble': 'degraded',
  'gave-up-role': 'degraded',
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
  /** A beat that arrived longer ago than this proves nothing now (`proofMsMaxOf`). */
  readonly proofMsMax: number;
}

/**
 * @param verdicts the newest verdict of each observer, at most one each; those of regions that are
 *   not configured are ignored.
 * @param observers all configured observers, at least one. Their number sets the majority.
 * @param freshness when proof of life expires; there is no vote without it.
 */
export function fuseOpinion(
  verdicts: readonly ObserverVerdict[],
  observers: readonly RegionId[],
  freshness: ProofFreshness,
): Opinion {
  invariant(observers.length > 0, 'no-observers');
  invariant(new Set(observers).size === observers.length, 'observer-configured-twice', observers);
  const spoken = verdicts.filter(({ observer }) => observers.includes(observer));
  const heard = new Map(verdicts.map(({ observer, verdict }) => [observer, verdict]));
  invariant(heard.size === verdicts.length, 'observer-votes-twice', verdicts);
  const isUnanimous =
    spoken.length === observers.length &&
    spoken.every(({ verdict }) => isAccusing(verdict) || isExpired(verdict, freshness));
  const scene: Scene = { spoken, isUnanimous, witnesses: witnesses(spoken, freshness), freshness };
  const votes = observers.map((observer): Vote => {
    const verdict = heard.get(observer);
    return {
      observer,
      state: verdict?.state ?? null,
      refutedBy: verdict === undefined ? null : refuterOf(verdict, scene),
    };
  });
  const code = codeOf(votes, scene);
  return { state: OPINION_CODES[code], code, sentence: sentenceOf(code, votes), votes };
}

/** Before anybody has said anything: nothing in it can expire. */
export function opinionOfUnheard(observers: readonly RegionId[]): Opinion {
  return fuseOpinion([], observers, { now: epochMillis(0), proofMsMax: 0 });
}

/**
 * The instant for which a verdict proves life: its newest beat, or for a site that is silent and
 * serves the judgement, which rests on a fresh probe. Null = it proves none.
 */
export function provenAt(verdict: Verdict): EpochMillis | null {
  if (verdict.code === 'silent-but-serving') {
    return verdict.judgedAt;
  }
  return isLiving(verdict) ? verdict.lastArrivalAt : null;
}

/**
 * When this opinion may come out otherwise though nobody says anything new: a region may die with
 * proof of life as its last word, which protects a site until it is too old to count. Null = never.
 */
export function opinionLapsesAt(
  { votes }: Opinion,
  verdicts: readonly Verdict[],
  { now, proofMsMax }: ProofFreshness,
): EpochMillis | null {
  if (votes.every(({ refutedBy }) => refutedBy === null)) {
    return null;
  }
  const lapses = verdicts
    .map((verdict) => (provenAt(verdict) ?? -Infinity) + proofMsMax + 1)
    .filter((lapsesAt) => lapsesAt > now);
  return lapses.length === 0 ? null : epochMillis(Math.min(...lapses));
}

/** The smallest number that is more than half: 2 of 3, 3 of 5. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** What the configured observers said, and which of them prove life. */
interface Scene {
  readonly spoken: readonly ObserverVerdict[];
  /**
   * Every configured observer misses the site, or has not told of life for longer than that proves
   * any: then nobody's word is worth less than silence.
   */
  readonly isUnanimous: boolean;
  readonly witnesses: readonly ObserverVerdict[];
  readonly freshness: ProofFreshness;
}

function witnesses(
  spoken: readonly ObserverVerdict[],
  freshness: ProofFreshness,
): readonly ObserverVerdict[] {
  return spoken.filter(({ verdict }) => {
    const at = provenAt(verdict);
    return at !== null && isFresh(at, freshness);
  });
}

/** An instant far ahead comes from a broken clock: it would prove life for as long as that is ahead. */
function isFresh(at: EpochMillis, { now, proofMsMax }: ProofFreshness): boolean {
  return now - at <= proofMsMax && at - now <= Math.max(proofMsMax, FUTURE_MS_MAX);
}

/** The region of such a word may be gone: it neither proves life nor stands against a conviction. */
function isExpired(verdict: Verdict, freshness: ProofFreshness): boolean {
  const { lastArrivalAt } = verdict;
  return isLiving(verdict) && lastArrivalAt !== null && !isFresh(lastArrivalAt, freshness);
}

/** Who makes this claim (that the site is silent, or left) void. */
function refuterOf(claim: Verdict, scene: Scene): RegionId | null {
  if (claim.code === 'deregistered') {
    return scene.spoken.find(({ verdict }) => isNewer(verdict, claim))?.observer ?? null;
  }
  if (!isAccusing(claim) || provenAt(claim) !== null) {
    return null;
  }
  const refuter = scene.witnesses.find(
    ({ verdict }) => isServingSince(verdict, claim) || isNewer(verdict, claim),
  );
  const later = scene.isUnanimous
    ? undefined
    : scene.spoken.find(({ verdict }) => isOutdatedBy(claim, verdict, scene.freshness));
  return (refuter ?? later)?.observer ?? null;
}

function isNewer(witness: Verdict, claim: Verdict): boolean {
  if (witness.bootId === claim.bootId) {
    return (witness.lastSequence ?? -1) > (claim.lastSequence ?? -1);
  }
  return (witness.lastArrivalAt ?? -Infinity) > (claim.lastArrivalAt ?? -Infinity);
}

function isServingSince(witness: Verdict, claim: Verdict): boolean {
  return (
    witness.code === 'silent-but-serving' && witness.judgedAt > (claim.lastArrivalAt ?? -Infinity)
  );
}

/**
 * Whether the accuser has missed a life of the site that lasted longer than any silence may: it was
 * cut off, or is gone, and what it says is of an earlier silence. Two signs are asked for, one of
 * which no clock can bring about.
 */
function isOutdatedBy(
  claim: Verdict,
  other: Verdict,
  { now, proofMsMax }: ProofFreshness,
): boolean {
  if (claim.lastArrivalAt === null || other.lastArrivalAt === null) {
    return false;
  }
  const isLater =
    other.lastArrivalAt - claim.lastArrivalAt > proofMsMax &&
    other.lastArrivalAt - now <= Math.max(proofMsMax, FUTURE_MS_MAX);
  const beats = (other.lastSequence ?? -1) - (claim.lastSequence ?? -1);
  return isLater && (other.bootId !== claim.bootId || beats > FAIL_INTERVALS_MAX);
}

function codeOf(votes: readonly Vote[], scene: Scene): OpinionCode {
  if (scene.spoken.every(({ verdict }) => verdict.bootId === null)) {
    return 'never-heard';
  }
  const majority = majorityOf(votes.length);
  const standing = votes.filter((vote) => vote.refutedBy === null);
  const leaving = new Set(
    scene.spoken.flatMap(({ observer, verdict }) =>
      verdict.code === 'deregistered' ? [observer] : [],
    ),
  );
  const left = standing.filter(({ observer }) => leaving.has(observer)).length;
  const doubting = standing.filter(isAccusingVote).length;
  if (left > 0 && left + doubting >= majority) {
    return 'deregistered';
  }
  if (standing.filter((vote) => vote.state === 'failed').length >= majority) {
    return 'majority-failed';
  }
  if (scene.spoken.filter(({ verdict }) => verdict.code === 'gave-up-role').length >= majority) {
    return 'gave-up-role';
  }
  const living = votes.filter(isLivingVote).length;
  const refuted = votes.length - standing.length;
  if (living === 0) {
    return codeOfUnheard({ doubting, refuted, majority }, scene);
  }
  if (doubting >= living) {
    return 'majority-suspects';
  }
  return refuted >= majority ? 'accusations-refuted' : codeOfLiving(votes, living, majority);
}

/** No observer hears the site; one may still have found it serving. */
function codeOfUnheard(
  counts: { readonly doubting: number; readonly refuted: number; readonly majority: number },
  { witnesses: proofs }: Scene,
): OpinionCode {
  const { doubting, refuted, majority } = counts;
  if (doubting >= majority) {
    return 'majority-suspects';
  }
  return proofs.length > 0 && doubting + refuted >= majority
    ? 'accusations-refuted'
    : 'too-few-verdicts';
}

function codeOfLiving(votes: readonly Vote[], living: number, majority: number): OpinionCode {
  const degraded = votes.filter((vote) => vote.state === 'degraded').length;
  if (degraded * 2 > living) {
    return 'reports-trouble';
  }
  return living >= majority ? 'heard' : 'heard-by-minority';
}

function isLivingVote({ state }: Vote): boolean {
  return state !== null && isLiving({ state });
}

function isAccusingVote({ state }: Vote): boolean {
  return state !== null && isAccusing({ state });
}

const MEANINGS: Record<OpinionCode, string> = {
  'never-heard': 'no observer has ever heard this site',
  deregistered: 'the site said that it leaves, and nobody hears it since',
  heard: 'a majority of observers hears this site',
  'heard-by-minority': 'heard, but by less than half of the observers',
  'reports-trouble': 'the site beats and is in trouble, by its own word, its probes or its callers',
  'gave-up-role': 'the site beats and has given up its role: no answer gets back to it',
  'majority-suspects': 'as many observers miss this site as hear it, or more',
  'accusations-refuted':
    'most observers miss this site, but another one hears it or finds it serving: it is alive',
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
