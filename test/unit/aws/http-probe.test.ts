import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { httpProbe } from '../../../lib/aws/http-probe.ts';
import type { MonotonicMillis } from '../../../lib/base/identifiers.ts';

test.each([200, 204, 299])('status %i is serving', async (status) => {
  expect(await probe((_, response) => response.writeHead(status).end())).toEqual({
    kind: 'serving',
    status,
    elapsedMs: 7,
  });
});

test.each([301, 404, 429, 500, 503])('status %i is failing', async (status) => {
  const redirecting: RequestListener = (request, response) => {
    const isFollowed = request.url === '/elsewhere';
    response.writeHead(isFollowed ? 200 : status, { location: '/elsewhere' }).end();
  };
  expect(await probe(redirecting)).toEqual({
    kind: 'failing',
    detail: `HTTP ${status}`,
    elapsedMs: 7,
  });
});

test('no answer in time is failing', async () => {
  expect(await probe(() => undefined)).toMatchObject({
    kind: 'failing',
    detail: 'no answer within 150 ms',
  });
});

test('a connection that breaks is failing, with the reason', async () => {
  const outcome = await probe((request) => request.socket.destroy());
  expect(outcome).toMatchObject({ kind: 'failing', detail: expect.stringContaining('other side') });
});

test('a body that never ends does not delay the verdict', async () => {
  const outcome = await probe((_, response) => {
    response.writeHead(200);
    response.write('x'.repeat(100_000));
  });
  expect(outcome.kind).toBe('serving');
});

test.each(['http://127.0.0.1:1/', 'no url'])(
  '%s cannot be reached, which is failing',
  async (url) => {
    const check = httpProbe({ timeoutMs: 2000, clock: { monotonicNow: tickingClock() } });
    expect((await check(url)).kind).toBe('failing');
  },
);

async function probe(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const check = httpProbe({ timeoutMs: 150, clock: { monotonicNow: tickingClock() } });
  const outcome = await check(`http://127.0.0.1:${port}/health`);
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  return outcome;
}

/** Moves by 7 ms each time it is read. */
function tickingClock(): () => MonotonicMillis {
  let now = 0;
  return () => {
    now += 7;
    return now as MonotonicMillis;
  };
}
