import { encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readQuery } from '../../../../lib/local/dns/query.ts';

const QUERY = encode({
  type: 'query',
  id: 4711,
  flags: 0x0100,
  questions: [{ type: 'A', name: 'Checkout.Example.test' }],
});

describe('a query', () => {
  test('is read with its name in lower case and its question as it was sent', () => {
    expect(readQuery(QUERY)).toEqual({
      kind: 'query',
      query: {
        id: 4711,
        isRecursionDesired: true,
        question: QUERY.subarray(12),
        name: 'checkout.example.test',
        type: 1,
        class: 1,
        edns: null,
      },
    });
  });

  test('of the root has an empty name', () => {
    expect(readQuery(packet([0, 0, 1, 0, 1]))).toMatchObject({ query: { name: '' } });
  });

  test('whose label holds a dot does not pass for a longer name', () => {
    const label = [...Buffer.from('a.example')];
    const question = [label.length, ...label, 4, ...Buffer.from('test'), 0, 0, 1, 0, 1];
    expect(readQuery(packet(question))).toMatchObject({ query: { name: 'a\\046example.test' } });
  });

  test('may be 255 bytes of name, not 256', () => {
    const label = [63, ...Buffer.from('x'.repeat(63))];
    const longest = [
      ...label,
      ...label,
      ...label,
      61,
      ...Buffer.from('y'.repeat(61)),
      0,
      0,
      1,
      0,
      1,
    ];
    const tooLong = [
      ...label,
      ...label,
      ...label,
      62,
      ...Buffer.from('y'.repeat(62)),
      0,
      0,
      1,
      0,
      1,
    ];
    expect(readQuery(packet(longest)).kind).toBe('query');
    expect(readQuery(packet(tooLong))).toMatchObject({ kind: 'fault', responseCode: 1 });
  });
});

describe('what is no query', () => {
  test.each<readonly [string, Uint8Array]>([
    ['nothing at all', Buffer.alloc(0)],
    ['half a header', QUERY.subarray(0, 11)],
    ['a response, which could start a loop', flagged(0x8000)],
  ])('%s is noise and gets no answer', (_, bytes) => {
    expect(readQuery(bytes)).toEqual({ kind: 'noise' });
  });

  test.each<readonly [string, number, Uint8Array]>([
    ['no question', 1, packet([], 0)],
    ['two questions', 1, packet([0, 0, 1, 0, 1, 0, 0, 1, 0, 1], 2)],
    ['a name without an end', 1, packet([5, 97, 98])],
    ['a question cut off after its name', 1, packet([0, 0, 1, 0])],
    ['a compression pointer in the question', 1, packet([0xc0, 0x0c, 0, 1, 0, 1])],
    ['a reserved label type', 1, packet([0x80, 0, 1, 0, 1])],
    ['an additional record that is not there', 1, withCount(QUERY, 10, 1)],
    ['65,535 answers that are not there', 1, withCount(QUERY, 6, 0xffff)],
    ['two EDNS records', 1, withOpt(2)],
    ['a status request', 4, flagged(2 << 11)],
    ['an update', 4, flagged(5 << 11)],
  ])('with %s is answered with code %i', (_, responseCode, bytes) => {
    expect(readQuery(bytes)).toMatchObject({ kind: 'fault', responseCode });
  });
});

test('any bytes, and any damage to a good query, are read without an exception', () => {
  const damaged = fc
    .array(fc.record({ at: fc.nat(QUERY.length - 1), to: fc.nat(255) }), { maxLength: 6 })
    .map((changes) => {
      const bytes = Uint8Array.from(withOpt(1));
      for (const { at, to } of changes) {
        bytes[at] = to;
      }
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged), (bytes) => {
      expect(['query', 'fault', 'noise']).toContain(readQuery(bytes).kind);
    }),
    { seed: 5, numRuns: 2000 },
  );
});

function packet(question: readonly number[], count = 1): Buffer {
  return withCount(Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...question]), 4, count);
}

function withCount(bytes: Uint8Array, offset: number, count: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(count, offset);
  return copy;
}

function flagged(flags: number): Buffer {
  return withCount(QUERY, 2, flags);
}

function withOpt(count: number): Buffer {
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
  return withCount(Buffer.concat([QUERY, ...Array.from({ length: count }, () => opt)]), 10, count);
}
