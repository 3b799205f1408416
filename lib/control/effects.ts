/**
 * What each step of a run does to the world. Every effect is idempotent and fenced by the run's
 * epoch, so a step that two workers do, or one does twice, ends as if it had been done once.
 */

import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock, Random } from '../base/clock.ts';
import { assertNever } from '../base/invariant.ts';
import type { JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import { canonicalValue } from '../recovery/record-set.ts';
import { type ReportContext, reportMarkdown, reportOf } from '../recovery/report.ts';
import type { Run, StepName, StepResult } from '../recovery/run.ts';
import type { RecoveryState, ServiceState, SiteState } from '../recovery/state.ts';
import { switchOnce } from '../recovery/switch-once.ts';
import type { SwitchIntent, SwitchPlan } from '../recovery/switch-plan.ts';
import type { SwitchPort, VerifyPort } from '../recovery/switch-port.ts';
import { CONTROL_LIMITS } from './limits.ts';

/**
 * Why a step was not done, besides what the zone itself refuses with. Each is explained in
 * `docs/failure-modes.md`; `workers-lost` is the one that the log gives by itself.
 */
export const STEP_CODES = [
  'service-or-site-gone',
  'superseded-by-newer-switch',
  'dns-did-not-answer',
  'change-not-in-sync',
  'name-not-switched-yet',
  'target-not-healthy',
  'target-not-serving',
  'target-failed',
  'report-not-stored',
] as const;

type StepCode = (typeof STEP_CODES)[number];

export interface EffectPorts {
  readonly switchPort: SwitchPort;
  readonly verifyPort: VerifyPort;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  readonly random: Random;
}

export interface EffectContext {
  readonly state: RecoveryState;
  readonly report: Omit<ReportContext, 'policy'>;
}

/** Does one step. Never throws for what the world answers. */
export function performStep(
  ports: EffectPorts,
  { run, step }: { readonly run: Run; readonly step: StepName },
  context: EffectContext,
): Promise<StepResult> {
  const service = ownValue(context.state.services, run.service);
  const intent = service === undefined ? null : intentOf(run, service);
  if (service === undefined || intent === null) {
    return Promise.resolve(failed('service-or-site-gone'));
  }
  switch (step) {
    case 'switch':
      return switchRecords(ports, intent);
    case 'propagate':
      return awaitPropagation(ports, run, intent);
    case 'verify':
      return verifySite(ports, run, service);
    case 'report':
      return writeReport(ports, run, { ...context.report, policy: service.policy });
    default:
      return assertNever(step);
  }
}

/** The records that a run wants; null when its target is no longer configured. */
export function intentOf(run: Run, { policy }: ServiceState): SwitchIntent | null {
  const target = policy.sites.find(({ site }) => site === run.to);
  return target === undefined
    ? null
    : {
        dnsName: policy.dnsName,
        recordType: policy.recordType,
        ttlSeconds: policy.ttlSeconds,
        target: { site: target.site, address: target.address },
        epoch: run.epoch,
        run: run.id,
      };
}

async function switchRecords(ports: EffectPorts, intent: SwitchIntent): Promise<StepResult> {
  const outcome = await switchOnce(ports.switchPort, intent, ports);
  switch (outcome.kind) {
    case 'done': {
      const { changeId } = outcome;
      return { kind: 'done', evidence: { changeId, changes: outcome.batch.length } };
    }
    case 'stale':
      return failed('superseded-by-newer-switch');
    case 'refused':
      // What the zone or its guard says of this worker, another one may be able to do.
      return { kind: isPlanRefusal(outcome.code) ? 'failed' : 'again', code: outcome.code };
    default:
      return again('dns-did-not-answer');
  }
}

/** What every worker would find: the records themselves stand in the way. */
const PLAN_REFUSALS: { readonly [Code in PlanRefusal]: true } = {
  'intent-invalid': true,
  'foreign-record': true,
  'fence-unreadable': true,
  'epoch-reused': true,
  'changed-outside': true,
  'empty-batch': true,
  'malformed-record-set': true,
  'duplicate-change': true,
  'would-empty-name': true,
  'would-drop-text': true,
  'batch-too-large': true,
};

type PlanRefusal = Extract<SwitchPlan, { readonly kind: 'refused' }>['code'];

/** Codes that hold for every worker alike: the plan's own, and a name that lies outside the zone. */
function isPlanRefusal(code: string): boolean {
  return code === 'not-for-this-zone' || Object.hasOwn(PLAN_REFUSALS, code);
}

/** Watches for a while; what is not there yet is looked at again by the next attempt. */
async function awaitPropagation(
  { switchPort, verifyPort, clock }: EffectPorts,
  run: Run,
  { dnsName, recordType, target }: SwitchIntent,
): Promise<StepResult> {
  const changeId = changeIdOf(run);
  const until = clock.monotonicNow() + CONTROL_LIMITS.propagateWatchMs;
  const wanted = canonicalValue(recordType, target.address);
  for (;;) {
    const status = changeId === null ? IN_SYNC : await switchPort.changeStatus(changeId);
    const seen = await verifyPort.resolve(dnsName, recordType);
    const isThere =
      seen.kind === 'resolved' &&
      seen.values.length === 1 &&
      canonicalValue(recordType, seen.values[0] ?? '') === wanted;
    if (isThere && status.kind === 'in-sync') {
      return { kind: 'done', evidence: { resolved: [...seen.values] } };
    }
    if (clock.monotonicNow() >= until) {
      return again(isThere ? 'change-not-in-sync' : 'name-not-switched-yet');
    }
    await clock.sleep(CONTROL_LIMITS.propagatePollMs);
  }
}

const IN_SYNC = { kind: 'in-sync' } as const;

function changeIdOf(run: Run): string | null {
  const progress = run.steps.find(({ name }) => name === 'switch')?.progress;
  const evidence = progress?.kind === 'done' ? progress.evidence : null;
  const changeId = isRecord(evidence) ? evidence['changeId'] : null;
  return typeof changeId === 'string' ? changeId : null;
}

function isRecord(value: JsonValue): value is { readonly [key: string]: JsonValue | undefined } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

async function verifySite(
  { verifyPort }: EffectPorts,
  run: Run,
  { policy, sites }: ServiceState,
): Promise<StepResult> {
  const probeUrl = policy.sites.find(({ site }) => site === run.to)?.probeUrl ?? null;
  const target = ownValue(sites, run.to);
  if (probeUrl === null) {
    const opinion = target?.opinion.state ?? 'pending';
    return opinion === 'healthy'
      ? { kind: 'done', evidence: { opinion } }
      : notVerified(run, target, 'target-not-healthy');
  }
  const probe = await verifyPort.probe(probeUrl);
  return probe.kind === 'serving'
    ? { kind: 'done', evidence: { status: probe.status, elapsedMs: Math.round(probe.elapsedMs) } }
    : notVerified(run, target, 'target-not-serving');
}

/**
 * A target that failed, or left, after it was chosen ends the run, so that the next one can begin. One that a
 * person forced though it had failed before is given its time to come up.
 */
function notVerified(run: Run, target: SiteState | undefined, code: StepCode): StepResult {
  const isGone = target?.opinion.state === 'failed' || target?.opinion.code === 'deregistered';
  const failedSince = isGone ? target.opinionSince : null;
  return failedSince !== null && failedSince > run.authorisedAt
    ? failed('target-failed')
    : again(code);
}

function again(code: StepCode): StepResult {
  return { kind: 'again', code };
}

function failed(code: StepCode): StepResult {
  return { kind: 'failed', code };
}

/** Where the report of a run is kept, in the store of the region that wrote it. */
export function reportKeys(run: string): { readonly json: string; readonly markdown: string } {
  return { json: `reports/report-${run}.json`, markdown: `reports/report-${run}.md` };
}

async function writeReport(
  { store }: EffectPorts,
  run: Run,
  context: ReportContext,
): Promise<StepResult> {
  const keys = reportKeys(run.id);
  const encoder = new TextEncoder();
  const json = `${JSON.stringify(reportOf(run, context), null, 2)}\n`;
  const outcomes = [
    await store.put(keys.json, encoder.encode(json)),
    await store.put(keys.markdown, encoder.encode(reportMarkdown(run, context))),
  ];
  // A report that another attempt wrote stands as it is: it tells the same run.
  const isStored = outcomes.every(({ kind }) => kind !== 'unknown');
  return isStored ? { kind: 'done', evidence: { key: keys.json } } : again('report-not-stored');
}
