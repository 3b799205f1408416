/**
 * What follows when a step of a run ended, or time has passed: the next stage is opened, steps that
 * need no worker are settled, a run that failed takes back what it did, and the run ends. Pure.
 *
 * Everything happens within one entry of the log: the entry that finishes a stage opens the next
 * one, and its (term, index) is the fencing number of that stage's effects. A run that has ended
 * opens its report and nothing else.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { isTimedOut } from './deadlines.ts';
import { doesHold, settledProgress, targetLostCode } from './log-steps.ts';
import {
  isFinished,
  openSteps,
  type Run,
  type RunOutcome,
  type Step,
  type StepProgress,
  withStep,
} from './run.ts';
import type { Epoch, ServiceState } from './state.ts';
import { settledRun } from './time-boxes.ts';
import { isUnfenced, movesAuthority, onStepOpened, withAuthority } from './traffic.ts';
import { canRevert, undoSteps } from './undo.ts';

/** A run, and the service as far as the run moved its authority. */
export interface RunAndService {
  readonly run: Run;
  readonly service: ServiceState;
}

/** Place and time of the entry. */
export interface RunMoment extends Epoch {
  readonly at: EpochMillis;
}

/** Brings a run as far as it can come by itself. Total; a run that waits for a worker stays as it is. */
export function advanceRun(before: RunAndService, moment: RunMoment): RunAndService {
  const settled = settledRun(before.run, moment.at);
  let current: RunAndService = settled === before.run ? before : { ...before, run: settled };
  const bound = 4 * before.run.steps.length + 8;
  for (let turn = 0; turn < bound; turn += 1) {
    const next = advancedOnce(current, moment);
    if (next === null) {
      return current;
    }
    current = next;
  }
  invariant(false, 'run-never-rests', { run: before.run.id });
}

/** One thing that follows; null = nothing does. */
function advancedOnce(current: RunAndService, moment: RunMoment): RunAndService | null {
  const settled = settleSteps(current, moment);
  if (settled !== null) {
    return settled;
  }
  const { run, service } = current;
  if (run.outcome.kind !== 'open') {
    return null;
  }
  const fatal = run.reverting === null ? fatalCode(run) : null;
  if (fatal !== null) {
    return stopRun(current, fatal, moment);
  }
  const unfinished = run.steps.filter((step) => !isFinished(step));
  if (run.reverting !== null && unfinished.every(isReport)) {
    return { run: endRun(run, run.reverting.code, moment), service };
  }
  if (unfinished.length === 0) {
    return { run: { ...run, outcome: outcomeOf(run, moment.at) }, service };
  }
  return openSteps(run).length > 0 ? null : openNextStage(current, moment);
}

/** Ends what has no worker and is over, and what ran out of time without one. */
function settleSteps({ run, service }: RunAndService, moment: RunMoment): RunAndService | null {
  const { at } = moment;
  for (const step of openSteps(run)) {
    const progress = settledProgress(step, { run, service, at }) ?? timedOut(step, at);
    if (progress !== null) {
      const lastCode = progress.kind === 'failed' ? progress.code : null;
      const after = withStep(run, { ...step, lastCode, progress });
      return afterStep({ run: after, service }, step.name, moment);
    }
  }
  return null;
}

/** An attempt that is under way is left to its worker, or to whoever claims the step after it. */
function timedOut(step: Step, at: EpochMillis): StepProgress | null {
  const isOver = step.progress.kind === 'waiting' && isTimedOut(step, at);
  return isOver ? { kind: 'failed', at, code: 'step-timed-out' } : null;
}

/**
 * A fence that is done gives the role out again; one that is not leaves nobody active. It does so under
 * an epoch of its own: the target was told to stand by under the fence's, and a site that hears two
 * roles of one epoch believes the more cautious.
 */
export function afterStep(
  { run, service }: RunAndService,
  name: string,
  { term, index }: RunMoment,
): RunAndService {
  const step = run.steps.find((candidate) => candidate.name === name);
  const isFenced = step?.action.kind === 'fence' && step.progress.kind === 'done';
  const isOurs = step?.epoch?.index === service.epoch.index;
  const granted = { ...withAuthority(service), epoch: { term, index } };
  return isFenced && isOurs ? { run, service: granted } : { run, service };
}

/** Opens the lowest stage that is not finished; a step that is not for this run is skipped. */
function openNextStage({ run, service }: RunAndService, moment: RunMoment): RunAndService {
  const { term, index, at } = moment;
  const unfinished = run.steps.filter((step) => !isFinished(step));
  const stage = Math.min(...unfinished.map((step) => step.stage));
  let current: RunAndService = { run, service };
  for (const step of unfinished.filter((candidate) => candidate.stage === stage)) {
    const progress = progressUnopened(step, current, at);
    const opened: Step =
      progress === null
        ? { ...step, openedAt: at, epoch: { term, index } }
        : { ...step, lastCode: progress.kind === 'failed' ? progress.code : null, progress };
    current = {
      run: withStep(current.run, opened),
      service: onStepOpened(current.service, run, opened),
    };
  }
  return current;
}

/** What becomes of a step that is not opened; null = it is. */
function progressUnopened(
  step: Step,
  current: RunAndService,
  at: EpochMillis,
): StepProgress | null {
  const skipped = skipCode(step, current);
  if (skipped !== null) {
    return { kind: 'skipped', at, code: skipped };
  }
  const { run, service } = current;
  if (isUnfenced(service, run, step)) {
    return { kind: 'failed', at, code: 'not-fenced' };
  }
  const lost = movesAuthority(step) && !step.isUndo ? targetLostCode(run, service) : null;
  return lost === null ? null : { kind: 'failed', at, code: lost };
}

function skipCode(step: Step, { run, service }: RunAndService): string | null {
  if (step.mode !== 'both' && step.mode !== run.mode) {
    return 'not-in-this-mode';
  }
  return step.when === null || doesHold(step.when, run, service) ? null : 'precondition-not-met';
}

function fatalCode({ steps }: Run): string | null {
  const fatal = steps.find(({ essential, progress }) => essential && progress.kind === 'failed');
  return fatal?.progress.kind === 'failed' ? `${fatal.name}: ${fatal.progress.code}` : null;
}

/** After a failure: takes back what was done where the plan says so, or ends where it is. */
function stopRun(current: RunAndService, code: string, moment: RunMoment): RunAndService {
  const { run, service } = current;
  return run.onFailure === 'undo'
    ? revertRun(current, code, moment)
    : { run: endRun(run, code, moment), service };
}

/**
 * Takes back what the run did, newest first; it then ends as failed with this code. Where nothing can be taken
 * back it ends at once.
 */
export function revertRun(
  { run, service }: RunAndService,
  code: string,
  moment: RunMoment,
): RunAndService {
  const undo = canRevert(run) ? undoSteps(run, service) : [];
  if (undo.length === 0) {
    return { run: endRun(run, code, moment), service };
  }
  const last = Math.max(...undo.map(({ stage }) => stage));
  const steps = stoppedSteps(run, moment.at).map((step) =>
    isReport(step) ? { ...step, stage: last + 1 } : step,
  );
  const reverting = { code, at: moment.at };
  return { run: { ...run, reverting, steps: orderedByStage([...steps, ...undo]) }, service };
}

function orderedByStage(steps: readonly Step[]): readonly Step[] {
  return steps.toSorted((a, b) => a.stage - b.stage);
}

function isReport({ action }: Step): boolean {
  return action.kind === 'report';
}

/** What was not done will not be, except for the report. What was opened may have been begun: that is no skip. */
function stoppedSteps({ steps }: Run, at: EpochMillis): readonly Step[] {
  return steps.map((step) => {
    if (isFinished(step) || isReport(step)) {
      return step;
    }
    const code = 'run-stopped';
    const kind = step.openedAt === null ? 'skipped' : 'failed';
    return { ...step, progress: { kind, at, code } };
  });
}

/**
 * A newer run takes the service over. What was done already is not undone by that: a run that had only its
 * report left to write is done.
 */
export function supersedeRun(run: Run, moment: RunMoment): Run {
  const ended = endRun(run, 'superseded-by-newer-run', moment);
  return isThrough(run) ? { ...ended, outcome: outcomeOf(run, moment.at) } : ended;
}

/** What the run was for is done, and what is left to write tells of it: there is nothing to stop or take back. */
export function isThrough({ reverting, steps }: Run): boolean {
  return reverting === null && steps.every((step) => isFinished(step) || isReport(step));
}

/** Ends an open run as failed; only its report is still to be written. */
function endRun(run: Run, code: string, { term, index, at }: RunMoment): Run {
  const steps = stoppedSteps(run, at).map((step) =>
    isFinished(step) || step.openedAt !== null
      ? step
      : { ...step, openedAt: at, epoch: { term, index } },
  );
  return { ...run, steps, outcome: { kind: 'failed', at, code: run.reverting?.code ?? code } };
}

function outcomeOf({ steps, reverting }: Run, at: EpochMillis): RunOutcome {
  if (reverting !== null) {
    return { kind: 'failed', at, code: reverting.code };
  }
  const exceptions = steps.flatMap(({ name, progress }) =>
    progress.kind === 'failed' ? [`${name}: ${progress.code}`] : [],
  );
  return { kind: 'done', at, exceptions };
}
