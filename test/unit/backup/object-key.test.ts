import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkKey,
  checkLimit,
  checkPrefix,
  checkSize,
  findKeyFault,
} from '../../../lib/backup/object-key.ts';

const goodKeys = [
  'a',
  'snapshots/checkout/000000000042.json',
  '.hidden',
  '...',
  'a..b',
  '-',
  `${'x'.repeat(128)}/${'y'.repeat(128)}/${'z'.repeat(128)}`,
];
const badKeys = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a\\b',
  'A',
  'a b',
  'a\0b',
  'ä',
  'a#sha256',
  'x'.repeat(129),
  `${'x/'.repeat(256)}x`,
];

describe('checkKey', () => {
  it.each(goodKeys)('takes %j', (key) => {
    expect(findKeyFault(key)).toBeNull();
    checkKey(key);
  });

  it.each(badKeys)('refuses %j with a reason', (key) => {
    expect(findKeyFault(key)).not.toBeNull();
    expect(() => checkKey(key)).toThrow('object-key-malformed');
  });

  it('lets no key leave its folder or name it', () => {
    const hostile = fc.array(fc.constantFrom('.', '..', 'a', '/', '\\', '\0', 'A', ' '), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(hostile, (parts) => {
        const key = parts.join('');
        fc.pre(findKeyFault(key) === null);
        expect(posix.join('/root', key)).toBe(`/root/${key}`);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('checkPrefix', () => {
  it('takes every beginning of a key', () => {
    for (const key of goodKeys) {
      for (let length = 0; length <= key.length; length += 1) {
        checkPrefix(key.slice(0, length));
      }
    }
  });

  it.each(['/', '/a', 'a//', '../', 'a/../', 'A', 'a b', 'x'.repeat(129), 'x/'.repeat(257)])(
    'refuses %j',
    (prefix) => {
      expect(() => checkPrefix(prefix)).toThrow('object-prefix-malformed');
    },
  );
});

describe('checkSize and checkLimit', () => {
  it('take what the port allows and nothing else', () => {
    checkSize(new Uint8Array(1));
    checkSize(new Uint8Array(64 * 1024 * 1024));
    expect(() => checkSize(new Uint8Array(0))).toThrow('object-size');
    expect(() => checkSize(new Uint8Array(64 * 1024 * 1024 + 1))).toThrow('object-size');
    checkLimit(1);
    checkLimit(10_000);
    for (const limit of [0, -1, 1.5, 10_001, Number.NaN]) {
      expect(() => checkLimit(limit)).toThrow('object-limit');
    }
  });
});
