/**
 * The heartbeat client that runs beside a site: tells every control region "I am alive".
 *
 * Intuition: a metronome. Each round has one sequence number and one body, sent to all regions at
 * once; what a region answers, late or never, does not move the next round. A region that fails is
 * left alone for a few seconds at most.
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
 * await heartbeats.stop();
 * ```
 */
import { randomUUID } from 'node:crypto';
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
import {
  checkOptions,
  type HeartbeatOptions,
  type HeartbeatSettings,
  type HeartbeatStatus,
} from './heartbeat-options.ts';
import { type Beat, sendBeat } from './heartbeat-request.ts';
import { askHost, createReport, guard } from './host.ts';
import { decideRole, isSameRole, ROLE_UNKNOWN, type SiteRole } from './role.ts';

export interface HeartbeatSnapshot {
  readonly bootId: string;
  /** Number of the latest beat; 0 before the first. */
  readonly sequence: number;
  readonly role: SiteRole;
  readonly regions: readonly {
    readonly endpoint: string;
    readonly failuresInARow: number;
    /** Since the last answer; null = never answered. */
    readonly answerAgeMs: number | null;
    readonly sequenceAnswered: number;
    readonly problem: HeartbeatProblem | null;
  }[];
}

export interface HeartbeatClient {
  /** Ends the beats and the requests under way. Resolves when both have ended; never rejects. */
  readonly stop: () => Promise<void>;
  readonly snapshot: () => HeartbeatSnapshot;
}

interface Session {
  readonly settings: HeartbeatSettings;
  readonly report: (problem: HeartbeatProblem) => void;
  readonly bootId: string;
  readonly stopping: AbortController;
  /** Requests under way, so that `stop` can end and await them. */
  readonly requests: Map<AbortController, Promise<void>>;
  readonly endpoints: Map<string, EndpointState>;
  sequence: number;
  role: SiteRole;
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
    stopping: new AbortController(),
    requests: new Map(),
    endpoints: new Map(settings.endpoints.map((url) => [url, freshEndpoint(url)])),
    sequence: 0,
    role: ROLE_UNKNOWN,
  };
  // One turn later, so that callbacks may already refer to what this function returns.
  const rounds = Promise.resolve().then(() => beatUntilStopped(session));
  return {
    stop: async () => {
      session.stopping.abort();
      for (const controller of session.requests.keys()) {
        controller.abort();
      }
      await Promise.all([rounds, ...session.requests.values()]);
      settings.closeConnections();
    },
    snapshot: () => describeSession(session),
  };
}

async function beatUntilStopped(session: Session): Promise<void> {
  const { clock, random, intervalMs } = session.settings;
  const { signal } = session.stopping;
  let plannedAt = clock.monotonicNow();
  while (!signal.aborted) {
    guard(session.report, () => beatOnce(session));
    const pace = paceMs([...session.endpoints.values()], intervalMs);
    plannedAt = nextRoundAt(plannedAt, clock.monotonicNow(), { paceMs: pace, random });
    await clock.sleep(plannedAt - clock.monotonicNow(), signal);
  }
}

/** One round: the same sequence number and body to every region that is due. Does not wait. */
function beatOnce(session: Session): void {
  const now = session.settings.clock.monotonicNow();
  const due = [...session.endpoints.values()].filter((state) => isDue(state, now));
  if (due.length === 0) {
    return;
  }
  session.sequence += 1;
  const beat = { sequence: session.sequence, body: composeBody(session) };
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
  beat: Beat,
): Promise<void> {
  const outcome = await sendBeat(session.settings, target, beat);
  session.requests.delete(target.controller);
  if (!session.stopping.signal.aborted) {
    guard(session.report, () => settle(session, { ...target, sequence: beat.sequence }, outcome));
  }
}

function settle(
  session: Session,
  beat: { readonly endpoint: string; readonly sequence: number },
  outcome: BeatOutcome,
): void {
  const before = session.endpoints.get(beat.endpoint) ?? freshEndpoint(beat.endpoint);
  const now = session.settings.clock.monotonicNow();
  if (outcome.kind === 'answered') {
    const { answer } = outcome;
    const after = afterSuccess(before, { answer, sequence: beat.sequence }, now);
    session.endpoints.set(beat.endpoint, after);
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
  const answers = [...session.endpoints.values()].flatMap(({ answer }) => answer ?? []);
  const role = decideRole(answers);
  if (isSameRole(role, session.role)) {
    return;
  }
  session.role = { role: role.role, epoch: role.epoch };
  askHost(session.report, () => session.settings.onRole(session.role), undefined);
}

function composeBody(session: Session): string {
  const { status, replicationLagMs } = session.settings;
  const reported = askHost(session.report, () => checkStatus(status()), 'failing');
  const lagMs = askHost(session.report, () => checkLag(replicationLagMs()), null);
  const { sequence, bootId } = session;
  const lag = lagMs === null ? {} : { replicationLagMs: lagMs };
  return JSON.stringify({ sequence, bootId, status: reported, ...lag });
}

function checkStatus(status: HeartbeatStatus): HeartbeatStatus {
  if (status !== 'ok' && status !== 'degraded' && status !== 'failing') {
    throw new TypeError(`status() gave ${JSON.stringify(status)}`);
  }
  return status;
}

function checkLag(lagMs: number | null): number | null {
  if (lagMs !== null && !(Number.isFinite(lagMs) && lagMs >= 0)) {
    throw new RangeError(`replicationLagMs() gave ${lagMs}`);
  }
  return lagMs === null ? null : Math.round(lagMs);
}

function describeSession(session: Session): HeartbeatSnapshot {
  const now = session.settings.clock.monotonicNow();
  return {
    bootId: session.bootId,
    sequence: session.sequence,
    role: session.role,
    regions: [...session.endpoints.values()].map((state) => ({
      endpoint: state.endpoint,
      failuresInARow: state.failuresInARow,
      answerAgeMs: state.answeredAt === null ? null : now - state.answeredAt,
      sequenceAnswered: state.sequenceAnswered,
      problem: state.problem,
    })),
  };
}
