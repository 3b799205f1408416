/**
 * Puts one table in the place of another: what a person asks for when a region's table is lost, or
 * when another region is to take its place.
 *
 * Each round looks at who votes now, makes the one step that is next (`membership.ts`), and waits for
 * what the step after that needs. Nothing is remembered between rounds: whoever is killed in the
 * middle, begins again, or begins at two places at once, goes on from what the log says.
 */
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import { type Cluster, clientOf } from './cluster.ts';
import { confirmedLeader, transferLeadership } from './leadership.ts';
import type { LogHost } from './log-host.ts';
import {
  type Configuration,
  decidersOf,
  final,
  incarnationOf,
  joint,
  type MemberId,
  memberId,
  membersOf,
  nextIncarnation,
  regionOf,
  withLearner,
  withoutLearner,
} from './membership.ts';
import { matchIndex } from './progress.ts';
import type { RegisterPort } from './register-port.ts';
import { configurationOf, lastEntry, memberOf, pristineServer, type Server } from './server.ts';

export interface Replacement {
  /** The region whose table goes. */
  readonly leaving: RegionId;
  /** The region whose table comes; the same one, when its table was lost. */
  readonly joining: RegionId;
  /** Takes back another replacement that was left in the middle. */
  readonly abandonsOther?: boolean;
}

export type ChangeOutcome =
  /** `isChanged`: whether this call made a step; false = the table voted before. */
  | {
      readonly kind: 'done';
      readonly configuration: Configuration;
      readonly isChanged: boolean;
    }
  /** Nothing was changed by this call. */
  | { readonly kind: 'refused'; readonly code: ChangeRefusal; readonly detail: string }
  /** Time was over. What was done stays, and is safe; asking again goes on from there. */
  | { readonly kind: 'unfinished'; readonly code: Obstacle };

export type ChangeRefusal =
  /** The region that is to go has no vote. */
  | 'no-such-voter'
  /** The region that is to come votes already. */
  | 'already-votes'
  /** Another replacement is under way, or was left in the middle. */
  | 'change-under-way'
  /** The table that is to come holds a register that was replaced before. */
  | 'older-table';

/** What the change waited for when its time was over. */
export type Obstacle =
  /** A leader that a majority confirms; while a configuration is being left, of both. */
  | 'no-quorum'
  /** The table that is to come does not answer. */
  | 'no-table'
  /** It lacks entries still. */
  | 'not-level'
  /** The region that is to go leads, and no other took over. */
  | 'not-handed-over'
  /** Nothing but time. */
  | 'steps-left';

export interface ChangeParts<State> {
  readonly cluster: Cluster;
  readonly host: LogHost<State>;
  /** The cluster's registers, to make the one that is not there yet. */
  readonly registers: readonly RegisterPort[];
  /** For the whole change. A table that begins empty takes a snapshot first. */
  readonly timeoutMs: number;
}

interface Pair {
  readonly leaving: MemberId;
  readonly joining: MemberId;
}

/** Safe to repeat, also while it runs elsewhere. */
export async function replaceMember<State>(
  parts: ChangeParts<State>,
  replacement: Replacement,
): Promise<ChangeOutcome> {
  const { clock, timings } = parts.cluster;
  const deadline = (clock.monotonicNow() + parts.timeoutMs) as MonotonicMillis;
  let outcome = waitsFor('no-quorum');
  let isChanged = false;
  while (clock.monotonicNow() < deadline) {
    const round = await goOn(parts, replacement);
    if (round?.kind === 'done') {
      return { ...round, isChanged };
    }
    if (round?.kind === 'refused') {
      return round;
    }
    isChanged ||= round === null;
    outcome = round ?? waitsFor('steps-left');
    await clock.sleep(timings.beatMs);
  }
  return outcome;
}

/** One round; null = a step was made. */
async function goOn<State>(
  parts: ChangeParts<State>,
  replacement: Replacement,
): Promise<ChangeOutcome | null> {
  const leader = await confirmedLeader(parts);
  if (leader === null) {
    return waitsFor('no-quorum');
  }
  const pair = await pairOf(parts, leader, replacement);
  if ('kind' in pair) {
    return pair;
  }
  const next = nextStep(configurationOf(leader), pair);
  return next === null
    ? { kind: 'done', configuration: configurationOf(leader), isChanged: false }
    : makeStep(parts, { leader, next, pair });
}

function waitsFor(code: Obstacle): ChangeOutcome {
  return { kind: 'unfinished', code };
}

/** The next configuration on the way; null = there. Finishes what another change left open. */
function nextStep(configuration: Configuration, { leaving, joining }: Pair): Configuration | null {
  const { voters, outgoing, learners } = configuration;
  if (outgoing !== null) {
    return final(configuration);
  }
  if (voters.includes(joining) && !voters.includes(leaving)) {
    return null;
  }
  // Of this region: who else's learner stands there was asked before (`pairOf`).
  const abandoned = learners.find((learner) => learner !== joining);
  if (abandoned !== undefined) {
    return withoutLearner(configuration, abandoned);
  }
  return learners.includes(joining)
    ? joint(configuration, { leaving, joining })
    : withLearner(configuration, joining);
}

interface Step {
  readonly leader: Server;
  readonly next: Configuration;
  readonly pair: Pair;
}

/** Resolves to what stands in the way; null = nothing does. */
async function makeStep<State>(
  parts: ChangeParts<State>,
  { leader, next, pair }: Step,
): Promise<ChangeOutcome | null> {
  const { cluster, host } = parts;
  if (!next.voters.includes(memberOf(leader))) {
    const heirs = next.voters.filter((voter) => voter !== pair.joining);
    return (await handOverToAny(parts, heirs)) ? null : waitsFor('not-handed-over');
  }
  const isJoint = configurationOf(leader).outgoing === null && next.outgoing !== null;
  if (isJoint && !(await isLevel(parts, leader, pair.joining))) {
    return waitsFor('not-level');
  }
  const answer = await clientOf(cluster, leader.identity.region).exchange(() => ({
    kind: 'change',
    term: leader.term,
    configuration: next,
    commit: host.commit,
  }));
  if (answer.kind === 'answered' && answer.reply.kind === 'yes') {
    await host.lead(answer.server);
  }
  return null;
}

async function handOverToAny<State>(
  parts: ChangeParts<State>,
  heirs: readonly MemberId[],
): Promise<boolean> {
  for (const heir of heirs) {
    if (await transferLeadership(parts, regionOf(heir))) {
      return true;
    }
  }
  return false;
}

/** Pushes the leader's log, and looks whether the new table holds all that this copy of it does. */
async function isLevel<State>(
  { cluster, host }: ChangeParts<State>,
  leader: Server,
  member: MemberId,
): Promise<boolean> {
  await host.lead(leader);
  const learner = await clientOf(cluster, regionOf(member)).refresh();
  const isThere = learner !== null && memberOf(learner) === member;
  return isThere && matchIndex(leader, learner) === lastEntry(leader).index;
}

async function pairOf<State>(
  parts: ChangeParts<State>,
  leader: Server,
  replacement: Replacement,
): Promise<Pair | ChangeOutcome> {
  const configuration = configurationOf(leader);
  const joining = await tableIn(parts, leader, replacement.joining);
  if (joining === null) {
    return waitsFor('no-table');
  }
  if (incarnationOf(joining) < newestIn(configuration, replacement.joining)) {
    return { kind: 'refused', code: 'older-table', detail: `${joining} was replaced before` };
  }
  const leaving = decidersOf(configuration).find(
    (member) => regionOf(member) === replacement.leaving && member !== joining,
  );
  const stranger = configuration.learners.find((one) => regionOf(one) !== replacement.joining);
  if (stranger !== undefined && !replacement.abandonsOther) {
    const detail = `${stranger} is learning for another replacement`;
    return { kind: 'refused', code: 'change-under-way', detail };
  }
  if (leaving !== undefined) {
    const isVoting = configuration.outgoing === null && configuration.voters.includes(joining);
    const detail = `${joining} votes already`;
    return isVoting ? { kind: 'refused', code: 'already-votes', detail } : { leaving, joining };
  }
  return configuration.voters.includes(joining)
    ? { kind: 'done', configuration, isChanged: false }
    : {
        kind: 'refused',
        code: 'no-such-voter',
        detail: `${replacement.leaving} has no vote; voters: ${configuration.voters.join(', ')}`,
      };
}

/**
 * The member that a region's table is; null = no answer. An empty table becomes a member that never
 * was: not the one whose votes were lost with the table before, nor one that somebody else makes.
 */
async function tableIn<State>(
  { cluster, registers }: ChangeParts<State>,
  leader: Server,
  region: RegionId,
): Promise<MemberId | null> {
  const port = registers.find((register) => register.region === region);
  const read = await port?.read();
  if (port === undefined || read === undefined || read.kind === 'unreachable') {
    return null;
  }
  if (read.kind === 'found') {
    return memberOf(read.copy.server);
  }
  const incarnation = nextIncarnation(lastEntry(leader).index, cluster.random);
  const made = await port.compareAndSet(
    0,
    pristineServer({ ...leader.identity, region, incarnation }),
  );
  return made.kind === 'applied' ? memberId(region, incarnation) : null;
}

/** The highest number of a table that this region has in the configuration; 0 = none. */
function newestIn(configuration: Configuration, region: RegionId): number {
  const known = membersOf(configuration).filter((member) => regionOf(member) === region);
  return Math.max(0, ...known.map(incarnationOf));
}
