/**
 * Where the time of a run went: the actual RTO, split by stage.
 *
 * Clients suffer from the last proof of life until the new site is verified, so the clock starts at
 * `lastBeatAt` when a site failed, and at the authorisation when a person asked. The instants come
 * from the clocks of different regions: a stage may be off by their skew, and is not "corrected".
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { Run, StepName } from '../recovery/run.ts';
import type { StagesJson } from './schemas.ts';

export function stagesOf(run: Run): StagesJson {
  const { lastBeatAt, firstFailedVerdictAt } = run.origin;
  const switchedAt = doneAt(run, 'switch');
  const propagatedAt = doneAt(run, 'propagate');
  const verifiedAt = doneAt(run, 'verify');
  return {
    detectMs: between(lastBeatAt, firstFailedVerdictAt),
    decideMs: between(firstFailedVerdictAt, run.authorisedAt),
    actMs: between(run.authorisedAt, switchedAt),
    propagateMs: between(switchedAt, propagatedAt),
    verifyMs: between(propagatedAt, verifiedAt),
    totalMs: between(lastBeatAt ?? run.authorisedAt, verifiedAt),
  };
}

function doneAt({ steps }: Run, name: StepName): EpochMillis | null {
  const progress = steps.find((step) => step.name === name)?.progress;
  return progress?.kind === 'done' ? progress.at : null;
}

function between(from: EpochMillis | null, to: EpochMillis | null): number | null {
  return from === null || to === null ? null : to - from;
}
