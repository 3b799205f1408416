/** Plans and findings for people. */
import type { PlanJson } from '../../api/preparation-schemas.ts';
import type { ServiceJson } from '../../api/schemas.ts';
import { formatElapsed } from '../../base/elapsed.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';

export function renderPlan(plan: PlanJson, style: Style): readonly string[] {
  const { service, kind, mode, from, to, onFailure, stages } = plan;
  const rows = stages.flatMap((stage, place) =>
    stage.map((step) => [
      cell(String(place + 1)),
      cell(step.essential ? step.name : `${step.name} (may fail)`, 'strong'),
      cell(step.kind === step.name ? step.does : `${step.kind} ${step.does}`.trim()),
      cell(formatElapsed(step.timeoutMs)),
      cell(String(step.attemptsMax)),
      cell(conditions(step).join(', ') || '–'),
      cell(step.undo ?? '–'),
    ]),
  );
  // A plan that stops where it is takes back only what a person cancels.
  const undo = onFailure === 'undo' ? 'undo' : 'undo (cancel)';
  const header = ['stage', 'step', 'does', 'within', 'attempts', 'when', undo];
  const failure = onFailure === 'undo' ? 'takes back what was done' : 'stops where it is';
  return [
    `${style(`${kind} of ${service}`, 'strong')}, ${mode}: ${style(`${from} → ${to}`, 'strong')}; a failure ${failure}`,
    ...renderTable({ header, rows }, style),
  ];
}

function conditions({ mode, when }: PlanJson['stages'][number][number]): readonly string[] {
  return [...(mode === 'both' ? [] : [`${mode} only`]), ...(when === null ? [] : [when])];
}

interface Looked {
  readonly service: string;
  readonly at: string | null;
  readonly findings: NonNullable<ServiceJson['readiness']>['findings'];
}

export function renderFindings(services: readonly Looked[], style: Style): readonly string[] {
  return services.flatMap(({ service, at, findings }) => {
    const failing = findings.filter(({ severity }) => severity === 'failing').length;
    const verdict =
      failing > 0
        ? style('✖ not ready', 'bad')
        : findings.length > 0
          ? style('◐ ready, with warnings', 'warning')
          : style('● ready', 'good');
    const when = at === null ? '' : style(`  ${formatInstant(at)}`, 'dim');
    return [
      `${verdict}  ${style(service, 'strong')}${when}`,
      ...findings.flatMap(({ code, severity, subject, sentence, fix }) => [
        `  ${style(code, severity === 'failing' ? 'bad' : 'warning')}  ${style(subject, 'plain')}: ${style(sentence, 'plain')}`,
        `    ${style(fix, 'dim')}`,
      ]),
    ];
  });
}
