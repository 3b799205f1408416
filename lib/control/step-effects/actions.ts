/**
 * The steps that act on the world beside DNS, through the action ports: capacity, databases,
 * functions, webhooks, messages, copies of tables. The token of a step is the same at each attempt,
 * so a worker that takes over finds what the one before it began.
 */
import type { ActionContext, ActionOutcome } from '../../recovery/action-ports.ts';
import { actionToken } from '../../recovery/action-ports.ts';
import { siteIn } from '../../recovery/log-steps.ts';
import type { StepAction } from '../../recovery/plan.ts';
import type { StepResult } from '../../recovery/run.ts';
import { again, failed, type StepWork } from './step-work.ts';

type Action<Kind extends StepAction['kind']> = Extract<StepAction, { readonly kind: Kind }>;

/** On the way up nothing shrinks: what is larger than asked for already may serve now. */
export async function scaleSite(work: StepWork, action: Action<'scale'>): Promise<StepResult> {
  const { run, service, ports } = work;
  const name = siteIn(run, action.site);
  const capacity = service.policy.sites.find(({ site }) => site === name)?.capacity ?? null;
  if (capacity === null) {
    return failed('site-without-capacity');
  }
  const { resource } = capacity;
  const desired = action.to === 'serving' ? capacity.serving : capacity.standby;
  const mayLower = action.to === 'standby';
  const token = actionToken(contextOf(work));
  return resultOf(await ports.actions.scale.set({ resource, desired, mayLower, token }));
}

export async function promoteDatabase(work: StepWork): Promise<StepResult> {
  const { run, service, ports } = work;
  const { database } = service.policy;
  if (database === null) {
    return failed('service-without-database');
  }
  const { mode } = run;
  const token = actionToken(contextOf(work));
  return resultOf(await ports.actions.database.promote(database, { to: run.to, mode, token }));
}

export async function invokeFunction(
  work: StepWork,
  action: Action<'lambda' | 'webhook'>,
): Promise<StepResult> {
  const { invoke } = work.ports.actions;
  const context = contextOf(work);
  return resultOf(
    action.kind === 'lambda'
      ? await invoke.lambda(action, context)
      : await invoke.webhook(action, context),
  );
}

export async function tell(work: StepWork, action: Action<'notify'>): Promise<StepResult> {
  const { run, ports } = work;
  const notice = {
    subject: `${run.service}: ${run.kind} ${run.from} → ${run.to}`,
    sentence: action.sentence,
    details: { ...contextOf(work), trigger: run.trigger, requestedBy: run.requestedBy },
  };
  const token = actionToken(contextOf(work));
  return resultOf(await ports.actions.notify.notify(action.target, notice, token));
}

export async function copyTable(
  work: StepWork,
  action: Action<'snapshot' | 'restore'>,
): Promise<StepResult> {
  const { tables } = work.ports.actions;
  const token = actionToken(contextOf(work));
  return resultOf(
    action.kind === 'snapshot'
      ? await tables.snapshot(action.source, token)
      : await tables.restore(action.source, action.into, token),
  );
}

function contextOf({ run, step }: StepWork): ActionContext {
  const { id, service, from, to, mode } = run;
  const { term, index } = step.epoch ?? run.epoch;
  const epoch = { term, index };
  return { run: id, step: step.name, service, from, to, epoch, mode };
}

/** A refusal says how things are; another region may have other rights, so it is tried there too. */
function resultOf(outcome: ActionOutcome): StepResult {
  switch (outcome.kind) {
    case 'done':
      return { kind: 'done', evidence: outcome.evidence };
    case 'pending':
      return { kind: 'waiting', code: outcome.code };
    case 'refused':
      return { kind: outcome.code === 'not-permitted' ? 'again' : 'failed', code: outcome.code };
    default:
      return again('action-did-not-answer');
  }
}
