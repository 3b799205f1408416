/** What a scenario says of the service's own objectives, and which runs are the recovery. Pure. */
import type { Run } from '../../recovery/run.ts';
import { shareOf } from '../../recovery/traffic.ts';
import type { RecoveryStages } from './recorder.ts';

/** An objective, what came of it, and whether it was met. */
export interface Judgement {
  readonly objectiveMs: number;
  /** null = not reached within the scenario, or nothing failed that it is about. */
  readonly actualMs: number | null;
  /** What was not reached is not met. null = nothing failed that it is about. */
  readonly met: boolean | null;
}

export interface Objectives {
  readonly rto: Judgement;
  readonly rpo: Judgement;
}

/** What a failure of the active site came to; null = the scenario strikes none. */
export function judge(
  { rtoMs, rpoMs }: { readonly rtoMs: number; readonly rpoMs: number },
  failure: { readonly stages: Pick<RecoveryStages, 'rtoMs'>; readonly rpoMs: number } | null,
): Objectives {
  const judged = (objectiveMs: number, actualMs: number | null): Judgement => ({
    objectiveMs,
    actualMs,
    met: failure === null ? null : actualMs !== null && actualMs <= objectiveMs,
  });
  return {
    rto: judged(rtoMs, failure?.stages.rtoMs ?? null),
    rpo: judged(rpoMs, failure?.rpoMs ?? null),
  };
}

/** Names of the objectives that were missed or not reached. */
export function missedObjectives(objectives: Objectives): readonly (keyof Objectives)[] {
  return (['rto', 'rpo'] as const).filter((name) => objectives[name].met === false);
}

/** Whether the run takes the traffic away from the site: a failover, or shares without it. */
export function isRecoveryFrom(
  { kind, before, traffic }: Pick<Run, 'kind' | 'before' | 'traffic'>,
  site: string,
): boolean {
  return (
    kind === 'failover' ||
    (kind === 'rebalance' && shareOf(before, site) > 0 && shareOf(traffic, site) === 0)
  );
}
