/** The snapshot function: a copy of the state each hour, in this region's bucket and in another's. */
import { AppError } from '../base/errors.ts';
import { METRICS } from '../config/names.ts';
import { type Composition, composeRegion } from './compose.ts';

export type SnapshotHandler = () => Promise<void>;

/** @throws AppError (from the handler) `snapshot-failed` or `state-unknown`, so that Lambda repeats it. */
export function composeSnapshot(composition: Composition = composeRegion()): SnapshotHandler {
  const { region, metrics, log } = composition;
  return async () => {
    await region.refresh();
    const outcome = await region.takeSnapshot();
    const { appliedIndex } = region.plane.status().position;
    log('info', 'snapshot', { ...outcome, appliedIndex });
    if (outcome.kind === 'failed') {
      throw new AppError(`the snapshot was not stored: ${outcome.detail}`, {
        code: 'snapshot-failed',
        hint: 'Repeated by itself; see the runbook, section snapshot-missing, when it recurs.',
        retryable: true,
      });
    }
    if (appliedIndex === 0) {
      throw new AppError('this region knows no entry of the log, so there is no state to store', {
        code: 'state-unknown',
        hint: 'Run `tripoint bootstrap` once; later it means that the register does not answer.',
        retryable: true,
      });
    }
    metrics.count(METRICS.snapshotsStored);
  };
}
