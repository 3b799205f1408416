/** Reports for people: the list, and the verdict of `tripoint report verify`. */
import type { ReportListJson } from '../../api/preparation-schemas.ts';
import type { ReportCheck } from '../../control/report-check.ts';
import { ONLY_THE_LOG } from '../../control/report-claims.ts';
import type { ReportProblem } from '../../control/report-problem.ts';
import type { ReportReplay } from '../../control/report-replay.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';

type ListedReport = ReportListJson['reports'][number];

export function renderReports(reports: readonly ListedReport[], style: Style): readonly string[] {
  const rows = reports.map(({ run, kind, outcome, endedAt, bytes }) => [
    cell(run, 'strong'),
    cell(kind ?? '–'),
    cell(outcome ?? '–', outcome === 'failed' ? 'bad' : 'plain'),
    cell(endedAt === null ? '–' : formatInstant(endedAt)),
    cell(`${Math.ceil(bytes / 1024)} KiB`),
  ]);
  return renderTable({ header: ['run', 'kind', 'outcome', 'ended', 'size'], rows }, style);
}

export interface Verification {
  readonly file: string;
  readonly check: ReportCheck;
  /** null = no log was given. */
  readonly replay: ReportReplay | null;
  /** null = no Markdown was given. */
  readonly isMarkdownSame: boolean | null;
}

export interface ReportVerdict {
  /** `incomplete`: nothing is wrong, and not all that was asked could be shown. */
  readonly outcome: 'intact' | 'broken' | 'incomplete';
  readonly file: string;
  readonly run: string | null;
  readonly digest: string | null;
  readonly entries: number;
  /** Whether the run was made again from the log; null = no log was given. */
  readonly replayed: boolean | null;
  readonly problems: readonly ReportProblem[];
  readonly unproven: readonly string[];
}

/** The log was replayed with these as the report has them. */
const IN_NO_LOG = 'only who wrote it knows generatedAt, generatedBy, log.complete, log.founders';

export function verdictOf({ file, check, replay, isMarkdownSame }: Verification): ReportVerdict {
  const { report, entries } = check;
  const sentence = 'the Markdown is not made of this report';
  const problems: readonly ReportProblem[] = [
    ...check.problems,
    ...(replay?.problems ?? []),
    ...(isMarkdownSame === false
      ? [{ code: 'bytes-changed', part: 'markdown', sentence } as const]
      : []),
  ];
  const isReplayed = replay === null ? null : replay.replayed === true;
  const gaps = replay !== null && replay.replayed !== true ? [replay.replayed] : [];
  // What its own entries do not show, the log has shown, but for what is in no log.
  const unproven = isReplayed === true ? [IN_NO_LOG] : [...check.unproven, ...gaps];
  const isLacking =
    isReplayed === false || (report !== null && !report.log.complete && !isReplayed);
  return {
    outcome: problems.length > 0 ? 'broken' : isLacking ? 'incomplete' : 'intact',
    file,
    run: report?.run ?? null,
    digest: report?.digest.value ?? null,
    entries,
    replayed: isReplayed,
    problems,
    unproven,
  };
}

const HEADLINES = {
  intact: ['● intact', 'good'],
  broken: ['✖ broken', 'bad'],
  incomplete: ['◐ incomplete', 'warning'],
} as const;

export function renderVerdict(verdict: ReportVerdict, style: Style): readonly string[] {
  const { outcome, run, file, digest, entries, replayed } = verdict;
  const [text, paint] = HEADLINES[outcome];
  const depth = replayed === true ? 'and made again from the log' : 'by its own entries';
  return [
    `${style(text, paint)}  ${run ?? file}: ${entries} entries of the log checked, ${depth}`,
    ...(digest === null ? [] : [style(`digest ${digest}`, 'dim')]),
    ...verdict.problems.map(({ code, sentence }) => style(`${code}: ${sentence}`, 'plain')),
    ...verdict.unproven.flatMap(notShownLines).map((line) => style(line, 'dim')),
  ];
}

/** What the parts of a report are about, by the first member of their paths. */
const SUBJECTS: readonly (readonly [subject: string, members: readonly string[]])[] = [
  ['the run', ['kind', 'mode', 'trigger', 'from', 'to', 'requestedBy', 'reason', 'parent']],
  ['its grounds and end', ['analysis', 'outcome', 'undo', 'drill', 'children']],
  ['objectives and loss', ['rto', 'rpo', 'loss']],
  ['shares', ['traffic']],
  ['steps', ['steps']],
  ['the report itself', ['log', 'generatedAt', 'generatedBy']],
];

/** Some thirty parts in one line are read by nobody: a line for each thing that they are about. */
function notShownLines(sentence: string): readonly string[] {
  if (!sentence.startsWith(ONLY_THE_LOG)) {
    return [`not shown: ${sentence}`];
  }
  const parts = sentence.slice(ONLY_THE_LOG.length).split(', ');
  const memberOf = (part: string) => part.split('.')[0] ?? part;
  const known = SUBJECTS.flatMap(([, members]) => members);
  const rest = parts.filter((part) => !known.includes(memberOf(part)));
  const groups = SUBJECTS.map(
    ([subject, members]) =>
      [subject, parts.filter((part) => members.includes(memberOf(part)))] as const,
  );
  return [
    'not shown by the report alone; --log proves most of it:',
    ...[...groups, ['other', rest] as const]
      .filter(([, named]) => named.length > 0)
      .map(([subject, named]) => `  ${subject}: ${named.map(partText).join(', ')}`),
  ];
}

function partText(part: string): string {
  return part.replace(/^steps\.\*\./, '').replace(/^steps\.(\d+)$/, 'all of steps.$1');
}
