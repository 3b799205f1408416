import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capacityHook } from '../../../../lib/aws/actions/capacity-hook.ts';
import { exchange, type HttpRequest } from '../../../../lib/aws/actions/http.ts';
import { isLinkLocal } from '../../../../lib/aws/actions/link-local.ts';
import { postWebhook } from '../../../../lib/aws/actions/webhook.ts';
import { type ReceiverStandIn, startReceiver } from '../../../support/receiver-stand-in.ts';

const SECRET = 'T0KEN';
const PATH = `/services/${SECRET}?key=${SECRET}`;
const OPTIONS = { secretOf: () => null, clock: { wallNow: () => 0 as never }, timeoutMs: 100 };

const get = (url: string): HttpRequest => ({
  ...{ url, method: 'GET', headers: {}, body: null, timeoutMs: 2000 },
});
const post = (url: string) =>
  postWebhook(OPTIONS, { url, secretName: null, token: 't', body: null });

describe('the URL of a hook is a secret, and of it only the origin is told', () => {
  let receiver: ReceiverStandIn;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  test.each([200, 202, 404, 409, 429, 500, 'hangs up', 'never answers', 'too long'])(
    'when the receiver says %s',
    async (says) => {
      receiver.answer = (_, response) => {
        if (says === 'hangs up') {
          response.destroy();
        } else if (says === 'too long') {
          response.end('x'.repeat(70_000));
        } else if (typeof says === 'number') {
          response.writeHead(says).end();
        }
      };
      const url = `${receiver.url}${PATH}`;
      const hook = capacityHook(url, 100);
      const said = [
        await post(url),
        hook.subject,
        await hook.view(),
        await hook.change(2, ...NEXT),
      ];
      expect(JSON.stringify(said)).not.toContain(SECRET);
      expect(JSON.stringify(said)).toContain(receiver.url);
    },
  );

  test.each([`http://127.0.0.1:9${PATH}`, `http://a:${SECRET}@host${PATH}`, `ftp://host${PATH}`])(
    'when %s is not called, or nobody is there',
    async (url) => {
      const said = JSON.stringify([await post(url), await capacityHook(url, 100).view()]);
      expect(said).not.toContain(SECRET);
    },
  );
});

const NEXT = [
  { token: 't' },
  { desired: 1, ready: 1, max: null, min: 0, isHeld: () => true },
] as never as [never, never];

/** A resolver that knows one answer for every name. */
const resolvesTo =
  (...addresses: readonly string[]): LookupFunction =>
  (_, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = found;
    return all === true
      ? callback(null, found)
      : callback(null, first?.address ?? '', first?.family);
  };

describe('a name', () => {
  test.each([
    ['169.254.169.254'],
    ['fe80::1'],
    ['fd00:ec2::254'],
    ['::ffff:169.254.169.254'],
    ['127.0.0.1', '169.254.169.254'],
  ])('that resolves to %s is not called', async (...addresses) => {
    const answer = await exchange(get(`http://metadata.test${PATH}`), resolvesTo(...addresses));
    expect(answer).toMatchObject({ kind: 'refused', code: 'request-refused' });
    expect(JSON.stringify(answer)).toContain('http://metadata.test: resolves to a link-local');
  });

  test('that resolves to anything else is', async () => {
    const receiver = await startReceiver();
    receiver.answer = (_, response) => response.writeHead(200).end('{}');
    const url = `http://hooks.test:${new URL(receiver.url).port}/`;
    const answer = await exchange(get(url), resolvesTo('127.0.0.1'));
    await receiver.close();
    expect(answer).toEqual({ kind: 'answered', status: 200, text: '{}' });
  });

  test.each(['10.0.0.1', '192.168.1.1', 'fd00::1', '2001:db8::1', 'host.test'])(
    '%s is no link-local address',
    (address) => {
      expect(isLinkLocal(address)).toBe(false);
    },
  );
});
