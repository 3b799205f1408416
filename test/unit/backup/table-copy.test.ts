import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findKeyFault } from '../../../lib/backup/object-key.ts';
import {
  type CopyBegin,
  copyFolder,
  copyOfNewestKey,
  EMPTY_TALLY,
  keySegment,
  manifestOf,
  newestKey,
  partKey,
  partText,
  readManifest,
  readPart,
  tallyWith,
  totalOf,
} from '../../../lib/backup/table-copy.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const lines = fc.array(fc.string({ maxLength: 12 }), { maxLength: 12 });

test('what a table holds does not depend on the order, nor on who counted which part', () => {
  fc.assert(
    fc.property(lines, fc.nat(12), (items, cut) => {
      const whole = tallyWith(EMPTY_TALLY, items, sha256);
      const turned = tallyWith(EMPTY_TALLY, items.toReversed(), sha256);
      const halves = [items.slice(0, cut), items.slice(cut)];
      const parts = halves.map((half) => tallyWith(EMPTY_TALLY, half, sha256));
      expect(turned).toEqual(whole);
      expect(totalOf(parts)).toEqual(whole);
    }),
    { seed: 20_261_123, numRuns: 100 },
  );
});

test('another item, one more, or one less gives another sum', () => {
  const tally = (items: readonly string[]) => tallyWith(EMPTY_TALLY, items, sha256).sum;
  expect(tally(['a', 'b'])).not.toBe(tally(['a', 'c']));
  expect(tally(['a', 'b'])).not.toBe(tally(['a']));
  // Not cancelled out, as it would be by exclusive-or.
  expect(tally(['a', 'b', 'b'])).not.toBe(tally(['a']));
});

test('every table and token gives keys that a store takes, and no two the same', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ maxLength: 255 }), { minLength: 2, maxLength: 2 }),
      ([one = '', two = '']) => {
        const folder = copyFolder(
          { region: 'us-east-1', table: one },
          keySegment(two, sha256),
          sha256,
        );
        expect(findKeyFault(partKey(folder, 3, 17))).toBeNull();
        expect(keySegment(one, sha256)).not.toBe(keySegment(two, sha256));
      },
    ),
    { seed: 20_261_123, numRuns: 100 },
  );
});

const BEGIN: CopyBegin = {
  ...{ format: 1, source: { region: 'us-east-1', table: 'Orders' }, copy: 'checkout-9' },
  ...{ takenAt: 1_795_426_800_000, segments: 2 },
  keys: [{ name: 'id', type: 'S', role: 'HASH' }],
};

test('the newest copy is the last one of a listing', () => {
  const older = newestKey({ ...BEGIN, takenAt: 999_999_999_999, copy: 'z' }, sha256);
  const newer = newestKey(BEGIN, sha256);
  expect([newer, older].toSorted()).toEqual([older, newer]);
  expect(copyOfNewestKey(newer)).toEqual({ takenAt: BEGIN.takenAt, copy: 'checkout-9' });
  expect(copyOfNewestKey('tables/x/copies/y/begin.json')).toBeNull();
});

test('a part is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(fc.json(), { maxLength: 5 }), (values) => {
      const items = values.map((text) => JSON.stringify(JSON.parse(text)));
      const tally = tallyWith(EMPTY_TALLY, items, sha256);
      const header = { segment: 1, part: 0, previous: null, next: { id: { S: 'b' } }, tally };
      expect(readPart(partText(header, items))).toEqual({ header, lines: items });
    }),
    { seed: 20_261_123, numRuns: 50 },
  );
  expect(readPart('half a li')).toBeNull();
});

test('a manifest stands for all segments, or is not made', () => {
  const end = {
    segment: 0,
    parts: 1,
    last: 'a',
    tally: { items: 2, sum: '0'.repeat(63).concat('2') },
  };
  const manifest = manifestOf(BEGIN, [end, { ...end, segment: 1 }]);
  expect(manifest.tally.items).toBe(4);
  expect(readManifest(JSON.stringify(manifest))).toEqual(manifest);
  expect(() => manifestOf(BEGIN, [end])).toThrow('copy-without-segment');
});
