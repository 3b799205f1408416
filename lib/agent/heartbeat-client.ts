/**
 * The heartbeat client that runs beside a site: tells every control region "I am alive".
 *
 * Intuition: a metronome. Each round has one sequence number and one body, sent to all regions at
 * once; what a region answers, late or never, does not move the next round. A region that fails is
 * left alone for a few seconds at most.
 *
 * The role that comes back is lent (lease.ts): when no region has answered for as long as the lease
 * lasts, the role becomes `unknown` and `onRole` hears of it, also with the network gone and after
 * a sleep of the machine. Who asks `role()` just before acting is told the truth at that instant.
 *
 * Invariant: after a successful start nothing here throws into the host or rejects unhandled;
 * trouble is reported to `onProblem` and beats go on. A guest must not bring the house down.
 *
 * ```ts
 * const heartbeats = startHeartbeats({
 *   service: 'checkout', site: 'us-east-1', token, intervalMs: 1000,
 *   endpoints: ['https://east.example.test', 'https://west.example.test'],
 *   onRole: ({ role }) => setWritable(role === 'active'),
 * });
 * await heartbeats.stop({ leaving: true });
 * ```
 */
import { randomUUID } from 'node:crypto';
import type { MonotonicMillis } from '../base/identifiers.ts';
import {
  afterFailure,
  afterSuccess,
  type BeatOutcome,
  type EndpointState,
  failureWaitMs,
  freshEndpoint,
  type HeartbeatProblem,
  isDue,
  nextRoundAt,
  paceMs,
} from './endpoint.ts';
import { composeBody } from './heartbeat-body.ts';
import {
  checkOptions,
  type HeartbeatOptions,
  type HeartbeatSettings,
  type RoleReason,
} from './heartbeat-options.ts';
import { type Beat, sendBeat } from './heartbeat-request.ts';
import { askHost, createReport, guard } from './host.ts';
import {
  type Belief,
  isAtRisk,
  isFenced,
  isOutranked,
  leaseLeftMs,
  NO_BELIEF,
  renewed,
  roleAt,
} from './lease.ts';
import { LEASE_LOOK_MS_MAX } from './limits.ts';
import { type Epoch, isSameRole, ROLE_UNKNOWN, type SiteRole } from './role.ts';

// What a program needs to name that takes this file as `tripoint/agent`.
export type { HeartbeatProblem } from './endpoint.ts';
export type { HeartbeatOptions, HeartbeatStatus, RoleReason } from './heartbeat-options.ts';
export type { Epoch, SiteRole } from './role.ts';

export interface HeartbeatSnapshot {
  readonly bootId: string;
  /** Number of the latest beat; 0 before the first. */
  readonly sequence: number;
  /** As it is now: `unknown` once its lease has lapsed. */
  readonly role: SiteRole;
  /** What is left of the lease; 0 = none. */
  readonly leaseLeftMs: number;
  readonly regions: readonly {
    readonly endpoint: string;
    readonly failuresInARow: number;
    /** Since the last answer; null = never answered. */
    readonly answerAgeMs: number | null;
    readonly sequenceAnswered: number;
    readonly problem: HeartbeatProblem | null;
  }[];
}

export interface StopOptions {
  /**
   * Say goodbye: nothing is expected of this site until it beats again, and an active site that
   * leaves is failed over at once. Demote first. Waits for the answers, at most
   * `requestTimeoutMs`.
   */
  readonly leaving?: boolean;
}

export interface StopOutcome {
  /** Regions that took the goodbye; 0 when none was said. */
  readonly toldRegions: number;
}

export interface HeartbeatClient {
  /** Ends the beats and the requests under way. Resolves when both have ended; never rejects. */
  readonly stop: (options?: StopOptions) => Promise<StopOutcome>;
  /** The role at this instant. Ask before each act that only the active site may do. */
  readonly role: () => SiteRole;
  readonly snapshot: () => HeartbeatSnapshot;
}

interface Session {
  readonly settings: HeartbeatSettings;
  readonly report: (problem: HeartbeatProblem) => void;
  readonly bootId: string;
  readonly startedAt: MonotonicMillis;
  readonly stopping: AbortController;
  /** Requests under way, so that `stop` can end and await them. */
  readonly requests: Map<AbortController, Promise<void>>;
  readonly endpoints: Map<string, EndpointState>;
  sequence: number;
  belief: Belief;
  /** What the host was told last. */
  told: SiteRole;
  /** Settles when every callback about the role has, in whatever way. */
  following: Promise<unknown>;
  /** The grant that took the role, once the host has given it up. */
  givenUp: Epoch | null;
  /** The host was told that it is active, and has not given that up. */
  serves: boolean;
  /** Set by the first `stop`; later ones wait for the same end. */
  end: Promise<StopOutcome> | null;
}

/**
 * Starts beating at once.
 *
 * @throws AppError `heartbeat-options` when the options can never work. Nothing is started then.
 */
export function startHeartbeats(options: HeartbeatOptions): HeartbeatClient {
  const settings = checkOptions(options);
  const session: Session = {
    settings,
    report: createReport(settings.onProblem),
    bootId: randomUUID(),
    startedAt: settings.clock.monotonicNow(),
    stopping: new AbortController(),
    requests: new Map(),
    endpoints: new Map(settings.endpoints.map((url) => [url, freshEndpoint(url)])),
    sequence: 0,
    belief: NO_BELIEF,
    told: ROLE_UNKNOWN,
    following: Promise.resolve(),
    givenUp: null,
    serves: false,
    end: null,
  };
  // One turn later, so that callbacks may already refer to what this function returns.
  const loops = Promise.resolve().then(() =>
    Promise.all([beatUntilStopped(session), watchLease(session)]),
  );
  return {
    stop: ({ leaving = false } = {}) => {
      session.end ??= endSession(session, loops, leaving);
      return session.end;
    },
    role: () => roleAt(session.belief, settings.clock.monotonicNow()),
    snapshot: () => describeSession(session),
  };
}

async function endSession(
  session: Session,
  loops: Promise<unknown>,
  leaving: boolean,
): Promise<StopOutcome> {
  session.stopping.abort();
  for (const controller of session.requests.keys()) {
    controller.abort();
  }
  await Promise.all([loops, ...session.requests.values()]);
  const toldRegions = leaving ? await sayGoodbye(session) : 0;
  session.settings.closeConnections();
  return { toldRegions };
}

/** One last beat to every region, also to those that were left alone. */
async function sayGoodbye(session: Session): Promise<number> {
  const { settings, bootId } = session;
  session.sequence += 1;
  const { sequence } = session;
  const body = JSON.stringify({ sequence, bootId, status: 'leaving' });
  const outcomes = await Promise.all(
    settings.endpoints.map((endpoint) =>
      sendBeat(settings, { endpoint, controller: new AbortController() }, { sequence, body }),
    ),
  );
  return outcomes.filter(({ kind }) => kind === 'answered').length;
}

async function beatUntilStopped(session: Session): Promise<void> {
  const { clock, random } = session.settings;
  const { signal } = session.stopping;
  let plannedAt = clock.monotonicNow();
  while (!signal.aborted) {
    guard(session.report, () => beatOnce(session));
    const beat = { paceMs: paceOf(session), random };
    plannedAt = nextRoundAt(plannedAt, clock.monotonicNow(), beat);
    await clock.sleep(plannedAt - clock.monotonicNow(), signal);
  }
}

/** Needs no answer and no round: it runs while every region is silent. */
async function watchLease(session: Session): Promise<void> {
  const { clock } = session.settings;
  const { signal } = session.stopping;
  while (!signal.aborted) {
    guard(session.report, () => followRole(session));
    const leftMs = leaseLeftMs(session.belief, clock.monotonicNow());
    const waitMs = leftMs === 0 ? LEASE_LOOK_MS_MAX : Math.min(leftMs, LEASE_LOOK_MS_MAX);
    // A timer may fire a fraction of a millisecond early.
    await clock.sleep(Math.ceil(waitMs), signal);
  }
}

function paceOf({ endpoints, settings }: Session): number {
  return paceMs([...endpoints.values()], settings.intervalMs);
}

/** One round: the same sequence number and body to every region that is due. Does not wait. */
function beatOnce(session: Session): void {
  const now = session.settings.clock.monotonicNow();
  const hurry = isAtRisk(session.belief, now, paceOf(session));
  const due = [...session.endpoints.values()].filter(
    (state) => isDue(state, now) || (hurry && !state.isInFlight),
  );
  if (due.length === 0) {
    return;
  }
  session.sequence += 1;
  const { sequence, bootId, settings, report, startedAt } = session;
  const acknowledgedEpoch = acknowledgedBy(session);
  const fenced = isFenced(session.belief, now, { startedAt, paceMs: paceOf(session) });
  const body = composeBody(settings, report, { sequence, bootId, acknowledgedEpoch, fenced });
  const beat = { sequence, body, sentAt: now };
  for (const state of due) {
    const controller = new AbortController();
    session.endpoints.set(state.endpoint, { ...state, isInFlight: true });
    const request = beatTo(session, { endpoint: state.endpoint, controller }, beat);
    session.requests.set(controller, request);
  }
}

async function beatTo(
  session: Session,
  target: { readonly endpoint: string; readonly controller: AbortController },
  beat: SentBeat,
): Promise<void> {
  const outcome = await sendBeat(session.settings, target, beat);
  session.requests.delete(target.controller);
  if (!session.stopping.signal.aborted) {
    guard(session.report, () => settle(session, { ...beat, ...target }, outcome));
  }
}

interface SentBeat extends Beat {
  /** Before the first byte left: leases count from here. */
  readonly sentAt: MonotonicMillis;
}

function settle(
  session: Session,
  beat: SentBeat & { readonly endpoint: string },
  outcome: BeatOutcome,
): void {
  const { sequence, sentAt } = beat;
  const before = session.endpoints.get(beat.endpoint) ?? freshEndpoint(beat.endpoint);
  const now = session.settings.clock.monotonicNow();
  if (outcome.kind === 'answered') {
    const { answer } = outcome;
    session.endpoints.set(beat.endpoint, afterSuccess(before, { answer, sequence }, now));
    const terms = { paceMs: paceOf(session), marginMs: session.settings.leaseMarginMs };
    session.belief = renewed(session.belief, { answer, sentAt }, terms);
    followRole(session);
    return;
  }
  const { random, intervalMs } = session.settings;
  const { problem, retryAfterMs } = outcome;
  const waitMs = failureWaitMs({ intervalMs, retryAfterMs }, before.failuresInARow, random);
  session.endpoints.set(beat.endpoint, afterFailure(before, { problem, waitMs }, now));
  if (before.problem?.code !== problem.code) {
    session.report(problem);
  }
}

function followRole(session: Session): void {
  const role = roleAt(session.belief, session.settings.clock.monotonicNow());
  if (isSameRole(role, session.told)) {
    return;
  }
  const hasLapsed = role.role !== session.belief.granted.role;
  session.told = role;
  const reason = hasLapsed ? 'lease-lapsed' : 'answered';
  if (hasLapsed) {
    reportOutranked(session);
  }
  tellRole(session, role, reason);
}

/** What the callback returns with `standby` is word that the role is given up; a throw is none. */
function tellRole(session: Session, role: SiteRole, reason: RoleReason): void {
  const { settings, report, following } = session;
  const { onRole } = settings;
  if (onRole === null) {
    return;
  }
  const returned = askHost<unknown>(report, () => onRole(role, reason), THREW);
  session.serves ||= role.role === 'active';
  const ended = Promise.all([following, returned]);
  session.following = ended.catch(() => undefined);
  if (role.role === 'standby' && returned !== THREW) {
    void ended.then(
      () => guard(report, () => giveUp(session, role)),
      () => undefined,
    );
  }
}

const THREW = Symbol('threw');

/** At once, not with the next round: another site waits for this word. */
function giveUp(session: Session, role: SiteRole): void {
  if (isSameRole(session.told, role) && !session.stopping.signal.aborted) {
    session.givenUp = role.epoch;
    if (session.serves) {
      session.serves = false;
      beatOnce(session);
    }
  }
}

function acknowledgedBy({ settings, report, givenUp }: Session): Epoch | null {
  const { acknowledgedEpoch } = settings;
  return acknowledgedEpoch === null ? givenUp : askHost(report, acknowledgedEpoch, null);
}

/** Regions that do answer, but know less than was heard before: nobody renews then. */
function reportOutranked({ endpoints, belief, report }: Session): void {
  for (const { endpoint, answer, problem } of endpoints.values()) {
    if (answer !== null && problem === null && isOutranked(answer, belief)) {
      const detail =
        'the region answers for an older epoch than this site has heard; if the log was founded anew, restart the site';
      report({ code: 'epoch-outranked', endpoint, status: 200, detail });
    }
  }
}

function describeSession(session: Session): HeartbeatSnapshot {
  const now = session.settings.clock.monotonicNow();
  return {
    bootId: session.bootId,
    sequence: session.sequence,
    role: roleAt(session.belief, now),
    leaseLeftMs: leaseLeftMs(session.belief, now),
    regions: [...session.endpoints.values()].map((state) => ({
      endpoint: state.endpoint,
      failuresInARow: state.failuresInARow,
      answerAgeMs: state.answeredAt === null ? null : now - state.answeredAt,
      sequenceAnswered: state.sequenceAnswered,
      problem: state.problem,
    })),
  };
}
