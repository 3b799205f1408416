/**
 * The plan of each kind of run: what the strategy of a service brings along, or what its owner
 * wrote, with what no plan may lack. Pure.
 *
 * Order is the point. What prepares comes before what takes the authority away: a standby grows and
 * the data catch up while the old site still serves. The fence stands before the database and the
 * switch, so that nothing serves or writes at the new site while the old one may. Evidence is last.
 *
 * Source: the DR strategies of the AWS whitepaper "Disaster Recovery of Workloads on AWS".
 */
import { RUN_LIMITS } from './limits.ts';
import { describeLoss, lagAwaitedIn } from './loss-gate.ts';
import type { PlannedStep, PlanPolicy, RunMode, StepAction } from './plan.ts';
import { EXTRA, planned } from './planned-step.ts';
import type { ServicePolicy, SitePolicy } from './policy.ts';
import type { LossEstimate, RunKind } from './run.ts';
import { shareOf, type Traffic } from './traffic.ts';

export interface PlanRequest {
  readonly policy: ServicePolicy;
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly from: string;
  readonly to: string;
  readonly before: Traffic;
  readonly traffic: Traffic;
  /** Whether the old site may hold a lease: the authority was not withdrawn already. */
  readonly granted: boolean;
  /** Whether a second person must agree. */
  readonly approval: boolean;
  /** Leaves out the small shares on the way back. */
  readonly atOnce: boolean;
  readonly loss: LossEstimate | null;
}

type Stages = PlanPolicy['stages'];

export function planOf(request: PlanRequest): PlanPolicy {
  const { kind, policy } = request;
  switch (kind) {
    case 'setup':
      return { stages: [...fenceStages(request), ...switchStages(request)], onFailure: 'stop' };
    case 'rebalance':
      return {
        stages: withApproval(request, [
          ...rampStages(request),
          ...switchStages(request),
          [planned('verify', { kind: 'verify' }, EXTRA)],
          REPORT,
        ]),
        onFailure: 'undo',
      };
    case 'failover':
    case 'drill':
      return policy.plans.failover === null
        ? failoverPlan(request)
        : ownPlan(policy.plans.failover, request);
    default:
      return policy.plans.failback === null
        ? failbackPlan(request)
        : ownPlan(policy.plans.failback, request);
  }
}

const REPORT: readonly PlannedStep[] = [planned('report', { kind: 'report' }, EXTRA)];

// ── Of the strategies ────────────────────────────────────────────────────────────────────────────

/** A graceful run leaves a site that serves, so it may go back there; an emergency has no way back. */
function failoverPlan(request: PlanRequest): PlanPolicy {
  return {
    stages: withApproval(request, [
      ...growStages(request),
      ...gateStages(request),
      ...fenceStages(request),
      ...databaseStages(request),
      ...switchStages(request),
      [planned('verify', { kind: 'verify' })],
      REPORT,
    ]),
    onFailure: request.mode === 'graceful' ? 'undo' : 'stop',
  };
}

function failbackPlan(request: PlanRequest): PlanPolicy {
  return {
    stages: withApproval(request, [
      ...growStages(request),
      ...resyncStages(request),
      ...rampStages(request),
      ...fenceStages(request),
      ...databaseStages(request),
      ...switchStages(request),
      [planned('verify', { kind: 'verify' })],
      ...shrinkStages(request),
      REPORT,
    ]),
    onFailure: request.mode === 'graceful' ? 'undo' : 'stop',
  };
}

/** A second person is told what the rest of the plan loses: one that waits for the data prevents it. */
function withApproval(request: PlanRequest, rest: Stages): Stages {
  const { approval, kind, mode, from, to, loss } = request;
  if (!approval) {
    return rest;
  }
  const lost = loss === null ? '' : `, ${describeLoss(loss, lagAwaitedIn(rest, mode))}`;
  const sentence = `${kind} from ${from} to ${to}${lost}`;
  const timeoutMs = RUN_LIMITS.approvalTimeoutMs;
  return [[planned('approve', { kind: 'approve', sentence }, { timeoutMs })], ...rest];
}

/**
 * In an emergency a warm standby takes what it gets: it serves at any size. A pilot light has to be
 * lit first.
 */
function growStages({ policy, mode, to }: PlanRequest): Stages {
  const { strategy, detection } = policy;
  const isPilotLight = strategy === 'pilot-light';
  if ((strategy !== 'warm-standby' && !isPilotLight) || siteOf(policy, to)?.capacity === null) {
    return [];
  }
  const forMs = isPilotLight ? RUN_LIMITS.returnIntervals * detection.intervalMs : 0;
  const essential = isPilotLight || mode === 'graceful';
  return [
    [
      planned(
        'scale-target',
        { kind: 'scale', site: 'target', to: 'serving' },
        { essential, undo: { kind: 'scale', site: 'target', to: 'standby' } },
      ),
    ],
    [planned('wait-healthy', { kind: 'wait-healthy', site: 'target', forMs })],
  ];
}

/** Afterwards the other site goes back to the size of a standby; nobody waits for it. */
function shrinkStages({ policy, from, to }: PlanRequest): Stages {
  const isGrown = policy.strategy === 'warm-standby' || policy.strategy === 'pilot-light';
  return isGrown && from !== to && (siteOf(policy, from)?.capacity ?? null) !== null
    ? [[planned('scale-source', { kind: 'scale', site: 'source', to: 'standby' }, EXTRA)]]
    : [];
}

/** A loss that somebody accepted is not waited for. */
function gateStages({ policy, kind, loss }: PlanRequest): Stages {
  const { lagMsMax, overLimit } = policy.replication;
  const isAccepted = loss !== null && loss.acceptedBy !== null;
  return lagMsMax === null || overLimit !== 'wait' || kind === 'setup' || isAccepted
    ? []
    : [[planned('wait-replication', { kind: 'wait-replication', lagMsMax })]];
}

/** The way back is planned, so the data come first; in an emergency the policy says whether they do. */
function resyncStages(request: PlanRequest): Stages {
  const { policy, mode } = request;
  const lagMsMax = policy.replication.lagMsMax ?? policy.objectives.rpoMs;
  return mode === 'emergency'
    ? gateStages(request)
    : [[planned('wait-replication', { kind: 'wait-replication', lagMsMax })]];
}

/** Rising shares of the way from what the target has to what it is to have, each watched for a while. */
function rampStages(request: PlanRequest): Stages {
  const { policy, kind, mode, before, traffic, to, atOnce } = request;
  const [had, wanted] = [shareOf(before, to), shareOf(traffic, to)];
  if (atOnce || mode === 'emergency' || kind === 'drill-return' || wanted <= had) {
    return [];
  }
  const { percents, holdMs } = policy.returning;
  const shares = percents
    .map((percent) => Math.round(had + ((wanted - had) * percent) / 100))
    .filter((share) => share > had && share < wanted);
  return [...new Set(shares)].flatMap((share) => [
    [planned(`weights-${share}`, { kind: 'weights', targetPercent: share }, backTo(had))],
    [planned(`propagate-${share}`, { kind: 'propagate' })],
    [
      planned(
        `hold-${share}`,
        { kind: 'hold', forMs: holdMs },
        { timeoutMs: holdMs + RUN_LIMITS.stepTimeoutMs },
      ),
    ],
  ]);
}

function fenceStages({ policy, kind, from, to, before, granted }: PlanRequest): Stages {
  const isNeeded = !granted || (from !== to && kind !== 'setup');
  return policy.fencing === 'lease' && isNeeded
    ? [[planned('fence', { kind: 'fence' }, backTo(shareOf(before, to)))]]
    : [];
}

/** A practice promotes no database, unless the owner's own plan says so. */
function databaseStages({ policy, kind, from, to }: PlanRequest): Stages {
  const isPractice = kind === 'drill' || kind === 'drill-return';
  return policy.database === null || isPractice || from === to
    ? []
    : [[planned('database', { kind: 'database' })]];
}

function switchStages(request: PlanRequest): Stages {
  const { kind, before, to } = request;
  const undo = kind === 'setup' ? {} : backTo(shareOf(before, to));
  return [
    [planned('switch', { kind: 'switch' }, undo)],
    [planned('propagate', { kind: 'propagate' }), ...dataPlaneSteps(request)],
  ];
}

/**
 * Path A turns by itself when the switch is opened. The run looks when it did, so that its report can
 * say; a path A that does not turn is told as an exception and stops nothing.
 */
function dataPlaneSteps({ policy, kind }: PlanRequest): readonly PlannedStep[] {
  const isPair = policy.strategy !== 'active-active' && kind !== 'setup';
  return policy.dataPlaneName === undefined || !isPair
    ? []
    : [
        planned(
          'data-plane',
          { kind: 'routing' },
          { ...EXTRA, timeoutMs: RUN_LIMITS.dataPlaneTimeoutMs },
        ),
      ];
}

function backTo(targetPercent: number): { readonly undo: StepAction } {
  return { undo: { kind: 'weights', targetPercent } };
}

function siteOf({ sites }: ServicePolicy, name: string): SitePolicy | undefined {
  return sites.find(({ site }) => site === name);
}

// ── Of the owner ─────────────────────────────────────────────────────────────────────────────────

const MOVING: ReadonlySet<StepAction['kind']> = new Set(['switch', 'weights', 'routing']);
const AUTHORITY: ReadonlySet<StepAction['kind']> = new Set([...MOVING, 'fence']);

/**
 * The owner's plan, with what it may not lack: the approval and the gate that the policy demands, a fence
 * before the traffic moves, a look at the records and the site after a switch, and the evidence.
 * A wait of its own counts where this run does not leave it out, and it waits for no more than the
 * policy allows. A fence of its own counts where nothing can leave it out and it stands before the traffic moves;
 * an approval of its own likewise, before anything is taken from the old site.
 */
function ownPlan({ stages, onFailure }: PlanPolicy, request: PlanRequest): PlanPolicy {
  const has = (kind: StepAction['kind']) =>
    stages.some((stage) => stage.some(({ action }) => action.kind === kind));
  const moves = firstStage(stages, MOVING);
  const isFenced = stages.slice(0, moves).some((stage) => stage.some(isSureTo('fence')));
  const isApproved = stages
    .slice(0, firstStage(stages, AUTHORITY))
    .some((stage) => stage.some(isSureTo('approve')));
  const awaitedMs = lagAwaitedIn(stages, request.mode);
  const isAwaited = awaitedMs !== null && awaitedMs <= (request.policy.replication.lagMsMax ?? 0);
  const own = stages.flatMap((stage, place) => [
    ...(place === moves && !isAwaited ? gateStages(request) : []),
    ...(place === moves && !isFenced ? fenceStages(request) : []),
    stage.map((step) => withUndo(step, request)),
    ...(stage.some(({ action }) => action.kind === 'switch') ? checkStages(has) : []),
  ]);
  const whole = [...own, ...(has('report') ? [] : [REPORT])];
  return {
    stages: isApproved ? whole : withApproval(request, whole),
    onFailure,
  };
}

function firstStage(stages: Stages, kinds: ReadonlySet<StepAction['kind']>): number {
  const first = stages.findIndex((stage) => stage.some(({ action }) => kinds.has(action.kind)));
  return first === -1 ? stages.length : first;
}

/** Whether a step is of this kind, and every run either does it or ends. */
function isSureTo(kind: StepAction['kind']): (step: PlannedStep) => boolean {
  return ({ action, mode, when, essential }) =>
    action.kind === kind && mode === 'both' && when === null && essential;
}

function checkStages(has: (kind: StepAction['kind']) => boolean): Stages {
  return [
    ...(has('propagate') ? [] : [[planned('propagate', { kind: 'propagate' })]]),
    ...(has('verify') ? [] : [[planned('verify', { kind: 'verify' })]]),
  ];
}

/** What moves traffic goes back to where it was, unless the owner wrote otherwise. */
function withUndo(step: PlannedStep, { before, to }: PlanRequest): PlannedStep {
  const { kind } = step.action;
  return step.undo === null && AUTHORITY.has(kind)
    ? { ...step, ...backTo(shareOf(before, to)) }
    : step;
}
