/** One run by itself, without a log: its steps are claimed and finished by hand. */
import { type EpochMillis, logIndex, type RegionId, term } from '../../lib/base/identifiers.ts';
import {
  isFinished,
  needsWorker,
  openSteps,
  type Run,
  type Step,
  type StepResult,
} from '../../lib/recovery/run.ts';
import { type Opening, openRun } from '../../lib/recovery/run-opening.ts';
import { advanceRun, afterStep, revertRun } from '../../lib/recovery/run-progress.ts';
import type { ServiceState } from '../../lib/recovery/state.ts';
import { type ClaimOutcome, claimStep, finishStep } from '../../lib/recovery/step-claims.ts';
import { wholeTo } from '../../lib/recovery/traffic.ts';
import { atMs, OBSERVERS, serviceState, WEST } from './service-states.ts';

export const DONE: StepResult = { kind: 'done', evidence: { changes: 2 } };

export interface HandRun {
  readonly run: () => Run;
  readonly service: () => ServiceState;
  /** Names of the steps that are open. */
  readonly open: () => readonly string[];
  readonly step: (name: string) => Step;
  readonly claim: (name: string, worker?: RegionId) => ClaimOutcome;
  /** Claims and finishes the step, or the first open one that a worker must do. */
  readonly finish: (result?: StepResult, name?: string) => void;
  /** Finishes whatever a worker can do. */
  readonly finishAll: () => void;
  readonly wait: (durationMs: number) => void;
  /** The service as the log has it changes under the run. */
  readonly change: (changes: Partial<ServiceState>) => void;
  readonly edit: (changes: Partial<Run>) => void;
  readonly cancel: () => void;
}

const OPENING: Opening = {
  kind: 'failover',
  mode: 'emergency',
  trigger: 'automatic',
  to: WEST,
  traffic: wholeTo(WEST),
  loss: null,
  approval: false,
  atOnce: false,
  revertAt: null,
};

export function handRun(
  changes: Partial<Opening> = {},
  service: ServiceState = serviceState(),
): HandRun {
  let index = 7;
  let now: EpochMillis = atMs(0);
  const moment = () => ({ term: term(1), index: logIndex(index), at: now });
  const by = { requestedBy: 'tripoint', reason: 'automatic' };
  let current = openRun(service, { ...OPENING, ...changes }, { ...moment(), ...by });

  const claim: HandRun['claim'] = (name, worker = OBSERVERS[0] as RegionId) => {
    index += 1;
    const attempt = stepOf(current.run, name).attempt + 1;
    const outcome = claimStep(current.run, { step: name, attempt, worker, at: now });
    if (outcome.kind !== 'refused') {
      const { service: standing } = current;
      current = advanceRun(
        afterStep({ run: outcome.run, service: standing }, name, moment()),
        moment(),
      );
    }
    return outcome;
  };
  const finish: HandRun['finish'] = (result = DONE, wanted = undefined) => {
    const name = wanted ?? openSteps(current.run).find(needsWorker)?.name ?? 'none';
    claim(name);
    index += 1;
    const { attempt } = stepOf(current.run, name);
    const outcome = finishStep(current.run, { step: name, attempt, result, at: now });
    if (outcome.kind === 'refused') {
      throw new Error(`${name}: ${outcome.code}`);
    }
    const { service: standing } = current;
    current = advanceRun(
      afterStep({ run: outcome.run, service: standing }, name, moment()),
      moment(),
    );
  };
  const settle = () => {
    index += 1;
    current = advanceRun(current, moment());
  };
  return {
    run: () => current.run,
    service: () => current.service,
    open: () => openSteps(current.run).map(({ name }) => name),
    step: (name) => stepOf(current.run, name),
    claim,
    finish,
    finishAll: () => {
      while (openSteps(current.run).some(needsWorker)) {
        finish();
      }
    },
    wait: (durationMs) => {
      now = atMs(now - atMs(0) + durationMs);
      settle();
    },
    change: (to) => {
      current = { ...current, service: { ...current.service, ...to } };
      settle();
    },
    edit: (to) => {
      current = { ...current, run: { ...current.run, ...to } };
      settle();
    },
    cancel: () => {
      index += 1;
      current = advanceRun(revertRun(current, 'cancelled', moment()), moment());
    },
  };
}

/** Names of the steps, stage by stage, those that are left out in brackets. */
export function outlineOf({ steps }: Run): string {
  const stages = [...new Set(steps.map(({ stage }) => stage))];
  return stages
    .map((stage) =>
      steps
        .filter((step) => step.stage === stage)
        .map((step) =>
          step.progress.kind === 'skipped' && isFinished(step) ? `(${step.name})` : step.name,
        )
        .join(' | '),
    )
    .join(' → ');
}

function stepOf({ steps }: Run, wanted: string): Step {
  const step = steps.find(({ name }) => name === wanted);
  if (step === undefined) {
    throw new Error(`no step ${wanted} among ${steps.map(({ name }) => name).join(', ')}`);
  }
  return step;
}
