/**
 * Where the time of a run went: the actual RTO, split by stage, also while the run is open.
 *
 * A run that came through has the numbers of its report (`recoveryTimes`). One that has not shows
 * the stages that are over, and `null` for what is still to come.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { recoveryTimes } from '../recovery/report.ts';
import type { Run } from '../recovery/run.ts';
import type { StagesJson } from './schemas.ts';

export function stagesOf(run: Run): StagesJson {
  const times = recoveryTimes(run);
  if (times !== null) {
    return { ...times };
  }
  const { lastBeatAt, firstFailedVerdictAt } = run.origin;
  const switchedAt = doneAt(run, 'switch');
  return {
    detectMs: between(lastBeatAt, firstFailedVerdictAt),
    decideMs: between(firstFailedVerdictAt, run.authorisedAt),
    actMs: between(run.authorisedAt, switchedAt),
    propagateMs: between(switchedAt, doneAt(run, 'propagate')),
    verifyMs: null,
    totalMs: null,
  };
}

function doneAt({ steps }: Run, name: string): EpochMillis | null {
  const progress = steps.find((step) => step.name === name)?.progress;
  return progress?.kind === 'done' ? progress.at : null;
}

function between(from: EpochMillis | null, to: EpochMillis | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}
