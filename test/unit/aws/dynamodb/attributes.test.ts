import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesValue,
  integerValue,
  itemBytes,
  keyItem,
  numberValue,
  readItem,
  textValue,
} from '../../../../lib/aws/dynamodb/attributes.ts';

const CONTEXT = { code: 'item-corrupt', hint: 'Delete it.' };

describe('the size of an item', () => {
  test('counts names and texts in UTF-8 bytes', () => {
    expect(itemBytes({ é: textValue('東京') })).toBe(2 + 6);
  });

  test('counts binaries by their bytes', () => {
    expect(itemBytes({ data: bytesValue(new Uint8Array(300)) })).toBe(4 + 300);
  });

  test('is never below what the service counts for a number', () => {
    const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e99, max: 1e99 });
    fc.assert(
      fc.property(anyNumber, (value) => {
        fc.pre(value === 0 || Math.abs(value) >= 1e-99);
        expect(itemBytes({ n: numberValue(value) })).toBeGreaterThanOrEqual(
          1 + serviceBytes(value),
        );
      }),
      { seed: 20_261_123 },
    );
  });
});

/** One byte per two significant digits of the base-100 mantissa, one for the exponent, one for a sign. */
function serviceBytes(value: number): number {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace(/[-.]/g, '').length;
  const straddles = (digits % 2 === 0) !== (Number(exponent) % 2 !== 0) ? 1 : 0;
  return Math.ceil(digits / 2) + (digits % 2 === 0 ? straddles : 0) + 1 + (value < 0 ? 1 : 0);
}

describe('a value that cannot be stored as it is', () => {
  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuses the counter %d',
    (value) => {
      expect(() => integerValue(value)).toThrow('number-not-storable');
    },
  );

  test.each([Number.NaN, Number.NEGATIVE_INFINITY, 1e101, 1e-101])(
    'refuses the number %d',
    (value) => {
      expect(() => numberValue(value)).toThrow('number-not-storable');
    },
  );

  test.each(['', '\ud83d', '\udc00x'])('refuses the text %j', (value) => {
    expect(() => textValue(value)).toThrow('text-not-storable');
  });
});

describe('reading an item', () => {
  const read = readItem(
    {
      ...keyItem({ partition: 'site', sort: 'a@b' }),
      n: { N: '7.5' },
      big: { N: '1e400' },
      s: { S: 'x' },
    },
    CONTEXT,
  );

  test('gives null for what is absent and may be', () => {
    expect([read.textOrNull('no'), read.numberOrNull('no'), read.integerOrNull('no')]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test.each<readonly [string, () => unknown]>([
    ['a missing text', () => read.text('no')],
    ['a missing number', () => read.number('no')],
    ['a missing counter', () => read.integer('no')],
    ['a missing binary', () => read.bytes('no')],
    ['a text that is a number', () => read.text('n')],
    ['a number that is a text', () => read.number('s')],
    ['a binary that is a text', () => read.bytes('s')],
    ['a fraction where a counter belongs', () => read.integer('n')],
    ['a number beyond doubles', () => read.number('big')],
  ])('stops at %s and names the item', (_, act) => {
    expect(act).toThrow(
      expect.objectContaining({ ...CONTEXT, message: expect.stringContaining('site / a@b') }),
    );
  });
});
