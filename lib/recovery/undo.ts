/**
 * Taking back what a run did, newest first. Pure.
 *
 * A step counts from the moment it was opened: that entry moved the authority, and a worker that
 * says nothing may have done the effect. Steps that would all restore the same traffic are one. A
 * database that was promoted is not demoted by turning round, so a run that came so far stops where
 * it is, unless its owner wrote down how to take the step back.
 */
import type { PlannedStep, StepAction } from './plan.ts';
import { EXTRA, planned } from './planned-step.ts';
import { freshStep, type Run, type Step } from './run.ts';
import type { ServiceState } from './state.ts';
import { holderOf } from './traffic.ts';

/** Whether the traffic may go back to where it was: no promoted database stands in the way. */
export function canRevert(run: Run): boolean {
  return !run.steps.some(
    ({ action, openedAt, progress, undo }) =>
      action.kind === 'database' &&
      openedAt !== null &&
      progress.kind !== 'skipped' &&
      undo === null,
  );
}

/** The steps that take the run back, in stages after those it has; none = there is nothing to undo. */
export function undoSteps(run: Run, service: ServiceState): readonly Step[] {
  const actions = run.steps
    .toReversed()
    .flatMap(({ name, openedAt, progress, undo }) =>
      openedAt === null || progress.kind === 'skipped' || undo === null ? [] : [{ name, undo }],
    )
    .filter(({ undo }, place, all) => place === all.findIndex((other) => isSame(other.undo, undo)));
  const stages = actions.flatMap(({ name, undo }) =>
    takenBack(name, undo, mayHoldLease(run, service)),
  );
  const first = Math.max(-1, ...run.steps.map(({ stage }) => stage)) + 1;
  return stages.map((step, place) => freshStep(step, first + place, true));
}

function takenBack(name: string, undo: StepAction, isFenced: boolean): readonly PlannedStep[] {
  const step = planned(`undo-${name}`, undo, EXTRA);
  if (undo.kind !== 'weights' && undo.kind !== 'switch') {
    return [step];
  }
  const moves: PlannedStep = { ...step, essential: true, when: 'source-alive' };
  const seen = planned(
    `undo-${name}-seen`,
    { kind: 'propagate' },
    { ...EXTRA, when: 'source-alive' },
  );
  return isFenced
    ? [planned(`undo-${name}-fence`, { kind: 'fence' }, { when: 'source-alive' }), moves, seen]
    : [moves, seen];
}

/** Another site than the source may hold a lease: it must have lapsed before the source serves again. */
function mayHoldLease({ from }: Run, service: ServiceState): boolean {
  return service.policy.fencing === 'lease' && holderOf(service) !== from;
}

function isSame(a: StepAction, b: StepAction): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
