import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScalePort } from '../../../../lib/recovery/action-ports.ts';
import type { ScalableResource } from '../../../../lib/recovery/plan.ts';
import { portsAt } from '../../../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../../../support/actions-stand-in.ts';
import { type ReceiverStandIn, startReceiver } from '../../../support/receiver-stand-in.ts';

const GROUP = { kind: 'auto-scaling-group', region: 'us-west-2', group: 'web' } as const;
const CONCURRENCY = {
  kind: 'lambda-concurrency',
  region: 'us-west-2',
  functionName: 'api',
  qualifier: 'live',
} as const;

let standIn: ActionsStandIn;
let receiver: ReceiverStandIn;
let scale: ScalePort;
beforeAll(async () => {
  standIn = await startActionsStandIn();
  receiver = await startReceiver();
  scale = portsAt(standIn.url).scale;
});
afterAll(async () => {
  await standIn.close();
  await receiver.close();
});

const set = (resource: ScalableResource, desired: number, mayLower = false) =>
  scale.set({ resource, desired, mayLower, token: 'checkout-9/scale' });

describe('an Auto Scaling group', () => {
  test('counts instances by their weight, and only those that serve', async () => {
    standIn.world.groups.set('web', { desired: 6, min: 0, max: 10, ready: 2, weight: 2 });
    expect(await scale.read(GROUP)).toMatchObject({ capacity: { desired: 6, ready: 4, max: 10 } });
  });

  test('is not made smaller than its minimum, and says what to do', async () => {
    standIn.world.groups.set('web', { desired: 4, min: 2, max: 10, ready: 4 });
    const outcome = await set(GROUP, 1, true);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'capacity-under-min' });
    expect(standIn.world.groups.get('web')?.desired).toBe(4);
  });

  test('that is busy with another change is asked later', async () => {
    standIn.world.groups.set('web', { desired: 1, min: 0, max: 10, ready: 1 });
    standIn.inject({ on: 'SetDesiredCapacity', kind: 'throttle' });
    expect(await set(GROUP, 3)).toMatchObject({ kind: 'pending', code: 'throttled' });
    expect(await set(GROUP, 3)).toMatchObject({ kind: 'pending', code: 'capacity-growing' });
  });
});

describe('provisioned concurrency', () => {
  test('that could not be allocated is asked for again', async () => {
    standIn.world.functionNames.add('api');
    const failed = { requested: 5, available: 0, status: 'FAILED' } as const;
    standIn.world.concurrencies.set('api:live', failed);
    expect(await set(CONCURRENCY, 5)).toMatchObject({ code: 'capacity-growing' });
    expect(standIn.world.countOf('PutProvisionedConcurrencyConfig')).toBe(1);
    expect(standIn.world.concurrencies.get('api:live')?.status).toBe('IN_PROGRESS');
  });

  test('of a pilot light is taken away altogether, and comes from nothing', async () => {
    expect(await set(CONCURRENCY, 0, true)).toMatchObject({ kind: 'done' });
    expect(standIn.world.concurrencies.has('api:live')).toBe(false);
    expect(await set(CONCURRENCY, 3)).toMatchObject({ code: 'capacity-growing' });
  });
});

describe('a scaling hook', () => {
  const hook = (): ScalableResource => ({ kind: 'hook', url: receiver.url });
  const answering = (onGet: string, putStatus = 200) => {
    receiver.answer = ({ method }, response) => {
      response.writeHead(method === 'PUT' ? putStatus : 200).end(onGet);
    };
  };

  test.each([
    'no JSON',
    '{"desired": 2}',
    '{"desired": -1, "ready": 0}',
    '{"desired": "2", "ready": 2}',
    '[]',
  ])('that answers %s is not understood', async (answer) => {
    answering(answer);
    expect(await set(hook(), 2)).toMatchObject({ kind: 'refused', code: 'answer-malformed' });
  });

  test.each([
    [409, { kind: 'refused', code: 'receiver-refused' }],
    [422, { kind: 'refused', code: 'receiver-refused' }],
    [429, { kind: 'pending', code: 'throttled' }],
    [500, { kind: 'unknown' }],
    [302, { kind: 'unknown' }],
  ])('may answer a change with %i', async (status, expected) => {
    answering('{"desired": 1, "ready": 1}', status);
    expect(await set(hook(), 2)).toMatchObject(expected);
  });

  test('is told the token of the step', async () => {
    answering('{"desired": 1, "ready": 1}');
    await set(hook(), 2);
    const change = receiver.received.findLast(({ method }) => method === 'PUT');
    expect(change?.headers['idempotency-key']).toBe('checkout-9/scale');
    expect(JSON.parse(change?.text ?? '')).toEqual({ desired: 2 });
  });
});
