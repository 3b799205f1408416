import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findUrlFault } from '../../../../lib/aws/actions/http.ts';
import type { ActionContext } from '../../../../lib/recovery/action-ports.ts';
import { portsAt } from '../../../support/action-clients.ts';
import { type ReceiverStandIn, startReceiver } from '../../../support/receiver-stand-in.ts';

const CONTEXT: ActionContext = {
  ...{ run: 'checkout-9', step: 'page', service: 'checkout', from: 'east', to: 'west' },
  ...{ epoch: { term: 3, index: 9 }, mode: 'emergency' },
};
const SECRET = 'a key of the receiver';

describe('a webhook', () => {
  let receiver: ReceiverStandIn;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());
  beforeEach(() => {
    receiver.answer = (_, response) => {
      response.end();
    };
  });

  const call = (changes: { readonly url?: string; readonly secretName?: string | null } = {}) =>
    portsAt(receiver.url, { secrets: { HOOK_KEY: SECRET } }).invoke.webhook(
      { kind: 'webhook', url: receiver.url, secretName: 'HOOK_KEY', ...changes },
      CONTEXT,
    );
  const answering = (status: number, headers: Record<string, string> = {}) => {
    receiver.answer = (_, response) => {
      response.writeHead(status, headers).end();
    };
  };

  test('says which step of which run it is, and is the same at every attempt', async () => {
    await call();
    await call();
    const [first, second] = receiver.received.slice(-2);
    expect(JSON.parse(first?.text ?? '')).toEqual({ ...CONTEXT, token: 'checkout-9/page' });
    expect(first?.headers['idempotency-key']).toBe('checkout-9/page');
    expect(second?.text).toBe(first?.text);
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
  });

  test('is signed so that the receiver can tell who sent it', async () => {
    await call();
    const last = receiver.received.at(-1);
    const text = last?.text ?? '';
    const [, seconds = '', signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(last?.headers['tripoint-signature'])) ?? [];
    const expected = createHmac('sha256', SECRET).update(`${seconds}.${text}`).digest('hex');
    expect(signature).toBe(expected);
    expect(Math.abs(Number(seconds) * 1000 - Date.now())).toBeLessThan(60_000);
  });

  test('goes out unsigned only where no secret is named', async () => {
    await call({ secretName: null });
    expect(receiver.received.at(-1)?.headers).not.toHaveProperty('tripoint-signature');
    const before = receiver.received.length;
    expect(await call({ secretName: 'NOT_SET' })).toMatchObject({ code: 'secret-not-set' });
    expect(receiver.received).toHaveLength(before);
  });

  test.each([
    [200, { kind: 'done' }],
    [204, { kind: 'done' }],
    [202, { kind: 'pending', code: 'receiver-pending' }],
    [409, { kind: 'refused', code: 'receiver-refused' }],
    [429, { kind: 'pending', code: 'throttled' }],
    [404, { kind: 'unknown' }],
    [500, { kind: 'unknown' }],
  ])('answered with %i', async (status, expected) => {
    answering(status);
    expect(await call()).toMatchObject(expected);
  });

  test('whose receiver hangs up is nothing known', async () => {
    receiver.answer = (_, response) => {
      response.destroy();
    };
    expect(await call()).toMatchObject({ kind: 'unknown' });
  });

  test('never follows a redirect, with which the signature would leave for elsewhere', async () => {
    const before = receiver.received.length;
    answering(307, { location: `${receiver.url}/elsewhere` });
    expect(await call()).toMatchObject({ kind: 'unknown' });
    expect(receiver.received.slice(before).map(({ path }) => path)).toEqual(['/']);
  });

  test('reads no more of an answer than it can use', async () => {
    receiver.answer = (_, response) => {
      response.end('x'.repeat(100_000));
    };
    expect(await call()).toMatchObject({ kind: 'refused', code: 'answer-malformed' });
  });
});

test.each([
  ['http://127.0.0.1:8080/scale', true],
  ['https://hooks.example.test/scale', true],
  ['file:///etc/passwd', false],
  ['ftp://example.test/', false],
  ['https://user:password@example.test/', false],
  ['http://169.254.169.254/latest/meta-data/', false],
  ['http://[fe80::1]/', false],
  ['http://[fd00:ec2::254]/', false],
  ['http://[::ffff:169.254.169.254]/', false],
  ['http://0xa9fea9fe/', false],
])('%s may be called: %s', (url, isAllowed) => {
  expect(findUrlFault(url) === null).toBe(isAllowed);
});
