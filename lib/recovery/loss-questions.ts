/**
 * Who asks the data-loss gate, and about which steps: a decision about the plan it would start, and a run
 * that is open about its own, for what is true when somebody decides may be past when the traffic moves. Pure.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { type GateAnswer, lossAcceptor, lossGate } from './loss-gate.ts';
import type { RunMode } from './plan.ts';
import { planOf } from './plans.ts';
import { plannedStages, type Run, type RunKind } from './run.ts';
import type { ServiceState } from './state.ts';
import { movesAuthority, wholeTo } from './traffic.ts';

export interface WantedSwitch {
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly to: string;
  /** Which site is left; absent = the active one. */
  readonly from?: string;
  /** Who accepts the loss in advance; null = nobody does. */
  readonly acceptedBy: string | null;
  readonly at: EpochMillis;
}

/** Whether a run that moves the traffic there may begin, by what it would lose. */
export function gateBefore(service: ServiceState, wanted: WantedSwitch): GateAnswer {
  const { policy, activeSite, traffic: before, granted } = service;
  const { to, at, from = activeSite } = wanted;
  const acceptedBy = lossAcceptor(service, wanted.acceptedBy, at);
  const loss = { lagMs: null, writes: null, measuredAt: null, acceptedBy };
  const traffic = wholeTo(to);
  const rest = { approval: false, atOnce: true, loss };
  const { stages } = planOf({ ...wanted, ...rest, policy, from, before, traffic, granted });
  return lossGate(service, { ...wanted, stages });
}

/** Whether an open run may still move the traffic; null = it has begun to, or loses nothing. */
export function gateAmid(run: Run, service: ServiceState, at: EpochMillis): GateAnswer | null {
  const { loss, to, mode, kind } = run;
  if (loss === null || !isUntouched(run)) {
    return null;
  }
  const { acceptedBy } = loss;
  return lossGate(service, { to, mode, kind, stages: plannedStages(run), acceptedBy, at });
}

/** Whether the run has taken nothing from the old site yet, neither its authority nor its database. */
export function isUntouched({ steps }: Pick<Run, 'steps'>): boolean {
  return steps.every(
    (step) => step.openedAt === null || !(movesAuthority(step) || step.action.kind === 'database'),
  );
}
