import { describe, expect, test } from 'vitest';
import {
  commandId,
  type LogIndex,
  logIndex,
  regionId,
  term,
} from '../../../lib/base/identifiers.ts';
import type { AppliedEntry } from '../../../lib/consensus/replica.ts';
import { Archive } from '../../../lib/control/archive.ts';
import type { LogPage } from '../../../lib/control/control-plane.ts';
import { CONTROL_LIMITS } from '../../../lib/control/limits.ts';
import { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';

const { segmentEntries, recentEntriesMax } = CONTROL_LIMITS;
const NOTHING_AWAITED = logIndex(0);

function entriesOf(from: number, to: number): readonly AppliedEntry[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, place) => {
    const index = logIndex(from + place);
    const command = { id: commandId(`c-${index}`), basis: logIndex(0), body: { kind: 'note' } };
    return { entry: { index, term: term(1), command }, chain: `chain-${index}` };
  });
}

function archiveOf(own: MemorySnapshotStore, ...others: readonly MemorySnapshotStore[]): Archive {
  const names = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
  const all = [own, ...others].map(
    (store, place) => [names[place] ?? regionId('other'), store.port] as const,
  );
  return new Archive({ own: own.port, all: new Map(all) });
}

const indexesOf = (page: LogPage): readonly LogIndex[] =>
  page.kind === 'page' ? page.entries.map(({ index }) => index) : [];

/** The whole log as a reader would collect it, page by page. */
async function readAll(archive: Archive, appliedIndex: number): Promise<readonly number[]> {
  const read: number[] = [];
  for (let pages = 0; pages < 200; pages += 1) {
    const after = logIndex(read.at(-1) ?? 0);
    const page = await archive.read(after, CONTROL_LIMITS.logPageMax, logIndex(appliedIndex));
    const indexes = indexesOf(page);
    if (page.kind === 'gap' || indexes.length === 0) {
      return read;
    }
    read.push(...indexes);
  }
  throw new Error('the log has no end');
}

const upTo = (last: number) => Array.from({ length: last }, (_, place) => place + 1);

describe('the archive', () => {
  test('writes full segments, and keeps what does not fill one', async () => {
    const store = new MemorySnapshotStore();
    const archive = archiveOf(store);
    archive.take(entriesOf(1, 2 * segmentEntries + 7));
    expect(await archive.tick(NOTHING_AWAITED)).toBeNull();
    expect(store.keys()).toEqual([
      'log/0000000000000001-0000000000000100.jsonl',
      'log/0000000000000101-0000000000000200.jsonl',
    ]);
    expect(archive.archivedUpTo).toBe(200);
    expect(store.text(store.keys()[0] ?? '').split('\n')[0]).toBe(
      '{"index":1,"term":1,"id":"c-1","basis":0,"body":{"kind":"note"},"chain":"chain-1"}',
    );
  });

  test('writes a short segment when the register waits for it', async () => {
    const store = new MemorySnapshotStore();
    const archive = archiveOf(store);
    archive.take(entriesOf(1, 30));
    await archive.tick(logIndex(22));
    expect(archive.archivedUpTo).toBe(30);
    archive.take(entriesOf(31, 40));
    await archive.tick(logIndex(22));
    expect(archive.archivedUpTo).toBe(30);
    await archive.tick(logIndex(31));
    expect(store.keys().map((key) => key.slice(-11))).toEqual(['00030.jsonl', '00040.jsonl']);
  });

  test('gives back every entry once, from memory and from segments', async () => {
    const archive = archiveOf(new MemorySnapshotStore());
    const last = recentEntriesMax + 2 * segmentEntries + 55;
    for (let from = 1; from <= last; from += 40) {
      archive.take(entriesOf(from, Math.min(last, from + 39)));
      await archive.tick(NOTHING_AWAITED);
    }
    expect(await readAll(archive, last)).toEqual(upTo(last));
  });

  test('has an empty page at the end of the log', async () => {
    const archive = archiveOf(new MemorySnapshotStore());
    archive.take(entriesOf(1, 3));
    const page = await archive.read(logIndex(3), 10, logIndex(3));
    expect(page).toEqual({ kind: 'page', entries: [], appliedIndex: 3 });
  });

  test('keeps to the limit of a page', async () => {
    const archive = archiveOf(new MemorySnapshotStore());
    archive.take(entriesOf(1, 30));
    expect(indexesOf(await archive.read(logIndex(4), 3, logIndex(30)))).toEqual([5, 6, 7]);
  });
});

describe('an archive whose store is away', () => {
  test('says so, loses nothing, and writes it all when the store is back', async () => {
    const store = new MemorySnapshotStore();
    const archive = archiveOf(store);
    store.isAway = true;
    const last = recentEntriesMax + 500;
    for (let from = 1; from <= last; from += 100) {
      archive.take(entriesOf(from, from + 99));
      expect(await archive.tick(NOTHING_AWAITED)).toContain('does not say what it holds');
    }
    expect(archive.archivedUpTo).toBe(0);
    expect(await readAll(archive, last)).toEqual(upTo(last));
    store.isAway = false;
    expect(await archive.tick(NOTHING_AWAITED)).toBeNull();
    expect(archive.archivedUpTo).toBe(last);
    expect(store.keys()).toHaveLength(last / segmentEntries);
  });

  test('that goes away later says which segment waits', async () => {
    const store = new MemorySnapshotStore();
    const archive = archiveOf(store);
    archive.take(entriesOf(1, 100));
    await archive.tick(NOTHING_AWAITED);
    store.isAway = true;
    archive.take(entriesOf(101, 200));
    expect(await archive.tick(NOTHING_AWAITED)).toContain('-0000000000000200.jsonl: the store');
    expect(archive.archivedUpTo).toBe(100);
  });

  test('holds no more than memory allows, and goes on behind what it had to drop', async () => {
    const store = new MemorySnapshotStore();
    store.isAway = true;
    const archive = archiveOf(store);
    const last = CONTROL_LIMITS.unarchivedEntriesMax + 1000;
    for (let from = 1; from <= last; from += 1000) {
      archive.take(entriesOf(from, from + 999));
    }
    store.isAway = false;
    await archive.tick(NOTHING_AWAITED);
    expect(store.keys()[0]).toBe('log/0000000000001001-0000000000001100.jsonl');
    expect(archive.archivedUpTo).toBe(last);
    expect(await archive.read(logIndex(0), 10, logIndex(last))).toEqual({
      kind: 'gap',
      firstAvailable: 1001,
    });
  });

  test('never overwrites a segment that holds something else, and says so', async () => {
    const store = new MemorySnapshotStore();
    const archive = archiveOf(store);
    archive.take(entriesOf(1, 50));
    await archive.tick(NOTHING_AWAITED);
    const key = 'log/0000000000000001-0000000000000100.jsonl';
    await store.port.put(key, new TextEncoder().encode('another log\n'));
    archive.take(entriesOf(51, 120));
    expect(await archive.tick(NOTHING_AWAITED)).toContain('holds other bytes');
    expect(archive.archivedUpTo).toBe(0);
    expect(store.text(key)).toBe('another log\n');
  });
});

describe('an archive after a restart', () => {
  test('goes on where it stopped, without a second copy', async () => {
    const store = new MemorySnapshotStore();
    const first = archiveOf(store);
    first.take(entriesOf(1, 250));
    await first.tick(NOTHING_AWAITED);
    const second = archiveOf(store);
    second.take(entriesOf(1, 330));
    await second.tick(NOTHING_AWAITED);
    expect(store.keys()).toHaveLength(3);
    expect(store.puts).toBe(3);
    expect(second.archivedUpTo).toBe(300);
    expect(await readAll(second, 330)).toEqual(upTo(330));
  });

  test('finds its place among more segments than one listing shows', async () => {
    const store = new MemorySnapshotStore();
    const count = 10_050;
    for (let segment = 0; segment < count - 1; segment += 1) {
      const [first, last] = [segment * 100 + 1, segment * 100 + 100];
      const key = `log/${String(first).padStart(16, '0')}-${String(last).padStart(16, '0')}.jsonl`;
      await store.port.put(key, new TextEncoder().encode('{}\n'));
    }
    const before = archiveOf(store);
    before.take(entriesOf(count * 100 - 99, count * 100));
    await before.tick(NOTHING_AWAITED);
    const after = archiveOf(store);
    after.take(entriesOf(count * 100 - 49, count * 100 + 20));
    await after.tick(NOTHING_AWAITED);
    expect(after.archivedUpTo).toBe(count * 100);
    expect(store.keys()).toHaveLength(count);
    const page = await after.read(logIndex(count * 100 - 60), 3, logIndex(count * 100 + 20));
    expect(indexesOf(page)).toEqual([1_004_941, 1_004_942, 1_004_943]);
  });

  test('does not forget entries that it has not archived before the process died', async () => {
    const store = new MemorySnapshotStore();
    const first = archiveOf(store);
    first.take(entriesOf(1, 150));
    await first.tick(NOTHING_AWAITED);
    const second = archiveOf(store);
    second.take(entriesOf(1, 150));
    await second.tick(logIndex(150));
    expect(second.archivedUpTo).toBe(150);
    expect(store.keys()).toHaveLength(2);
  });
});

describe('a region that was away while others forgot', () => {
  test('has a gap, which it fills from the archive of a region that has the entries', async () => {
    const [own, other] = [new MemorySnapshotStore(), new MemorySnapshotStore()];
    const elsewhere = archiveOf(other);
    elsewhere.take(entriesOf(1, 400));
    await elsewhere.tick(NOTHING_AWAITED);
    const archive = archiveOf(own, other);
    archive.take(entriesOf(1, 120));
    await archive.tick(NOTHING_AWAITED);
    archive.take(entriesOf(341, 450));
    await archive.tick(NOTHING_AWAITED);
    expect(own.keys()).toEqual([
      'log/0000000000000001-0000000000000100.jsonl',
      'log/0000000000000341-0000000000000440.jsonl',
    ]);
    expect(await readAll(archive, 450)).toEqual(upTo(450));
  });

  test('says from where on it can tell when nobody has them', async () => {
    const [own, other] = [new MemorySnapshotStore(), new MemorySnapshotStore()];
    const archive = archiveOf(own, other);
    archive.take(entriesOf(341, 450));
    expect(await archive.read(logIndex(0), 10, logIndex(450))).toEqual({
      kind: 'gap',
      firstAvailable: 341,
    });
    other.isAway = true;
    expect(await archive.read(logIndex(339), 10, logIndex(450))).toMatchObject({ kind: 'gap' });
    expect(indexesOf(await archive.read(logIndex(340), 2, logIndex(450)))).toEqual([341, 342]);
  });
});
