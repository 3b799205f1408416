/**
 * The steps that change the records of a name, and the one that waits until they are seen. Each change is fenced by
 * the epoch of its step: a worker that comes late is refused by the zone.
 */
import type { JsonValue } from '../../base/json.ts';
import type { Run, Step, StepResult } from '../../recovery/run.ts';
import type { ServiceState } from '../../recovery/state.ts';
import { BATCH_REFUSAL_CODES } from '../../recovery/switch-batch.ts';
import { switchOnce } from '../../recovery/switch-once.ts';
import {
  isIntendedAnswer,
  SWITCH_REFUSAL_CODES,
  type SwitchIntent,
} from '../../recovery/switch-plan.ts';
import type { ChangeStatus, SwitchPort } from '../../recovery/switch-port.ts';
import { movingStep, shareOf, trafficOf } from '../../recovery/traffic.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { again, failed, type StepWork, waiting } from './step-work.ts';

/**
 * The records that a step of the run wants, or that the one before it wanted where it moves no
 * traffic itself; null when a site that should serve is no longer configured.
 */
export function intentOf(run: Run, step: Step, { policy }: ServiceState): SwitchIntent | null {
  const moving = movingStep(run, step) ?? step;
  const traffic = trafficOf(run, moving.action) ?? run.traffic;
  const targets = policy.sites
    .map(({ site, address }) => ({ site, address, weight: shareOf(traffic, site) }))
    .filter(({ weight }) => weight > 0);
  const given = targets.reduce((sum, { weight }) => sum + weight, 0);
  return given !== 100
    ? null
    : {
        dnsName: policy.dnsName,
        recordType: policy.recordType,
        ttlSeconds: policy.ttlSeconds,
        targets,
        epoch: moving.epoch ?? run.epoch,
        run: run.id,
      };
}

/** `switch` and `weights`: the records as the step wants them, by compare-and-swap. */
export async function changeRecords({ run, step, service, ports }: StepWork): Promise<StepResult> {
  const intent = intentOf(run, step, service);
  if (intent === null) {
    return failed('service-or-site-gone');
  }
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

/** Codes that hold for every worker alike: the plan's own, and a name that lies outside the zone. */
function isPlanRefusal(code: string): boolean {
  const codes = ['not-for-this-zone', ...BATCH_REFUSAL_CODES, ...SWITCH_REFUSAL_CODES];
  return codes.includes(code);
}

/**
 * Watches for a while; what is not there yet is looked at again by the next attempt. While the provider
 * says that the change travels nothing is wrong: the next look comes soon, and counts as no failure.
 *
 * Name servers come first: they are what clients feel, and asking them costs nothing. The provider's API
 * allows an account only a few calls a second, so it is asked when the name answers as intended, and at
 * the end of the watch.
 */
export async function awaitPropagation(work: StepWork): Promise<StepResult> {
  const { run, step, service, ports } = work;
  const { switchPort, verifyPort, clock } = ports;
  const intent = intentOf(run, step, service);
  if (intent === null) {
    return failed('service-or-site-gone');
  }
  const changeId = changeIdOf(movingStep(run, step));
  const until = clock.monotonicNow() + CONTROL_LIMITS.propagateWatchMs;
  for (;;) {
    const seen = await verifyPort.resolve(intent.dnsName, intent.recordType);
    const values = seen.kind === 'resolved' ? seen.values : [];
    const isAnswered = isIntendedAnswer(intent, values);
    const isOver = clock.monotonicNow() >= until;
    const result =
      isAnswered || isOver
        ? propagated({ isAnswered, values }, await statusOf(switchPort, changeId))
        : null;
    if (result !== null && (isOver || result.kind === 'done')) {
      return result;
    }
    await clock.sleep(CONTROL_LIMITS.propagatePollMs);
  }
}

interface Seen {
  readonly isAnswered: boolean;
  readonly values: readonly string[];
}

function propagated({ isAnswered, values }: Seen, { kind }: ChangeStatus): StepResult {
  if (isAnswered && kind === 'in-sync') {
    return { kind: 'done', evidence: { resolved: [...values] } };
  }
  const code = isAnswered ? 'change-not-in-sync' : 'name-not-switched-yet';
  return kind === 'pending' ? waiting(code) : again(code);
}

async function statusOf(port: SwitchPort, changeId: string | null): Promise<ChangeStatus> {
  return changeId === null ? IN_SYNC : port.changeStatus(changeId);
}

/**
 * Waits until the data plane answers as the run wants it, with the records that stood before it. Beside a
 * switch of the service's own name there must be another one to look at.
 */
export async function awaitRouting({ run, step, service, ports }: StepWork): Promise<StepResult> {
  const { clock } = ports;
  const intent = intentOf(run, step, service);
  if (intent === null) {
    return failed('service-or-site-gone');
  }
  const isBeside = trafficOf(run, step.action) === null;
  const until = clock.monotonicNow() + CONTROL_LIMITS.propagateWatchMs;
  for (;;) {
    const values = await routedValues(ports, run.service, intent);
    if (values === null && isBeside) {
      return failed('routing-not-wired');
    }
    const found = values ?? (await ownValues(ports, intent));
    if (isIntendedAnswer(intent, found)) {
      return { kind: 'done', evidence: { resolved: [...found] } };
    }
    if (clock.monotonicNow() >= until) {
      return waiting('routing-not-moved-yet');
    }
    await clock.sleep(CONTROL_LIMITS.propagatePollMs);
  }
}

/** What the data plane gives clients at the name of path A; none = unknown, null = there is no such name. */
async function routedValues(
  { routingPort }: StepWork['ports'],
  service: string,
  { recordType }: SwitchIntent,
): Promise<readonly string[] | null> {
  const status = await routingPort?.status(service, recordType);
  if (status === undefined || status.kind === 'not-wired') {
    return null;
  }
  return status.kind === 'routed' ? status.values : [];
}

/** The same at the service's own name, where its records have health checks. */
async function ownValues(
  { verifyPort }: StepWork['ports'],
  { dnsName, recordType }: SwitchIntent,
): Promise<readonly string[]> {
  const seen = await verifyPort.resolve(dnsName, recordType);
  return seen.kind === 'resolved' ? seen.values : [];
}

const IN_SYNC = { kind: 'in-sync' } as const;

function changeIdOf(step: Step | null): string | null {
  const evidence = step?.progress.kind === 'done' ? step.progress.evidence : null;
  const changeId = isRecord(evidence) ? evidence['changeId'] : null;
  return typeof changeId === 'string' ? changeId : null;
}

function isRecord(value: JsonValue): value is { readonly [key: string]: JsonValue | undefined } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
