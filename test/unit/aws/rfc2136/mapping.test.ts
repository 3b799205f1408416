import { describe, expect, test } from 'vitest';
import { queryFailure, updateFailure } from '../../../../lib/aws/rfc2136/errors.ts';
import { batchFault, setsAt, updateOf } from '../../../../lib/aws/rfc2136/mapping.ts';
import { hasReached } from '../../../../lib/aws/rfc2136/serial.ts';
import {
  CLASS,
  encodeName,
  TYPE,
  WireFault,
  WireReader,
} from '../../../../lib/aws/rfc2136/wire.ts';
import type { Change, RecordSet, RecordType } from '../../../../lib/recovery/switch-port.ts';

const NAME = 'checkout.example.test';

describe('an update', () => {
  test('of a replaced address expects each old value, and nothing of the new ones', () => {
    const { prerequisites, updates } = updateOf([
      remove('A', ['192.0.2.1', '192.0.2.2']),
      create('A', ['192.0.2.3']),
    ]);
    expect(prerequisites.map(shortForm)).toEqual([
      [TYPE.A, CLASS.in, 0, 'c0000201'],
      [TYPE.A, CLASS.in, 0, 'c0000202'],
      [TYPE.CNAME, CLASS.none, 0, ''],
    ]);
    expect(updates.map(shortForm)).toEqual([
      [TYPE.A, CLASS.any, 0, ''],
      [TYPE.A, CLASS.in, 5, 'c0000203'],
    ]);
  });

  test('of a new text expects that there is none, and no alias', () => {
    const { prerequisites } = updateOf([create('TXT', ['x'])]);
    expect(prerequisites.map(shortForm)).toEqual([
      [TYPE.TXT, CLASS.none, 0, ''],
      [TYPE.CNAME, CLASS.none, 0, ''],
    ]);
  });

  test('from an address to an alias expects that nothing else stands, or the name were empty after it', () => {
    const { prerequisites } = updateOf([remove('A', ['192.0.2.1']), create('CNAME', ['a.test'])]);
    const absent = prerequisites.filter((record) => record.class === CLASS.none);
    const types = absent.map(({ type }) => type);
    expect(types).not.toContain(TYPE.A);
    // AAAA, CNAME, TXT, MX, HTTPS, CAA
    expect(types).toEqual(expect.arrayContaining([28, 5, 16, 15, 65, 257]));
  });

  test.each<readonly [RecordType, string, string]>([
    ['AAAA', '2001:db8::1', '20010db8000000000000000000000001'],
    ['AAAA', '::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['AAAA', '1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['CNAME', 'A.Test.', '0161047465737400'],
    ['TXT', 'é', '02c3a9'],
  ])('writes the %s %s', (type, value, hex) => {
    expect(updateOf([create(type, [value])]).updates.map(({ data }) => toHex(data))).toEqual([hex]);
  });

  test('cuts a long text into strings of 255 bytes', () => {
    const [record] = updateOf([create('TXT', ['x'.repeat(600)])]).updates;
    expect([0, 256, 512].map((place) => record?.data[place])).toEqual([255, 255, 90]);
  });

  test.each<readonly [string, RecordSet]>([
    ['outside the zone', set('A', ['192.0.2.1'], 'example.org')],
    ['only ends like the zone', set('A', ['192.0.2.1'], 'an-example.test')],
    ['an alias at the apex', set('CNAME', ['a.test'], 'example.test')],
    ['no address', set('A', ['192.0.2'])],
    ['too long a text', set('TXT', ['x'.repeat(4001)])],
  ])('is refused for what is %s', (_, recordSet) => {
    expect(batchFault('example.test', [{ action: 'CREATE', recordSet }])).not.toBeNull();
  });
});

describe('answers', () => {
  test('give the sets of the name itself, each value once, and tell of what else stands there', () => {
    const a = { type: 'A', name: 'Checkout.Example.TEST', ttl: 5, data: '192.0.2.1' } as const;
    const mx = { type: 'MX', name: NAME, data: { exchange: 'mx.test' } } as const;
    const signature = { type: 'HINFO', name: NAME, data: { cpu: 'RFC8482', os: '' } } as const;
    const neighbour = { ...a, name: 'other.example.test' };
    expect(setsAt(NAME, [a, a, mx, signature, neighbour])).toEqual({
      recordSets: [set('A', ['192.0.2.1'])],
      foreign: [{ name: NAME, type: 'MX', reason: 'type' }],
    });
  });

  test.each([
    ['in short strings', [Buffer.from('a'), Buffer.from('b')]],
    ['with bytes that are no UTF-8', [Buffer.from([0xff])]],
  ])('of a text %s are foreign: it could not be deleted exactly', (_, data) => {
    expect(setsAt(NAME, [{ type: 'TXT', name: NAME, ttl: 5, data }])).toEqual({
      recordSets: [],
      foreign: [{ name: NAME, type: 'TXT', reason: 'encoding' }],
    });
  });
});

describe('a response code', () => {
  test.each([
    [0, null],
    [1, 'refused'],
    [2, 'unknown'],
    [3, 'conflict'],
    [4, 'refused'],
    [5, 'refused'],
    [6, 'conflict'],
    [7, 'conflict'],
    [8, 'conflict'],
    [9, 'refused'],
    [10, 'refused'],
    [15, 'unknown'],
  ])('%i after an update means %s', (code, kind) => {
    expect(updateFailure(code)?.kind ?? null).toBe(kind);
  });

  test('without authority a server is refused as a source', () => {
    expect(queryFailure(0, true)).toBeNull();
    expect(queryFailure(3, true)).toBeNull();
    expect(queryFailure(0, false)).toMatchObject({ code: 'server-not-authoritative' });
    expect(queryFailure(2, true)).toMatchObject({ kind: 'unknown' });
  });
});

test.each([
  [5, 5, true],
  [6, 5, true],
  [4, 5, false],
  [1, 0xffff_fff0, true],
  [0xffff_fff0, 1, false],
])('a server at serial %i has reached %i: %s', (standing, wanted, expected) => {
  expect(hasReached(standing, wanted)).toBe(expected);
});

describe('a name on the wire', () => {
  test('follows pointers backwards and goes on behind the first', () => {
    const target = encodeName('example.test');
    const bytes = Buffer.concat([target, Buffer.from([1, 0x41, 0xc0, 0])]);
    const reader = new WireReader(bytes, target.length);
    expect(reader.name()).toBe('a.example.test');
    expect(reader.offset).toBe(bytes.length);
  });

  test.each([
    ['points to itself', [0xc0, 0]],
    ['goes round in a circle', [1, 0x41, 0xc0, 0]],
    ['points forward', [0xc0, 2, 0]],
    ['has a label too long', [0x50, ...Array.from({ length: 90 }, () => 0x41)]],
    ['has no end', [1, 0x41]],
  ])('that %s is a fault', (_, content) => {
    expect(() => new WireReader(Buffer.from(content), 0).name()).toThrow(WireFault);
  });
});

function set(type: RecordType, values: readonly string[], name = NAME): RecordSet {
  return { name, type, ttlSeconds: 5, values };
}

function create(type: RecordType, values: readonly string[]): Change {
  return { action: 'CREATE', recordSet: set(type, values) };
}

function remove(type: RecordType, values: readonly string[]): Change {
  return { action: 'DELETE', recordSet: set(type, values) };
}

function toHex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

function shortForm(record: {
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}) {
  return [record.type, record.class, record.ttlSeconds, toHex(record.data)];
}
