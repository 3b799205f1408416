/** The database contract on the memory twin, Aurora global and RDS read replicas. */
import { MemoryActions } from '../../lib/simulation/memory-actions.ts';
import { portsAt } from '../support/action-clients.ts';
import { startActionsStandIn } from '../support/actions-stand-in.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { T0 } from '../support/service-states.ts';
import { databasePortContract } from './database-port-contract.ts';

const EAST_ARN = 'arn:aws:rds:us-east-1:123456789012:cluster:shop-east';
const WEST_ARN = 'arn:aws:rds:us-west-2:123456789012:cluster:shop-west';
const AURORA = {
  kind: 'aurora-global',
  globalCluster: 'shop',
  members: {
    east: { region: 'us-east-1', cluster: EAST_ARN },
    west: { region: 'us-west-2', cluster: WEST_ARN },
  },
} as const;
const REPLICA = {
  kind: 'rds-replica',
  members: {
    east: { region: 'us-east-1', instance: 'shop-east' },
    west: { region: 'us-west-2', instance: 'shop-west' },
  },
} as const;

databasePortContract('memory', async () => {
  const clock = createManualClock(T0);
  const world = new MemoryActions({ clock, growMs: 1000, moveMs: 1000 });
  return {
    port: world.ports.database,
    database: AURORA,
    missing: { ...AURORA, globalCluster: 'absent' },
    stand: () => {
      world.effects.length = 0;
      world.addDatabase(AURORA, 'east');
    },
    settle: () => clock.advance(1000),
    changes: () => world.effects.length,
    loseNextAnswer: null,
    close: async () => undefined,
  };
});

databasePortContract('Aurora global database', async () => {
  const standIn = await startActionsStandIn();
  const { world } = standIn;
  return {
    port: portsAt(standIn.url).database,
    database: AURORA,
    missing: { ...AURORA, globalCluster: 'absent' },
    stand: () => {
      world.changes.length = 0;
      const members = [EAST_ARN, WEST_ARN];
      world.globals.set('shop', { status: 'available', writer: EAST_ARN, members, failover: null });
    },
    settle: () => {
      const found = world.globals.get('shop');
      const writer = found?.failover?.to ?? EAST_ARN;
      Object.assign(found ?? {}, { status: 'available', writer, failover: null });
    },
    changes: () => world.changes.length,
    loseNextAnswer: (mode) => {
      const on = mode === 'graceful' ? 'SwitchoverGlobalCluster' : 'FailoverGlobalCluster';
      standIn.inject({ on, kind: 'drop-reply' });
    },
    close: standIn.close,
  };
});

databasePortContract('RDS read replica', async () => {
  const standIn = await startActionsStandIn();
  const { world } = standIn;
  return {
    port: portsAt(standIn.url).database,
    database: REPLICA,
    missing: {
      kind: 'rds-replica',
      members: { west: { region: 'us-west-2', instance: 'absent' } },
    },
    stand: () => {
      world.changes.length = 0;
      world.instances.set('shop-east', { status: 'available', source: null });
      world.instances.set('shop-west', { status: 'available', source: 'shop-east' });
    },
    settle: () => {
      world.instances.set('shop-west', { status: 'available', source: null });
    },
    changes: () => world.changes.length,
    loseNextAnswer: () => standIn.inject({ on: 'PromoteReadReplica', kind: 'drop-reply' }),
    close: standIn.close,
  };
});
