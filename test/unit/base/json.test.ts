import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from '../../../lib/base/json.ts';

const values = fc.jsonValue({ depthSize: 'small' }) as fc.Arbitrary<JsonValue>;

/** The same value with the members of every object in the opposite order. */
function reversed(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member ?? null)]));
}

describe('canonicalJson', () => {
  it('reads back as the value that was written', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order in which members were set', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('sorts by code unit, writes no space and drops undefined members', () => {
    const value = { b: [1, { z: null, a: 'x' }], a: undefined, B: true, ä: 0.5 };
    expect(canonicalJson(value)).toBe('{"B":true,"b":[1,{"a":"x","z":null}],"ä":0.5}');
  });

  it('tells apart values that differ only in type', () => {
    const texts = [1, '1', [1], { '0': 1 }, null, false, ''].map((value) => canonicalJson(value));
    expect(new Set(texts).size).toBe(texts.length);
  });
});
