/**
 * Claiming a step, and recording what became of it. Pure.
 *
 * A claim is a compare-and-set on the step's attempt number: of two workers that claim at once, the
 * log refuses one. Nothing here opens a stage or ends a run; `run-progress.ts` does, in the same
 * entry.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import { isTimedOut } from './deadlines.ts';
import {
  isFinished,
  needsWorker,
  openSteps,
  type Run,
  type Step,
  type StepProgress,
  type StepResult,
  withStep,
} from './run.ts';

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly run: Run }
  /** Its claims are used up, the last one without a word, or its time is: the step failed. */
  | { readonly kind: 'failed'; readonly code: 'workers-lost' | 'step-timed-out'; readonly run: Run }
  | {
      readonly kind: 'refused';
      readonly code: 'run-not-open' | 'not-an-open-step' | 'needs-no-worker' | 'claimed';
    };

export interface Claim {
  readonly step: string;
  /** The attempt number this claim starts: the step's `attempt` + 1. */
  readonly attempt: number;
  readonly worker: RegionId;
  readonly at: EpochMillis;
}

/**
 * A step whose workers die one after the other ends here too, or its run would stay open for ever.
 */
export function claimStep(run: Run, claim: Claim): ClaimOutcome {
  const step = openSteps(run).find(({ name }) => name === claim.step);
  if (step === undefined) {
    const code = run.outcome.kind === 'open' ? 'not-an-open-step' : 'run-not-open';
    return { kind: 'refused', code };
  }
  if (!needsWorker(step)) {
    return { kind: 'refused', code: 'needs-no-worker' };
  }
  if (step.attempt + 1 !== claim.attempt) {
    return { kind: 'refused', code: 'claimed' };
  }
  if (isTimedOut(step, claim.at)) {
    return failedClaim(run, { step, code: 'step-timed-out' }, claim.at);
  }
  if (step.attempt - step.waits >= step.attemptsMax) {
    return failedClaim(run, { step, code: 'workers-lost' }, claim.at);
  }
  const { attempt, worker, at } = claim;
  const claimed: Step = { ...step, attempt, worker, progress: { kind: 'claimed', worker, at } };
  return { kind: 'claimed', run: withStep(run, claimed) };
}

function failedClaim(
  run: Run,
  { step, code }: { readonly step: Step; readonly code: 'workers-lost' | 'step-timed-out' },
  at: EpochMillis,
): ClaimOutcome {
  const progress = { kind: 'failed', at, code } as const;
  return { kind: 'failed', code, run: withStep(run, { ...step, lastCode: code, progress }) };
}

export type FinishOutcome =
  | { readonly kind: 'recorded'; readonly run: Run }
  | { readonly kind: 'refused'; readonly code: 'run-not-open' | 'claim-superseded' };

export interface Finish {
  readonly step: string;
  readonly attempt: number;
  readonly result: StepResult;
  readonly at: EpochMillis;
}

/** Records a result, if the claim that it belongs to is still the latest one. */
export function finishStep(run: Run, finish: Finish): FinishOutcome {
  const step = run.steps.find(({ name }) => name === finish.step);
  if (run.outcome.kind !== 'open' && (step === undefined || isFinished(step))) {
    return { kind: 'refused', code: 'run-not-open' };
  }
  if (step?.progress.kind !== 'claimed' || step.attempt !== finish.attempt) {
    return { kind: 'refused', code: 'claim-superseded' };
  }
  const { result } = finish;
  const lastCode = result.kind === 'done' ? null : result.code;
  const waits = step.waits + (result.kind === 'waiting' ? 1 : 0);
  const progress = progressAfter(step, finish);
  return { kind: 'recorded', run: withStep(run, { ...step, lastCode, waits, progress }) };
}

function progressAfter(step: Step, { result, at }: Finish): StepProgress {
  switch (result.kind) {
    case 'done':
      return { kind: 'done', at, evidence: result.evidence };
    case 'waiting':
      return isTimedOut(step, at) ? { kind: 'failed', at, code: 'step-timed-out' } : WAITING;
    case 'again':
      return step.attempt - step.waits < step.attemptsMax
        ? WAITING
        : { kind: 'failed', at, code: result.code };
    default:
      return { kind: 'failed', at, code: result.code };
  }
}

const WAITING: StepProgress = { kind: 'waiting' };
