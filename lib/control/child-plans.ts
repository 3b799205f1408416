/**
 * A `child-plan` step: starts the failover of another service in the entry that opened the step, and
 * ends as that run does. Pure.
 *
 * Services that belong together go to the same place: the child is sent to its site in the region
 * of the parent's target, where it has one. Its own safety rules hold; what they refuse fails the
 * step with their code. A service that is on the way already (its plan started this run, or a
 * parent's did) is never started: the plans run in a circle.
 */
import type { JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import { isSettled } from '../recovery/doubt.ts';
import type { MachineEvent, Moment } from '../recovery/machine.ts';
import type { Run, Step, StepProgress } from '../recovery/run.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { decideOn } from './service-events.ts';

interface ChildStep {
  readonly state: RecoveryState;
  /** null = the child is under way. */
  readonly progress: StepProgress | null;
}

export function childProgress(
  state: RecoveryState,
  { run, step }: { readonly run: Run; readonly step: Step },
  moment: Moment,
): ChildStep {
  if (step.action.kind !== 'child-plan') {
    return { state, progress: null };
  }
  const name = step.action.service;
  const child = state.runs.find(
    ({ parent, service, epoch }) =>
      parent === run.id && service === name && epoch.index === step.epoch?.index,
  );
  return child === undefined
    ? startChild(state, { run, name }, moment)
    : { state, progress: progressOf(child, moment) };
}

function progressOf({ id, outcome }: Run, { at }: Moment): StepProgress | null {
  switch (outcome.kind) {
    case 'open':
      return null;
    case 'done':
      return { kind: 'done', at, evidence: { run: id } };
    default:
      return { kind: 'failed', at, code: 'child-run-failed' };
  }
}

function startChild(
  state: RecoveryState,
  { run, name }: { readonly run: Run; readonly name: string },
  moment: Moment,
): ChildStep {
  const child = ownValue(state.services, name);
  if (child === undefined) {
    return { state, progress: failed('unknown-service', moment) };
  }
  if (ancestry(state, run).includes(name)) {
    return { state, progress: failed('child-plan-circular', moment) };
  }
  const to = siteBeside(state, run, child);
  if (to === child.activeSite && isSettled(child)) {
    return { state, progress: done({ already: to }, moment) };
  }
  const event: MachineEvent = { kind: 'failover-requested', to, force: false };
  const asked = { ...moment, requestedBy: run.requestedBy, reason: `child of run ${run.id}` };
  const next = decideOn(state, { service: child, event }, asked);
  const started = next.runs.find(
    ({ service, epoch }) => service === name && epoch.index === moment.index,
  );
  const decision = ownValue(next.services, name)?.decision;
  if (started === undefined) {
    return { state: next, progress: failed(decision?.code ?? 'child-run-failed', moment) };
  }
  const adopted = { ...started, parent: run.id };
  const runs = next.runs.map((other) => (other === started ? adopted : other));
  return { state: { ...next, runs }, progress: null };
}

/** Services whose plans led to this run, itself the first. */
function ancestry({ runs }: RecoveryState, run: Run): readonly string[] {
  const names = [run.service];
  let current: Run | undefined = run;
  while (current?.parent !== null && current !== undefined && names.length <= runs.length) {
    const parent: string | null = current.parent;
    current = runs.find(({ id }) => id === parent);
    names.push(...(current === undefined ? [] : [current.service]));
  }
  return names;
}

/** The child's site in the region where the parent goes; null = its policy chooses. */
function siteBeside({ services }: RecoveryState, run: Run, child: ServiceState): string | null {
  const sites = ownValue(services, run.service)?.policy.sites ?? [];
  const region = sites.find(({ site }) => site === run.to)?.region;
  return child.policy.sites.find((site) => site.region === region)?.site ?? null;
}

function failed(code: string, { at }: Moment): StepProgress {
  return { kind: 'failed', at, code };
}

function done(evidence: JsonValue, { at }: Moment): StepProgress {
  return { kind: 'done', at, evidence };
}
