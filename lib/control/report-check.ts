/**
 * Is this report what was written, and does what it says follow from the log? From the file alone.
 *
 * ```text
 * bytes ── one way to write it ──▶ document ── digest ──▶ unchanged since it was sealed
 *                                      │
 *                spans ── hash entry after entry ──▶ entries are what the log had
 *                                      │
 *     head, steps, approvals ◀── compared with ──┘      measures ◀── computed anew from the steps
 * ```
 * Who changes the file and seals it again is found by the entries; who changes the entries, too, and
 * hashes all of them again, only by a copy of the log (`report-replay.ts`), as with the log itself.
 */
import type { Sha256 } from '../base/json.ts';
import { reportDocumentSchema } from '../config/report-schema.ts';
import { digestOf, encodeReport } from '../recovery/report.ts';
import type { ReportDocument, ReportedEntry, ReportedSpan } from '../recovery/report-document.ts';
import type { LogEntryView } from './control-plane.ts';
import { linkAfter } from './log-line.ts';
import { findClaims } from './report-claims.ts';
import { findMiscalculations } from './report-measures.ts';
import type { ReportProblem } from './report-problem.ts';

export interface ReportCheck {
  /** null = the file is no report at all. */
  readonly report: ReportDocument | null;
  readonly problems: readonly ReportProblem[];
  /** Entries whose link was computed anew. */
  readonly entries: number;
  /** What these entries cannot show: only a copy of the log can. */
  readonly unproven: readonly string[];
}

/** Pure; total. */
export function checkReport(text: string, sha256: Sha256): ReportCheck {
  const report = parseReport(text);
  if (report === null) {
    const sentence = 'the file is not the JSON of a report of this format';
    return {
      report,
      problems: [{ code: 'not-a-report', part: 'file', sentence }],
      entries: 0,
      unproven: [],
    };
  }
  const { log } = report;
  const entries = log.spans.flatMap((span) => span.entries);
  const claims = findClaims(report);
  const unproven = [
    ...(log.complete ? [] : ['entries that name the run are missing from the report']),
    ...claims.unproven,
  ];
  const problems = [
    ...byteProblems(text, report),
    ...digestProblems(report, sha256),
    ...linkProblems(report, sha256),
    ...claims.problems,
    ...findMiscalculations(report),
  ];
  return { report, problems, entries: entries.length, unproven };
}

/** As it was read: the schema only says whether it is one. */
function parseReport(text: string): ReportDocument | null {
  try {
    const value: unknown = JSON.parse(text);
    return reportDocumentSchema.safeParse(value).success ? (value as ReportDocument) : null;
  } catch {
    return null;
  }
}

/** A member twice, a blank, another order: none of it is in the digest, and all of it is a change. */
function byteProblems(text: string, report: ReportDocument): readonly ReportProblem[] {
  const sentence = 'it is not written as a report is, byte for byte';
  return encodeReport(report) === text ? [] : [{ code: 'bytes-changed', part: 'file', sentence }];
}

function digestProblems(report: ReportDocument, sha256: Sha256): readonly ReportProblem[] {
  const { digest, ...content } = report;
  const sentence = 'the digest is not that of the rest: something was changed after it was sealed';
  return digestOf(content, sha256) === digest.value
    ? []
    : [{ code: 'digest-differs', part: 'digest', sentence }];
}

function linkProblems({ log }: ReportDocument, sha256: Sha256): readonly ReportProblem[] {
  const broken = log.spans.flatMap((span) => brokenLinks(span, sha256));
  const indexes = log.spans.flatMap(({ entries }) => entries.map(({ index }) => index));
  const isOrdered = indexes.every((index, place) => index > (indexes[place - 1] ?? 0));
  const last = log.spans.at(-1)?.entries.at(-1);
  const isWithin = last === undefined || last.index <= log.index;
  const isEnd = last?.index !== log.index || last.chain === log.chain;
  return [
    ...broken,
    ...(isOrdered && isWithin ? [] : [linkProblem('the entries are not in order')]),
    ...(isEnd ? [] : [linkProblem(`entry ${log.index} has another link than the report names`)]),
  ];
}

function brokenLinks(span: ReportedSpan, sha256: Sha256): readonly ReportProblem[] {
  let link = span.after;
  let next = span.entries[0]?.index ?? 0;
  const problems: ReportProblem[] = [];
  for (const entry of span.entries) {
    if (entry.index !== next || linkAfter(link, viewOf(entry), sha256) !== entry.chain) {
      problems.push(linkProblem(`entry ${entry.index} does not hash to its link`));
    }
    link = entry.chain;
    next = entry.index + 1;
  }
  return problems;
}

function linkProblem(sentence: string): ReportProblem {
  return { code: 'link-broken', part: 'log', sentence };
}

function viewOf(entry: ReportedEntry): LogEntryView {
  return entry as unknown as LogEntryView;
}
