/**
 * When the time of an open step is over. Pure.
 *
 * The instants are wall clocks of whoever proposed the entries, and one of them may be wrong by hours. So no
 * clock alone fails a step that a worker must do: it gets one attempt, whatever the time, and the attempt that
 * is under way is left to end. A wrong clock may shorten the patience with a step, never take its chance.
 *
 * A fence has no deadline: nobody is active while it is open, and to give up would leave it so. It ends when the
 * leases have lapsed, on the worker's monotonic clock, and only workers that are lost one after the other fail it.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { needsWorker, type Step } from './run.ts';
import { timedFromOf } from './time-boxes.ts';

/** Null = the step is not open yet, or has no deadline. */
export function deadlineOf(step: Step): EpochMillis | null {
  const from = timedFromOf(step);
  return from === null || step.action.kind === 'fence' ? null : epochMillis(from + step.timeoutMs);
}

export function isTimedOut(step: Step, now: EpochMillis): boolean {
  const deadline = deadlineOf(step);
  const hadItsChance = step.attempt > 0 || !needsWorker(step);
  return deadline !== null && hadItsChance && now >= deadline;
}
