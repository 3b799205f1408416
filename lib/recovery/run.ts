/**
 * A run: one execution of a plan, held in the log.
 *
 * A worker claims a step by an entry, does an idempotent effect, and records the result by another
 * entry. If it dies in between, another worker claims the same step again with the next attempt
 * number. The effect is fenced by the step's epoch, the (term, index) of the entry that opened its
 * stage, so doing it twice does no harm, and doing it late does nothing.
 *
 * This file holds what a run is. `step-claims.ts` claims and finishes steps, `run-progress.ts`
 * opens stages, settles the steps that need no worker and ends the run, `plans.ts` writes the plan.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import type { AnalysisCode } from './analysis.ts';
import type { PlannedStep, RunMode, StepAction } from './plan.ts';
import type { Epoch } from './state.ts';
import type { Traffic } from './traffic.ts';

/**
 * `setup` makes the name resolve to the active site, once per service or when its records change;
 * `rebalance` changes the shares of an active-active service; `drill` and `drill-return` are a
 * practice and its end.
 */
export type RunKind = 'setup' | 'failover' | 'failback' | 'rebalance' | 'drill' | 'drill-return';

export type StepProgress =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'claimed'; readonly worker: RegionId; readonly at: EpochMillis }
  | { readonly kind: 'done'; readonly at: EpochMillis; readonly evidence: JsonValue }
  | { readonly kind: 'failed'; readonly at: EpochMillis; readonly code: string }
  /** Not for this mode, its precondition did not hold, or the run was over before. */
  | { readonly kind: 'skipped'; readonly at: EpochMillis; readonly code: string };

export interface Step extends PlannedStep {
  /** Steps of one stage are worked on together; the lowest unfinished stage is the open one. */
  readonly stage: number;
  /** Takes back what an earlier step did. */
  readonly isUndo: boolean;
  /** When its stage was opened; null = not yet. */
  readonly openedAt: EpochMillis | null;
  /** From when its time runs, where that is not when it was opened: by a clock that ran ahead. */
  readonly timedFrom?: EpochMillis;
  /** The entry that opened it: the fencing number of its effects. */
  readonly epoch: Epoch | null;
  /** Claims so far; the number a worker must name to finish what it claimed. */
  readonly attempt: number;
  /** Looks that found nothing wrong and nothing there yet; they count no attempt. */
  readonly waits: number;
  /** Who made the latest claim; null before the first. */
  readonly worker: RegionId | null;
  /** Why the latest attempt did not do it; null when none has failed, or the step is done. */
  readonly lastCode: string | null;
  readonly progress: StepProgress;
}

/** Instants that split the actual RTO; null where the run had no such moment. */
export interface RunOrigin {
  /** Last proof of life of the site that failed. */
  readonly lastBeatAt: EpochMillis | null;
  /** The first observer's `failed` verdict after that, or the first alarm where one started the run. */
  readonly firstFailedVerdictAt: EpochMillis | null;
}

/** What the run may lose, as measured when it was authorised. */
export interface LossEstimate {
  readonly lagMs: number | null;
  readonly writes: number | null;
  readonly measuredAt: EpochMillis | null;
  /** Who accepted it; null = nobody had to. */
  readonly acceptedBy: string | null;
}

/** What a person said to an `approve` step. */
export interface Approval {
  readonly step: string;
  readonly by: string;
  readonly verdict: 'approve' | 'reject';
  readonly reason: string;
  readonly at: EpochMillis;
}

export type RunOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'done'; readonly at: EpochMillis; readonly exceptions: readonly string[] }
  | { readonly kind: 'failed'; readonly at: EpochMillis; readonly code: string };

export interface Run {
  readonly id: string;
  readonly service: string;
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly trigger: 'automatic' | 'manual';
  readonly from: string;
  readonly to: string;
  /** The entry that authorised the run, and opened its first stage. */
  readonly epoch: Epoch;
  readonly requestedBy: string;
  readonly reason: string;
  readonly analysis: AnalysisCode;
  readonly origin: RunOrigin;
  readonly authorisedAt: EpochMillis;
  /** Shares that the run wants in the end. */
  readonly traffic: Traffic;
  /** Shares that stood when it began. */
  readonly before: Traffic;
  readonly loss: LossEstimate | null;
  readonly approvals: readonly Approval[];
  /** The run whose `child-plan` step started this one; null = none. */
  readonly parent: string | null;
  /** Whether a failure takes back what was done. */
  readonly onFailure: 'stop' | 'undo';
  /** Why and since when the run takes back what it did; null = it does not. */
  readonly reverting: { readonly code: string; readonly at: EpochMillis } | null;
  /** When a drill goes back; null = the run is none. */
  readonly revertAt: EpochMillis | null;
  readonly steps: readonly Step[];
  readonly outcome: RunOutcome;
}

/** What a worker reports of a step it claimed. */
export type StepResult =
  | { readonly kind: 'done'; readonly evidence: JsonValue }
  /** It did not work out, or nobody knows: claim again, up to the limit. */
  | { readonly kind: 'again'; readonly code: string }
  /** Not there yet, nothing is wrong: look again later. Only the time-out bounds it. */
  | { readonly kind: 'waiting'; readonly code: string }
  /** A repeat would fail too. */
  | { readonly kind: 'failed'; readonly code: string };

/** Codes that the log itself gives a step or a run. Each is explained in `docs/failure-modes.md`. */
export const LOG_STEP_CODES = [
  'workers-lost',
  'step-timed-out',
  'superseded-by-newer-run',
  'cancelled',
  'run-stopped',
  'not-in-this-mode',
  'precondition-not-met',
  'not-fenced',
  'approval-rejected',
  'site-recovered',
  'target-alarm',
  'target-failed',
  'child-plan-circular',
  'child-run-failed',
  'unknown-service',
] as const;

/** A step of a plan before anything happened to it. */
export function freshStep(planned: PlannedStep, stage: number, isUndo: boolean): Step {
  return {
    ...planned,
    stage,
    isUndo,
    openedAt: null,
    epoch: null,
    attempt: 0,
    waits: 0,
    worker: null,
    lastCode: null,
    progress: { kind: 'waiting' },
  };
}

export function isFinished({ progress }: Step): boolean {
  return progress.kind !== 'waiting' && progress.kind !== 'claimed';
}

/**
 * Unfinished steps of the lowest unfinished stage. Of a run that has ended only the report is left:
 * it tells of the end, and touches nothing that a newer run may own.
 */
export function openSteps(run: Run): readonly Step[] {
  const unfinished = run.steps.filter((step) => !isFinished(step));
  const stage = Math.min(...unfinished.map((step) => step.stage));
  return unfinished.filter((step) => step.stage === stage && step.openedAt !== null);
}

/** The steps of the plan, stage by stage, without what takes them back. */
export function plannedStages({ steps }: Pick<Run, 'steps'>): readonly (readonly Step[])[] {
  const numbers = [...new Set(steps.map(({ stage }) => stage))].sort((a, b) => a - b);
  return numbers.map((number) => steps.filter(({ stage, isUndo }) => stage === number && !isUndo));
}

/** Kinds of steps that the log settles by itself: no worker claims them. */
const SETTLED_BY_LOG: ReadonlySet<StepAction['kind']> = new Set([
  'approve',
  'hold',
  'wait-healthy',
  'child-plan',
]);

export function needsWorker({ action }: Pick<Step, 'action'>): boolean {
  return !SETTLED_BY_LOG.has(action.kind);
}

export function withStep(run: Run, step: Step): Run {
  return { ...run, steps: run.steps.map((other) => (other.name === step.name ? step : other)) };
}
