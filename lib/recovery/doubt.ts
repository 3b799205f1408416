/**
 * Doubt: whether the log still knows where the traffic stands, and whether anybody is active. Pure.
 *
 * The rule, whatever way a run ends (done, failed, cancelled, rejected, superseded): a step that may move
 * traffic counts from when it was *opened*, because that entry gave the permission and a worker that says
 * nothing may have used it. What was opened is settled by the newest such step being known to be done, or by
 * an undo that is. A service is `steady` only if it is settled and somebody is active; else it is `impaired` by
 * its run, no request is answered with `already-active`, and where nobody is active the machine tries again.
 */
import type { StepAction } from './plan.ts';
import { isSameTraffic } from './rebalance.ts';
import type { Run } from './run.ts';
import type { ServiceState } from './state.ts';
import { shareOf, trafficOf } from './traffic.ts';

const MOVING: ReadonlySet<StepAction['kind']> = new Set(['fence', 'switch', 'weights', 'routing']);

/** Whether the log and the world agree about who serves. The open run of the service is another matter. */
export function isSettled({ granted, isTrafficInDoubt, phase }: ServiceState): boolean {
  const isBroken = phase.kind === 'impaired' && phase.cause === 'run-failed';
  return granted && !isTrafficInDoubt && !isBroken;
}

/** Whether a run that did not come through leaves the traffic elsewhere than it was, for all that is known. */
export function isTrafficMoved(run: Run, service: ServiceState): boolean {
  const moving = run.steps.filter(({ action }) => MOVING.has(action.kind));
  if (!moving.some(({ isUndo, openedAt }) => !isUndo && openedAt !== null)) {
    return false;
  }
  const undone = moving.filter(({ isUndo }) => isUndo);
  const isTakenBack =
    undone.length > 0 &&
    undone.every(({ progress }) => progress.kind === 'done') &&
    service.granted &&
    isSameTraffic(service.traffic, run.before);
  return !isTakenBack;
}

/** Whether a run that came through left out just what it was for: the plan called that not essential. */
export function isMoveUnknown(run: Run): boolean {
  const moved = run.steps.filter(
    ({ action, openedAt }) => openedAt !== null && trafficOf(run, action) !== null,
  );
  const last = moved.at(-1);
  return last !== undefined && last.progress.kind !== 'done';
}

/** The authority was withdrawn for a site that never got the traffic: its handover can be repeated. */
export function isHandoverPending({ policy, activeSite, traffic }: ServiceState): boolean {
  return policy.strategy !== 'active-active' && shareOf(traffic, activeSite) === 0;
}
