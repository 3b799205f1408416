/** The scale contract on all kinds of capacity. */

import type { ScalableResource } from '../../lib/recovery/plan.ts';
import { MemoryActions } from '../../lib/simulation/memory-actions.ts';
import { portsAt } from '../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../support/actions-stand-in.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startReceiver } from '../support/receiver-stand-in.ts';
import { T0 } from '../support/service-states.ts';
import { type ScaleHarness, scalePortContract } from './scale-port-contract.ts';

const GROUP = { kind: 'auto-scaling-group', region: 'us-west-2', group: 'web' } as const;
const SERVICE = {
  kind: 'ecs-service',
  region: 'us-west-2',
  cluster: 'main',
  service: 'web',
} as const;
const CONCURRENCY = {
  kind: 'lambda-concurrency',
  region: 'us-west-2',
  functionName: 'api',
  qualifier: 'live',
} as const;

scalePortContract('memory', async () => {
  const clock = createManualClock(T0);
  const world = new MemoryActions({ clock, growMs: 1000, moveMs: 1000 });
  return {
    port: world.ports.scale,
    resource: GROUP,
    missing: { ...GROUP, group: 'absent' },
    stand: (desired) => {
      world.effects.length = 0;
      world.addCapacity(GROUP, desired, 10);
    },
    settle: () => clock.advance(1000),
    changes: () => world.effects.length,
    loseNextAnswer: null,
    tooMany: 11,
    close: async () => undefined,
  };
});

/** A harness over the stand-in, for whatever kind of resource it is told of. */
async function onStandIn(
  resource: ScalableResource,
  parts: {
    readonly missing: ScalableResource;
    readonly change: string;
    readonly stand: (world: ActionsStandIn['world'], desired: number) => void;
    readonly settle: (world: ActionsStandIn['world']) => void;
    readonly lose: string;
    readonly tooMany: number;
  },
): Promise<ScaleHarness> {
  const standIn = await startActionsStandIn();
  const { world } = standIn;
  return {
    port: portsAt(standIn.url).scale,
    resource,
    missing: parts.missing,
    stand: (desired) => {
      world.changes.length = 0;
      parts.stand(world, desired);
    },
    settle: () => parts.settle(world),
    changes: () => world.countOf(parts.change),
    loseNextAnswer: () => standIn.inject({ on: parts.lose, kind: 'drop-reply' }),
    tooMany: parts.tooMany,
    close: standIn.close,
  };
}

scalePortContract('EC2 Auto Scaling group', () =>
  onStandIn(GROUP, {
    missing: { ...GROUP, group: 'absent' },
    change: 'SetDesiredCapacity',
    lose: 'SetDesiredCapacity',
    stand: (world, desired) => {
      world.groups.set('web', { desired, min: 0, max: 10, ready: desired });
    },
    settle: (world) => {
      const group = world.groups.get('web');
      Object.assign(group ?? {}, { ready: group?.desired });
    },
    tooMany: 11,
  }),
);

scalePortContract('ECS service', () =>
  onStandIn(SERVICE, {
    missing: { ...SERVICE, service: 'absent' },
    change: 'UpdateService',
    lose: 'UpdateService',
    stand: (world, desired) => {
      const target = { min: 1, max: 10, tags: {} };
      world.services.set('main/web', { desired, running: desired, target });
    },
    settle: (world) => {
      const service = world.services.get('main/web');
      Object.assign(service ?? {}, { running: service?.desired });
    },
    tooMany: 11,
  }),
);

scalePortContract('Lambda provisioned concurrency', () =>
  onStandIn(CONCURRENCY, {
    missing: { ...CONCURRENCY, functionName: 'absent' },
    change: 'PutProvisionedConcurrencyConfig',
    lose: 'PUT concurrency',
    stand: (world, desired) => {
      world.functionNames.add('api');
      const standing = { requested: desired, available: desired, status: 'READY' } as const;
      world.concurrencies.set('api:live', standing);
    },
    settle: (world) => {
      const found = world.concurrencies.get('api:live');
      Object.assign(found ?? {}, { available: found?.requested, status: 'READY' });
    },
    tooMany: 1001,
  }),
);

scalePortContract('hook', async () => {
  const receiver = await startReceiver();
  const state = { desired: 0, ready: 0, changes: 0, isAnswerLost: false };
  receiver.answer = ({ method, text }, response) => {
    if (method === 'PUT') {
      state.desired = Number(JSON.parse(text).desired);
      state.changes += 1;
    }
    if (method === 'PUT' && state.isAnswerLost) {
      state.isAnswerLost = false;
      response.destroy();
      return;
    }
    response.end(JSON.stringify({ desired: state.desired, ready: state.ready, max: 10 }));
  };
  const missing = await startReceiver();
  missing.answer = (_, response) => {
    response.writeHead(404).end();
  };
  return {
    port: portsAt(receiver.url).scale,
    resource: { kind: 'hook', url: receiver.url },
    missing: { kind: 'hook', url: missing.url },
    stand: (desired) => {
      Object.assign(state, { desired, ready: desired, changes: 0 });
    },
    settle: () => {
      state.ready = state.desired;
    },
    changes: () => state.changes,
    loseNextAnswer: () => {
      state.isAnswerLost = true;
    },
    tooMany: 11,
    close: async () => {
      await receiver.close();
      await missing.close();
    },
  };
});
