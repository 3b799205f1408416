import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fromApiName,
  fromApiRecordSet,
  fromApiText,
  toApiChange,
  toApiName,
  toApiText,
} from '../../../../lib/aws/route53/mapping.ts';

describe('names', () => {
  test.each([
    ['checkout.example.test', 'checkout.example.test.'],
    ['_tripoint.a.test', '_tripoint.a.test.'],
    ['*.a.test', '\\052.a.test.'],
    ['a b.test', 'a\\040b.test.'],
  ])('%j is %j to Route 53, and back', (name, apiName) => {
    expect(toApiName(name)).toBe(apiName);
    expect(fromApiName(apiName)).toBe(name);
  });

  test('are sent in lower case with one dot at the end', () => {
    expect(toApiName('A.Test.')).toBe('a.test.');
  });
});

describe('texts', () => {
  test.each([
    ['v=tp1 term=1', '"v=tp1 term=1"'],
    ['', '""'],
    ['say "hi"', '"say \\"hi\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['é', '"\\303\\251"'],
    ['a\tb', '"a\\011b"'],
    ['x'.repeat(256), `"${'x'.repeat(255)}" "x"`],
    ['"'.repeat(256), `"${'\\"'.repeat(255)}" "\\""`],
  ])('%j is written %j, and read back', (value, written) => {
    expect(toApiText(value)).toBe(written);
    expect(fromApiText(written)).toBe(value);
  });

  test('survive the round trip whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 700 }), (value) => {
        const written = toApiText(value);
        expect(written).toMatch(
          /^"(?:[ !#-[\]-~]|\\["\\]|\\[0-7]{3})*"(?: "(?:[ !#-[\]-~]|\\["\\]|\\[0-7]{3})*")*$/,
        );
        expect(fromApiText(written)).toBe(value);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test.each([
    ['split where we would not split', '"v=tp1 " "term=1"'],
    ['without quotes', 'v=tp1'],
    ['with an escape that is not needed', '"\\141"'],
    ['with bytes that are no UTF-8', '"\\377"'],
    ['with two spaces between', `"${'x'.repeat(255)}"  "x"`],
  ])('written %s cannot be deleted exactly, so they are not ours', (_, written) => {
    expect(fromApiText(written)).toBeNull();
  });
});

describe('record sets', () => {
  test('are mapped field by field', () => {
    expect(
      fromApiRecordSet({
        Name: 'A.Test.',
        Type: 'CNAME',
        TTL: 60,
        ResourceRecords: [{ Value: 'LB.Example.net.' }],
      }),
    ).toEqual({
      kind: 'ours',
      recordSet: { name: 'a.test', type: 'CNAME', ttlSeconds: 60, values: ['LB.Example.net.'] },
    });
  });

  test.each([
    [
      'an alias',
      { AliasTarget: { HostedZoneId: 'Z', DNSName: 'a.', EvaluateTargetHealth: true } },
      'alias',
    ],
    ['a failover set', { SetIdentifier: 'a', Failover: 'PRIMARY' as const }, 'routing-policy'],
    ['a weighted set with a health check', weighted({ HealthCheckId: 'h' }), 'routing-policy'],
    ['a weighted set that no site can have', weighted({ SetIdentifier: 'a b' }), 'routing-policy'],
    ['a set with a health check', { HealthCheckId: 'h' }, 'routing-policy'],
    ['a set of a traffic policy', { TrafficPolicyInstanceId: 't' }, 'routing-policy'],
    ['another type', { Type: 'MX' as const }, 'type'],
    [
      'a text in odd quotes',
      { Type: 'TXT' as const, ResourceRecords: [{ Value: '"a" "b"' }] },
      'encoding',
    ],
  ])('%s is foreign', (_, changes, reason) => {
    const set = {
      Name: 'a.test.',
      Type: 'A' as const,
      TTL: 5,
      ResourceRecords: [{ Value: '192.0.2.1' }],
    };
    expect(fromApiRecordSet({ ...set, ...changes })).toMatchObject({
      kind: 'foreign',
      foreign: { name: 'a.test', reason },
    });
  });

  test('keep their weight on both ways', () => {
    const recordSet = {
      name: 'a.test',
      type: 'A',
      ttlSeconds: 5,
      values: ['192.0.2.1'],
      weighted: { id: 'us-east-1', weight: 10 },
    } as const;
    const { ResourceRecordSet } = toApiChange({ action: 'CREATE', recordSet });
    expect(ResourceRecordSet).toMatchObject({ SetIdentifier: 'us-east-1', Weight: 10 });
    expect(fromApiRecordSet(ResourceRecordSet ?? ({} as never))).toEqual({
      kind: 'ours',
      recordSet,
    });
  });

  test('are sent with quotes around texts and nothing around addresses', () => {
    const recordSet = { name: 'a.test', type: 'TXT', ttlSeconds: 5, values: ['x'] } as const;
    expect(toApiChange({ action: 'DELETE', recordSet })).toEqual({
      Action: 'DELETE',
      ResourceRecordSet: {
        Name: 'a.test.',
        Type: 'TXT',
        TTL: 5,
        ResourceRecords: [{ Value: '"x"' }],
      },
    });
    const address = { ...recordSet, type: 'A', values: ['192.0.2.1'] } as const;
    expect(toApiChange({ action: 'CREATE', recordSet: address }).ResourceRecordSet).toMatchObject({
      ResourceRecords: [{ Value: '192.0.2.1' }],
    });
  });
});

function weighted(changes: object) {
  return { SetIdentifier: 'us-east-1', Weight: 1, ...changes };
}
