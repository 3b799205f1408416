/** What can be wrong with a report: a closed list, explained in `docs/reports.md`. */
import type { ReportDocument, ReportedEntry } from '../recovery/report-document.ts';

export type ReportProblemCode =
  /** It is no JSON, or not that of a report of this format. */
  | 'not-a-report'
  /** Blanks, order or spelling are not those of a report as it is written. */
  | 'bytes-changed'
  | 'digest-differs'
  /** An entry does not hash to its link, or the entries are not in order. */
  | 'link-broken'
  /** What it says of the run is not what the entries say. */
  | 'not-as-logged'
  /** A figure does not follow from the instants of the steps. */
  | 'miscalculated'
  /** A copy of the log has another link, or tells another run. */
  | 'another-log';

export interface ReportProblem {
  readonly code: ReportProblemCode;
  /** Which part of the report. */
  readonly part: string;
  readonly sentence: string;
}

/** Entries by their index. */
export function entriesOf({ log }: ReportDocument): ReadonlyMap<number, ReportedEntry> {
  const entries = log.spans.flatMap((span) => span.entries);
  return new Map(entries.map((entry) => [entry.index, entry]));
}
