import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, type Packet } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { listenDns } from '../../../../lib/local/dns/dns-server.ts';
import { dnsResolver } from '../../../../lib/local/dns/resolver.ts';
import { applyBatch, createZone, type Zone } from '../../../../lib/local/dns/zone.ts';
import type { Change } from '../../../../lib/recovery/switch-port.ts';

const HOST = '127.0.0.1';
const LONG = Array.from({ length: 8 }, (_, n) => `${n} ${'x'.repeat(400)}`);
const ZONE = zoneWith([
  create('a.example.test', 'A', ['192.0.2.1', '192.0.2.2']),
  create('www.example.test', 'CNAME', ['a.example.test']),
  create('six.example.test', 'AAAA', ['2001:db8::1']),
  create('long.example.test', 'TXT', LONG),
]);

describe('asking our own server', () => {
  test.each([
    ['a.example.test', 'A', ['192.0.2.1', '192.0.2.2']],
    ['A.Example.Test.', 'A', ['192.0.2.1', '192.0.2.2']],
    ['www.example.test', 'A', ['192.0.2.1', '192.0.2.2']],
    ['www.example.test', 'CNAME', ['a.example.test']],
    ['six.example.test', 'AAAA', ['2001:db8::1']],
    ['a.example.test', 'AAAA', []],
    ['nope.example.test', 'A', []],
  ] as const)('%s %s gives %j', async (name, type, values) => {
    const server = await listenDns({ host: HOST, port: 0, zone: () => ZONE, log: () => undefined });
    const resolve = dnsResolver({ host: HOST, port: server.port, timeoutMs: 2000 });
    expect(await resolve(name, type)).toEqual({ kind: 'resolved', values });
    await server.close();
  });

  test('an answer too long for UDP is fetched by TCP', async () => {
    const server = await listenDns({ host: HOST, port: 0, zone: () => ZONE, log: () => undefined });
    const resolve = dnsResolver({ host: HOST, port: server.port, timeoutMs: 2000 });
    expect(await resolve('long.example.test', 'TXT')).toEqual({ kind: 'resolved', values: LONG });
    await server.close();
  });

  test('a refusal is unknown, not an absence', async () => {
    const server = await listenDns({ host: HOST, port: 0, zone: () => ZONE, log: () => undefined });
    const resolve = dnsResolver({ host: HOST, port: server.port, timeoutMs: 2000 });
    expect(await resolve('example.com', 'A')).toMatchObject({ kind: 'unknown' });
    await server.close();
  });
});

describe('asking a bad server', () => {
  test('that says nothing is unknown after the time', async () => {
    expect(await against([])).toEqual({
      kind: 'unknown',
      cause: 'Error: no answer by UDP within 80 ms',
    });
  });

  test('answers with another id, another question or no question are not taken', async () => {
    const lies: readonly Liar[] = [
      (query) => answer(query, '192.0.2.66', { id: ((query.id ?? 0) + 1) & 0xffff }),
      (query) => answer(query, '192.0.2.66', { questions: [{ name: 'b.test', type: 'A' }] }),
      (query) => answer(query, '192.0.2.66', { questions: [] }),
      (query) => answer(query, '192.0.2.66', { type: 'query' }),
      () => Buffer.from('garbage'),
      (query) => answer(query, '192.0.2.1', {}),
    ];
    expect(await against(lies)).toEqual({ kind: 'resolved', values: ['192.0.2.1'] });
  });

  test('that only lies is unknown', async () => {
    const lie: Liar = (query) =>
      answer(query, '192.0.2.66', { id: ((query.id ?? 0) + 1) & 0xffff });
    expect((await against([lie])).kind).toBe('unknown');
  });

  test('that cuts its answer off and takes no TCP is unknown', async () => {
    const cut: Liar = (query) => answer(query, '192.0.2.66', { flags: 0x0200 });
    expect((await against([cut])).kind).toBe('unknown');
  });

  test('that is not there is unknown', async () => {
    const server = await listenDns({ host: HOST, port: 0, zone: () => ZONE, log: () => undefined });
    await server.close();
    const resolve = dnsResolver({ host: HOST, port: server.port, timeoutMs: 80 });
    expect((await resolve('a.test', 'A')).kind).toBe('unknown');
  });
});

type Liar = (query: Packet) => Buffer;

/** Asks a server that answers each query with all of these packets. */
async function against(packets: readonly Liar[]) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes: Buffer, { port, address }: RemoteInfo) => {
    for (const packet of packets) {
      socket.send(packet(decode(bytes)), port, address);
    }
  });
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const resolve = dnsResolver({ host: HOST, port: socket.address().port, timeoutMs: 80 });
  const resolved = await resolve('a.test', 'A');
  socket.close();
  return resolved;
}

function answer(query: Packet, address: string, changes: Partial<Packet>): Buffer {
  return encode({
    type: 'response',
    id: query.id,
    questions: query.questions,
    answers: [{ type: 'A', name: 'a.test', ttl: 5, data: address }],
    ...changes,
  });
}

function zoneWith(batch: readonly Change[]): Zone {
  const outcome = applyBatch(createZone('example.test', HOST), batch);
  if (outcome.kind !== 'applied') {
    throw new Error(JSON.stringify(outcome));
  }
  return outcome.zone;
}

function create(
  name: string,
  type: 'A' | 'AAAA' | 'CNAME' | 'TXT',
  values: readonly string[],
): Change {
  return { action: 'CREATE', recordSet: { name, type, ttlSeconds: 5, values } };
}
