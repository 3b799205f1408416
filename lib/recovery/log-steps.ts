/**
 * Steps that the log settles by itself: nobody has to do anything, something has to become true. An
 * approval arrives as a command, health as verdicts, time as a review. Pure.
 */
import { type EpochMillis, epochMillis, type LogIndex } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { countingAlarms } from './alarm-policy.ts';
import { analyse, FAILED_CODES, isReady, SERVING_CODES } from './analysis.ts';
import { deadlineOf, isTimedOut } from './deadlines.ts';
import { isUntouched } from './loss-questions.ts';
import type { Precondition, SiteReference } from './plan.ts';
import type { ServicePolicy } from './policy.ts';
import { openSteps, type Run, type Step, type StepProgress } from './run.ts';
import type { Epoch, ServiceState, SiteState } from './state.ts';
import { timedFromOf } from './time-boxes.ts';

interface Situation {
  readonly run: Run;
  readonly service: ServiceState;
  readonly at: EpochMillis;
}

/** What became of a step that needs no worker; null = nothing yet, or a worker must say. */
export function settledProgress(step: Step, situation: Situation): StepProgress | null {
  switch (step.action.kind) {
    case 'approve':
      return approvalOf(step, situation);
    case 'hold':
      return heldProgress(step, situation, step.action.forMs);
    case 'wait-healthy':
      return healthyProgress(step, situation);
    default:
      return null;
  }
}

function approvalOf({ name }: Step, { run, service, at }: Situation): StepProgress | null {
  const approval = run.approvals.find(({ step }) => step === name);
  if (approval === undefined) {
    return isCauseGone(run, service) ? { kind: 'failed', at, code: 'site-recovered' } : null;
  }
  const { by, reason } = approval;
  return approval.verdict === 'approve'
    ? { kind: 'done', at: approval.at, evidence: { by, reason } }
    : { kind: 'failed', at: approval.at, code: 'approval-rejected' };
}

/** What came by itself against a failure has no cause once the site serves again, while nobody agreed. */
function isCauseGone(run: Run, service: ServiceState): boolean {
  return (
    run.trigger === 'automatic' &&
    FAILED_CODES.has(run.analysis) &&
    isUntouched(run) &&
    SERVING_CODES.has(analyse(service).code)
  );
}

/** An alarm that counts, or a verdict of the quorum, ends the hold at once; time ends it well. */
function heldProgress(
  step: Step,
  { run, service, at }: Situation,
  forMs: number,
): StepProgress | null {
  const target = ownValue(service.sites, run.to);
  const code = accusationOf(target, service.policy);
  if (code !== null) {
    return { kind: 'failed', at, code };
  }
  const from = timedFromOf(step);
  return from !== null && at >= from + forMs
    ? { kind: 'done', at, evidence: { heldMs: forMs } }
    : null;
}

/**
 * Why the traffic must not go to the target any more; null = it may. What stood against it when the
 * run was authorised was known then, and somebody forced it; what came later nobody has agreed to.
 * In an emergency only a target that is gone stops the run: one in trouble is better than none.
 */
export function targetLostCode(
  { kind, mode, from, to, epoch }: Run,
  { policy, sites }: ServiceState,
): 'target-alarm' | 'target-failed' | null {
  const target = ownValue(sites, to);
  if (kind === 'setup' || from === to) {
    return null;
  }
  if (target === undefined) {
    return 'target-failed';
  }
  const isNews = isSince(target.opinionIndex, epoch);
  const isGone = target.opinion.state === 'failed' || target.opinion.code === 'deregistered';
  if (isNews && (isGone || (mode === 'graceful' && target.opinion.state === 'degraded'))) {
    return 'target-failed';
  }
  const alarms = mode === 'graceful' ? countingAlarms(target, policy.alarms) : [];
  return alarms.some(({ index }) => isSince(index, epoch)) ? 'target-alarm' : null;
}

/**
 * Whether an entry came after the one that authorised a run. The log orders them; the wall clocks of
 * those who proposed the two may be hours apart.
 */
export function isSince(index: LogIndex | undefined, epoch: Epoch): boolean {
  return index !== undefined && index > epoch.index;
}

/** What stands against a site; null = nothing that the quorum says, and no alarm that counts. */
function accusationOf(
  site: SiteState | undefined,
  { alarms }: ServicePolicy,
): 'target-alarm' | 'target-failed' | null {
  if (countingAlarms(site, alarms).length > 0) {
    return 'target-alarm';
  }
  const opinion = site?.opinion;
  const isGone = opinion === undefined || opinion.code === 'deregistered';
  return isGone || opinion.state === 'failed' || opinion.state === 'degraded'
    ? 'target-failed'
    : null;
}

function healthyProgress(step: Step, { run, service, at }: Situation): StepProgress | null {
  const until = ripeAt(step, run, service);
  const { action } = step;
  return until !== null && at >= until && action.kind === 'wait-healthy'
    ? { kind: 'done', at, evidence: { healthyForMs: action.forMs } }
    : null;
}

/** When a site that is healthy now will have been so for long enough; null = it is not healthy. */
function ripeAt({ action }: Step, run: Run, service: ServiceState): EpochMillis | null {
  if (action.kind !== 'wait-healthy') {
    return null;
  }
  const site = ownValue(service.sites, siteIn(run, action.site));
  const since = site?.opinion.state === 'healthy' ? site.opinionSince : null;
  return since === null ? null : epochMillis(since + action.forMs);
}

/** The site that a plan speaks of. */
export function siteIn({ from, to }: Pick<Run, 'from' | 'to'>, reference: SiteReference): string {
  switch (reference) {
    case 'target':
      return to;
    case 'source':
      return from;
    default:
      return reference.site;
  }
}

export function doesHold(
  precondition: Precondition,
  { from, to }: Run,
  service: ServiceState,
): boolean {
  const { sites } = service;
  const source = ownValue(sites, from)?.opinion;
  const isSourceGone = source?.state === 'failed' || source?.code === 'deregistered';
  switch (precondition) {
    case 'source-alive':
      return !isSourceGone;
    case 'source-failed':
      return isSourceGone;
    case 'target-healthy':
      return isReady(service, to);
  }
}

/** Only a step that had its chance can time out. */
function timeOutAt(step: Step): EpochMillis | null {
  const deadline = deadlineOf(step);
  return deadline !== null && isTimedOut(step, deadline) ? deadline : null;
}

/** When the run must be looked at though no entry arrives; null = only entries change it. */
export function runReviewAt(run: Run, service: ServiceState): EpochMillis | null {
  const instants = openSteps(run).flatMap((step) => {
    const { action } = step;
    const from = timedFromOf(step);
    const heldAt =
      action.kind === 'hold' && from !== null ? epochMillis(from + action.forMs) : null;
    const deadline = step.progress.kind === 'waiting' ? timeOutAt(step) : null;
    return [deadline, heldAt, ripeAt(step, run, service)].filter((instant) => instant !== null);
  });
  return instants.length === 0 ? null : epochMillis(Math.min(...instants));
}
