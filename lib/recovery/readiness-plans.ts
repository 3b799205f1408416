/** The plans of a service, judged by what they say alone: no resource is asked. Pure. */

import type { PlannedStep, RunMode } from './plan.ts';
import { type PlanRequest, planOf } from './plans.ts';
import type { Finding } from './readiness.ts';
import { finding } from './readiness-facts.ts';
import type { RunKind } from './run.ts';
import type { ServiceState } from './state.ts';
import type { Sharing } from './switch-port.ts';
import { wholeTo } from './traffic.ts';

export interface PlanAsk {
  readonly kind: Extract<RunKind, 'failover' | 'failback' | 'drill'>;
  readonly mode: RunMode;
  readonly to: string;
}

/** The plan that a run of this kind would have now. */
export function plannedRun(
  service: ServiceState,
  { kind, mode, to }: PlanAsk,
): ReturnType<typeof planOf> {
  const { policy, activeSite: from, traffic: before, granted } = service;
  const request: PlanRequest = {
    ...{ policy, kind, mode, from, to, before, granted },
    traffic: wholeTo(to),
    approval: policy.safety.approval !== 'none',
    atOnce: false,
    loss: null,
  };
  return planOf(request);
}

/** The site that a plan without a named target is for: the first that does not serve. */
export function usualTarget({ policy, activeSite }: ServiceState, kind: PlanAsk['kind']): string {
  const others = policy.sites.map(({ site }) => site).filter((site) => site !== activeSite);
  const wanted = kind === 'failback' ? policy.primary : (others[0] ?? activeSite);
  return kind === 'drill' && others.includes(policy.drill?.to ?? '')
    ? (policy.drill?.to ?? wanted)
    : wanted;
}

export interface PlanSurroundings {
  readonly sharing: Sharing;
  /** Services that are configured. */
  readonly services: readonly string[];
  /** How long a lease lasts that a fence has to wait for. */
  readonly leaseMs: number;
}

export function judgePlans(
  service: ServiceState,
  surroundings: PlanSurroundings,
): readonly Finding[] {
  const { policy } = service;
  const to = usualTarget(service, 'failover');
  const failover = plannedRun(service, { kind: 'failover', mode: 'emergency', to }).stages;
  const back = plannedRun(service, {
    kind: 'failback',
    mode: 'graceful',
    to: policy.primary,
  }).stages;
  return [
    ...judgeSwitching('failover', failover.flat()),
    ...judgeSwitching('failback', back.flat()),
    ...judgePace(service, failover, surroundings),
    ...judgeApproval(service, failover.flat()),
    ...[...failover, ...back].flat().flatMap((step) => judgeChild(step, surroundings)),
    ...judgeShares(service, surroundings),
    ...judgeTtl(service),
  ].filter(isFirst);
}

function isFirst({ code, subject }: Finding, place: number, all: readonly Finding[]): boolean {
  return all.findIndex((other) => other.code === code && other.subject === subject) === place;
}

const MOVING: ReadonlySet<string> = new Set(['switch', 'weights', 'routing']);

function judgeSwitching(kind: string, steps: readonly PlannedStep[]): readonly Finding[] {
  const sentence = 'no step of it moves traffic';
  const fix = 'add a `switch`, `weights` or `routing` step';
  return steps.some(({ action }) => MOVING.has(action.kind))
    ? []
    : [finding(['plan-without-switch', 'failing'], `plan ${kind}`, sentence, fix)];
}

/** What a plan waits for in any case; effects come on top. */
function judgePace(
  { policy }: ServiceState,
  stages: readonly (readonly PlannedStep[])[],
  { leaseMs }: PlanSurroundings,
): readonly Finding[] {
  const waitsMs = stages.map((stage) =>
    Math.max(0, ...stage.map((step) => (step.mode === 'graceful' ? 0 : waitOf(step, leaseMs)))),
  );
  const leastMs = waitsMs.reduce((sum, waitMs) => sum + waitMs, 0);
  const { rtoMs } = policy.objectives;
  const sentence = `it waits ${leastMs / 1000} s in any case, the objective is ${rtoMs / 1000} s`;
  const fix = 'shorten its waits, give up the lease fence, or raise the objective';
  return leastMs <= rtoMs
    ? []
    : [finding(['plan-slower-than-objective', 'warning'], 'plan failover', sentence, fix)];
}

function waitOf({ action }: PlannedStep, leaseMs: number): number {
  switch (action.kind) {
    case 'hold':
    case 'wait-healthy':
      return action.forMs;
    case 'fence':
      return leaseMs;
    default:
      return 0;
  }
}

function judgeApproval(
  { policy }: ServiceState,
  steps: readonly PlannedStep[],
): readonly Finding[] {
  const waits = policy.safety.approval === 'all' || hasOwnApproval(policy.plans.failover);
  const isAsked = steps.some(({ action }) => action.kind === 'approve');
  const sentence = 'failover is automatic, and its plan waits for a person';
  const fix = 'approve manual runs only, or switch automatic failover off';
  return policy.automatic && waits && isAsked
    ? [finding(['approval-holds-automatic-run', 'warning'], 'plan failover', sentence, fix)]
    : [];
}

function hasOwnApproval(plan: ServiceState['policy']['plans']['failover']): boolean {
  return plan?.stages.flat().some(({ action }) => action.kind === 'approve') ?? false;
}

function judgeChild(
  { name, action }: PlannedStep,
  { services }: PlanSurroundings,
): readonly Finding[] {
  if (action.kind !== 'child-plan' || services.includes(action.service)) {
    return [];
  }
  const sentence = `there is no service ${action.service}`;
  const fix = 'configure it in the same file, or take the step out';
  return [finding(['child-plan-unknown', 'failing'], `step ${name}`, sentence, fix)];
}

/** A server without weights can share evenly or not at all. */
function judgeShares({ policy }: ServiceState, { sharing }: PlanSurroundings): readonly Finding[] {
  if (sharing === 'weighted') {
    return [];
  }
  const weights = policy.sites.map(({ weight }) => weight).filter((weight) => weight > 0);
  const isUneven = policy.strategy === 'active-active' && new Set(weights).size > 1;
  const isStepwise = policy.returning.percents.some((percent) => percent < 100 && percent !== 50);
  const sentence = 'its DNS server knows no weights, and the policy asks for uneven shares';
  const fix = 'use even weights and a failback at once, or a zone in Route 53';
  return isUneven || isStepwise
    ? [finding(['weights-unsupported', 'failing'], policy.dnsName, sentence, fix)]
    : [];
}

function judgeTtl({ policy }: ServiceState): readonly Finding[] {
  const { ttlSeconds, objectives, dnsName } = policy;
  const sentence = `resolvers may keep an answer for ${ttlSeconds} s, the objective is ${objectives.rtoMs / 1000} s`;
  const fix = 'lower the TTL, or raise the objective';
  return ttlSeconds * 1000 > objectives.rtoMs
    ? [finding(['ttl-above-objective', 'warning'], dnsName, sentence, fix)]
    : [];
}
