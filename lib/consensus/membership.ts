/**
 * Who votes: the configuration of the log, and the steps by which it may change.
 *
 *     {A B C}  ──learner──▶  {A B C} + learner D  ──joint──▶  {A B D} leaving {A B C}  ──final──▶  {A B D}
 *
 * The configuration is an entry of the log like any other (Raft paper, section 6), so that a register
 * always knows by which one it stands: the last in its log, committed or not. While one configuration
 * is being left, a majority of both must agree to whatever is decided. So no decision of the old one
 * and of the new one can miss each other, however late a register or a process hears of the change.
 *
 * A member is one table. A table that takes the place of a lost one in the same region is another
 * member, the region's next incarnation: the votes of the lost one are not its own.
 */
import type { Random } from '../base/clock.ts';
import type { LogIndex, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';

declare const brand: unique symbol;

/** One table of one region. The name of a region is the id of its founding table; `us-west-2#7k3fd` a later one. */
export type MemberId = RegionId | (string & { readonly [brand]: 'MemberId' });

export interface Configuration {
  /** Sorted. */
  readonly voters: readonly MemberId[];
  /** The voters of the configuration that is being left, sorted; null = none is. */
  readonly outgoing: readonly MemberId[] | null;
  /** They get every entry and count for nothing. Sorted. */
  readonly learners: readonly MemberId[];
}

const INCARNATION_MARK = '#';
const INCARNATION_RADIX = 36;
/** How many numbers one table's is drawn from: nobody else's late write can make the very same member. */
const DRAWS = 2 ** 20;

/**
 * The number of a table that is made now: above that of every table before, since the log has grown
 * since each of them was made, and known to its maker alone.
 *
 * @param lastIndex where the leader's log ends, below 2^32.
 */
export function nextIncarnation(lastIndex: LogIndex, random: Random): number {
  return (lastIndex + 1) * DRAWS + Math.floor(random() * DRAWS);
}

/** @param incarnation 1 for the region's first table, a higher number for each that took its place. */
export function memberId(region: RegionId, incarnation: number): MemberId {
  if (incarnation === 1) {
    return region;
  }
  const isCounter = Number.isSafeInteger(incarnation) && incarnation > 1;
  invariant(isCounter, 'incarnation-not-a-counter', { incarnation });
  const mark = incarnation.toString(INCARNATION_RADIX);
  return `${region}${INCARNATION_MARK}${mark}` as MemberId;
}

export function regionOf(member: MemberId): RegionId {
  return member.split(INCARNATION_MARK, 1)[0] as RegionId;
}

export function incarnationOf(member: MemberId): number {
  const [, count] = member.split(INCARNATION_MARK);
  return count === undefined ? 1 : Number.parseInt(count, INCARNATION_RADIX);
}

/** The configuration in which a cluster is made: one table in each region. */
export function foundingConfiguration(founders: readonly RegionId[]): Configuration {
  return { voters: founders.toSorted(), outgoing: null, learners: [] };
}

/** All that decide: of both configurations while one is being left. */
export function decidersOf({ voters, outgoing }: Configuration): readonly MemberId[] {
  return outgoing === null ? voters : [...new Set([...voters, ...outgoing])].sort();
}

/** All that hold the log: who decides, and who learns. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  return [...decidersOf(configuration), ...configuration.learners];
}

export function isSameConfiguration(left: Configuration, right: Configuration): boolean {
  return (
    left.voters.join() === right.voters.join() &&
    left.outgoing?.join() === right.outgoing?.join() &&
    left.learners.join() === right.learners.join()
  );
}

// ── The three steps ──────────────────────────────────────────────────────────────────────────────

/** First step: `member` gets the log, and counts for nothing yet. */
export function withLearner(configuration: Configuration, member: MemberId): Configuration {
  return { ...configuration, learners: [...configuration.learners, member].sort() };
}

/** Also takes back a first step that came to nothing. */
export function withoutLearner(configuration: Configuration, member: MemberId): Configuration {
  const learners = configuration.learners.filter((learner) => learner !== member);
  return { ...configuration, learners };
}

/** Second step: the learner `joining` votes in place of `leaving`, with both majorities counted. */
export function joint(
  configuration: Configuration,
  { leaving, joining }: { readonly leaving: MemberId; readonly joining: MemberId },
): Configuration {
  const { voters, learners } = withoutLearner(configuration, joining);
  const staying = voters.filter((voter) => voter !== leaving);
  return { voters: [...staying, joining].sort(), outgoing: voters, learners };
}

/** Third step: the old configuration is left for good. */
export function final(configuration: Configuration): Configuration {
  return { ...configuration, outgoing: null };
}

/**
 * Whether `next` is one of the steps above from `current`: one change at a time, and nobody votes who
 * was not a learner before. A second change cannot begin before the first is final.
 */
export function isStep(current: Configuration, next: Configuration): boolean {
  if (current.outgoing !== null) {
    return isSameConfiguration(next, final(current));
  }
  return isLearnerStep(current, next) || isJointStep(current, next);
}

function isLearnerStep(current: Configuration, next: Configuration): boolean {
  const joined = next.learners.filter((member) => !membersOf(current).includes(member));
  const left = current.learners.filter((member) => !next.learners.includes(member));
  const [moved] = [...joined, ...left];
  return (
    moved !== undefined &&
    joined.length + left.length === 1 &&
    isSameConfiguration(
      next,
      joined.length === 1 ? withLearner(current, moved) : withoutLearner(current, moved),
    )
  );
}

function isJointStep(current: Configuration, next: Configuration): boolean {
  const joining = next.voters.find((member) => !current.voters.includes(member));
  const leaving = current.voters.find((member) => !next.voters.includes(member));
  return (
    joining !== undefined &&
    leaving !== undefined &&
    current.learners.includes(joining) &&
    isSameConfiguration(next, joint(current, { leaving, joining }))
  );
}
