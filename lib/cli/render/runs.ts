/** Runs: the list, one run in full, and the lines that a waiting command prints as it goes on. */
import type { RunJson, StagesJson, StepJson } from '../../api/schemas.ts';
import { formatElapsed } from '../../base/elapsed.ts';
import { sharesText } from '../../recovery/traffic.ts';
import { outcomeCell } from './opinion.ts';
import { lossText } from './recovery.ts';
import type { Style } from './style.ts';
import { type Cell, cell, renderTable } from './table.ts';
import { elapsedBetween, formatInstant } from './time.ts';

const HEADER = ['run', 'kind', 'trigger', 'from', 'to', 'outcome', 'took', 'started'];

export function renderRuns(runs: readonly RunJson[], style: Style): readonly string[] {
  const rows = runs.map((run) => [
    cell(run.run, 'strong'),
    cell(run.kind),
    cell(run.trigger),
    cell(run.from),
    cell(run.to),
    outcomeCell(run.outcome),
    cell(run.stages.totalMs === null ? '–' : formatElapsed(run.stages.totalMs)),
    cell(formatInstant(run.authorisedAt)),
  ]);
  return renderTable({ header: HEADER, rows }, style);
}

export function renderRun(run: RunJson, style: Style): readonly string[] {
  const { text, paint } = outcomeCell(run.outcome);
  return [
    `${style(run.run, 'strong')}  ${style(text, paint)}`,
    `  ${run.trigger} ${run.kind} of ${style(run.service, 'plain')}: ${style(`${run.from} → ${run.to}`, 'strong')}`,
    `  by ${style(run.requestedBy, 'plain')}: ${style(run.reason, 'plain')}`,
    ...runWords(run).map((line) => `  ${style(line, 'plain')}`),
    `  because ${run.analysis}; epoch term ${run.epoch.term}, index ${run.epoch.index}; ${formatInstant(run.authorisedAt)}`,
    '',
    ...renderTable(
      { header: STEP_HEADER, rows: run.steps.map((step) => stepRow(run, step)) },
      style,
    ),
    '',
    ...renderStages(run.stages, style),
  ];
}

/** What is not as usual of a run: shares, loss, who approved, why it turned round. */
function runWords(run: RunJson): readonly string[] {
  const shares = [run.before, run.traffic].map(sharesText);
  const isShared = [run.before, run.traffic].some((traffic) => Object.keys(traffic).length > 1);
  const { loss, parent, reverting } = run;
  return [
    ...(isShared ? [`traffic ${shares.join(' → ')}`] : []),
    ...(loss === null || (loss.lagMs === null && loss.acceptedBy === null) ? [] : [lossText(loss)]),
    ...(parent === null ? [] : [`begun by run ${parent}`]),
    ...run.approvals.map(
      ({ step, by, verdict, reason }) => `${step}: ${VERDICTS[verdict]} by ${by}: ${reason}`,
    ),
    ...(reverting === null ? [] : [`takes back what it did, because of ${reverting.code}`]),
  ];
}

const VERDICTS = { approve: 'approved', reject: 'rejected' } as const;

const STEP_HEADER = ['stage', 'step', 'state', 'at', 'attempt', 'worker'];

function stepRow({ authorisedAt }: RunJson, step: StepJson): readonly Cell[] {
  const elapsedMs = elapsedBetween(authorisedAt, step.at);
  return [
    // Steps with one number are worked on together.
    cell(String(step.stage + 1)),
    cell(step.name),
    stepCell(step),
    cell(elapsedMs === null ? '–' : `+${formatElapsed(elapsedMs)}`),
    cell(step.attempt === 0 ? '–' : String(step.attempt)),
    cell(step.worker ?? '–'),
  ];
}

function stepCell({ state, code }: StepJson): Cell {
  switch (state) {
    case 'waiting':
      return cell(code === null ? '○ waiting' : `○ waiting: ${code}`, 'dim');
    case 'claimed':
      return cell('◐ claimed', 'warning');
    case 'done':
      return cell('● done', 'good');
    case 'failed':
      return cell(`✖ failed${code === null ? '' : `: ${code}`}`, 'bad');
    case 'skipped':
      return cell('– skipped', 'dim');
  }
}

const STAGES: readonly (readonly [label: string, member: keyof StagesJson, meaning: string])[] = [
  ['detect', 'detectMs', 'last sign of life → first verdict failed'],
  ['decide', 'decideMs', 'first verdict failed → run authorised'],
  ['act', 'actMs', 'run authorised → records changed'],
  ['propagate', 'propagateMs', 'records changed → name servers agree'],
  ['verify', 'verifyMs', 'name servers agree → new site serves'],
];

/** Where the time went. Stages that the run did not have are left out. */
function renderStages(stages: StagesJson, style: Style): readonly string[] {
  const rows = STAGES.flatMap(([label, member, meaning]) => {
    const durationMs = stages[member];
    return durationMs === null
      ? []
      : [[cell(label), cell(formatElapsed(durationMs)), cell(meaning, 'dim')]];
  });
  const total =
    stages.totalMs === null
      ? []
      : [
          [
            cell('total', 'strong'),
            cell(formatElapsed(stages.totalMs), 'strong'),
            cell(
              stages.detectMs === null ? 'run authorised → new site serves' : 'actual RTO',
              'dim',
            ),
          ],
        ];
  return rows.length + total.length === 0
    ? []
    : renderTable({ header: ['stage', 'time', ''], rows: [...rows, ...total] }, style);
}

/** One line for each step that ended, and for the end itself, since `before`. */
export function renderProgress(
  before: RunJson | null,
  after: RunJson,
  style: Style,
): readonly string[] {
  const lines = after.steps.flatMap((step) => {
    const known = before?.steps.find(({ name }) => name === step.name);
    const isNews = known?.state !== step.state || known.attempt !== step.attempt;
    return isNews ? describeStep(after, step, style) : [];
  });
  const isOver = after.outcome.kind !== 'open' && before?.outcome.kind !== after.outcome.kind;
  const { text, paint } = outcomeCell(after.outcome);
  return isOver ? [...lines, style(text, paint)] : lines;
}

function describeStep(run: RunJson, step: StepJson, style: Style): readonly string[] {
  const elapsedMs = elapsedBetween(run.authorisedAt, step.at);
  const at = `+${formatElapsed(elapsedMs ?? 0)}`.padStart(9);
  if (step.state === 'claimed') {
    const again = step.attempt > 1 ? ` (attempt ${step.attempt})` : '';
    return [`${at}  ${step.name}: ${style(step.worker ?? 'a worker', 'plain')} begins${again}`];
  }
  if (step.state === 'waiting') {
    return [];
  }
  const { text, paint } = stepCell(step);
  return [`${at}  ${step.name}: ${style(text, paint)}`];
}
