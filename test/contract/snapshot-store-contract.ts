/**
 * What every snapshot store must do, whatever keeps the objects: run on a folder, on the S3 adapter
 * against the stand-in and, on demand, against a real bucket.
 *
 * Keys carry a random prefix, so that the suite can run on a bucket that holds other things.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SnapshotStore } from '../../lib/backup/snapshot-store.ts';

export interface SnapshotStoreHarness {
  /** A store on the same objects as every other store of this harness. */
  readonly open: () => SnapshotStore;
  readonly close: () => Promise<void>;
}

interface Bench {
  readonly store: SnapshotStore;
  /** Another process, as far as the objects can tell. */
  readonly other: SnapshotStore;
  /** A key that no test used before. */
  readonly key: (name?: string) => string;
}

const text = (content: string) => new TextEncoder().encode(content);

export function snapshotStoreContract(
  name: string,
  start: () => Promise<SnapshotStoreHarness>,
): void {
  describe(`snapshot store: ${name}`, () => {
    let harness: SnapshotStoreHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());

    const open = (): Bench => {
      const folder = `contract/${randomUUID()}`;
      const key = (leaf = 'object') => `${folder}/${leaf}`;
      return { store: harness.open(), other: harness.open(), key };
    };
    writeOnceCases(open);
    contentCases(open);
    listCases(open);
    keyCases(open);
  });
}

function writeOnceCases(open: () => Bench): void {
  test('gives back what was put, also to another process', async () => {
    const { store, other, key } = open();
    expect(await store.put(key(), text('full copy'))).toEqual({ kind: 'stored' });
    expect(await other.get(key())).toEqual({ kind: 'found', bytes: text('full copy') });
  });

  test('says of a repeat that the bytes are there already', async () => {
    const { store, other, key } = open();
    await store.put(key(), text('full copy'));
    expect(await other.put(key(), text('full copy'))).toEqual({ kind: 'already-stored' });
    expect(await store.put(key(), text('full copy'))).toEqual({ kind: 'already-stored' });
  });

  test('never replaces an object', async () => {
    const { store, other, key } = open();
    await store.put(key(), text('first'));
    expect(await other.put(key(), text('second'))).toEqual({ kind: 'conflict' });
    expect(await store.get(key())).toEqual({ kind: 'found', bytes: text('first') });
    expect(await store.put(key(), text('first'))).toEqual({ kind: 'already-stored' });
  });

  test('lets exactly one of many writers of different bytes win, and all readers agree', async () => {
    const { store, other, key } = open();
    const bodies = Array.from({ length: 8 }, (_, index) => text(`writer ${index}`));
    const outcomes = await Promise.all(
      bodies.map((body, index) => (index % 2 === 0 ? store : other).put(key(), body)),
    );
    const winner = outcomes.findIndex(({ kind }) => kind === 'stored');
    expect(outcomes.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
    // A bucket may tell a loser of a close race that it does not know yet; asked again, it does.
    const again = await Promise.all(bodies.map((body) => store.put(key(), body)));
    const expected = bodies.map((_, index) => (index === winner ? 'already-stored' : 'conflict'));
    expect(again.map(({ kind }) => kind)).toEqual(expected);
    expect(await other.get(key())).toEqual({ kind: 'found', bytes: bodies[winner] });
  });

  test('lets many writers of the same bytes all succeed, one of them as the writer', async () => {
    const { store, other, key } = open();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index < 4 ? store : other).put(key(), text('same'))),
    );
    const kinds = outcomes.map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(7).fill('already-stored'), 'stored']);
    expect(await store.get(key())).toEqual({ kind: 'found', bytes: text('same') });
  });
}

function contentCases(open: () => Bench): void {
  test('says of a key that was never put that it is absent', async () => {
    const { store, key } = open();
    expect(await store.get(key())).toEqual({ kind: 'absent' });
    await store.put(key('folder/object'), text('x'));
    expect(await store.get(key('folder'))).toEqual({ kind: 'absent' });
    expect(await store.get(key('folder/object-2'))).toEqual({ kind: 'absent' });
  });

  test('keeps any bytes as they are', async () => {
    const { store, key } = open();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        count += 1;
        expect(await store.put(key(`bytes/${count}`), bytes)).toEqual({ kind: 'stored' });
        expect(await store.get(key(`bytes/${count}`))).toEqual({ kind: 'found', bytes });
      }),
      { numRuns: 12 },
    );
  });

  test('keeps five megabytes', async () => {
    const { store, key } = open();
    const bytes = new Uint8Array(randomBytes(5 * 1024 * 1024));
    expect(await store.put(key(), bytes)).toEqual({ kind: 'stored' });
    const read = await store.get(key());
    expect(read.kind === 'found' && Buffer.compare(read.bytes, bytes)).toBe(0);
  });

  test('does not keep a hold on the bytes that it was given', async () => {
    const { store, key } = open();
    const bytes = text('mine');
    await store.put(key(), bytes);
    bytes.fill(0);
    expect(await store.get(key())).toEqual({ kind: 'found', bytes: text('mine') });
  });
}

function listCases(open: () => Bench): void {
  test('lists keys with sizes in ascending order of the whole key', async () => {
    const { store, other, key } = open();
    const names = ['b', 'a/z', 'a-1', 'a.1', 'a/b/c', 'a0', '_', '9'];
    for (const name of names) {
      await store.put(key(name), text(name));
    }
    const objects = names.map((name) => ({ key: key(name), size: name.length }));
    const sorted = objects.sort((left, right) => (left.key < right.key ? -1 : 1));
    expect(await other.list(key(''), 100)).toEqual({ kind: 'listed', objects: sorted });
  });

  test('takes the prefix as text, not as a folder', async () => {
    const { store, key } = open();
    for (const name of ['run-1/a', 'run-10/a', 'run-2/a', 'ru']) {
      await store.put(key(name), text('x'));
    }
    const keys = async (prefix: string) => {
      const outcome = await store.list(key(prefix), 100);
      return outcome.kind === 'listed' ? outcome.objects.map((object) => object.key) : outcome;
    };
    expect(await keys('run-1')).toEqual([key('run-1/a'), key('run-10/a')]);
    expect(await keys('run-1/')).toEqual([key('run-1/a')]);
    expect(await keys('run-10/a')).toEqual([key('run-10/a')]);
    expect(await keys('none')).toEqual([]);
  });

  test('stops at the limit with the first keys', async () => {
    const { store, key } = open();
    const names = Array.from({ length: 7 }, (_, index) => `part-${index}`);
    await Promise.all(names.map((name) => store.put(key(name), text('x'))));
    for (const limit of [1, 3, 6, 7, 8]) {
      const outcome = await store.list(key('part-'), limit);
      const objects = names.slice(0, limit).map((name) => ({ key: key(name), size: 1 }));
      expect(outcome).toEqual({ kind: 'listed', objects });
    }
  });
}

function keyCases(open: () => Bench): void {
  test('takes keys as long as the port allows', async () => {
    const { store } = open();
    const unique = randomUUID().replaceAll('-', '');
    const key = `${unique}/${'k'.repeat(128)}/${'e'.repeat(128)}/${'y'.repeat(128)}`;
    expect(await store.put(key, text('x'))).toEqual({ kind: 'stored' });
    expect(await store.get(key)).toEqual({ kind: 'found', bytes: text('x') });
    const listed = await store.list(key.slice(0, 40), 2);
    expect(listed).toEqual({ kind: 'listed', objects: [{ key, size: 1 }] });
  });

  test.each(['../outside', '/absolute', 'a/../../b', 'a//b', 'a/', '', 'UPPER', 'a#b', 'a\0'])(
    'refuses the key %j before it touches anything',
    async (key) => {
      const { store } = open();
      await expect(store.put(key, text('x'))).rejects.toThrow('object-key-malformed');
      await expect(store.get(key)).rejects.toThrow('object-key-malformed');
    },
  );

  test('refuses empty objects, foreign prefixes and limits out of range', async () => {
    const { store, key } = open();
    await expect(store.put(key(), new Uint8Array())).rejects.toThrow('object-size');
    await expect(store.list('../', 1)).rejects.toThrow('object-prefix-malformed');
    await expect(store.list('', 0)).rejects.toThrow('object-limit');
    await expect(store.list('', 10_001)).rejects.toThrow('object-limit');
  });
}
