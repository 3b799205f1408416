/**
 * The report of a run for people, as Markdown. Made of the document and of nothing else, so the two
 * files of a report cannot say different things, and whoever has the one can make the other again.
 */
import { formatElapsed } from '../base/elapsed.ts';
import { canonicalJson, type JsonValue } from '../base/json.ts';
import { describeLoss } from './loss-gate.ts';
import type {
  ReportContent,
  ReportDocument,
  ReportedDrill,
  ReportedMove,
  ReportedStep,
  ReportedTimes,
} from './report-document.ts';
import { sharesText } from './traffic.ts';

export function reportMarkdown(report: ReportDocument): string {
  const { rto, rpo, outcome, epoch, log } = report;
  return [
    `# Run ${report.run}: ${report.kind} of ${report.service}`,
    '',
    `${report.from} → ${report.to}, ${report.trigger} (${report.mode}), asked by ${report.requestedBy}: ${report.reason}`,
    '',
    `Authorised ${report.authorisedAt} by log entry term ${epoch.term}, index ${epoch.index} (${report.analysis}).`,
    outcomeLine(outcome),
    ...drillLines(report.drill),
    '',
    ...stageTable(report),
    '',
    `RTO: objective ${formatElapsed(rto.objectiveMs)}, actual ${rto.actual === null ? 'none' : formatElapsed(rto.actual.totalMs)}${verdict(rto.met)}.`,
    `RPO: objective ${formatElapsed(rpo.objectiveMs)}, actual ${rpo.actualMs === null ? 'not known, or nothing moved' : formatElapsed(rpo.actualMs)}${verdict(rpo.met)}.`,
    ...lossLines(report),
    '',
    `Traffic: ${sharesText(report.traffic.before)} before, ${sharesText(report.traffic.wanted)} wanted.`,
    ...table(['step', 'shares', 'authorised', 'done'], report.traffic.moves.map(moveRow)),
    ...approvalLines(report),
    ...undoLines(report),
    '',
    ...table(
      ['stage', 'step', 'does', 'attempts', 'worker', 'outcome', 'at', 'detail'],
      report.steps.map(stepRow),
    ),
    '',
    `Log position ${log.index}, hash chain ${log.chain}.`,
    `${countText(log)} of the log in the JSON beside this; digest ${report.digest.value}.`,
    `Written ${report.generatedAt} by ${report.generatedBy}.`,
    '',
  ].join('\n');
}

function outcomeLine({ state, code, exceptions, at }: ReportContent['outcome']): string {
  const when = at === null ? '' : ` at ${at}`;
  const but = exceptions.length === 0 ? '' : `; exceptions: ${exceptions.join(', ')}`;
  return state === 'done' ? `Done${when}${but}.` : `Failed${when}: ${code ?? '?'}${but}.`;
}

function drillLines(drill: ReportedDrill | null): readonly string[] {
  if (drill === null) {
    return [];
  }
  const end = drill.endedBy === null ? '' : `; it went home because: ${drill.endedBy}`;
  const back = drill.back === null ? '' : `, back by ${drill.back}`;
  const tookMs = [drill.awayMs, drill.backMs].map((wayMs) =>
    wayMs === null ? '–' : formatElapsed(wayMs),
  );
  return [
    '',
    `Drill: the traffic to ${drill.site} for ${formatElapsed(drill.durationMs)} by ${drill.away}${back}${end}. There in ${tookMs[0]}, home in ${tookMs[1]}. ${drill.passed ? 'Passed' : 'Not passed'}.`,
  ];
}

function stageTable({ rto: { actual, dataPlane } }: ReportContent): readonly string[] {
  const routed = dataPlane === undefined ? [] : timeRows(dataPlane, ' (path A)');
  return actual === null
    ? ['No RTO is measured: the traffic was not seen to stand where the run wanted it.']
    : ['| stage | time |', '|---|---|', ...timeRows(actual, ''), ...routed];
}

function timeRows(times: ReportedTimes, path: string): readonly string[] {
  return STAGES.map(([label, member]) => {
    const durationMs = times[member];
    return `| ${label}${path} | ${durationMs === null ? '–' : formatElapsed(durationMs)} |`;
  });
}

/** In the order in which they pass: the file sorts its members by name. */
const STAGES: readonly (readonly [label: string, member: keyof ReportedTimes])[] = [
  ['detect', 'detectMs'],
  ['decide', 'decideMs'],
  ['act', 'actMs'],
  ['propagate', 'propagateMs'],
  ['verify', 'verifyMs'],
  ['total', 'totalMs'],
];

function lossLines({ loss }: ReportContent): readonly string[] {
  return loss === null ? [] : [`At risk when it was authorised: ${describeLoss(loss)}.`];
}

function approvalLines({ approvals }: ReportContent): readonly string[] {
  return approvals.map(
    ({ step, by, verdict: said, reason, at }) =>
      `${at}: ${by} ${said === 'approve' ? 'approved' : 'rejected'} step ${step}: ${reason}`,
  );
}

function undoLines({ undo }: ReportContent): readonly string[] {
  return undo === null
    ? []
    : ['', `Taken back since ${undo.at} (${undo.code}): ${undo.steps.join(', ') || 'nothing'}.`];
}

function moveRow({ step, shares, authorisedAt, doneAt }: ReportedMove): readonly string[] {
  return [step, sharesText(shares), authorisedAt ?? '–', doneAt ?? '–'];
}

function stepRow(step: ReportedStep): readonly string[] {
  const { stage, name, kind, attempts, worker, state, at, detail, isUndo } = step;
  const undo = isUndo ? `${kind} (undo)` : kind;
  const attempt = String(attempts);
  return [String(stage + 1), name, undo, attempt, worker ?? '–', state, at ?? '–', inCell(detail)];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return rows.length === 0
    ? []
    : [line(header), line(header.map(() => '---')), ...rows.map((row) => line(row))];
}

/** A bar or a line break would end the cell. */
function inCell(detail: JsonValue): string {
  const text = detail === null ? '–' : typeof detail === 'string' ? detail : canonicalJson(detail);
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function countText({ spans, complete }: ReportContent['log']): string {
  const count = spans.reduce((sum, { entries }) => sum + entries.length, 0);
  return `${count} entries${complete ? '' : ', not all that name the run,'}`;
}

function verdict(met: boolean | null): string {
  return met === null ? '' : met ? ', met' : ', missed';
}
