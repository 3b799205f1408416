/**
 * A run comes into being: its plan is written into it, and its first stage opened, by the entry that
 * authorises it. Pure.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { Moment } from './machine.ts';
import { originOf } from './origin.ts';
import type { RunMode } from './plan.ts';
import { planOf } from './plans.ts';
import type { ServicePolicy } from './policy.ts';
import { freshStep, type LossEstimate, type Run, type RunKind, type Step } from './run.ts';
import { advanceRun, type RunAndService } from './run-progress.ts';
import type { ServiceState } from './state.ts';
import type { Traffic } from './traffic.ts';

export interface Opening {
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly trigger: 'automatic' | 'manual';
  readonly to: string;
  /** Default: the site that is active. */
  readonly from?: string;
  /** What the run wants in the end. */
  readonly traffic: Traffic;
  readonly loss: LossEstimate | null;
  /** Whether a second person must agree. */
  readonly approval: boolean;
  readonly atOnce: boolean;
  readonly revertAt: EpochMillis | null;
}

/**
 * The service that comes back is as the first stage made it: where nothing has to be prepared the
 * authority has moved already, elsewhere the old site is still the active one.
 */
export function openRun(service: ServiceState, opening: Opening, moment: Moment): RunAndService {
  const { policy, activeSite, traffic: before, granted } = service;
  const { term, index, at } = moment;
  const { kind, mode, trigger, to, traffic, loss, revertAt, from = activeSite } = opening;
  const plan = planOf({ ...opening, policy, from, before, granted });
  const run: Run = {
    id: `${policy.service}-${index}`,
    service: policy.service,
    ...{ kind, mode, trigger, from, to },
    epoch: { term, index },
    requestedBy: moment.requestedBy,
    reason: moment.reason,
    analysis: service.analysis.code,
    origin: originOf({ ...service, activeSite: from }),
    authorisedAt: at,
    ...{ traffic, before, loss, revertAt },
    approvals: [],
    parent: null,
    onFailure: plan.onFailure,
    reverting: null,
    steps: uniquelyNamed(
      plan.stages.flatMap((steps, stage) => steps.map((step) => freshStep(step, stage, false))),
    ),
    outcome: { kind: 'open' },
  };
  return advanceRun({ run, service }, { term, index, at });
}

/** Writes the records of what is authorised now. */
export function setupOpening({ activeSite, traffic }: ServiceState): Opening {
  return {
    kind: 'setup',
    mode: 'graceful',
    trigger: 'manual',
    to: activeSite,
    traffic,
    loss: null,
    approval: false,
    atOnce: true,
    revertAt: null,
  };
}

/** Whether the policy wants a second person for a run that was asked for, or came by itself. */
export function needsApproval({ safety }: ServicePolicy, trigger: Opening['trigger']): boolean {
  return safety.approval === 'all' || (safety.approval === 'manual' && trigger === 'manual');
}

/** Claims name steps by name; what a plan was given may be called like what its owner wrote. */
function uniquelyNamed(steps: readonly Step[]): readonly Step[] {
  const taken = new Set<string>();
  return steps.map((step) => {
    let name = step.name;
    for (let again = 2; taken.has(name); again += 1) {
      name = `${step.name}-${again}`;
    }
    taken.add(name);
    return { ...step, name };
  });
}
