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
import type { LogEntryView, LogPage } from './control-plane.ts';
import { CONTROL_LIMITS } from './limits.ts';

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
    const surplus = Math.max(0, kept.length - CONTROL_LIMITS.recentEntriesMax);
    // What is not archived yet is never dropped, however long the store is away.
    const mayDrop = kept.findIndex(({ index }) => index > this.#archivedUpTo);
    this.#recent = kept.slice(mayDrop === -1 ? surplus : Math.min(surplus, mayDrop));
  }

  /** Writes full segments. Best effort: what fails is tried again at the next tick. */
  async tick(): Promise<void> {
    if (!this.#isRecalled && !(await this.#recall())) {
      return;
    }
    const [oldest] = this.#recent;
    if (oldest !== undefined && oldest.index > this.#archivedUpTo + 1) {
      // Entries below were applied by a snapshot: another region holds them.
      this.#archivedUpTo = oldest.index - 1;
    }
    for (;;) {
      const segment = this.#recent
        .filter(({ index }) => index > this.#archivedUpTo)
        .slice(0, CONTROL_LIMITS.segmentEntries);
      const isFull = segment.length === CONTROL_LIMITS.segmentEntries;
      if (!isFull || !(await this.#write(segment))) {
        return;
      }
    }
  }

  async #write(segment: readonly LogEntryView[]): Promise<boolean> {
    const first = segment[0];
    const last = segment.at(-1);
    invariant(first !== undefined && last !== undefined, 'empty-segment');
    const text = segment.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const key = segmentKey(first.index, last.index);
    const outcome = await this.#options.own.put(key, new TextEncoder().encode(text));
    const isStored = outcome.kind === 'stored' || outcome.kind === 'already-stored';
    this.#archivedUpTo = isStored ? last.index : this.#archivedUpTo;
    return isStored;
  }

  /** After a start: how far did this region archive before? */
  async #recall(): Promise<boolean> {
    const segments = await segmentsOf(this.#options.own);
    if (segments === null) {
      return false;
    }
    this.#archivedUpTo = Math.max(this.#archivedUpTo, ...segments.map(({ last }) => last));
    this.#isRecalled = true;
    return true;
  }

  /** Entries with index above `after`, up to `appliedIndex`, at most `limit`. */
  async read(after: LogIndex, limit: number, appliedIndex: LogIndex): Promise<LogPage> {
    const [oldest] = this.#recent;
    const isRecent = after >= appliedIndex || (oldest !== undefined && oldest.index <= after + 1);
    if (isRecent) {
      const entries = this.#recent.filter(({ index }) => index > after).slice(0, limit);
      return { kind: 'page', entries, appliedIndex };
    }
    for (const store of [this.#options.own, ...this.#options.all.values()]) {
      const entries = await readSegment(store, after + 1);
      if (entries !== null) {
        const wanted = entries.filter(({ index }) => index > after).slice(0, limit);
        return { kind: 'page', entries: wanted, appliedIndex };
      }
    }
    return { kind: 'gap', firstAvailable: (oldest?.index ?? appliedIndex) as LogIndex };
  }
}

function viewOf({ entry, chain }: AppliedEntry): LogEntryView {
  const { index, term, command } = entry;
  return {
    index,
    term,
    id: command?.id ?? null,
    basis: command?.basis ?? null,
    body: command?.body ?? null,
    chain,
  };
}

interface Segment {
  readonly key: string;
  readonly first: number;
  readonly last: number;
}

const SEGMENT_PREFIX = 'log/';
const SEGMENTS_MAX = 10_000;

function segmentKey(first: number, last: number): string {
  const padded = (index: number) => String(index).padStart(16, '0');
  return `${SEGMENT_PREFIX}${padded(first)}-${padded(last)}.jsonl`;
}

async function segmentsOf(store: SnapshotStore): Promise<readonly Segment[] | null> {
  const listing = await store.list(SEGMENT_PREFIX, SEGMENTS_MAX);
  return listing.kind === 'unknown'
    ? null
    : listing.objects.flatMap(({ key }) => {
        const match = /^log\/(\d{16})-(\d{16})\.jsonl$/.exec(key);
        return match === null ? [] : [{ key, first: Number(match[1]), last: Number(match[2]) }];
      });
}

/** The segment that holds `index`; null when this store has none, or does not answer. */
async function readSegment(
  store: SnapshotStore,
  index: number,
): Promise<readonly LogEntryView[] | null> {
  const segments = await segmentsOf(store);
  const segment = segments?.find(({ first, last }) => first <= index && index <= last);
  const object = segment === undefined ? null : await store.get(segment.key);
  return object?.kind === 'found' ? parseSegment(object.bytes) : null;
}

function parseSegment(bytes: Uint8Array): readonly LogEntryView[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogEntryView);
}
