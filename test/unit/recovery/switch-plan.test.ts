import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { applyBatch, createZone, recordSetsAt, type Zone } from '../../../lib/local/dns/zone.ts';
import { compareEpochs, fenceName, formatFence, parseFence } from '../../../lib/recovery/fence.ts';
import { checkBatch } from '../../../lib/recovery/switch-batch.ts';
import {
  planSwitch,
  type Standing,
  type SwitchIntent,
  type SwitchPlan,
  switchNames,
} from '../../../lib/recovery/switch-plan.ts';
import type { ForeignRecordSet, RecordSet, RecordType } from '../../../lib/recovery/switch-port.ts';

const NAME = 'checkout.example.test';
const FENCE_NAME = fenceName(NAME);
const EAST = '192.0.2.1';
const WEST = '192.0.2.2';
const INTENT: SwitchIntent = {
  dnsName: NAME,
  recordType: 'A',
  ttlSeconds: 5,
  target: { site: 'us-west-2', address: WEST },
  epoch: { term: term(3), index: logIndex(42) },
  run: 'checkout-42',
};
const OURS = formatFence({ epoch: INTENT.epoch, site: 'us-west-2', run: 'checkout-42' });
const OLDER = 'v=tp1 term=3 index=41 site=us-east-1 run=checkout-41';
const NEWER = 'v=tp1 term=4 index=1 site=us-east-1 run=checkout-1';

describe('a switch is planned', () => {
  test('on an empty name as two CREATEs: the address and the fence', () => {
    expect(plan([])).toEqual({
      kind: 'change',
      batch: [
        { action: 'CREATE', recordSet: address([WEST]) },
        { action: 'CREATE', recordSet: fence(OURS) },
      ],
    });
  });

  test('over an older fence as exact DELETEs first, then CREATEs', () => {
    expect(plan([fence(OLDER), address([EAST])])).toEqual({
      kind: 'change',
      batch: [
        { action: 'DELETE', recordSet: address([EAST]) },
        { action: 'DELETE', recordSet: fence(OLDER) },
        { action: 'CREATE', recordSet: address([WEST]) },
        { action: 'CREATE', recordSet: fence(OURS) },
      ],
    });
  });

  test('on a name without a fence by adopting the address that stands, spelled as it was read', () => {
    const odd: RecordSet = {
      ...address([EAST, WEST]),
      name: 'Checkout.Example.TEST',
      ttlSeconds: 300,
    };
    expect(deletesOf(plan([odd]))).toEqual([odd]);
  });

  test('with the fence alone when the address stands right already', () => {
    expect(plan([fence(OLDER), address([WEST])])).toEqual({
      kind: 'change',
      batch: [
        { action: 'DELETE', recordSet: fence(OLDER) },
        { action: 'CREATE', recordSet: fence(OURS) },
      ],
    });
  });

  test('with a new address when only the TTL differs', () => {
    const stale = { ...address([WEST]), ttlSeconds: 60 };
    expect(deletesOf(plan([fence(OLDER), stale]))).toEqual([stale, fence(OLDER)]);
  });

  test('from an alias to an address', () => {
    const alias: RecordSet = { ...address([]), type: 'CNAME', values: ['lb.example.net'] };
    expect(deletesOf(plan([fence(OLDER), alias]))).toEqual([alias, fence(OLDER)]);
  });

  test('over every address set under our own fence, so that no old path to the name is left', () => {
    const sets = [fence(OLDER), address([EAST]), address(['2001:db8::1'], 'AAAA')];
    expect(deletesOf(plan(sets))).toEqual([sets[1], sets[2], sets[0]]);
  });

  test('beside a TXT and records of other types, which stay', () => {
    const mx = foreign('MX', 'type');
    const outcome = plan([fence(OLDER), address([EAST]), { ...fence('spf'), name: NAME }], [mx]);
    expect(deletesOf(outcome)).toEqual([address([EAST]), fence(OLDER)]);
  });
});

describe('a switch is already done', () => {
  test('when our own fence and our own address stand', () => {
    expect(plan([fence(OURS), address([WEST])])).toEqual({ kind: 'already-done' });
  });

  test('also when the fence comes back in quotes', () => {
    expect(plan([fence(`"${OURS}"`), address([WEST])])).toEqual({ kind: 'already-done' });
  });

  test('also when an IPv6 address comes back in another spelling', () => {
    const intent: SwitchIntent = {
      ...INTENT,
      recordType: 'AAAA',
      target: { ...INTENT.target, address: '2001:db8::1' },
    };
    const sets = [fence(OURS), address(['2001:0db8:0::0001'], 'AAAA')];
    expect(planSwitch(intent, { recordSets: sets, foreign: [] })).toEqual({ kind: 'already-done' });
  });
});

describe('a switch is stale', () => {
  test.each([
    ['in a newer term with a lower index', NEWER],
    ['in our term with a higher index', 'v=tp1 term=3 index=43 site=us-east-1 run=checkout-43'],
  ])('under a fence %s, whatever the address', (_, text) => {
    for (const sets of [
      [fence(text)],
      [fence(text), address([WEST])],
      [fence(text), address([EAST])],
    ]) {
      expect(plan(sets)).toMatchObject({ kind: 'stale', standing: { site: 'us-east-1' } });
    }
  });
});

describe('a switch is refused', () => {
  test.each<readonly [string, string, Standing]>([
    [
      'over a fence of a later version',
      'fence-unreadable',
      stands([fence(OLDER.replace('tp1', 'tp2')), address([EAST])]),
    ],
    ['over two fences', 'fence-unreadable', stands([{ ...fence(OLDER), values: [OLDER, NEWER] }])],
    [
      'over a fence that a person wrote in odd quotes',
      'foreign-record',
      stands([address([EAST])], [{ name: FENCE_NAME, type: 'TXT', reason: 'encoding' }]),
    ],
    [
      'when an alias stands in place of the fence',
      'foreign-record',
      stands([{ ...fence(''), type: 'CNAME', values: ['a.test'] }]),
    ],
    ['over a Route 53 alias', 'foreign-record', stands([fence(OLDER)], [foreign('A', 'alias')])],
    ['over weighted records', 'foreign-record', stands([], [foreign('AAAA', 'routing-policy')])],
    [
      'when two address sets stand and none is ours',
      'foreign-record',
      stands([address([EAST]), address(['::1'], 'AAAA')]),
    ],
    [
      'when another run holds our epoch',
      'epoch-reused',
      stands([fence(OURS.replace('run=checkout-42', 'run=other-42')), address([WEST])]),
    ],
    [
      'when another site holds our epoch',
      'epoch-reused',
      stands([fence(OURS.replace('us-west-2', 'us-east-1')), address([EAST])]),
    ],
    [
      'when someone changed the address under our fence',
      'changed-outside',
      stands([fence(OURS), address([EAST])]),
    ],
    ['when someone removed the address under our fence', 'changed-outside', stands([fence(OURS)])],
  ])('%s', (_, code, standing) => {
    expect(planSwitch(INTENT, standing)).toMatchObject({ kind: 'refused', code });
  });

  test.each<readonly [string, Partial<SwitchIntent>]>([
    ['without an address', { target: { site: 'us-west-2', address: '' } }],
    ['to an address of another type', { target: { site: 'us-west-2', address: '::1' } }],
    ['to itself', { recordType: 'CNAME', target: { site: 'us-west-2', address: `${NAME}.` } }],
    ['of a name that is none', { dnsName: 'a..b' }],
    ['of a name too long for its fence', { dnsName: `${'a.'.repeat(122)}example` }],
    ['with a TTL over a day', { ttlSeconds: 86_401 }],
  ])('%s, before anything is read into it', (_, changes) => {
    const outcome = planSwitch({ ...INTENT, ...changes }, { recordSets: [], foreign: [] });
    expect(outcome).toMatchObject({ kind: 'refused', code: 'intent-invalid' });
  });

  test('to a CNAME beside any other record', () => {
    const intent: SwitchIntent = {
      ...INTENT,
      recordType: 'CNAME',
      target: { site: 'us-west-2', address: 'lb.example.net' },
    };
    const text = { ...fence('spf'), name: NAME };
    const beside = (standing: Standing) => planSwitch(intent, standing);
    expect(beside({ recordSets: [text], foreign: [] })).toMatchObject({ code: 'foreign-record' });
    expect(beside({ recordSets: [], foreign: [foreign('MX', 'type')] })).toMatchObject({
      code: 'foreign-record',
    });
    expect(beside({ recordSets: [address([EAST])], foreign: [] }).kind).toBe('change');
  });
});

describe('the fence holds', () => {
  test('for any interleaving of workers that read, sleep and write late', () => {
    const step = fc.record({
      worker: fc.nat(3),
      action: fc.constantFrom('read', 'write'),
      epoch: fc.record({ term: fc.nat(2), index: fc.nat(4) }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let zone = createZone('example.test', '127.0.0.1');
        const plans = new Map<number, SwitchPlan>();
        for (const { worker, action, epoch } of steps) {
          if (action === 'read') {
            plans.set(worker, planSwitch(intentAt(epoch), standingIn(zone)));
            continue;
          }
          const planned = plans.get(worker);
          plans.delete(worker);
          const next = planned?.kind === 'change' ? send(zone, planned) : zone;
          expectFenced(zone, next);
          zone = next;
        }
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  test('because every batch replaces the fence and passes the last check', () => {
    const sets = fc.subarray([
      fence(OLDER),
      address([EAST]),
      address([WEST]),
      address(['::1'], 'AAAA'),
      { ...address(['a.test']), type: 'CNAME' as const },
    ]);
    fc.assert(
      fc.property(sets, (standing) => {
        const outcome = plan(standing);
        if (outcome.kind === 'change') {
          expect(checkBatch(outcome.batch)).toEqual({ kind: 'sound' });
          expect(outcome.batch).toContainEqual({ action: 'CREATE', recordSet: fence(OURS) });
        }
      }),
      { seed: 3 },
    );
  });
});

function plan(
  recordSets: readonly RecordSet[],
  strangers: readonly ForeignRecordSet[] = [],
): SwitchPlan {
  return planSwitch(INTENT, stands(recordSets, strangers));
}

function stands(
  recordSets: readonly RecordSet[],
  strangers: readonly ForeignRecordSet[] = [],
): Standing {
  return { recordSets, foreign: strangers };
}

function deletesOf(outcome: SwitchPlan): readonly RecordSet[] {
  expect(outcome.kind).toBe('change');
  const batch = outcome.kind === 'change' ? outcome.batch : [];
  return batch.filter(({ action }) => action === 'DELETE').map(({ recordSet }) => recordSet);
}

function address(values: readonly string[], type: RecordType = 'A'): RecordSet {
  return { name: NAME, type, ttlSeconds: 5, values };
}

function fence(text: string): RecordSet {
  return { name: FENCE_NAME, type: 'TXT', ttlSeconds: 5, values: [text] };
}

function foreign(type: string, reason: ForeignRecordSet['reason']): ForeignRecordSet {
  return { name: NAME, type, reason };
}

/** One epoch authorises one run to one site, as in the log. */
function intentAt(epoch: { term: number; index: number }): SwitchIntent {
  const chosen = (epoch.term + epoch.index) % 3;
  return {
    ...INTENT,
    target: { site: `site-${chosen}`, address: `192.0.2.${chosen}` },
    epoch: { term: term(epoch.term), index: logIndex(epoch.index) },
    run: `checkout-${epoch.term}-${epoch.index}`,
  };
}

function standingIn(zone: Zone): Standing {
  return {
    recordSets: switchNames(NAME).flatMap((name) => recordSetsAt(zone, name)),
    foreign: [],
  };
}

function send(zone: Zone, planned: SwitchPlan & { kind: 'change' }): Zone {
  const outcome = applyBatch(zone, planned.batch);
  expect(outcome.kind).not.toBe('refused');
  return outcome.kind === 'applied' ? outcome.zone : zone;
}

/** The epoch never falls, the name is never empty again, and the address is the fence's site. */
function expectFenced(before: Zone, after: Zone): void {
  const [old, now] = [fenceIn(before), fenceIn(after)];
  if (old !== null) {
    expect(now).not.toBeNull();
  }
  if (now !== null) {
    expect(old === null || compareEpochs(now.epoch, old.epoch) >= 0).toBe(true);
    const [only, ...others] = recordSetsAt(after, NAME);
    expect(others).toEqual([]);
    expect(only?.values).toEqual([now.site.replace('site-', '192.0.2.')]);
  }
}

function fenceIn(zone: Zone) {
  const [set] = recordSetsAt(zone, FENCE_NAME);
  const reading = set === undefined ? null : parseFence(set.values[0] ?? '');
  return reading?.kind === 'fence' ? reading.fence : null;
}
