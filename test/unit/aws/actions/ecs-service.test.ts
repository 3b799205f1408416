import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { portsAt } from '../../../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../../../support/actions-stand-in.ts';

const RESOURCE = {
  kind: 'ecs-service',
  region: 'us-west-2',
  cluster: 'main',
  service: 'web',
} as const;
const TOKEN = 'checkout-9/scale';

describe('the floor under the scaling policies of an ECS service', () => {
  let standIn: ActionsStandIn;
  beforeAll(async () => {
    standIn = await startActionsStandIn();
  });
  afterAll(() => standIn.close());
  beforeEach(() => {
    const target = { min: 1, max: 20, tags: { team: 'shop' } };
    standIn.world.services.set('main/web', { desired: 2, running: 2, target });
  });

  const service = () => {
    const found = standIn.world.services.get('main/web');
    if (found === undefined || found.target === null) {
      throw new Error('the service is gone');
    }
    return { ...found, target: found.target };
  };
  const grow = () =>
    portsAt(standIn.url).scale.set({
      resource: RESOURCE,
      desired: 8,
      mayLower: false,
      token: TOKEN,
    });
  const shrink = () =>
    portsAt(standIn.url).scale.set({
      resource: RESOURCE,
      desired: 2,
      mayLower: true,
      token: TOKEN,
    });

  test('is raised with the count, and put back with it', async () => {
    await grow();
    expect(service()).toMatchObject({ desired: 8, target: { min: 8 } });
    await shrink();
    expect(service()).toMatchObject({ desired: 2, target: { min: 1 } });
    expect(service().target.tags).toEqual({ team: 'shop' });
  });

  test.each(['TagResource', 'RegisterScalableTarget', 'UpdateService'])(
    'a worker that died after %s is taken over, and what was before is put back',
    async (on) => {
      standIn.inject({ on, kind: 'drop-reply' });
      expect(await grow()).toMatchObject({ kind: 'unknown' });
      expect(await grow()).toMatchObject({ code: 'capacity-growing' });
      expect(service()).toMatchObject({ desired: 8, target: { min: 8 } });
      await shrink();
      expect(service()).toMatchObject({ desired: 2, target: { min: 1 } });
    },
  );

  test.each(['RegisterScalableTarget', 'UpdateService', 'UntagResource'])(
    'on the way back too, after %s',
    async (on) => {
      await grow();
      standIn.inject({ on, kind: 'drop-reply' });
      expect(await shrink()).toMatchObject({ kind: 'unknown' });
      await shrink();
      expect(service()).toMatchObject({ desired: 2, target: { min: 1, tags: { team: 'shop' } } });
      expect(service().target.tags).not.toHaveProperty('tripoint:minimum-before');
    },
  );

  test('a service that nothing scales has no floor to move', async () => {
    standIn.world.services.set('main/web', { desired: 2, running: 2, target: null });
    await grow();
    expect(standIn.world.services.get('main/web')).toMatchObject({ desired: 8, target: null });
  });
});
