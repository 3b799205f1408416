import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startHeartbeats } from '../../../lib/agent/heartbeat-client.ts';
import { createKeepAliveFetch } from '../../../lib/agent/http.ts';

const servers: Server[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const post = (body: string, signal = new AbortController().signal) => ({
  method: 'POST' as const,
  redirect: 'error' as const,
  headers: { 'content-type': 'application/json' },
  body,
  signal,
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('createKeepAliveFetch', () => {
  it('sends the body and gives back status, headers and text over one connection', async () => {
    const sockets = new Set<Socket>();
    const url = await listen(
      createServer((request, response) => {
        sockets.add(request.socket);
        response.setHeader('retry-after', '7');
        response.statusCode = 429;
        request.pipe(response);
      }),
    );
    const client = createKeepAliveFetch({ keepProcessAlive: true });
    for (const body of ['one', 'zwei ü', '']) {
      const response = await client.fetch(url, post(body));
      expect([response.status, await response.text()]).toEqual([429, body]);
      expect([response.headers.get('Retry-After'), response.headers.get('x')]).toEqual(['7', null]);
    }
    expect(sockets.size).toBe(1);
    client.close();
  });

  it('sends again on a new connection when an idle one was closed under it', async () => {
    const sockets: Socket[] = [];
    const url = await listen(
      createServer((request, response) => {
        if (!sockets.includes(request.socket)) {
          sockets.push(request.socket);
          response.end('fresh');
          return;
        }
        request.socket.resetAndDestroy();
      }),
    );
    const client = createKeepAliveFetch({ keepProcessAlive: true });
    await (await client.fetch(url, post('1'))).text();
    expect(await (await client.fetch(url, post('2'))).text()).toBe('fresh');
    expect(sockets).toHaveLength(2);
    client.close();
  });

  it('rejects when nobody listens, when it is aborted and when the answer has no end', async () => {
    const url = await listen(
      createServer((request, response) => {
        if (request.url === '/flood') {
          response.end('x'.repeat(20_000));
        }
      }),
    );
    const client = createKeepAliveFetch({ keepProcessAlive: true });
    const controller = new AbortController();
    const hanging = client.fetch(`${url}/hang`, post('', controller.signal));
    controller.abort();
    await expect(hanging).rejects.toThrow('aborted');
    await expect(client.fetch(`${url}/flood`, post(''))).rejects.toThrow('longer than 16384');
    await expect(client.fetch('http://127.0.0.1:1', post(''))).rejects.toThrow('ECONNREFUSED');
    client.close();
  });

  it('does not follow a redirect with the token', async () => {
    const paths: string[] = [];
    const url = await listen(
      createServer((request, response) => {
        paths.push(request.url ?? '');
        response.writeHead(307, { location: '/elsewhere' }).end();
      }),
    );
    const client = createKeepAliveFetch({ keepProcessAlive: true });
    expect((await client.fetch(`${url}/first`, post(''))).status).toBe(307);
    expect(paths).toEqual(['/first']);
    client.close();
  });
});

describe('startHeartbeats over real sockets', () => {
  it('beats with the default client and clock, over one connection, until it is stopped', async () => {
    const sockets = new Set<Socket>();
    const sequences: number[] = [];
    const thirdBeat = Promise.withResolvers<void>();
    const server = createServer(async (request, response) => {
      sockets.add(request.socket);
      const chunks: Buffer[] = [];
      for await (const chunk of request) {
        chunks.push(chunk);
      }
      sequences.push(JSON.parse(Buffer.concat(chunks).toString()).sequence);
      response.end(JSON.stringify({ role: 'active', epoch: null, nextBeatMs: 100 }));
      if (sequences.length === 3) {
        thirdBeat.resolve();
      }
    });
    const client = startHeartbeats({
      service: 'checkout',
      site: 'us-east-1',
      endpoints: [await listen(server)],
      token: 'secret-token',
      intervalMs: 100,
    });
    await thirdBeat.promise;
    await client.stop();
    expect(sequences).toEqual([1, 2, 3]);
    expect(sockets.size).toBe(1);
    expect(client.snapshot().regions[0]).toMatchObject({ failuresInARow: 0, problem: null });
  });
});
