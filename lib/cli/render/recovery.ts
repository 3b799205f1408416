/** Shares, losses, plans, and what people have set: as lines. Pure. */
import type { RunJson, ServiceJson, StatusJson, StepJson } from '../../api/schemas.ts';
import { formatElapsed } from '../../base/elapsed.ts';
import { LOSS_UNKNOWN } from '../../recovery/loss-gate.ts';
import { sharesText } from '../../recovery/traffic.ts';
import type { Style } from './style.ts';
import { formatInstant } from './time.ts';

/** What is lost, as the control plane words it. */
export function lossText(loss: RunJson['loss']): string {
  return loss?.sentence ?? LOSS_UNKNOWN;
}

/**
 * What the run that would begin is after: shares, and loss.
 *
 * @param rpoMs the objective that the loss is held against; null = none
 */
export function runAimLines(
  plan: RunJson | null,
  style: Style,
  rpoMs: number | null = null,
): readonly string[] {
  if (plan === null) {
    return [];
  }
  const moves = sharesText(plan.before) !== sharesText(plan.traffic);
  const traffic = `traffic ${sharesText(plan.before)} → ${sharesText(plan.traffic)}`;
  return [
    ...(moves ? [`  ${style(traffic, 'plain')}`] : []),
    ...(plan.loss === null
      ? []
      : [`  ${style(lossText(plan.loss), 'warning')}${objectiveText(rpoMs)}`]),
  ];
}

function objectiveText(rpoMs: number | null): string {
  return rpoMs === null ? '' : `; objective (RPO) ${formatElapsed(rpoMs)}`;
}

/** Its stages, in their order. */
export function runStageLines(plan: RunJson | null, style: Style): readonly string[] {
  return plan === null
    ? []
    : [
        `  ${plan.mode} run, in this order:`,
        ...stagesOf(plan.steps).map((stage, place) => {
          const steps = stage.map(stepText).join(' and ');
          return `  ${String(place + 1).padStart(4)}. ${style(steps, 'plain')}`;
        }),
      ];
}

function stagesOf(steps: readonly StepJson[]): readonly (readonly StepJson[])[] {
  const numbers = [...new Set(steps.map(({ stage }) => stage))].sort((a, b) => a - b);
  return numbers.map((number) => steps.filter(({ stage }) => stage === number));
}

function stepText({ name, kind, detail, essential }: StepJson): string {
  const named = name === kind || kind === '' ? name : `${name} (${kind})`;
  const about = detail === '' ? '' : `: ${detail}`;
  return `${named}${about}${essential ? '' : ' (may fail)'}`;
}

type Line = readonly [text: string, paint: 'plain' | 'warning' | 'bad'];

/** What stands of a service beyond its sites: one line each, nothing when all is as usual. */
export function standingLines(service: ServiceJson, at: string): readonly Line[] {
  const { freeze, overrides, acknowledgement, drill, unprotectedSinceAt, readiness } = service;
  const findings = readiness?.findings ?? [];
  const failing = findings.filter(({ severity }) => severity === 'failing');
  return [
    ...(service.strategy === 'active-active'
      ? ([[`traffic: ${sharesText(service.traffic)}`, 'plain']] as const)
      : sharedLine(service)),
    ...(service.granted
      ? []
      : ([
          ['nobody is active: the lease of the site before must lapse first', 'warning'],
        ] as const)),
    ...(unprotectedSinceAt === null
      ? []
      : ([
          [`unprotected since ${formatInstant(unprotectedSinceAt)}: no other site is ready`, 'bad'],
        ] as const)),
    ...(freeze === null ? [] : ([[freezeText(freeze), 'warning']] as const)),
    ...overrides
      .filter(({ untilAt }) => untilAt > at)
      .map(
        ({ rule, untilAt, by, reason }) =>
          [
            `${rule} is set aside until ${formatInstant(untilAt)}, by ${by}: ${reason}`,
            'warning',
          ] as const,
      ),
    ...(acknowledgement === null
      ? []
      : ([
          [
            `run ${acknowledgement.run} waits to be acknowledged since ${formatInstant(acknowledgement.sinceAt)}`,
            'warning',
          ],
        ] as const)),
    ...(drill === null ? [] : ([[drillText(drill, at), 'warning']] as const)),
    ...failing.map(
      ({ code, subject, sentence }) =>
        [`not ready: ${code}: ${subject}: ${sentence}`, 'bad'] as const,
    ),
  ];
}

/** Until when; and since when its end is overdue, which it is while no way home can be taken. */
function drillText({ site, revertAt }: NonNullable<ServiceJson['drill']>, at: string): string {
  if (revertAt === null) {
    return `drill at ${site}`;
  }
  return Date.parse(revertAt) <= Date.parse(at)
    ? `drill at ${site}, overdue since ${formatInstant(revertAt)}: the traffic is not home yet`
    : `drill at ${site}, until ${formatInstant(revertAt)}`;
}

/** During a stepwise return two sites serve, though one holds the authority. */
function sharedLine({ traffic }: ServiceJson): readonly Line[] {
  const serving = Object.values(traffic).filter((percent) => percent > 0);
  return serving.length > 1 ? [[`traffic: ${sharesText(traffic)}`, 'plain']] : [];
}

export function freezeText({ untilAt, by, reason }: NonNullable<StatusJson['freeze']>): string {
  return `frozen until ${formatInstant(untilAt)}, by ${by}: ${reason}`;
}

/** For how long a run has waited for a person; null = it does not. */
export function waitingText({ run, requestedBy, waitingFor }: RunJson, at: string): string | null {
  const [waiting] = waitingFor;
  if (waiting === undefined) {
    return null;
  }
  const waitedMs = Math.max(0, Date.parse(at) - Date.parse(waiting.sinceAt));
  return `${run} waits since ${formatElapsed(waitedMs)} for somebody other than ${requestedBy} to approve: ${waiting.detail}`;
}
