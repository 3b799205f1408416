/** What came of one scenario, for people. */

import { formatElapsed } from '../../base/elapsed.ts';
import { sharesText } from '../../recovery/traffic.ts';
import { missedObjectives } from '../../simulation/whole/judgement.ts';
import type { ScenarioResult } from '../../simulation/whole/run-scenario.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';

export function renderScenario(result: ScenarioResult, style: Style): readonly string[] {
  const { scenario, seed, service, path, durationMs, violations } = result;
  return [
    `${scenario} on ${service}, path ${path}, seed ${seed}, ${formatElapsed(durationMs)} of virtual time`,
    '',
    ...result.timeline.map(
      ({ atMs, source, sentence }) =>
        `${style(formatOffset(atMs), 'dim')}  ${source.padEnd(7)}  ${style(sentence, source === 'world' ? 'strong' : 'plain')}`,
    ),
    '',
    ...renderStages(result, style),
    ...renderLosses(result),
    ...renderObjectives(result, style),
    '',
    ...renderRules(result, style),
    ...violations.map(({ rule, atMs, detail }) =>
      style(`✖ ${rule} at ${formatOffset(atMs)}: ${detail}`, 'bad'),
    ),
    ...renderRefusal(result, style),
    renderVerdict(result, style),
  ];
}

/** `+ 12.345 s` from the beginning of the scenario. */
function formatOffset(atMs: number): string {
  return `+${(atMs / 1000).toFixed(3).padStart(9)} s`;
}

const STAGES = {
  detectMs: 'detect',
  decideMs: 'decide',
  actMs: 'act',
  propagateMs: 'propagate',
  verifyMs: 'verify',
  rtoMs: 'actual RTO: all name servers, verified',
  mostServersMs: '9 of 10 name servers',
  halfServedMs: 'half of the requests served',
  clientsServedMs: '9 of 10 requests served',
} as const;

function renderStages({ stages }: ScenarioResult, style: Style): readonly string[] {
  if (stages === null) {
    return [];
  }
  const rows = Object.entries(STAGES).map(([key, title]) => {
    const ms = stages[key as keyof typeof STAGES];
    return [cell(title), cell(ms === null ? 'not reached' : formatElapsed(ms))];
  });
  return [...renderTable({ header: ['stage', 'time'], rows }, style), ''];
}

function renderLosses({ requests, availability, loss, dualActiveMs, runs }: ScenarioResult) {
  const { rpoMs, writesLost, writesDivergent } = loss;
  const share = (availability * 100).toFixed(3);
  return [
    `requests: ${requests.failed} of ${requests.sent} failed; ${share} % were served`,
    ...(rpoMs === null ? [] : [`RPO: ${formatElapsed(rpoMs)}, ${writesLost} writes`]),
    `writes taken by a site without the authority: ${writesDivergent}`,
    `two sites believed to be active for ${formatElapsed(dualActiveMs)}`,
    ...runs.map(
      ({ id, kind, outcome, traffic }) =>
        `run ${id}: ${kind} to ${sharesText(traffic)}, ${outcome}`,
    ),
  ];
}

function renderObjectives({ objectives }: ScenarioResult, style: Style): readonly string[] {
  return Object.entries(objectives).flatMap(([name, { objectiveMs, actualMs, met }]) => {
    if (met === null) {
      return [];
    }
    const actual = actualMs === null ? '' : `, actual ${formatElapsed(actualMs)}`;
    const missed = actualMs === null ? 'not reached' : 'missed';
    const line = `objective (${name.toUpperCase()}) ${formatElapsed(objectiveMs)}${actual}`;
    return [style(`${line}: ${met ? 'met' : missed}`, met ? 'good' : 'bad')];
  });
}

/** A plan that stood by: the user asked what it would do. */
function renderRefusal({ refusal }: ScenarioResult, style: Style): readonly string[] {
  if (refusal === null) {
    return [];
  }
  const { code, sentence } = refusal;
  return [
    style(`▲ no run began: ${code}: ${sentence}`, 'warning'),
    ...(code === 'automatic-off'
      ? ['  `--scenario person-answers` plays a person who begins it, and shows the plan at work']
      : []),
  ];
}

/** The last line: rules first, then what the service is to keep. */
function renderVerdict({ passed, violations, objectives }: ScenarioResult, style: Style): string {
  if (!passed) {
    return style(`✖ ${violations.length} times a rule was broken`, 'bad');
  }
  const missed = missedObjectives(objectives).map((name) => {
    const { actualMs } = objectives[name];
    return `${name.toUpperCase()} ${actualMs === null ? 'not reached' : 'missed'}`;
  });
  return missed.length === 0
    ? style('● no rule was broken', 'good')
    : style(`✖ no rule was broken, but of the objectives: ${missed.join(', ')}`, 'bad');
}

function renderRules({ rules, decisions }: ScenarioResult, style: Style): readonly string[] {
  const decided = Object.entries(decisions).map(([code, times]) => [
    cell(`decision ${code}`),
    cell(String(times)),
    cell(''),
  ]);
  const checked = Object.entries(rules).map(([rule, { looks, broken }]) => [
    cell(rule),
    cell(String(looks)),
    cell(broken === 0 ? 'kept' : `broken ${broken} times`, broken === 0 ? 'good' : 'bad'),
  ]);
  return renderTable({ header: ['rule', 'times', ''], rows: [...decided, ...checked] }, style);
}

export interface ListedScenario {
  readonly name: string;
  readonly sentence: string;
  readonly durationMs: number;
}

export function renderScenarios(
  scenarios: readonly ListedScenario[],
  style: Style,
): readonly string[] {
  const rows = scenarios.map(({ name, sentence, durationMs }) => [
    cell(name, 'strong'),
    cell(formatElapsed(durationMs)),
    cell(sentence),
  ]);
  return renderTable({ header: ['scenario', 'lasts', 'what goes wrong'], rows }, style);
}
