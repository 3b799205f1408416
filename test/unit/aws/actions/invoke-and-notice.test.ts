import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActionContext } from '../../../../lib/recovery/action-ports.ts';
import { portsAt } from '../../../support/action-clients.ts';
import { type ActionsStandIn, startActionsStandIn } from '../../../support/actions-stand-in.ts';
import { type ReceiverStandIn, startReceiver } from '../../../support/receiver-stand-in.ts';

const CONTEXT: ActionContext = {
  ...{ run: 'checkout-9', step: 'warm', service: 'checkout', from: 'east', to: 'west' },
  ...{ epoch: { term: 3, index: 9 }, mode: 'graceful' },
};
const TOPIC = 'arn:aws:sns:us-east-2:123456789012:pagers';
const NOTICE = {
  subject: 'checkout: failover east → west',
  sentence: 'checkout goes to west',
  details: { run: 'checkout-9' },
};

let standIn: ActionsStandIn;
let receiver: ReceiverStandIn;
beforeAll(async () => {
  standIn = await startActionsStandIn();
  receiver = await startReceiver();
  standIn.world.topics.add(TOPIC).add(`${TOPIC}.fifo`);
});
afterAll(async () => {
  await standIn.close();
  await receiver.close();
});

describe('a function of the owner', () => {
  const call = (answer: unknown, isError = false) => {
    standIn.world.functions.set('warm-up', { answer, isError });
    return portsAt(standIn.url).invoke.lambda(
      { kind: 'lambda', region: 'us-west-2', functionName: 'warm-up', payload: { pool: 'b' } },
      CONTEXT,
    );
  };

  test('is told its own payload, the step and the epoch', async () => {
    expect(await call({ status: 'ok' })).toMatchObject({ kind: 'done' });
    expect(standIn.world.changes.at(-1)?.detail).toEqual({
      ...{ pool: 'b', token: 'checkout-9/warm' },
      ...CONTEXT,
    });
  });

  test('may ask for time', async () => {
    const pending = { kind: 'pending', code: 'receiver-pending' };
    expect(await call({ status: 'pending' })).toMatchObject(pending);
    expect(await call(null)).toMatchObject({ kind: 'done' });
  });

  test('that raises an error has refused', async () => {
    const outcome = await call({ errorMessage: 'no pool b' }, true);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'function-error' });
    expect(JSON.stringify(outcome)).toContain('no pool b');
  });

  test('whose answer is lost is nothing known, and a throttle waits', async () => {
    standIn.inject({ on: 'Invoke', kind: 'drop-reply' });
    expect(await call({})).toMatchObject({ kind: 'unknown' });
    standIn.inject({ on: 'Invoke', kind: 'throttle' });
    expect(await call({})).toMatchObject({ kind: 'pending', code: 'throttled' });
  });

  test('that is not there is refused', async () => {
    const outcome = await portsAt(standIn.url).invoke.lambda(
      { kind: 'lambda', region: 'us-west-2', functionName: 'absent', payload: {} },
      CONTEXT,
    );
    expect(outcome).toMatchObject({ kind: 'refused', code: 'resource-absent' });
  });
});

describe('a notice', () => {
  const send = (target: Parameters<ReturnType<typeof portsAt>['notify']['notify']>[0]) =>
    portsAt(standIn.url).notify.notify(target, NOTICE, 'checkout-9/tell');

  test('is published in the region of its topic, with a subject that SNS takes', async () => {
    expect(await send({ kind: 'sns', topicArn: TOPIC })).toMatchObject({ kind: 'done' });
    expect(standIn.world.changes.at(-1)?.detail).toMatchObject({
      ...{ topic: TOPIC, region: 'us-east-2', subject: 'checkout: failover east -> west' },
      message: expect.stringContaining('checkout goes to west'),
    });
  });

  test('of a FIFO topic names its repeat', async () => {
    await send({ kind: 'sns', topicArn: `${TOPIC}.fifo` });
    await send({ kind: 'sns', topicArn: `${TOPIC}.fifo` });
    const [first, second] = standIn.world.changes.slice(-2).map(({ detail }) => detail);
    expect(first).toMatchObject({ deduplication: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(second).toEqual(first);
  });

  test('to a topic that is not there is refused', async () => {
    const outcome = await send({ kind: 'sns', topicArn: TOPIC.replace('pagers', 'nobody') });
    expect(outcome).toMatchObject({ kind: 'refused', code: 'resource-absent' });
  });

  test('to a webhook carries a text that chat systems show', async () => {
    await send({ kind: 'webhook', url: receiver.url, secretName: null });
    expect(JSON.parse(receiver.received.at(-1)?.text ?? '')).toMatchObject({
      text: 'checkout: failover east → west: checkout goes to west',
      details: { run: 'checkout-9' },
    });
  });
});
