import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { authoritativeResolver } from '../../../../lib/aws/route53/resolver.ts';
import { type DnsServer, listenDns } from '../../../../lib/local/dns/dns-server.ts';
import { applyBatch, createZone } from '../../../../lib/local/dns/zone.ts';
import type { RecordType } from '../../../../lib/recovery/switch-port.ts';

const servers: DnsServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

test.each<readonly [RecordType, readonly string[]]>([
  ['A', ['192.0.2.1']],
  ['AAAA', ['2001:db8::1']],
  ['TXT', [`long ${'x'.repeat(300)}`]],
  ['CNAME', ['lb.example.net']],
])('a record of type %s is resolved to its values', async (type, values) => {
  const resolve = resolverOf([await serverWith(type, values)]);
  expect(await resolve('A.Example.test.', type)).toEqual({ kind: 'resolved', values });
});

test('a name or type that is absent resolves to no values', async () => {
  const resolve = resolverOf([await serverWith('A', ['192.0.2.1'])]);
  expect(await resolve('a.example.test', 'AAAA')).toEqual({ kind: 'resolved', values: [] });
  expect(await resolve('nope.example.test', 'A')).toEqual({ kind: 'resolved', values: [] });
});

test('while one server still gives the old site, the old site is among the values', async () => {
  const resolve = resolverOf([
    await serverWith('A', ['192.0.2.2']),
    await serverWith('A', ['192.0.2.1']),
    await serverWith('A', ['192.0.2.2']),
  ]);
  expect(await resolve('a.example.test', 'A')).toEqual({
    kind: 'resolved',
    values: ['192.0.2.2', '192.0.2.1'],
  });
});

test('servers that are silent or refuse are left out; with none left it is unknown', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const bad = `127.0.0.1:${silent.address().port}`;
  const good = await serverWith('A', ['192.0.2.2']);
  expect(await resolverOf([bad, good])('a.example.test', 'A')).toEqual({
    kind: 'resolved',
    values: ['192.0.2.2'],
  });
  expect(await resolverOf([bad])('a.example.test', 'A')).toMatchObject({ kind: 'unknown' });
  expect(await resolverOf([good])('elsewhere.example', 'A')).toMatchObject({ kind: 'unknown' });
  silent.close();
});

test('without a name server, or with one that is no address, it is unknown', async () => {
  expect(await resolverOf([])('a.example.test', 'A')).toMatchObject({
    cause: 'no name server is configured',
  });
  expect(await resolverOf(['ns.example.test'])('a.example.test', 'A')).toMatchObject({
    kind: 'unknown',
  });
});

async function serverWith(type: RecordType, values: readonly string[]): Promise<string> {
  const outcome = applyBatch(createZone('example.test', '127.0.0.1'), [
    { action: 'CREATE', recordSet: { name: 'a.example.test', type, ttlSeconds: 5, values } },
  ]);
  const zone = outcome.kind === 'applied' ? outcome.zone : createZone('bad.test', '127.0.0.1');
  const server = await listenDns({
    host: '127.0.0.1',
    port: 0,
    zone: () => zone,
    log: () => undefined,
  });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

function resolverOf(nameServers: readonly string[]) {
  return authoritativeResolver({ nameServers, timeoutMs: 100, tries: 1 });
}
