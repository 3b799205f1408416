import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { portsAt } from '../../../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../../../support/actions-stand-in.ts';

const EAST = 'arn:aws:rds:us-east-1:123456789012:cluster:shop-east';
const WEST = 'arn:aws:rds:us-west-2:123456789012:cluster:shop-west';
const NORTH = 'arn:aws:rds:us-east-2:123456789012:cluster:shop-north';
const DATABASE = {
  kind: 'aurora-global',
  globalCluster: 'shop',
  members: {
    east: { region: 'us-east-1', cluster: EAST },
    west: { region: 'us-west-2', cluster: WEST },
  },
} as const;

describe('an Aurora global database', () => {
  let standIn: ActionsStandIn;
  beforeAll(async () => {
    standIn = await startActionsStandIn();
  });
  afterAll(() => standIn.close());
  beforeEach(() => {
    const members = [EAST, WEST, NORTH];
    standIn.world.changes.length = 0;
    standIn.world.globals.set('shop', {
      ...{ status: 'available', writer: EAST, members, failover: null },
    });
  });

  const promote = (mode: 'graceful' | 'emergency') =>
    portsAt(standIn.url).database.promote(DATABASE, {
      to: 'west',
      mode,
      token: 'checkout-9/database',
    });

  test('is switched over by the region that has the writer, without loss', async () => {
    await promote('graceful');
    expect(standIn.world.changes).toEqual([
      {
        kind: 'SwitchoverGlobalCluster',
        detail: { name: 'shop', to: WEST, region: 'us-east-1', isLossAllowed: false },
      },
    ]);
  });

  test('is failed over by the region of the target, loss allowed', async () => {
    await promote('emergency');
    expect(standIn.world.changes).toEqual([
      {
        kind: 'FailoverGlobalCluster',
        detail: { name: 'shop', to: WEST, region: 'us-west-2', isLossAllowed: true },
      },
    ]);
  });

  test('that is on its way to another site is not disturbed', async () => {
    const found = standIn.world.globals.get('shop');
    Object.assign(found ?? {}, { failover: { to: NORTH, isLossAllowed: true } });
    expect(await promote('emergency')).toMatchObject({ kind: 'unknown' });
    expect(standIn.world.changes).toEqual([]);
  });

  test('that does something else for a while is waited for', async () => {
    const found = standIn.world.globals.get('shop');
    Object.assign(found ?? {}, { status: 'modifying' });
    expect(await promote('emergency')).toMatchObject({ kind: 'pending', code: 'database-moving' });
    expect(standIn.world.changes).toEqual([]);
  });

  test('without the right to move it the step is refused, and says so', async () => {
    standIn.inject({ on: 'FailoverGlobalCluster', kind: 'deny' });
    expect(await promote('emergency')).toMatchObject({ kind: 'refused', code: 'not-permitted' });
  });
});
