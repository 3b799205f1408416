/** Services and runs as JSON, as far as recovery goes. Addresses of people's hooks do not leave. */
import { epochMillis } from '../base/identifiers.ts';
import type { Freeze } from '../recovery/freeze.ts';
import { describeLossOf } from '../recovery/loss-gate.ts';
import type { NotificationTarget, PlanPolicy, StepAction } from '../recovery/plan.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import { openSteps, type Run, type Step } from '../recovery/run.ts';
import type { ServiceState } from '../recovery/state.ts';
import { rfc3339, rfc3339OrNull } from './present-parts.ts';
import type { FreezeJson } from './recovery-schemas.ts';
import type { RunJson, ServiceJson, StepJson } from './schemas.ts';

export function presentFreeze(freeze: Freeze | null): FreezeJson | null {
  return freeze === null
    ? null
    : {
        sinceAt: rfc3339(freeze.since),
        untilAt: rfc3339(freeze.until),
        by: freeze.by,
        reason: freeze.reason,
      };
}

type RecoveryJson = Pick<
  ServiceJson,
  | 'traffic'
  | 'granted'
  | 'fencing'
  | 'freeze'
  | 'overrides'
  | 'acknowledgement'
  | 'drill'
  | 'unprotectedSinceAt'
  | 'weights'
  | 'readiness'
  | 'readinessDueAt'
  | 'recovery'
>;

export function presentRecovery(service: ServiceState): RecoveryJson {
  const { policy, acknowledgement, drill, readiness, weights } = service;
  return {
    traffic: { ...service.traffic },
    granted: service.granted,
    fencing: policy.fencing,
    freeze: presentFreeze(service.freeze),
    overrides: service.overrides.map(({ rule, since, until, by, reason }) => ({
      rule,
      sinceAt: rfc3339(since),
      untilAt: rfc3339(until),
      by,
      reason,
    })),
    acknowledgement:
      acknowledgement === null
        ? null
        : { run: acknowledgement.run, sinceAt: rfc3339(acknowledgement.since) },
    drill:
      drill === null
        ? null
        : {
            run: drill.run,
            site: drill.site,
            home: { ...drill.home },
            revertAt: rfc3339OrNull(drill.revertAt),
          },
    unprotectedSinceAt: rfc3339OrNull(service.unprotectedSince),
    weights: weights === null ? null : { ...weights },
    readinessDueAt: rfc3339OrNull(service.readinessDueAt ?? null),
    readiness:
      readiness === null
        ? null
        : {
            at: rfc3339(readiness.at),
            findings: readiness.findings.map((finding) => ({ ...finding })),
          },
    recovery: recoveryText(policy),
  };
}

/** The rest of a policy as short texts, so that a dry run of `apply` can say what would change. */
export function recoveryText(policy: ServicePolicy): Record<string, string> {
  const { safety, replication, alarms, returning, database, drill } = policy;
  const { lagMsMax, overLimit, unknownLag, metric } = replication;
  return {
    'safety.holdDownMs': String(safety.holdDownMs),
    'safety.automaticRunsPerDayMax': String(safety.automaticRunsPerDayMax),
    'safety.acknowledgement': String(safety.acknowledgement),
    'safety.approval': safety.approval,
    fencing: policy.fencing,
    replication:
      lagMsMax === null
        ? 'no gate'
        : `at most ${lagMsMax} ms, over it ${overLimit}, unknown ${unknownLag}`,
    'replication.metric':
      metric === null ? 'none' : `${metric.namespace} ${metric.name} in ${metric.region}`,
    alarms: `triggering ${alarms.triggering.join(', ')}; missing data ${alarms.missingData}`,
    returning: `${returning.percents.join(', ')} %, each ${returning.holdMs} ms`,
    database:
      database === null
        ? 'none'
        : `${database.kind} at ${Object.keys(database.members).sort().join(', ')}`,
    notify: policy.notify.map(targetText).join(', ') || 'nobody',
    'plans.failover': planText(policy.plans.failover),
    'plans.failback': planText(policy.plans.failback),
    drill:
      drill === null
        ? 'none'
        : `to ${drill.to} for ${drill.durationMs} ms${drill.schedule === null ? '' : `, ${drill.schedule.cron} ${drill.schedule.timezone}`}`,
    ...Object.fromEntries(
      policy.sites.flatMap(({ site, weight, capacity }) => [
        [`sites.${site}.weight`, String(weight)],
        [
          `sites.${site}.capacity`,
          capacity === null
            ? 'none'
            : `${capacity.resource.kind}: ${capacity.serving} serving, ${capacity.standby} standing by`,
        ],
      ]),
    ),
  };
}

/** The path of a hook may be its password, so only the host is shown. */
function targetText(target: NotificationTarget): string {
  return target.kind === 'sns' ? target.topicArn : hostOf(target.url);
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'a hook';
}

function planText(plan: PlanPolicy | null): string {
  return plan === null
    ? 'of the strategy'
    : plan.stages.map((stage) => stage.map(({ name }) => name).join(' + ')).join(', ');
}

type RunRecoveryJson = Pick<
  RunJson,
  | 'mode'
  | 'traffic'
  | 'before'
  | 'loss'
  | 'approvals'
  | 'waitingFor'
  | 'parent'
  | 'reverting'
  | 'revertAt'
>;

export function presentRunRecovery(run: Run): RunRecoveryJson {
  const { loss, reverting } = run;
  return {
    mode: run.mode,
    traffic: { ...run.traffic },
    before: { ...run.before },
    loss:
      loss === null
        ? null
        : {
            lagMs: loss.lagMs,
            writes: loss.writes,
            measuredAt: rfc3339OrNull(loss.measuredAt),
            acceptedBy: loss.acceptedBy,
            sentence: describeLossOf(run),
          },
    approvals: run.approvals.map(({ step, by, verdict, reason, at }) => ({
      step,
      by,
      verdict,
      reason,
      at: rfc3339(at),
    })),
    waitingFor: awaitedApprovals(run),
    parent: run.parent,
    reverting: reverting === null ? null : { code: reverting.code, at: rfc3339(reverting.at) },
    revertAt: rfc3339OrNull(run.revertAt),
  };
}

/** Told once, here: the command line and the page only say it in their words. */
function awaitedApprovals(run: Run): RunJson['waitingFor'] {
  const open = run.outcome.kind === 'open' ? openSteps(run) : [];
  return open.flatMap((step) =>
    step.action.kind === 'approve' && step.openedAt !== null
      ? [{ step: step.name, detail: actionText(step.action, run), sinceAt: rfc3339(step.openedAt) }]
      : [],
  );
}

type StepRecoveryJson = Pick<
  StepJson,
  'kind' | 'stage' | 'isUndo' | 'openedAt' | 'timeoutAt' | 'epoch' | 'detail'
>;

export function presentStepRecovery(run: Run, step: Step): StepRecoveryJson {
  const { action, stage, isUndo, openedAt, timeoutMs, epoch } = step;
  return {
    kind: action.kind,
    stage,
    isUndo,
    openedAt: rfc3339OrNull(openedAt),
    timeoutAt: openedAt === null ? null : rfc3339(epochMillis(openedAt + timeoutMs)),
    epoch: epoch === null ? null : { term: epoch.term, index: epoch.index },
    detail: actionText(action, run),
  };
}

/** What a step does, in words, for people. */
export function actionText(action: StepAction, { from, to }: Pick<Run, 'from' | 'to'>): string {
  const named = (site: 'target' | 'source' | { readonly site: string }) =>
    site === 'target' ? to : site === 'source' ? from : site.site;
  switch (action.kind) {
    case 'weights':
      return `${to} ${action.targetPercent} %`;
    case 'scale':
      return `${named(action.site)} to ${action.to}`;
    case 'lambda':
      return `${action.functionName} in ${action.region}`;
    case 'webhook':
      return hostOf(action.url);
    case 'wait-healthy':
      return `${named(action.site)} for ${action.forMs / 1000} s`;
    case 'wait-replication':
      return `a lag of at most ${action.lagMsMax / 1000} s`;
    case 'approve':
      return action.sentence;
    case 'hold':
      return `${action.forMs / 1000} s`;
    case 'snapshot':
      return `${action.source.table} in ${action.source.region}`;
    case 'restore':
      return `${action.source.table} to ${action.into.table} in ${action.into.region}`;
    case 'notify':
      return action.sentence;
    case 'child-plan':
      return action.service;
    default:
      return '';
  }
}
