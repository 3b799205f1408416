/** What the end of a run is to the machine: done, failed, or stopped by a person; and where the traffic is. Pure. */
import type { LogIndex } from '../base/identifiers.ts';
import { isMoveUnknown, isTrafficMoved } from './doubt.ts';
import type { MachineEvent } from './machine.ts';
import type { Run } from './run.ts';
import type { ServiceState } from './state.ts';

/**
 * The event of a run that is not open any more. One that came through and left nobody active, or the
 * traffic who knows where, has failed all the same.
 *
 * @param index of the entry that ended it
 */
export function endingOf(run: Run, service: ServiceState, index: LogIndex): MachineEvent {
  const { outcome } = run;
  const isStillborn = run.epoch.index === index;
  if (outcome.kind === 'done') {
    return service.granted && !isMoveUnknown(run)
      ? { kind: 'run-done' }
      : { kind: 'run-failed', isTrafficMoved: true, isStillborn };
  }
  const code = outcome.kind === 'failed' ? outcome.code : '';
  const isStopped = code === 'cancelled' || code.endsWith('approval-rejected');
  const isMoved = isTrafficMoved(run, service);
  return isStopped
    ? { kind: 'run-cancelled', isTrafficMoved: isMoved }
    : { kind: 'run-failed', isTrafficMoved: isMoved, isStillborn };
}
