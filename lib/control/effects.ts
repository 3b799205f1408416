/**
 * What each step of a run does to the world: the dispatch. Every effect is idempotent and fenced by
 * its step's epoch, so a step that two workers do, or one does twice, ends as if it had been done
 * once. The effects themselves are in `step-effects/`.
 */
import { assertNever } from '../base/invariant.ts';
import { ownValue } from '../base/own-value.ts';
import type { Run, Step, StepResult } from '../recovery/run.ts';
import {
  copyTable,
  invokeFunction,
  promoteDatabase,
  scaleSite,
  tell,
} from './step-effects/actions.ts';
import { awaitLapse } from './step-effects/fence.ts';
import { awaitPropagation, awaitRouting, changeRecords } from './step-effects/records.ts';
import { awaitReplication } from './step-effects/replication.ts';
import { writeReport } from './step-effects/report.ts';
import {
  type EffectContext,
  type EffectPorts,
  failed,
  type StepWork,
} from './step-effects/step-work.ts';
import { verifySite } from './step-effects/verify.ts';

/** Does one step. Never throws for what the world answers. */
export function performStep(
  ports: EffectPorts,
  { run, step }: { readonly run: Run; readonly step: Step },
  context: EffectContext,
): Promise<StepResult> {
  const service = ownValue(context.state.services, run.service);
  if (service === undefined || !service.policy.sites.some(({ site }) => site === run.to)) {
    return Promise.resolve(failed('service-or-site-gone'));
  }
  return perform({ run, step, service, ports, context });
}

function perform(work: StepWork): Promise<StepResult> {
  const { action } = work.step;
  switch (action.kind) {
    case 'fence':
      return awaitLapse(work);
    case 'switch':
    case 'weights':
      return changeRecords(work);
    case 'routing':
      return awaitRouting(work);
    case 'propagate':
      return awaitPropagation(work);
    case 'verify':
      return verifySite(work);
    case 'scale':
      return scaleSite(work, action);
    case 'database':
      return promoteDatabase(work);
    case 'lambda':
    case 'webhook':
      return invokeFunction(work, action);
    case 'wait-replication':
      return awaitReplication(work, action.lagMsMax);
    case 'snapshot':
    case 'restore':
      return copyTable(work, action);
    case 'notify':
      return tell(work, action);
    case 'report':
      return writeReport(work);
    case 'approve':
    case 'hold':
    case 'wait-healthy':
    case 'child-plan':
      // The log settles these; a worker that was let claim one would be a bug.
      throw new Error(`a worker was given ${action.kind}`);
    default:
      return assertNever(action);
  }
}
