/**
 * The data-loss gate: no site takes the traffic before it is said what that would lose, and whether
 * so much may be lost. Pure.
 *
 * The lag is that of the site that would take over, as last told before the active one fell silent
 * (`replication.ts`). It is an estimate, and a lower bound of a kind: what was written after the last
 * report is in nobody's figures. Where the steps themselves carry the data the gate stays open: they
 * wait for the lag before they move anything, or hand the database over without a loss. The steps
 * say so, not the policy: an owner may have written a plan that leaves either out.
 */
import { formatElapsed } from '../base/elapsed.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import { overrideOf } from './overrides.ts';
import type { PlannedStep, RunMode } from './plan.ts';
import type { ServicePolicy } from './policy.ts';
import { lagOf, type ReplicationLag } from './replication.ts';
import { type LossEstimate, plannedStages, type Run, type RunKind } from './run.ts';
import type { ServiceState } from './state.ts';

export interface GateQuestion {
  readonly to: string;
  readonly mode: RunMode;
  readonly kind: RunKind;
  /** What the run would do. */
  readonly stages: readonly (readonly PlannedStep[])[];
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
  const { to, mode, stages, at } = question;
  const lag = lagOf(service, at, to);
  const loss = estimateOf(lag, null);
  const { lagMsMax } = replication;
  if (lagMsMax === null || isCarried(service, question, { lag, lagMsMax })) {
    return { kind: 'open', loss, sentence: describeLoss(loss, lagAwaitedIn(stages, mode)) };
  }
  const isOver = lag !== null && lag.lagMs > lagMsMax;
  const isClosed = isOver || (lag === null && replication.unknownLag === 'block');
  if (!isClosed) {
    const accepted = lag === null ? estimateOf(lag, 'the policy') : loss;
    return { kind: 'open', loss: accepted, sentence: describeLoss(accepted) };
  }
  const byPolicy = isOver && replication.overLimit === 'accept' ? 'the policy' : null;
  const acceptedBy = lossAcceptor(service, question.acceptedBy, at) ?? byPolicy;
  if (acceptedBy !== null) {
    const accepted = estimateOf(lag, acceptedBy);
    return { kind: 'open', loss: accepted, sentence: describeLoss(accepted) };
  }
  return closed(loss, { lagMsMax, to, isOver });
}

/**
 * Whether nothing that counts is lost by these steps: several sites write, the database is handed over,
 * or they wait for the lag. Where nobody tells one, only the way home may wait for the first word:
 * elsewhere the policy says what an unknown lag is worth.
 */
function isCarried(
  { policy }: ServiceState,
  { kind, mode, stages }: GateQuestion,
  { lag, lagMsMax }: { readonly lag: ReplicationLag | null; readonly lagMsMax: number },
): boolean {
  if (policy.strategy === 'active-active' || handsOver(policy, stages, mode)) {
    return true;
  }
  const awaitedMs = lagAwaitedIn(stages, mode);
  const isWaited = awaitedMs !== null && awaitedMs <= lagMsMax;
  return isWaited && (lag !== null || kind === 'failback');
}

/** Only a global cluster can: whoever promotes a replica of RDS gets what it has. */
function handsOver({ database }: ServicePolicy, stages: Stages, mode: RunMode): boolean {
  return (
    database?.kind === 'aurora-global' &&
    mode === 'graceful' &&
    beforeMoving(stages).some((step) => step.action.kind === 'database' && isSureIn(mode, step))
  );
}

/** The person who accepts a loss, in the request or by an override that stands; null = nobody does. */
export function lossAcceptor(
  service: ServiceState,
  acceptedBy: string | null,
  at: EpochMillis,
): string | null {
  return acceptedBy ?? overrideOf(service, 'data-loss', at)?.by ?? null;
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

/** The smallest lag that these stages wait for without fail before traffic moves; null = none. */
export function lagAwaitedIn(stages: Stages, mode: RunMode): number | null {
  const lags = beforeMoving(stages).flatMap((step) =>
    step.action.kind === 'wait-replication' && isSureIn(mode, step) ? [step.action.lagMsMax] : [],
  );
  return lags.length === 0 ? null : Math.min(...lags);
}

function beforeMoving(stages: Stages): readonly Planned[] {
  const moves = stages.findIndex((stage) => stage.some(({ action }) => MOVING.has(action.kind)));
  return stages.slice(0, moves === -1 ? stages.length : moves).flat();
}

/** Whether every run of this mode does the step or ends. */
function isSureIn(mode: RunMode, { mode: only, when, essential }: Planned): boolean {
  return essential && when === null && (only === 'both' || only === mode);
}

type Planned = Pick<PlannedStep, 'action' | 'mode' | 'when' | 'essential'>;
type Stages = readonly (readonly Planned[])[];

const MOVING: ReadonlySet<string> = new Set(['switch', 'weights', 'routing']);

/** The loss of a run in words: what it waits for counts, however the plan came by it. */
export function describeLossOf(run: Pick<Run, 'loss' | 'steps' | 'mode'>): string {
  const { loss, mode } = run;
  return loss === null ? LOSS_UNKNOWN : describeLoss(loss, lagAwaitedIn(plannedStages(run), mode));
}

function estimateOf(lag: ReplicationLag | null, acceptedBy: string | null): LossEstimate {
  return {
    lagMs: lag?.lagMs ?? null,
    writes: lag?.writes ?? null,
    measuredAt: lag?.measuredAt ?? null,
    acceptedBy,
  };
}
