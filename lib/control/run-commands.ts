/**
 * What the log does with runs: workers claim and finish steps, people approve and cancel, and after
 * every entry each open run is brought as far as it can come by itself. Pure.
 */

import { epochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isMoveUnknown } from '../recovery/doubt.ts';
import { runReviewAt } from '../recovery/log-steps.ts';
import { gateAmid } from '../recovery/loss-questions.ts';
import type { MachineEvent, Moment } from '../recovery/machine.ts';
import { isFinished, openSteps, type Run, type Step } from '../recovery/run.ts';
import { endingOf } from '../recovery/run-ending.ts';
import {
  advanceRun,
  afterStep,
  isThrough,
  type RunAndService,
  revertRun,
} from '../recovery/run-progress.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { claimStep, finishStep } from '../recovery/step-claims.ts';
import { childProgress } from './child-plans.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { reconsider, stepService } from './service-events.ts';
import { runEnded, stepWaits, withEvents } from './timeline.ts';

type RunCommand = Extract<
  ControlCommand,
  { kind: 'claim-step' | 'finish-step' | 'approve' | 'cancel-run' }
>;
type CommandOf<Kind extends RunCommand['kind']> = Extract<RunCommand, { kind: Kind }>;

export function reduceRun(state: RecoveryState, command: RunCommand, moment: Moment): Reduction {
  const run = state.runs.find(({ id }) => id === command.run);
  if (run === undefined) {
    return { state, result: refused('unknown-run', `no run ${command.run}`) };
  }
  switch (command.kind) {
    case 'claim-step':
      return claim(state, { run, command }, moment);
    case 'finish-step':
      return finish(state, { run, command }, moment);
    case 'approve':
      return approve(state, { run, command }, moment);
    default:
      return cancel(state, { run, command }, moment);
  }
}

interface Of<Kind extends RunCommand['kind']> {
  readonly run: Run;
  readonly command: CommandOf<Kind>;
}

function claim(
  state: RecoveryState,
  { run, command }: Of<'claim-step'>,
  moment: Moment,
): Reduction {
  const { step, worker } = command;
  const outcome = claimStep(run, command);
  switch (outcome.kind) {
    case 'claimed':
      return {
        state: withRun(state, outcome.run),
        result: accepted('claimed', `${worker} works on ${step}`),
      };
    case 'failed':
      return {
        state: afterChange(state, outcome.run, { step, moment }),
        result: refused(outcome.code, `step ${step} of ${run.id} failed: ${outcome.code}`),
      };
    case 'refused':
      return { state, result: refused(outcome.code, `step ${step} of ${run.id} is not free`) };
  }
}

function finish(
  state: RecoveryState,
  { run, command }: Of<'finish-step'>,
  moment: Moment,
): Reduction {
  const { step, result } = command;
  const outcome = finishStep(run, command);
  if (outcome.kind === 'refused') {
    return { state, result: refused(outcome.code, `another claim of ${step} is the valid one`) };
  }
  const told = withEvents(state, stepWaits(outcome.run, command), moment);
  return {
    state: afterChange(told, outcome.run, { step, moment }),
    result: accepted('recorded', `${step} of ${run.id}: ${result.kind}`),
  };
}

// ── People ───────────────────────────────────────────────────────────────────────────────────────

function approve(state: RecoveryState, { run, command }: Of<'approve'>, moment: Moment): Reduction {
  const { step: name, by, verdict, reason, at } = command;
  const step = openSteps(run).find((candidate) => candidate.name === name);
  if (step?.action.kind !== 'approve' || run.outcome.kind !== 'open') {
    const sentence = `step ${name} of ${run.id} does not wait for an approval`;
    return { state, result: refused('not-waiting-for-approval', sentence) };
  }
  if (verdict === 'approve' && isSamePerson(by, run.requestedBy)) {
    const sentence = `${by} asked for ${run.id}: a second person must approve it`;
    return { state, result: refused('approver-asked-for-it', sentence) };
  }
  const service = ownValue(state.services, run.service);
  const isAsked = verdict === 'approve' && service !== undefined;
  const gate = isAsked ? gateAmid(run, service, moment.at) : null;
  if (gate?.kind === 'closed') {
    const hint =
      'reject it and ask anew, accept it by an override, or approve when the lag has fallen';
    return { state, result: refused(gate.code, `${gate.sentence}: ${hint}`) };
  }
  const approved: Run = {
    ...run,
    loss: gate?.loss ?? run.loss,
    approvals: [...run.approvals, { step: name, by, verdict, reason, at }],
  };
  const said = verdict === 'approve' ? 'approved' : 'rejected';
  const sentence = `${by} ${said} ${name} of ${run.id}: ${reason}`;
  const told = withEvents(state, [{ service: run.service, kind: said, sentence }], moment);
  return {
    state: afterChange(told, approved, { step: name, moment }),
    result: accepted(said, sentence),
  };
}

/** Names as people write them: case, width, spaces and what is not seen tell nobody apart. */
function isSamePerson(a: string, b: string): boolean {
  return plainName(a) === plainName(b);
}

function plainName(name: string): string {
  const seen = name.normalize('NFKC').replaceAll(/\p{Default_Ignorable_Code_Point}+/gu, '');
  // Upper case first: `ß` and `SS` are one letter to a reader.
  return seen.toUpperCase().toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

function cancel(
  state: RecoveryState,
  { run, command }: Of<'cancel-run'>,
  moment: Moment,
): Reduction {
  const service = ownValue(state.services, run.service);
  if (run.outcome.kind !== 'open' || service === undefined) {
    return { state, result: refused('run-not-open', `run ${run.id} has ended`) };
  }
  if (run.reverting !== null) {
    const sentence = `run ${run.id} takes back what it did already: ${run.reverting.code}`;
    return { state, result: refused('run-reverting', sentence) };
  }
  if (isThrough(run) && !isMoveUnknown(run)) {
    const sentence = `run ${run.id} has done what it was for, only its report is left; to go elsewhere before that is written ask for another run with force`;
    return { state, result: refused('run-not-open', sentence) };
  }
  const sentence = `${command.by} cancelled run ${run.id}: ${command.reason}`;
  const told = withEvents(state, [{ service: run.service, kind: 'cancelled', sentence }], moment);
  const reverted = revertRun({ run, service }, 'cancelled', moment);
  return {
    state: adopt(told, advanceRun(reverted, moment), moment),
    result: accepted('run-cancelled', sentence),
  };
}

// ── What follows ─────────────────────────────────────────────────────────────────────────────────

/** A step of the run changed: what follows from that happens in the same entry. */
function afterChange(
  state: RecoveryState,
  run: Run,
  { step, moment }: { readonly step: string; readonly moment: Moment },
): RecoveryState {
  const service = ownValue(state.services, run.service);
  return service === undefined
    ? withRun(state, run)
    : adopt(state, advanceRun(afterStep({ run, service }, step, moment), moment), moment);
}

/**
 * Takes the run up, and the service where the run is the one that moves it. An ended run gives the
 * service back, and whatever went wrong meanwhile is looked at at once.
 */
function adopt(
  state: RecoveryState,
  { run, service }: RunAndService,
  moment: Moment,
): RecoveryState {
  const next = withRun(state, run);
  const standing = ownValue(state.services, run.service);
  const isOurs = standing !== undefined && 'run' in standing.phase && standing.phase.run === run.id;
  if (!isOurs) {
    return next;
  }
  const moved = { ...next, services: { ...next.services, [run.service]: service } };
  if (run.outcome.kind === 'open') {
    return moved;
  }
  const event: MachineEvent = endingOf(run, service, moment.index);
  const told = withEvents(moved, runEnded(run), moment);
  const ended = stepService(told, { service, event }, moment);
  const after = ownValue(ended.services, run.service);
  return after === undefined ? ended : reconsider(ended, after, moment);
}

function withRun(state: RecoveryState, run: Run): RecoveryState {
  return { ...state, runs: state.runs.map((other) => (other.id === run.id ? run : other)) };
}

/**
 * After every entry: steps that the log settles are settled, children are started and followed, and
 * the next look is set. An entry that concerns no run leaves the state as it is. Time passes for the runs
 * of a service only by entries about it: a clock that is wrong by hours spoils nothing else.
 *
 * @param subject the service that the entry is about; null = none, or all
 */
export function settleRuns(
  before: RecoveryState,
  subject: string | null,
  moment: Moment,
): RecoveryState {
  let state = before;
  // Each pass ends at least one step; a run that ends may end its parent's step.
  for (let pass = 0; pass < SETTLE_PASSES_MAX; pass += 1) {
    const next = state.runs.reduce(
      (current, { id }) => settleRun(current, { id, subject }, moment),
      state,
    );
    if (next === state) {
      break;
    }
    state = next;
  }
  return withReviews(state);
}

const SETTLE_PASSES_MAX = 100;

function settleRun(
  state: RecoveryState,
  { id, subject }: { readonly id: string; readonly subject: string | null },
  moment: Moment,
): RecoveryState {
  const run = state.runs.find((candidate) => candidate.id === id);
  const service = run === undefined ? undefined : ownValue(state.services, run.service);
  if (run === undefined || service === undefined) {
    return state;
  }
  const isHeld = 'run' in service.phase && service.phase.run === id;
  if (isHeld && run.outcome.kind !== 'open') {
    // It ended in the entry that authorised it: nothing has given the service back yet.
    return adopt(state, { run, service }, moment);
  }
  if (run.steps.every(isFinished)) {
    return state;
  }
  const child = openSteps(run).find(({ action }) => action.kind === 'child-plan');
  if (child !== undefined) {
    const followed = followChild(state, { run, step: child }, moment);
    if (followed !== state) {
      return followed;
    }
  }
  if (run.service !== subject) {
    return state;
  }
  const advanced = advanceRun({ run, service }, moment);
  return advanced.run === run ? state : adopt(state, advanced, moment);
}

function followChild(
  state: RecoveryState,
  { run, step }: { readonly run: Run; readonly step: Step },
  moment: Moment,
): RecoveryState {
  const { state: started, progress } = childProgress(state, { run, step }, moment);
  if (progress === null) {
    return started;
  }
  const lastCode = progress.kind === 'failed' ? progress.code : null;
  const steps = run.steps.map((other) =>
    other.name === step.name ? { ...step, lastCode, progress } : other,
  );
  return afterChange(started, { ...run, steps }, { step: step.name, moment });
}

/** A service is looked at again when an open step of its run may come out otherwise by time alone. */
function withReviews(state: RecoveryState): RecoveryState {
  return state.runs.reduce((current, run) => {
    const service = ownValue(current.services, run.service);
    const reviewAt = service === undefined ? null : runReviewAt(run, service);
    return service === undefined || reviewAt === null || (service.reviewAt ?? Infinity) <= reviewAt
      ? current
      : withReview(current, { ...service, reviewAt: epochMillis(reviewAt) });
  }, state);
}

function withReview(state: RecoveryState, service: ServiceState): RecoveryState {
  return { ...state, services: { ...state.services, [service.policy.service]: service } };
}
