import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clock } from '../../../../lib/base/clock.ts';
import { monotonicMillis } from '../../../../lib/base/identifiers.ts';
import { SYSTEM_CLOCK } from '../../../../lib/local/system-clock.ts';
import { portsAt } from '../../../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../../../support/actions-stand-in.ts';

const WEST = 'arn:aws:rds:us-west-2:123456789012:cluster:shop-west';
const EAST = 'arn:aws:rds:us-east-1:123456789012:cluster:shop-east';

let standIn: ActionsStandIn;
beforeAll(async () => {
  standIn = await startActionsStandIn();
  const { world } = standIn;
  world.groups.set('web', { desired: 1, min: 0, max: 10, ready: 1 });
  const members = [EAST, WEST];
  world.globals.set('shop', { status: 'available', writer: EAST, members, failover: null });
  world.instances.set('shop-west', { status: 'available', source: 'shop-east' });
});
afterAll(() => standIn.close());

/** Each look at the clock finds that an hour has passed: the process was stopped in between. */
function stoppedClock(): Clock {
  let hours = 0;
  return {
    ...SYSTEM_CLOCK,
    monotonicNow: () => {
      hours += 1;
      return monotonicMillis(hours * 3_600_000);
    },
  };
}

test('a worker that was stopped after it looked changes nothing when it wakes', async () => {
  const ports = portsAt(standIn.url, { clock: stoppedClock() });
  const token = 'checkout-9/step';
  const group = { kind: 'auto-scaling-group', region: 'us-west-2', group: 'web' } as const;
  const aurora = {
    kind: 'aurora-global',
    globalCluster: 'shop',
    members: { west: { region: 'us-west-2', cluster: WEST } },
  } as const;
  const replica = {
    kind: 'rds-replica',
    members: { west: { region: 'us-west-2', instance: 'shop-west' } },
  } as const;
  const promotion = { to: 'west', mode: 'emergency', token } as const;
  const outcomes = [
    await ports.scale.set({ resource: group, desired: 5, mayLower: false, token }),
    await ports.database.promote(aurora, promotion),
    await ports.database.promote(replica, promotion),
  ];
  expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown']);
  expect(standIn.world.changes).toEqual([]);
});
