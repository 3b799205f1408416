import { describe, expect, test } from 'vitest';
import { checkBatch } from '../../../lib/recovery/switch-batch.ts';
import { SWITCH_LIMITS } from '../../../lib/recovery/switch-limits.ts';
import type { Change, RecordSet, RecordType } from '../../../lib/recovery/switch-port.ts';

const NAME = 'checkout.example.test';

describe('a sound batch', () => {
  test.each<readonly [string, readonly Change[]]>([
    ['replaces an address', [remove('A', ['192.0.2.1']), create('A', ['192.0.2.2'])]],
    ['creates the first address', [create('A', ['192.0.2.1'])]],
    ['turns an alias into an address', [remove('CNAME', ['a.test']), create('A', ['192.0.2.2'])]],
    ['replaces a text', [remove('TXT', ['old']), create('TXT', ['new'])]],
    [
      'merges two address sets into one',
      [remove('A', ['192.0.2.1']), remove('AAAA', ['::1']), create('A', ['192.0.2.2'])],
    ],
  ])('%s', (_, batch) => {
    expect(checkBatch(batch)).toEqual({ kind: 'sound' });
  });

  test('may be exactly as large as Route 53 allows', () => {
    const batch = Array.from({ length: SWITCH_LIMITS.recordsPerBatchMax }, (_, place) =>
      create('A', ['192.0.2.1'], { name: `n${place}.test` }),
    );
    expect(checkBatch(batch).kind).toBe('sound');
  });
});

describe('weighted sets', () => {
  const share = (id: string, weight: number, value = '192.0.2.1') =>
    create('A', [value], { weighted: { id, weight } });

  test.each<readonly [string, readonly Change[]]>([
    ['may stand side by side', [share('a', 90), share('b', 10)]],
    ['may give one site nothing', [share('a', 0), share('b', 1)]],
    [
      'may take the place of a plain one',
      [remove('A', ['192.0.2.1']), share('a', 1), share('b', 1)],
    ],
  ])('%s', (_, batch) => {
    expect(checkBatch(batch)).toEqual({ kind: 'sound' });
  });

  test.each<readonly [string, string, readonly Change[]]>([
    ['may not all give nothing', 'weights-all-zero', [share('a', 0), share('b', 0)]],
    ['may not be there twice', 'duplicate-change', [share('a', 1), share('a', 2)]],
    ['may not weigh too much', 'malformed-record-set', [share('a', 256)]],
    ['may not weigh a part', 'malformed-record-set', [share('a', 0.5)]],
    ['need an id', 'malformed-record-set', [share('', 1)]],
    [
      'hold addresses only',
      'malformed-record-set',
      [create('TXT', ['x'], { weighted: { id: 'a', weight: 1 } })],
    ],
    [
      'may not leave the name empty',
      'would-empty-name',
      [remove('A', ['192.0.2.1'], { weighted: { id: 'a', weight: 1 } })],
    ],
  ])('%s', (_, code, batch) => {
    expect(checkBatch(batch)).toMatchObject({ kind: 'refused', code });
  });
});

describe('a batch is refused before it is sent', () => {
  test.each<readonly [string, string, readonly Change[]]>([
    ['when it is empty', 'empty-batch', []],
    ['when a name loses its address', 'would-empty-name', [remove('A', ['192.0.2.1'])]],
    ['when a name loses its alias', 'would-empty-name', [remove('CNAME', ['a.test'])]],
    [
      'when the address moves to another name',
      'would-empty-name',
      [remove('A', ['192.0.2.1']), create('A', ['192.0.2.1'], { name: 'other.test' })],
    ],
    [
      'when only a text is left',
      'would-empty-name',
      [remove('A', ['192.0.2.1']), create('TXT', ['x'])],
    ],
    [
      'when a name loses its fence',
      'would-drop-text',
      [remove('TXT', ['v=tp1']), create('A', ['192.0.2.1'])],
    ],
    [
      'when a set is deleted twice',
      'duplicate-change',
      [remove('A', ['192.0.2.1']), remove('A', ['192.0.2.1']), create('A', ['192.0.2.2'])],
    ],
    [
      'when a set is deleted twice in another case',
      'duplicate-change',
      [
        remove('A', ['192.0.2.1']),
        remove('A', ['192.0.2.1'], { name: `${NAME.toUpperCase()}.` }),
        create('A', ['192.0.2.2']),
      ],
    ],
    [
      'when a set is created twice',
      'duplicate-change',
      [create('A', ['192.0.2.1']), create('A', ['192.0.2.2'])],
    ],
    ['when a set has no value', 'malformed-record-set', [create('A', [])]],
    ['when a value is there twice', 'malformed-record-set', [create('AAAA', ['::1', '0::1'])]],
    [
      'when a CNAME has two targets',
      'malformed-record-set',
      [create('CNAME', ['a.test', 'b.test'])],
    ],
    [
      'when the TTL is negative',
      'malformed-record-set',
      [create('A', ['192.0.2.1'], { ttlSeconds: -1 })],
    ],
    [
      'when the TTL is over a day',
      'malformed-record-set',
      [create('A', ['192.0.2.1'], { ttlSeconds: 86_401 })],
    ],
    [
      'when the TTL is no number',
      'malformed-record-set',
      [create('A', ['192.0.2.1'], { ttlSeconds: Number.NaN })],
    ],
    ['when the name is none', 'malformed-record-set', [create('A', ['192.0.2.1'], { name: '' })]],
  ])('%s', (_, code, batch) => {
    expect(checkBatch(batch)).toMatchObject({ kind: 'refused', code });
  });

  test('when it has one record more than Route 53 takes', () => {
    const values = Array.from({ length: SWITCH_LIMITS.recordsPerBatchMax + 1 }, (_, n) => `t${n}`);
    expect(checkBatch([create('TXT', values)])).toMatchObject({ code: 'batch-too-large' });
  });

  test('when its values have more characters than Route 53 takes, quotes and escapes counted', () => {
    expect(checkBatch([create('TXT', ['x'.repeat(31_000)])])).toEqual({ kind: 'sound' });
    expect(checkBatch([create('TXT', ['x'.repeat(31_900)])])).toMatchObject({
      code: 'batch-too-large',
    });
    expect(checkBatch([create('TXT', ['"'.repeat(16_000)])])).toMatchObject({
      code: 'batch-too-large',
    });
    expect(checkBatch([create('TXT', ['é'.repeat(5000)])])).toMatchObject({
      code: 'batch-too-large',
    });
  });
});

function create(
  type: RecordType,
  values: readonly string[],
  changes: Partial<RecordSet> = {},
): Change {
  return { action: 'CREATE', recordSet: { name: NAME, type, ttlSeconds: 5, values, ...changes } };
}

function remove(
  type: RecordType,
  values: readonly string[],
  changes: Partial<RecordSet> = {},
): Change {
  return { ...create(type, values, changes), action: 'DELETE' };
}
