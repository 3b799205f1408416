/**
 * The archive of applied entries: segments in this region's store, written before the register may
 * forget them, so that the audit log outlives compaction.
 *
 * Each region archives what it applies, by itself; segments never overlap within a region. A region
 * that was away while others compacted has a gap, which it fills from the other regions' archives
 * when somebody reads.
 */

import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { LogIndex, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { AppliedEntry } from '../consensus/replica.ts';
import { type Segment, segmentKey, segmentOf, segmentPrefix } from './archive-keys.ts';
import type { LogEntryView, LogPage } from './control-plane.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { encodeLogLine, viewOf } from './log-line.ts';

export interface ArchiveOptions {
  readonly own: SnapshotStore;
  readonly all: ReadonlyMap<RegionId, SnapshotStore>;
}

export class Archive {
  readonly #options: ArchiveOptions;
  /** The latest applied entries, contiguous, ascending. */
  #recent: readonly LogEntryView[] = [];
  #archivedUpTo = 0;
  #isRecalled = false;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** Everything up to here may be forgotten by this region's register. */
  get archivedUpTo(): LogIndex {
    return this.#archivedUpTo as LogIndex;
  }

  /** Takes newly applied entries; a jump (a snapshot was loaded) starts over behind it. */
  take(applied: readonly AppliedEntry[]): void {
    const entries = applied.map(viewOf);
    const [first] = entries;
    if (first === undefined) {
      return;
    }
    const last = this.#recent.at(-1);
    const follows = last === undefined || first.index === last.index + 1;
    const kept = [...(follows ? this.#recent : []), ...entries];
    const { recentEntriesMax, unarchivedEntriesMax } = CONTROL_LIMITS;
    const archived = kept.findIndex(({ index }) => index > this.#archivedUpTo);
    const mayDrop = archived === -1 ? kept.length : archived;
    // What is not archived waits for a store that is away, as long as memory allows.
    const mustDrop = Math.max(0, kept.length - unarchivedEntriesMax);
    const surplus = Math.max(0, kept.length - recentEntriesMax);
    this.#recent = kept.slice(Math.max(mustDrop, Math.min(surplus, mayDrop)));
  }

  /**
   * Writes full segments, and a short one where the register waits to forget entries up to
   * `awaited`. What fails is tried again at the next tick.
   *
   * @returns why something that is due could not be written; null when all is well.
   */
  async tick(awaited: LogIndex): Promise<string | null> {
    const [oldest] = this.#recent;
    const newest = this.#recent.at(-1);
    if (oldest === undefined || newest === undefined) {
      return null;
    }
    if (!(await this.#recall(newest.index))) {
      return 'the store does not say what it holds';
    }
    if (oldest.index > this.#archivedUpTo + 1) {
      // Entries below were applied by a snapshot: another region holds them.
      this.#archivedUpTo = oldest.index - 1;
    }
    for (;;) {
      const segment = this.#recent
        .filter(({ index }) => index > this.#archivedUpTo)
        .slice(0, CONTROL_LIMITS.segmentEntries);
      const isFull = segment.length === CONTROL_LIMITS.segmentEntries;
      const isDue = isFull || (segment.length > 0 && this.#archivedUpTo < awaited);
      const fault = isDue ? await this.#write(segment) : null;
      if (!isDue || fault !== null) {
        return fault;
      }
    }
  }

  async #write(segment: readonly LogEntryView[]): Promise<string | null> {
    const first = segment[0];
    const last = segment.at(-1);
    invariant(first !== undefined && last !== undefined, 'empty-segment');
    const text = segment.map((entry) => `${encodeLogLine(entry)}\n`).join('');
    const key = segmentKey(first.index, last.index);
    const outcome = await this.#options.own.put(key, new TextEncoder().encode(text));
    switch (outcome.kind) {
      case 'stored':
      case 'already-stored':
        this.#archivedUpTo = last.index;
        return null;
      case 'conflict':
        return `${key} holds other bytes: the archive of another cluster, or two logs`;
      default:
        return `${key}: ${outcome.cause}`;
    }
  }

  /** After a start: how far did this region archive before? False = its store does not answer. */
  async #recall(newest: LogIndex): Promise<boolean> {
    if (!this.#isRecalled) {
      const last = await lastArchived(this.#options.own, newest);
      this.#archivedUpTo = Math.max(this.#archivedUpTo, last ?? 0);
      this.#isRecalled = last !== null;
    }
    return this.#isRecalled;
  }

  /** Entries with index above `after`, up to `appliedIndex`, at most `limit`, over as many segments as it takes. */
  async read(after: LogIndex, limit: number, appliedIndex: LogIndex): Promise<LogPage> {
    const entries: LogEntryView[] = [];
    let position = after;
    while (entries.length < limit && position < appliedIndex) {
      const next = await this.#readNext(position);
      if (next === null) {
        break;
      }
      entries.push(...next.slice(0, limit - entries.length));
      position = entries.at(-1)?.index ?? appliedIndex;
    }
    if (entries.length === 0 && after < appliedIndex) {
      const [oldest] = this.#recent;
      return { kind: 'gap', firstAvailable: (oldest?.index ?? appliedIndex) as LogIndex };
    }
    return { kind: 'page', entries, appliedIndex };
  }

  /** The entries right behind `after` that one place holds; null = no place that answers has them. */
  async #readNext(after: LogIndex): Promise<readonly LogEntryView[] | null> {
    const recent = this.#recent.filter(({ index }) => index > after);
    if (recent[0]?.index === after + 1) {
      return recent;
    }
    for (const store of [this.#options.own, ...this.#options.all.values()]) {
      const segment = await readSegment(store, after + 1);
      if (segment !== null) {
        return segment.filter(({ index }) => index > after);
      }
    }
    return null;
  }
}

const SEGMENTS_MAX = 10_000;
/** Segments are looked for among those that begin with the same digits, all but this many … */
const BLOCK_DIGITS = 3;
/** … and after a start, while nothing is found, among ever more. */
const RECALL_DIGITS: readonly number[] = [BLOCK_DIGITS, 4, 5, 6];

invariant(CONTROL_LIMITS.segmentEntries <= 10 ** BLOCK_DIGITS, 'limits-segment-over-block');

/** The last index that this store holds at or below `newest`; null when it does not answer. */
async function lastArchived(store: SnapshotStore, newest: LogIndex): Promise<number | null> {
  for (const digits of RECALL_DIGITS) {
    const segments = await segmentsNear(store, newest, digits);
    if (segments === null || segments.length > 0) {
      return segments === null ? null : Math.max(...segments.map(({ last }) => last));
    }
  }
  return 0;
}

/** Segments that begin in the block of `index` or in the one before: keys sort like numbers. */
async function segmentsNear(
  store: SnapshotStore,
  index: number,
  digits: number,
): Promise<readonly Segment[] | null> {
  const blocks = [index - 10 ** digits, index].filter((start) => start >= 0);
  const listings = await Promise.all(
    blocks.map((start) => store.list(segmentPrefix(start, digits), SEGMENTS_MAX)),
  );
  const segments: Segment[] = [];
  for (const listing of listings) {
    if (listing.kind === 'unknown') {
      return null;
    }
    segments.push(...listing.objects.flatMap(({ key }) => segmentOf(key) ?? []));
  }
  return segments;
}

/** The segment that holds `index`; null when this store has none, or does not answer. */
async function readSegment(
  store: SnapshotStore,
  index: number,
): Promise<readonly LogEntryView[] | null> {
  const segments = await segmentsNear(store, index, BLOCK_DIGITS);
  const segment = segments?.find(({ first, last }) => first <= index && index <= last);
  const object = segment === undefined ? null : await store.get(segment.key);
  return object?.kind === 'found' ? parseSegment(object.bytes) : null;
}

function parseSegment(bytes: Uint8Array): readonly LogEntryView[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogEntryView);
}
