import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyBatch,
  createZone,
  recordSetsAt,
  recordSetsOf,
  type Zone,
} from '../../../../lib/local/dns/zone.ts';
import { sameRecordSet } from '../../../../lib/recovery/record-set.ts';
import type { Change, RecordSet, RecordType } from '../../../../lib/recovery/switch-port.ts';

const EMPTY = createZone('Example.TEST.', '127.0.0.1');
const NAME = 'a.example.test';

describe('a new zone', () => {
  test('holds the address of its name server and nothing else', () => {
    expect(EMPTY).toMatchObject({
      origin: 'example.test',
      serial: 1,
      nameServer: 'ns.example.test',
    });
    expect(recordSetsOf(EMPTY)).toEqual([
      { name: 'ns.example.test', type: 'A', ttlSeconds: 60, values: ['127.0.0.1'] },
    ]);
  });

  test('takes an IPv6 name server', () => {
    expect(recordSetsOf(createZone('example.test', '::1'))[0]?.type).toBe('AAAA');
  });
});

describe('a batch', () => {
  test('that applies raises the serial by one, whatever its size', () => {
    const zone = applied(EMPTY, [create(set(NAME)), create(set(`b.${NAME}`))]);
    expect(zone.serial).toBe(2);
  });

  test('leaves the zone it was given untouched', () => {
    const before = recordSetsOf(EMPTY);
    applied(EMPTY, [create(set(NAME))]);
    expect(recordSetsOf(EMPTY)).toEqual(before);
  });

  test('keeps names and aliases in canonical form', () => {
    const zone = applied(EMPTY, [
      create(set('A.Example.Test.')),
      create(set('b.example.test', 'CNAME', ['LB.Example.NET.'])),
    ]);
    expect(recordSetsAt(zone, NAME)[0]?.name).toBe(NAME);
    expect(recordSetsAt(zone, 'B.example.test.')[0]?.values).toEqual(['lb.example.net']);
  });

  test('lists every problem, not only the first', () => {
    const outcome = applyBatch(applied(EMPTY, [create(set(NAME))]), [
      create(set(NAME)),
      { action: 'DELETE', recordSet: set('b.example.test') },
      create(set('b.example.test')),
    ]);
    expect(outcome).toMatchObject({ kind: 'conflict' });
    expect(outcome.kind === 'conflict' && outcome.problems).toHaveLength(2);
  });

  test('turns an alias into an address when the DELETE comes first', () => {
    const alias = set(NAME, 'CNAME', ['lb.example.net']);
    const zone = applied(EMPTY, [create(alias)]);
    const turned = applied(zone, [{ action: 'DELETE', recordSet: alias }, create(set(NAME))]);
    expect(recordSetsAt(turned, NAME)).toEqual([set(NAME)]);
  });

  test('is a conflict when the CREATE comes before the DELETE it depends on', () => {
    const alias = set(NAME, 'CNAME', ['lb.example.net']);
    const zone = applied(EMPTY, [create(alias)]);
    const batch: Change[] = [create(set(NAME)), { action: 'DELETE', recordSet: alias }];
    expect(applyBatch(zone, batch).kind).toBe('conflict');
  });

  test.each<readonly [string, RecordSet]>([
    ['a name outside the zone', set('a.example.org')],
    ['a name that only ends like the zone', set('example-example.test')],
    ['a CNAME at the apex', set('example.test', 'CNAME', ['a.test'])],
    ['an address that is none', set(NAME, 'A', ['1.2.3'])],
    ['an IPv6 address in an A record', set(NAME, 'A', ['::1'])],
    ['an alias to an address', set(NAME, 'CNAME', ['192.0.2.1'])],
    ['a text over the limit', set(NAME, 'TXT', ['x'.repeat(4001)])],
    [
      'too many values',
      set(
        NAME,
        'A',
        Array.from({ length: 101 }, (_, n) => `192.0.2.${n}`),
      ),
    ],
  ])('with %s is refused for good', (_, recordSet) => {
    expect(applyBatch(EMPTY, [create(recordSet)])).toMatchObject({
      kind: 'refused',
      code: 'not-for-this-zone',
    });
  });

  test('is all or nothing, and agrees with a plain model of the zone', () => {
    fc.assert(
      fc.property(fc.array(batches, { maxLength: 12 }), (sequence) => {
        let zone = EMPTY;
        for (const batch of sequence) {
          const outcome = applyBatch(zone, batch);
          const expected = modelAfter(recordSetsOf(zone), batch);
          expect(outcome.kind === 'applied').toBe(expected !== null && outcome.kind !== 'refused');
          const next = outcome.kind === 'applied' ? outcome.zone : zone;
          if (outcome.kind === 'applied' && expected !== null) {
            expect(sorted(recordSetsOf(next))).toEqual(sorted(expected));
          }
          zone = next;
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('the names that exist', () => {
  test('include those that only have names below them', () => {
    const zone = applied(EMPTY, [create(set('x.y.z.example.test'))]);
    expect([...zone.names].sort()).toEqual([
      'example.test',
      'ns.example.test',
      'x.y.z.example.test',
      'y.z.example.test',
      'z.example.test',
    ]);
  });
});

const names = fc.constantFrom('a.example.test', 'b.example.test');
const recordSets = fc.oneof(
  fc.record({
    name: names,
    type: fc.constant<RecordType>('A'),
    ttlSeconds: fc.constantFrom(5, 6),
    values: fc.subarray(['192.0.2.1', '192.0.2.2'], { minLength: 1 }),
  }),
  fc.record({
    name: names,
    type: fc.constant<RecordType>('CNAME'),
    ttlSeconds: fc.constant(5),
    values: fc.constant(['lb.example.net']),
  }),
);
const batches = fc.array(
  fc.record({
    action: fc.constantFrom('CREATE' as const, 'DELETE' as const),
    recordSet: recordSets,
  }),
  { minLength: 1, maxLength: 4 },
);

/** The rules once more, written for clarity alone; null when the batch does not apply. */
function modelAfter(
  standing: readonly RecordSet[],
  batch: readonly Change[],
): readonly RecordSet[] | null {
  let sets = [...standing];
  for (const { action, recordSet } of batch) {
    if (action === 'DELETE') {
      if (!sets.some((other) => sameRecordSet(other, recordSet))) {
        return null;
      }
      sets = sets.filter((other) => !sameRecordSet(other, recordSet));
    } else {
      const others = sets.filter(({ name }) => name === recordSet.name);
      const isAlone = recordSet.type === 'CNAME' || others.some(({ type }) => type === 'CNAME');
      if (others.some(({ type }) => type === recordSet.type) || (isAlone && others.length > 0)) {
        return null;
      }
      sets.push(recordSet);
    }
  }
  return sets;
}

function sorted(sets: readonly RecordSet[]): readonly string[] {
  return sets
    .map((recordSet) => JSON.stringify(recordSet, ['name', 'type', 'ttlSeconds', 'values']))
    .sort();
}

function applied(zone: Zone, batch: readonly Change[]): Zone {
  const outcome = applyBatch(zone, batch);
  if (outcome.kind !== 'applied') {
    throw new Error(`not applied: ${JSON.stringify(outcome)}`);
  }
  return outcome.zone;
}

function set(
  name: string,
  type: RecordType = 'A',
  values: readonly string[] = ['192.0.2.1'],
): RecordSet {
  return { name, type, ttlSeconds: 5, values };
}

function create(recordSet: RecordSet): Change {
  return { action: 'CREATE', recordSet };
}
