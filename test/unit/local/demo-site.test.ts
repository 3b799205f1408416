import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DemoSite, startDemoSite } from '../../../lib/local/demo-site.ts';

interface Beat {
  readonly path: string;
  readonly authorization: string;
  readonly status: string;
}

/** A control region that makes the site active and lets tests await beats. */
let region: Server;
let regionUrl: string;
let waiting: { readonly wanted: (beat: Beat) => boolean; readonly resolve: (beat: Beat) => void }[];
let sites: DemoSite[];

beforeEach(async () => {
  waiting = [];
  sites = [];
  region = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
    const { status } = JSON.parse(Buffer.concat(chunks).toString());
    const { authorization = '' } = request.headers;
    const beat = { path: request.url ?? '', authorization, status };
    response.end('{"role":"active","epoch":{"term":2,"index":9},"nextBeatMs":100}');
    for (const { wanted, resolve } of waiting) {
      if (wanted(beat)) {
        resolve(beat);
      }
    }
  });
  await new Promise<void>((resolve) => region.listen(0, '127.0.0.1', resolve));
  regionUrl = `http://127.0.0.1:${(region.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await Promise.all(sites.map((site) => site.close()));
  region.closeAllConnections();
  await new Promise((resolve) => region.close(resolve));
});

const nextBeat = (wanted: (beat: Beat) => boolean) =>
  new Promise<Beat>((resolve) => waiting.push({ wanted, resolve }));

async function start(options: { onRole?: () => void; host?: string } = {}): Promise<DemoSite> {
  const site = await startDemoSite({
    service: 'checkout',
    site: 'us-east-1',
    host: '127.0.0.1',
    port: 0,
    endpoints: [regionUrl],
    token: 'secret-token',
    intervalMs: 100,
    ...options,
  });
  sites.push(site);
  return site;
}

const setHealth = (site: DemoSite, state: string, method = 'POST') =>
  fetch(`${site.url}/admin/health?state=${state}`, { method });

describe('startDemoSite', () => {
  it('beats with its token and says who serves, with the role it was given', async () => {
    const beat = nextBeat(() => true);
    const known = Promise.withResolvers<void>();
    const site = await start({ onRole: () => known.resolve() });
    expect(await beat).toEqual({
      path: '/v1/services/checkout/sites/us-east-1/heartbeats',
      authorization: 'Bearer secret-token',
      status: 'ok',
    });
    await known.promise;
    const response = await fetch(site.url);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      service: 'checkout',
      site: 'us-east-1',
      role: 'active',
      epoch: { term: 2, index: 9 },
      status: 'ok',
    });
  });

  it('can be made sick and well again, in its answers and in its beats', async () => {
    const site = await start();
    const codes = async () =>
      Promise.all(
        ['/', '/health', '/healthz'].map(async (p) => (await fetch(site.url + p)).status),
      );
    expect(await codes()).toEqual([200, 200, 200]);
    const sick = nextBeat(({ status }) => status === 'failing');
    expect((await setHealth(site, 'failing')).status).toBe(200);
    expect(await codes()).toEqual([503, 503, 503]);
    await sick;
    const degraded = nextBeat(({ status }) => status === 'degraded');
    await setHealth(site, 'degraded');
    expect(await codes()).toEqual([200, 200, 200]);
    await degraded;
    await setHealth(site, 'ok');
    expect(await (await fetch(`${site.url}/health`)).json()).toEqual({ status: 'ok' });
  });

  it.each([
    ['POST', '/admin/health', 400],
    ['POST', '/admin/health?state=dead', 400],
    ['GET', '/admin/health?state=failing', 405],
    ['POST', '/', 405],
    ['DELETE', '/health', 405],
    ['GET', '/nothing', 404],
    ['GET', '//', 404],
  ])('answers %s %s with the problem %d and changes nothing', async (method, path, status) => {
    const site = await start();
    const response = await fetch(site.url + path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status });
    expect((await fetch(`${site.url}/health`)).status).toBe(200);
  });

  it('stops beating and serving when it is closed', async () => {
    const beat = nextBeat(() => true);
    const site = await start();
    await beat;
    await site.close();
    await expect(fetch(site.url)).rejects.toThrow();
  });

  it('names the command that makes a missing loopback address', async () => {
    // TEST-NET-1 (RFC 5737) is an address of no machine.
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'address-unavailable',
      hint: expect.stringContaining('sudo ifconfig lo0 alias 192.0.2.1'),
    });
  });

  it('says that a port is taken, and beats to nobody then', async () => {
    const { port } = region.address() as AddressInfo;
    const taken = startDemoSite({
      service: 'checkout',
      site: 'us-east-1',
      host: '127.0.0.1',
      port,
      endpoints: [regionUrl],
      token: 'secret-token',
      intervalMs: 100,
    });
    await expect(taken).rejects.toMatchObject({ code: 'port-in-use', retryable: true });
  });
});
