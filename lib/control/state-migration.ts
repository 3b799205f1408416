/**
 * Brings up to date what an older version wrote: a stored copy of the state, and the policies that
 * stand in entries of the log. The one place that knows what was not there before. Pure.
 *
 * Every field that is new since the first version has its default here, and each default means what
 * the service did without the field: one site has all of the traffic, nothing is gated, nobody need
 * acknowledge. What is complete already comes back as it is, down to the order of its members: copies
 * of the state are compared byte by byte.
 */
import type { JsonValue } from '../base/json.ts';
import { planned } from '../recovery/planned-step.ts';
import type { ServicePolicy, SitePolicy } from '../recovery/policy.ts';
import { freshStep, type Run, type Step } from '../recovery/run.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { wholeTo } from '../recovery/traffic.ts';

/** What an older version may have left out. */
type Older<Value, Missing extends keyof Value> = Omit<Value, Missing> & {
  readonly [Name in Missing]?: Value[Name];
};

type NewInPolicy =
  | 'fencing'
  | 'replication'
  | 'alarms'
  | 'returning'
  | 'database'
  | 'notify'
  | 'plans'
  | 'drill';

export type OlderSitePolicy = Older<SitePolicy, 'capacity' | 'weight'>;

export type OlderPolicy = Omit<Older<ServicePolicy, NewInPolicy>, 'sites' | 'safety'> & {
  readonly sites: readonly OlderSitePolicy[];
  readonly safety: Older<ServicePolicy['safety'], 'acknowledgement' | 'approval'>;
};

const POLICY_DEFAULTS: Pick<ServicePolicy, NewInPolicy> = {
  fencing: 'none',
  replication: { lagMsMax: null, overLimit: 'block', unknownLag: 'accept', metric: null },
  alarms: { missingData: 'last-known', triggering: ['*'] },
  returning: { percents: [100], holdMs: 0 },
  database: null,
  notify: [],
  plans: { failover: null, failback: null },
  drill: null,
};

/** A policy as a log entry holds it, with all that a policy has by now. */
export function completedPolicy(policy: OlderPolicy): ServicePolicy {
  const { safety, sites } = policy;
  const complete = {
    safety: completed(safety, SAFETY_DEFAULTS),
    sites: sites.map((site) => completed(site, SITE_DEFAULTS)),
  };
  return completed({ ...policy, ...complete }, POLICY_DEFAULTS);
}

const SAFETY_DEFAULTS = { acknowledgement: false, approval: 'none' } as const;
const SITE_DEFAULTS = { capacity: null, weight: 0 } as const;

/** What is missing comes behind what is there. */
function completed<Value extends object, Defaults extends object>(
  value: Value,
  defaults: Defaults,
): Defaults & Value {
  const missing = Object.entries(defaults).filter(([name]) => !Object.hasOwn(value, name));
  return { ...value, ...Object.fromEntries(missing) } as Defaults & Value;
}

type NewInService =
  | 'traffic'
  | 'granted'
  | 'acknowledgement'
  | 'overrides'
  | 'freeze'
  | 'drill'
  | 'unprotectedSince'
  | 'isTrafficInDoubt'
  | 'weights'
  | 'readiness';

type OlderService = Omit<Older<ServiceState, NewInService>, 'policy'> & {
  readonly policy: OlderPolicy;
};

function completedService(service: OlderService): ServiceState {
  const { phase, activeSite } = service;
  const defaults: Pick<ServiceState, NewInService> = {
    traffic: wholeTo(activeSite),
    granted: true,
    acknowledgement: null,
    overrides: [],
    freeze: null,
    drill: null,
    unprotectedSince: null,
    isTrafficInDoubt: phase.kind === 'impaired' && phase.cause === 'run-failed',
    weights: null,
    readiness: null,
  };
  return completed({ ...service, policy: completedPolicy(service.policy) }, defaults);
}

type NewInRun =
  | 'mode'
  | 'traffic'
  | 'before'
  | 'loss'
  | 'approvals'
  | 'parent'
  | 'onFailure'
  | 'reverting'
  | 'revertAt';

interface OlderStep extends Pick<Step, 'attempt' | 'worker' | 'lastCode' | 'progress'> {
  readonly name: OlderAction;
}

type OlderAction = 'switch' | 'propagate' | 'verify' | 'report';

type OlderRun = Omit<Older<Run, NewInRun>, 'steps'> & {
  readonly steps: readonly (OlderStep | Step)[];
};

/** Runs of before named their four steps by what they did, one after the other. */
function completedRun(run: OlderRun): Run {
  const defaults: Pick<Run, NewInRun> = {
    mode: 'emergency',
    traffic: wholeTo(run.to),
    before: wholeTo(run.from),
    loss: null,
    approvals: [],
    parent: null,
    onFailure: 'stop',
    reverting: null,
    revertAt: null,
  };
  const steps = run.steps.map((step, stage) => completedStep(run, step, stage));
  return completed({ ...run, steps }, defaults);
}

/** The entry that authorised such a run was the fence of all of its steps. */
function completedStep(run: OlderRun, step: OlderStep | Step, stage: number): Step {
  if ('action' in step) {
    return step;
  }
  const isFirstOpen = run.steps.slice(0, stage).every(({ progress }) => isOver(progress));
  const opened = isFirstOpen ? { openedAt: run.authorisedAt, epoch: run.epoch } : {};
  return {
    ...freshStep(planned(step.name, { kind: step.name }), stage, false),
    ...opened,
    ...step,
  };
}

function isOver({ kind }: Step['progress']): boolean {
  return kind !== 'waiting' && kind !== 'claimed';
}

interface OlderState
  extends Omit<Older<RecoveryState, 'freeze' | 'monitors'>, 'services' | 'runs'> {
  readonly services: { readonly [service: string]: OlderService };
  readonly runs: readonly OlderRun[];
}

/** A stored state with all that a state has by now. */
export function migrateState(stored: JsonValue): RecoveryState {
  const state = stored as unknown as OlderState;
  const services = Object.entries(state.services).map(
    ([name, service]) => [name, completedService(service)] as const,
  );
  const complete = { services: Object.fromEntries(services), runs: state.runs.map(completedRun) };
  return completed({ ...state, ...complete }, { freeze: null, monitors: {} });
}
