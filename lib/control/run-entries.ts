/**
 * The part of the log that a report carries: the entries that led to the run, that are it, and what
 * fell between, each with its link, in spans without gaps.
 *
 * A span proves itself: begin with the link before it, hash entry after entry, arrive at the link
 * behind it. So a report carries all of a short stretch and not only its own entries; of a long one
 * only those. Configurations are left out, because the hashes of tokens stand in them.
 */
import type { LogIndex } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import { CHAIN_START } from '../consensus/replica.ts';
import type { ReportedEntry, ReportedLog, ReportedSpan } from '../recovery/report-document.ts';
import type { Run } from '../recovery/run.ts';
import type { LogEntryView, LogPage } from './control-plane.ts';
import { CONTROL_LIMITS } from './limits.ts';

const EXCERPT_LIMITS = {
  /** Entries before the run that are searched for what led to it. */
  leadEntries: 300,
  /** Stretches up to this long are carried whole. */
  wholeEntriesMax: 300,
  /** Entries of one report. */
  entriesMax: 1000,
  /** Entries that are read for it: of a run that took days, not all that happened meanwhile. */
  readEntriesMax: 20_000,
} as const;

export type ReadLog = (after: LogIndex, limit: number) => Promise<LogPage>;
export type LogExcerpt = Pick<ReportedLog, 'complete' | 'spans'>;

/** @param position the index up to which the report looks. */
export async function excerptOf(readLog: ReadLog, run: Run, position: number): Promise<LogExcerpt> {
  const first = Math.max(1, run.epoch.index - EXCERPT_LIMITS.leadEntries);
  const read = await readStretch(readLog, { first, last: position });
  // Old entries may be compacted away where the run's own are there.
  const views = read.some(({ index }) => index === run.epoch.index)
    ? read
    : await readStretch(readLog, { first: run.epoch.index, last: position });
  const byIndex = new Map(views.map((view) => [view.index as number, view]));
  const chosen = chooseEntries(views, run);
  const isWhole =
    views.some(({ index }) => index === run.epoch.index) && byIndex.has(position) && !chosen.isCut;
  return { complete: isWhole, spans: spansOf(chosen.views, byIndex) };
}

/** The entries from the one before `first`, for its link, up to `last`; as many as there are. */
async function readStretch(
  readLog: ReadLog,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<readonly LogEntryView[]> {
  const views: LogEntryView[] = [];
  let after = Math.max(0, first - 2);
  while (after < last && views.length < EXCERPT_LIMITS.readEntriesMax) {
    const page = await readLog(after as LogIndex, CONTROL_LIMITS.logPageMax);
    const found = page.kind === 'page' ? page.entries.filter(({ index }) => index <= last) : [];
    views.push(...found);
    const newest = found.at(-1);
    if (newest === undefined) {
      break;
    }
    after = newest.index;
  }
  return views;
}

interface Chosen {
  readonly views: readonly LogEntryView[];
  /** Whether entries that name the run were left out. */
  readonly isCut: boolean;
}

function chooseEntries(views: readonly LogEntryView[], run: Run): Chosen {
  const about = views.filter((view) => isAbout(view, run));
  const first = about[0]?.index ?? run.epoch.index;
  const stretch = views.filter(({ index }) => index >= first);
  if (stretch.length <= EXCERPT_LIMITS.wholeEntriesMax) {
    return { views: stretch.filter((view) => !isSecret(view)), isCut: false };
  }
  const own = about.filter((view) => isOwn(view, run));
  const others = about.filter((view) => !isOwn(view, run));
  const room = Math.max(0, EXCERPT_LIMITS.entriesMax - own.length);
  const kept = [...own.slice(0, EXCERPT_LIMITS.entriesMax), ...others.slice(0, room)];
  return {
    views: kept.toSorted((a, b) => a.index - b.index),
    isCut: own.length > EXCERPT_LIMITS.entriesMax,
  };
}

/** The entry that authorised the run, and all that name it. */
function isOwn(view: LogEntryView, run: Run): boolean {
  return !isSecret(view) && (view.index === run.epoch.index || memberOf(view, 'run') === run.id);
}

function isAbout(view: LogEntryView, run: Run): boolean {
  return isOwn(view, run) || (!isSecret(view) && memberOf(view, 'service') === run.service);
}

function isSecret(view: LogEntryView): boolean {
  return memberOf(view, 'kind') === 'configure';
}

function memberOf({ body }: LogEntryView, name: string): JsonValue | undefined {
  return body !== null && typeof body === 'object' && !Array.isArray(body)
    ? (body as { readonly [member: string]: JsonValue | undefined })[name]
    : undefined;
}

/** Neighbours together. An entry whose link before it is not at hand cannot begin a span. */
function spansOf(
  views: readonly LogEntryView[],
  byIndex: ReadonlyMap<number, LogEntryView>,
): readonly ReportedSpan[] {
  const spans: { after: string; entries: ReportedEntry[] }[] = [];
  let last = 0;
  for (const view of views) {
    const after = view.index === 1 ? CHAIN_START : byIndex.get(view.index - 1)?.chain;
    const current = spans.at(-1);
    if (current !== undefined && view.index === last + 1) {
      current.entries.push(reportedEntry(view));
      last = view.index;
    } else if (after !== undefined) {
      spans.push({ after, entries: [reportedEntry(view)] });
      last = view.index;
    }
  }
  return spans;
}

function reportedEntry({ configuration, chain, ...view }: LogEntryView): ReportedEntry {
  const change = configuration === undefined ? {} : { configuration: { ...configuration } };
  return { ...view, ...change, chain };
}
