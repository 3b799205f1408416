/**
 * The data-loss gate: no site takes the traffic before it is said what that would lose, and whether
 * so much may be lost. Pure.
 *
 * The lag is that of the site that would take over, as last told before the active one fell silent
 * (`replication.ts`). It is an estimate, and a lower bound of a kind: what was written after the last
 * report is in nobody's figures. Where the plan itself waits for the data the gate stays open: a
 * graceful way home, a switchover of the database, `overLimit: wait`.
 */
import { formatElapsed } from '../base/elapsed.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import { overrideOf } from './overrides.ts';
import type { PlannedStep, RunMode } from './plan.ts';
import type { ServicePolicy } from './policy.ts';
import { lagOf, type ReplicationLag } from './replication.ts';
import type { LossEstimate, Run } from './run.ts';
import type { ServiceState } from './state.ts';

export interface GateQuestion {
  readonly to: string;
  readonly mode: RunMode;
  /** A failback looks after the data first where it is graceful. */
  readonly isFailback: boolean;
  /** Who accepts the loss in advance; null = nobody does. */
  readonly acceptedBy: string | null;
  readonly at: EpochMillis;
}

export type GateAnswer =
  | { readonly kind: 'open'; readonly loss: LossEstimate; readonly sentence: string }
  | {
      readonly kind: 'closed';
      readonly code: 'data-loss-over-limit' | 'data-loss-unknown';
      readonly loss: LossEstimate;
      readonly sentence: string;
    };

/** Whether the traffic may go there, by what it would lose. */
export function lossGate(service: ServiceState, question: GateQuestion): GateAnswer {
  const { replication } = service.policy;
  const lag = lagOf(service, question.at, question.to);
  const loss = estimateOf(lag, null);
  const { lagMsMax } = replication;
  if (lagMsMax === null || isCarried(service, question)) {
    const awaitedMs = awaitedLagMs(service.policy, question);
    return { kind: 'open', loss, sentence: describeLoss(loss, awaitedMs) };
  }
  const isOver = lag !== null && lag.lagMs > lagMsMax;
  const isClosed = isOver || (lag === null && replication.unknownLag === 'block');
  if (!isClosed) {
    const accepted = lag === null ? estimateOf(lag, 'the policy') : loss;
    return { kind: 'open', loss: accepted, sentence: describeLoss(accepted) };
  }
  if (isOver && replication.overLimit === 'wait') {
    return { kind: 'open', loss, sentence: describeLoss(loss, lagMsMax) };
  }
  const acceptedBy = acceptorOf(service, question, isOver);
  if (acceptedBy !== null) {
    const accepted = estimateOf(lag, acceptedBy);
    return { kind: 'open', loss: accepted, sentence: describeLoss(accepted) };
  }
  return closed(loss, { lagMsMax, to: question.to, isOver });
}

/** A rule that waits for the data elsewhere, or a kind of service that has no single writer. */
function isCarried({ policy }: ServiceState, { mode, isFailback }: GateQuestion): boolean {
  const isGraceful = mode === 'graceful' && (isFailback || policy.database !== null);
  return policy.strategy === 'active-active' || isGraceful;
}

function acceptorOf(
  service: ServiceState,
  { acceptedBy, at }: GateQuestion,
  isOver: boolean,
): string | null {
  const byPolicy = isOver && service.policy.replication.overLimit === 'accept';
  return acceptedBy ?? overrideOf(service, 'data-loss', at)?.by ?? (byPolicy ? 'the policy' : null);
}

function closed(
  loss: LossEstimate,
  of: { readonly lagMsMax: number; readonly to: string; readonly isOver: boolean },
): GateAnswer {
  const { lagMsMax, to, isOver } = of;
  return {
    kind: 'closed',
    code: isOver ? 'data-loss-over-limit' : 'data-loss-unknown',
    loss,
    sentence: isOver
      ? `${to}: ${describeLoss(loss)}, the policy allows ${formatElapsed(lagMsMax)}; a person may accept the loss`
      : `nobody knows how far ${to} is behind, and the policy wants that known; a person may accept the loss`,
  };
}

/** Said wherever a run has no figure: that nothing is known, never that nothing is lost. */
export const LOSS_UNKNOWN = 'how much data is lost is not known';

/**
 * The one wording of a loss: `losing up to 4.20 s of data (132 writes), accepted by ann`.
 *
 * @param awaitedMs the run first waits for a lag of at most this much; null = it takes what is there
 */
export function describeLoss(
  { lagMs, writes, acceptedBy }: Omit<LossEstimate, 'measuredAt'>,
  awaitedMs: number | null = null,
): string {
  const accepted = acceptedBy === null ? '' : `, accepted by ${acceptedBy}`;
  const counted = writes === null ? '' : ` (${writes} writes)`;
  if (awaitedMs !== null) {
    const now = lagMs === null ? 'it is not known' : `it is ${formatElapsed(lagMs)}${counted}`;
    return `the run waits for a lag of at most ${formatElapsed(awaitedMs)}; now ${now}${accepted}`;
  }
  return lagMs === null
    ? `${LOSS_UNKNOWN}${accepted}`
    : `losing up to ${formatElapsed(lagMs)} of data${counted}${accepted}`;
}

/** What the plan of such a run waits for before the traffic moves; null = it does not wait. */
function awaitedLagMs(
  { plans, replication, objectives }: ServicePolicy,
  { mode, isFailback }: GateQuestion,
): number | null {
  const own = isFailback ? plans.failback : plans.failover;
  if (own !== null) {
    return lagAwaitedIn(own.stages, mode);
  }
  return isFailback && mode === 'graceful' ? (replication.lagMsMax ?? objectives.rpoMs) : null;
}

/** The smallest lag that these stages wait for without fail before traffic moves; null = none. */
export function lagAwaitedIn(
  stages: readonly (readonly Waiting[])[],
  mode: RunMode,
): number | null {
  const moves = stages.findIndex((stage) => stage.some(({ action }) => MOVING.has(action.kind)));
  const steps = stages.slice(0, moves === -1 ? stages.length : moves).flat();
  const lags = steps.flatMap(({ action, mode: only, when, essential }) =>
    action.kind === 'wait-replication' &&
    essential &&
    when === null &&
    (only === 'both' || only === mode)
      ? [action.lagMsMax]
      : [],
  );
  return lags.length === 0 ? null : Math.min(...lags);
}

type Waiting = Pick<PlannedStep, 'action' | 'mode' | 'when' | 'essential'>;

const MOVING: ReadonlySet<string> = new Set(['switch', 'weights', 'routing']);

/** The loss of a run in words: what it waits for counts, however the plan came by it. */
export function describeLossOf({
  loss,
  steps,
  mode,
}: Pick<Run, 'loss' | 'steps' | 'mode'>): string {
  if (loss === null) {
    return LOSS_UNKNOWN;
  }
  const stages = [...new Set(steps.map(({ stage }) => stage))].sort((a, b) => a - b);
  const planned = stages.map((stage) =>
    steps.filter((step) => step.stage === stage && !step.isUndo),
  );
  return describeLoss(loss, lagAwaitedIn(planned, mode));
}

function estimateOf(lag: ReplicationLag | null, acceptedBy: string | null): LossEstimate {
  return {
    lagMs: lag?.lagMs ?? null,
    writes: lag?.writes ?? null,
    measuredAt: lag?.measuredAt ?? null,
    acceptedBy,
  };
}
