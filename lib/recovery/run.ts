/**
 * A run: one execution of a plan, held in the log.
 *
 * A worker claims a step by an entry, does an idempotent effect, and records the result by another
 * entry. If it dies in between, another worker claims the same step again with the next attempt
 * number; the effect is fenced by the run's epoch, so doing it twice does no harm.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import type { AnalysisCode } from './analysis.ts';
import { RUN_LIMITS } from './limits.ts';
import type { Epoch } from './state.ts';

/** `setup` makes the name resolve to the active site, once per service or when its records change. */
export type RunKind = 'setup' | 'failover' | 'failback';
export type StepName = 'switch' | 'propagate' | 'verify' | 'report';

export type StepProgress =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'claimed'; readonly worker: RegionId; readonly at: EpochMillis }
  | { readonly kind: 'done'; readonly at: EpochMillis; readonly evidence: JsonValue }
  | { readonly kind: 'failed'; readonly at: EpochMillis; readonly code: string };

export interface Step {
  readonly name: StepName;
  /** An essential step that fails ends the run as failed; another one leaves an exception. */
  readonly essential: boolean;
  /** Claims that may be made before the step counts as failed. */
  readonly attemptsMax: number;
  /** Claims so far; the number a worker must name to finish what it claimed. */
  readonly attempt: number;
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
  /** Data that the standby had not yet received, as last reported, milliseconds. */
  readonly replicationLagMs: number | null;
}

export type RunOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'done'; readonly at: EpochMillis; readonly exceptions: readonly string[] }
  | { readonly kind: 'failed'; readonly at: EpochMillis; readonly code: string };

export interface Run {
  readonly id: string;
  readonly service: string;
  readonly kind: RunKind;
  readonly trigger: 'automatic' | 'manual';
  readonly from: string;
  readonly to: string;
  readonly epoch: Epoch;
  readonly requestedBy: string;
  readonly reason: string;
  readonly analysis: AnalysisCode;
  readonly origin: RunOrigin;
  readonly authorisedAt: EpochMillis;
  readonly steps: readonly Step[];
  readonly outcome: RunOutcome;
}

/** What a worker reports of a step it claimed. */
export type StepResult =
  | { readonly kind: 'done'; readonly evidence: JsonValue }
  /** It did not work out, or nobody knows: claim again, up to the limit. */
  | { readonly kind: 'again'; readonly code: string }
  /** A repeat would fail too. */
  | { readonly kind: 'failed'; readonly code: string };

/** The first step that is not finished; null when none is left. */
export function currentStep(run: Run): { step: Step; position: number } | null {
  const position = run.steps.findIndex(
    ({ progress }) => progress.kind === 'waiting' || progress.kind === 'claimed',
  );
  const step = run.steps[position];
  return step === undefined ? null : { step, position };
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly run: Run }
  /** Every claim that the step may have is used up, the last one without a word: the step failed. */
  | { readonly kind: 'exhausted'; readonly run: Run }
  | {
      readonly kind: 'refused';
      readonly code: 'run-not-open' | 'not-the-current-step' | 'claimed';
    };

export interface Claim {
  readonly step: StepName;
  /** The attempt number this claim starts: the step's `attempt` + 1. */
  readonly attempt: number;
  readonly worker: RegionId;
  readonly at: EpochMillis;
}

/**
 * Compare-and-set on the attempt number: of two workers that claim at once, one is refused. A step
 * whose workers die one after the other ends here too, or its run would stay open for ever.
 */
export function claimStep(run: Run, claim: Claim): ClaimOutcome {
  const current = currentStep(run);
  if (run.outcome.kind !== 'open') {
    return { kind: 'refused', code: 'run-not-open' };
  }
  if (current === null || current.step.name !== claim.step) {
    return { kind: 'refused', code: 'not-the-current-step' };
  }
  if (current.step.attempt + 1 !== claim.attempt) {
    return { kind: 'refused', code: 'claimed' };
  }
  if (current.step.attempt >= current.step.attemptsMax) {
    const failed = { kind: 'failed', at: claim.at, code: 'workers-lost' } as const;
    const step = { ...current.step, lastCode: failed.code, progress: failed };
    const next = withStep(run, current.position, step);
    return { kind: 'exhausted', run: closeIfOver(next, claim.at) };
  }
  const progress: StepProgress = { kind: 'claimed', worker: claim.worker, at: claim.at };
  return {
    kind: 'claimed',
    run: withStep(run, current.position, {
      ...current.step,
      attempt: claim.attempt,
      worker: claim.worker,
      progress,
    }),
  };
}

export type FinishOutcome =
  | { readonly kind: 'recorded'; readonly run: Run }
  | { readonly kind: 'refused'; readonly code: 'run-not-open' | 'claim-superseded' };

export interface Finish {
  readonly step: StepName;
  readonly attempt: number;
  readonly result: StepResult;
  readonly at: EpochMillis;
}

/** Records a result, if the claim that it belongs to is still the latest one. */
export function finishStep(run: Run, finish: Finish): FinishOutcome {
  const current = currentStep(run);
  if (run.outcome.kind !== 'open') {
    return { kind: 'refused', code: 'run-not-open' };
  }
  const superseded =
    current === null ||
    current.step.name !== finish.step ||
    current.step.progress.kind !== 'claimed' ||
    current.step.attempt !== finish.attempt;
  if (superseded) {
    return { kind: 'refused', code: 'claim-superseded' };
  }
  const progress = progressAfter(current.step, finish);
  const lastCode = finish.result.kind === 'done' ? null : finish.result.code;
  const next = withStep(run, current.position, { ...current.step, lastCode, progress });
  return { kind: 'recorded', run: closeIfOver(next, finish.at) };
}

function progressAfter(step: Step, { result, at }: Finish): StepProgress {
  if (result.kind === 'done') {
    return { kind: 'done', at, evidence: result.evidence };
  }
  if (result.kind === 'again' && step.attempt < step.attemptsMax) {
    return { kind: 'waiting' };
  }
  return { kind: 'failed', at, code: result.code };
}

function closeIfOver(run: Run, at: EpochMillis): Run {
  const failures = run.steps.flatMap(({ name, essential, progress }) =>
    progress.kind === 'failed' ? [{ essential, code: `${name}: ${progress.code}` }] : [],
  );
  const fatal = failures.find(({ essential }) => essential);
  if (fatal !== undefined) {
    return { ...run, outcome: { kind: 'failed', at, code: fatal.code } };
  }
  if (currentStep(run) === null) {
    const exceptions = failures.map(({ code }) => code);
    return { ...run, outcome: { kind: 'done', at, exceptions } };
  }
  return run;
}

function withStep(run: Run, position: number, step: Step): Run {
  return { ...run, steps: run.steps.with(position, step) };
}

/** The plan of each kind of run. */
export function planOf(kind: RunKind): readonly Step[] {
  return kind === 'setup'
    ? [essentialStep('switch'), essentialStep('propagate')]
    : [
        essentialStep('switch'),
        essentialStep('propagate'),
        essentialStep('verify'),
        extraStep('report'),
      ];
}

function essentialStep(name: StepName): Step {
  return {
    name,
    essential: true,
    attemptsMax: RUN_LIMITS.attemptsMax,
    attempt: 0,
    worker: null,
    lastCode: null,
    progress: { kind: 'waiting' },
  };
}

function extraStep(name: StepName): Step {
  return { ...essentialStep(name), essential: false, attemptsMax: RUN_LIMITS.extraAttemptsMax };
}
