import { describe, expect, test } from 'vitest';
import {
  canonicalValue,
  isAddress,
  isDnsName,
  sameRecordSet,
} from '../../../lib/recovery/record-set.ts';
import type { RecordSet } from '../../../lib/recovery/switch-port.ts';

const SET: RecordSet = {
  name: 'a.example.test',
  type: 'A',
  ttlSeconds: 5,
  values: ['192.0.2.1', '192.0.2.2'],
};

describe('record sets are the same', () => {
  test.each<readonly [string, RecordSet]>([
    ['with the values in another order', { ...SET, values: ['192.0.2.2', '192.0.2.1'] }],
    ['with the name in capitals', { ...SET, name: 'A.Example.TEST' }],
    ['with the trailing dot', { ...SET, name: 'a.example.test.' }],
  ])('%s', (_, other) => {
    expect(sameRecordSet(SET, other)).toBe(true);
  });
});

describe('record sets differ', () => {
  test.each<readonly [string, RecordSet]>([
    ['in the TTL', { ...SET, ttlSeconds: 6 }],
    ['in the type', { ...SET, type: 'TXT' }],
    ['in the name', { ...SET, name: 'b.example.test' }],
    ['when one value is missing', { ...SET, values: ['192.0.2.1'] }],
    ['when two values are run together', { ...SET, values: ['192.0.2.1 192.0.2.2'] }],
  ])('%s', (_, other) => {
    expect(sameRecordSet(SET, other)).toBe(false);
  });
});

describe('addresses', () => {
  test.each(['::1', '2001:db8::1', '::', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1', '1::8', 'FE80::A'])(
    '%s is an IPv6 address',
    (text) => {
      expect(isAddress('AAAA', text)).toBe(true);
    },
  );

  test.each([
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '192.0.2.1',
    '1:2:3:4:5:6:7:8::',
    '::1%lo',
    '::999.0.2.1',
    '1:2:3:4:5:6:7:1.2.3.4',
  ])('%j is no IPv6 address', (text) => {
    expect(isAddress('AAAA', text)).toBe(false);
  });

  test.each(['0.0.0.0', '127.0.0.1', '255.255.255.255'])('%s is an IPv4 address', (text) => {
    expect(isAddress('A', text)).toBe(true);
  });

  test.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '::1', 'a.b.c.d'])(
    '%j is no IPv4 address',
    (text) => {
      expect(isAddress('A', text)).toBe(false);
    },
  );

  test('a host name can be an alias, an address cannot', () => {
    expect(isAddress('CNAME', 'lb.example.net.')).toBe(true);
    expect(isAddress('CNAME', '192.0.2.1')).toBe(false);
    expect(isAddress('CNAME', '')).toBe(false);
  });

  test('all spellings of one IPv6 address are one value', () => {
    const spellings = ['2001:db8::c000:201', '2001:0DB8:0:0:0:0:c000:0201', '2001:db8::192.0.2.1'];
    expect(new Set(spellings.map((text) => canonicalValue('AAAA', text))).size).toBe(1);
    expect(canonicalValue('AAAA', '2001:db8::1')).not.toBe(canonicalValue('AAAA', '2001:db8:1::'));
  });
});

describe('DNS names', () => {
  test.each(['a', 'example.test', '_tripoint.a.b', 'x'.repeat(63), 'a.b.', '1.2'])(
    '%s is one',
    (name) => {
      expect(isDnsName(name)).toBe(true);
    },
  );

  test.each([
    '',
    '.',
    'a..b',
    '-a',
    'a-.b',
    'x'.repeat(64),
    '*.a',
    'a b',
    'é',
    `${'abc.'.repeat(64)}`,
  ])('%j is none', (name) => {
    expect(isDnsName(name)).toBe(false);
  });
});
