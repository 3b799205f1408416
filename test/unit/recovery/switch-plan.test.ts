import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { applyBatch, createZone, recordSetsAt, type Zone } from '../../../lib/local/dns/zone.ts';
import { compareEpochs, fenceName, formatFence, parseFence } from '../../../lib/recovery/fence.ts';
import { checkBatch } from '../../../lib/recovery/switch-batch.ts';
import {
  intendedSets,
  isIntendedAnswer,
  leadSite,
  planSwitch,
  type Standing,
  type SwitchIntent,
  type SwitchPlan,
  type SwitchTarget,
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
  targets: [{ site: 'us-west-2', address: WEST, weight: 100 }],
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
      targets: [{ site: 'us-west-2', address: '2001:db8::1', weight: 100 }],
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
    ['without an address', { targets: [only('')] }],
    ['to an address of another type', { targets: [only('::1')] }],
    ['to itself', { recordType: 'CNAME', targets: [only(`${NAME}.`)] }],
    ['to nobody', { targets: [] }],
    ['with nothing for any site', { targets: [{ ...only(WEST), weight: 0 }] }],
    ['with part of a per cent', { targets: [{ ...only(WEST), weight: 0.5 }] }],
    ['with more than everything', { targets: [{ ...only(WEST), weight: 101 }] }],
    ['with one site twice', { targets: [only(WEST), only(EAST)] }],
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
      targets: [only('lb.example.net')],
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

describe('shared traffic', () => {
  const shares = (...weights: readonly number[]): SwitchIntent => ({
    ...INTENT,
    targets: [EAST, WEST, '192.0.2.3'].map((value, place) => {
      return { site: `site-${place}`, address: value, weight: weights[place] ?? 0 };
    }),
  });
  const weighted = (place: number, weight: number): RecordSet => {
    return { ...address([`192.0.2.${place + 1}`]), weighted: { id: `site-${place}`, weight } };
  };

  test('is planned as one weighted set for each site that gets some', () => {
    expect(intendedSets(shares(90, 10))).toEqual([weighted(0, 90), weighted(1, 10)]);
  });

  test('is one plain set again when one site gets all of it, in one batch', () => {
    const standing = [fence(OLDER), weighted(0, 90), weighted(1, 10)];
    const outcome = planSwitch(shares(0, 100), stands(standing));
    expect(deletesOf(outcome)).toEqual([weighted(0, 90), weighted(1, 10), fence(OLDER)]);
    expect(createsOf(outcome).slice(0, -1)).toEqual([address([WEST])]);
  });

  test('leaves the sets alone and replaces the fence when the shares stand right already', () => {
    const standing = [fence(OLDER), weighted(1, 10), weighted(0, 90)];
    const outcome = planSwitch(shares(90, 10), stands(standing));
    expect(deletesOf(outcome)).toEqual([fence(OLDER)]);
    expect(createsOf(outcome).map(({ type }) => type)).toEqual(['TXT']);
  });

  test('puts the site with the largest share into the fence, of equals the preferred one', () => {
    expect(leadSite(shares(10, 90).targets)).toBe('site-1');
    expect(leadSite(shares(0, 50, 50).targets)).toBe('site-1');
  });

  test('is done when our own fence stands beside exactly these shares', () => {
    const intent = shares(10, 90);
    const own = fence(formatFence({ epoch: INTENT.epoch, site: 'site-1', run: INTENT.run }));
    expect(planSwitch(intent, stands([own, weighted(1, 90), weighted(0, 10)])).kind).toBe(
      'already-done',
    );
    expect(planSwitch(intent, stands([own, weighted(1, 90), weighted(0, 11)]))).toMatchObject({
      code: 'changed-outside',
    });
  });

  test('of a weighted set that stands without a fence is not taken over', () => {
    expect(planSwitch(shares(50, 50), stands([weighted(0, 1)]))).toMatchObject({
      code: 'foreign-record',
    });
  });

  test('on a server that knows no weights is several values of one set, if it is even', () => {
    expect(intendedSets(shares(50, 0, 50), 'even')).toEqual([address([EAST, '192.0.2.3'])]);
    expect(planSwitch(shares(50, 50), stands([]), 'even').kind).toBe('change');
    expect(planSwitch(shares(100), stands([]), 'even').kind).toBe('change');
    expect(planSwitch(shares(90, 10), stands([]), 'even')).toMatchObject({
      kind: 'refused',
      code: 'weights-unsupported',
    });
  });

  test('is what clients are answered when each value is that of a site with a share', () => {
    expect(isIntendedAnswer(shares(90, 10), [WEST])).toBe(true);
    expect(isIntendedAnswer(shares(90, 10), [EAST, WEST])).toBe(true);
    expect(isIntendedAnswer(shares(90, 10), ['192.0.2.3'])).toBe(false);
    expect(isIntendedAnswer(shares(100), [EAST, WEST])).toBe(false);
    expect(isIntendedAnswer(shares(100), [])).toBe(false);
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
      { ...address([EAST]), weighted: { id: 'us-east-1', weight: 3 } },
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

function createsOf(outcome: SwitchPlan): readonly RecordSet[] {
  const batch = outcome.kind === 'change' ? outcome.batch : [];
  return batch.filter(({ action }) => action === 'CREATE').map(({ recordSet }) => recordSet);
}

function only(value: string): SwitchTarget {
  return { site: 'us-west-2', address: value, weight: 100 };
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
    targets: [0, 1, 2].map((site) => ({
      site: `site-${site}`,
      address: `192.0.2.${site}`,
      weight: site === chosen ? 60 : epoch.term * 20 * ((site + epoch.index) % 2),
    })),
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

/** The epoch never falls, the name is never empty again, and the most goes to the fence's site. */
function expectFenced(before: Zone, after: Zone): void {
  const [old, now] = [fenceIn(before), fenceIn(after)];
  if (old !== null) {
    expect(now).not.toBeNull();
  }
  if (now !== null) {
    expect(old === null || compareEpochs(now.epoch, old.epoch) >= 0).toBe(true);
    const [first, ...others] = recordSetsAt(after, NAME).toSorted(
      (a, b) => (b.weighted?.weight ?? 0) - (a.weighted?.weight ?? 0),
    );
    expect(first?.values).toEqual([now.site.replace('site-', '192.0.2.')]);
    expect(others.length === 0).toBe(first?.weighted === undefined);
  }
}

function fenceIn(zone: Zone) {
  const [set] = recordSetsAt(zone, FENCE_NAME);
  const reading = set === undefined ? null : parseFence(set.values[0] ?? '');
  return reading?.kind === 'fence' ? reading.fence : null;
}
