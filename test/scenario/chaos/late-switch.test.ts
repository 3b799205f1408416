/** A worker that wakes up late, after a newer switch, changes nothing; and each checker sees its rule broken. */
import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { buildZone, recordSetsOf, type Zone } from '../../../lib/local/dns/zone.ts';
import { fenceName, formatFence } from '../../../lib/recovery/fence.ts';
import { switchOnce } from '../../../lib/recovery/switch-once.ts';
import type { RecordSet } from '../../../lib/recovery/switch-port.ts';
import { Checkers, type Rule } from '../../../lib/simulation/whole/checkers.ts';
import { pass, passUntil, startLife } from '../../../lib/simulation/whole/life.ts';
import type { WholeWorld } from '../../../lib/simulation/whole/whole-world.ts';
import { EAST, servicePolicy, WEST } from '../../support/service-states.ts';

async function life(): Promise<{ readonly whole: WholeWorld; readonly checkers: Checkers }> {
  const whole = await startLife({
    seed: 11,
    policies: [servicePolicy({ fencing: 'lease' })],
    configHash: '0'.repeat(64),
    service: 'checkout',
    paths: ['b'],
  });
  return { whole, checkers: new Checkers(whole) };
}

/** The zone with the address of a site, under a fence of this epoch. */
function zoneWith(
  whole: WholeWorld,
  { site, index, address }: { site: string; index: number; address: string | null },
): Zone {
  const { zone } = whole.zone;
  const { dnsName } = whole.policy;
  const epoch = { term: whole.standing?.epoch.term ?? term(1), index: logIndex(index) };
  const fence = formatFence({ epoch, site, run: 'twin' });
  const others = recordSetsOf(zone).filter(
    ({ name }) => name !== dnsName && name !== fenceName(dnsName),
  );
  const sets: RecordSet[] = [
    ...others,
    { name: fenceName(dnsName), type: 'TXT', ttlSeconds: 5, values: [fence] },
    ...(address === null
      ? []
      : [{ name: dnsName, type: 'A' as const, ttlSeconds: 5, values: [address] }]),
  ];
  return buildZone({ ...zone, serial: zone.serial + 1, recordSets: sets });
}

/** Said here, because mutants are hunted without the configuration of the chaos tests. */
const TIMEOUT_MS = 120_000;
const EAST_ADDRESS = '192.0.2.11';

/** What each rule must see, done to the world behind the back of the system. */
const TWINS: readonly (readonly [Rule, (whole: WholeWorld) => void])[] = [
  [
    'one-active-site',
    (whole) => {
      const plane = whole.regions[0]?.control?.plane;
      if (plane !== undefined) {
        whole.onApplied(plane.region, { ...plane, routing: () => 'active' });
      }
    },
  ],
  [
    'one-history',
    (whole) => {
      const plane = whole.regions[0]?.control?.plane;
      if (plane !== undefined) {
        whole.onApplied(plane.region, plane);
        whole.onApplied(plane.region, { ...plane, routing: () => 'standby' });
      }
    },
  ],
  [
    'dual-active',
    (whole) => {
      for (const site of whole.ownSites) {
        Object.defineProperty(site, 'believesActive', { value: true });
      }
      whole.onSiteChange();
    },
  ],
  [
    'dns-fenced',
    (whole) => apply(whole, zoneWith(whole, { site: EAST, index: 999_999, address: EAST_ADDRESS })),
  ],
  [
    'dns-as-fenced',
    (whole) => apply(whole, zoneWith(whole, { site: WEST, index: 3, address: EAST_ADDRESS })),
  ],
  [
    'never-all-off',
    (whole) => apply(whole, zoneWith(whole, { site: EAST, index: 3, address: null })),
  ],
  [
    'dns-served-in-order',
    (whole) => {
      const { zone } = whole.zone;
      whole.zone.onServed(0, zone);
      whole.zone.onServed(0, { ...zone, serial: zone.serial - 1 });
    },
  ],
  [
    'effect-once',
    (whole) => {
      apply(whole, whole.zone.zone);
      apply(whole, whole.zone.zone);
    },
  ],
];

function apply(whole: WholeWorld, after: Zone): void {
  const { now } = whole.world;
  whole.zone.onApplied({ at: now, comment: 'a twin', before: whole.zone.zone, after });
}

describe('the checkers', () => {
  test.each(TWINS)(
    '%s is seen when it is broken',
    async (rule, doHarm) => {
      const { whole, checkers } = await life();
      expect(checkers.violations).toEqual([]);
      doHarm(whole);
      expect(checkers.violations.map((violation) => violation.rule)).toContain(rule);
    },
    TIMEOUT_MS,
  );
});

test(
  'a worker that wakes up after a newer switch changes nothing',
  async () => {
    const { whole, checkers } = await life();
    const { policy, zone, standing } = whole;
    const late = {
      dnsName: policy.dnsName,
      recordType: policy.recordType,
      ttlSeconds: policy.ttlSeconds,
      targets: [{ site: EAST, address: EAST_ADDRESS, weight: 100 }],
      epoch: standing?.epoch ?? { term: term(1), index: logIndex(1) },
      run: 'late-1',
    };
    const at = whole.stamp();
    const asked = { service: 'checkout', by: 'test', reason: 'a newer switch', force: false };
    void whole.propose({ kind: 'failover', at, to: WEST, ...asked });
    const isMoved = () => zone.applied.length > 1 && whole.standing?.phase.kind === 'steady';
    expect(await passUntil(whole, isMoved, 300_000)).toBe(true);
    const region = whole.regions[0];
    const clock = region?.clock;
    if (region === undefined || clock === null || clock === undefined) {
      throw new Error('no region');
    }
    const caller = { place: region.place, vitality: region.vitality, clock };
    let outcome = '';
    void switchOnce(zone.portFor(caller), late, { clock, random: whole.random }).then(
      ({ kind }) => {
        outcome = kind;
      },
    );
    await pass(whole, 60_000);
    expect(outcome).toBe('stale');
    expect(checkers.violations).toEqual([]);
  },
  TIMEOUT_MS,
);
