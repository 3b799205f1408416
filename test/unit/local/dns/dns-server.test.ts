import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decode, encode } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DnsServer, listenDns } from '../../../../lib/local/dns/dns-server.ts';
import { DNS_LIMITS } from '../../../../lib/local/dns/limits.ts';
import { createZone, type Zone } from '../../../../lib/local/dns/zone.ts';

const HOST = '127.0.0.1';
const QUERY = encode({ type: 'query', id: 7, questions: [{ name: 'ns.example.test', type: 'A' }] });

let zone: Zone = createZone('example.test', HOST);
let server: DnsServer;
beforeAll(async () => {
  server = await listenDns({
    host: HOST,
    port: 0,
    zone: () => zone,
    log: () => undefined,
  });
});
afterAll(() => server.close());

describe('over UDP', () => {
  test('a query is answered', async () => {
    expect(decode(await askUdp(QUERY)).answers).toMatchObject([{ data: HOST }]);
  });

  test('garbage before a query is ignored', async () => {
    const garbage = [
      Buffer.alloc(0),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(4096, 0xff),
    ];
    expect(decode(await askUdp(QUERY, garbage)).id).toBe(7);
  });

  test('each answer is from the zone as it is now', async () => {
    zone = createZone('example.test', '127.0.0.9');
    const changed = decode(await askUdp(QUERY));
    zone = createZone('example.test', HOST);
    expect(changed.answers).toMatchObject([{ data: '127.0.0.9' }]);
  });
});

describe('over TCP', () => {
  test('a query is answered with its length before it', async () => {
    const socket = await open();
    socket.write(framed(QUERY));
    expect(decode(await nextMessage(socket)).answers).toMatchObject([{ data: HOST }]);
    socket.destroy();
  });

  test('a query that arrives byte by byte is answered once', async () => {
    const socket = await open();
    socket.setNoDelay(true);
    for (const byte of framed(QUERY)) {
      await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()));
    }
    expect(decode(await nextMessage(socket)).id).toBe(7);
    socket.destroy();
  });

  test('queries sent at once are all answered', async () => {
    const socket = await open();
    const queries = [1, 2, 3].map((id) => {
      return framed(
        encode({ type: 'query', id, questions: [{ name: 'ns.example.test', type: 'A' }] }),
      );
    });
    socket.write(Buffer.concat(queries));
    const ids: (number | undefined)[] = [];
    let rest = Buffer.alloc(0);
    while (ids.length < 3) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      rest = Buffer.concat([rest, chunk]);
      for (
        let end = 2 + length(rest);
        rest.length >= 2 && rest.length >= end;
        end = 2 + length(rest)
      ) {
        ids.push(decode(rest.subarray(2, end)).id);
        rest = rest.subarray(end);
      }
    }
    expect(ids).toEqual([1, 2, 3]);
    socket.destroy();
  });

  test.each([
    ['an empty message', Buffer.from([0, 0])],
    ['a message that is no query', framed(Buffer.from('HELO'))],
    ['a response', framed(encode({ type: 'response', id: 1 }))],
  ])('%s ends the connection', async (_, bytes) => {
    const socket = await open();
    socket.write(bytes);
    await expect(closed(socket)).resolves.toBeUndefined();
  });

  test('a connection that says nothing is closed', async () => {
    const impatient = await listenDns({
      host: HOST,
      port: 0,
      zone: () => zone,
      log: () => undefined,
      tcpIdleMs: 20,
    });
    const socket = connect({ host: HOST, port: impatient.port });
    await once(socket, 'connect');
    await expect(closed(socket)).resolves.toBeUndefined();
    await impatient.close();
  });

  test('connections beyond the limit are closed, and the others still served', async () => {
    const sockets = await Promise.all(Array.from({ length: DNS_LIMITS.tcpConnectionsMax }, open));
    const extra = connect({ host: HOST, port: server.port });
    await expect(closed(extra)).resolves.toBeUndefined();
    const [first] = sockets;
    first?.write(framed(QUERY));
    expect(first === undefined ? null : decode(await nextMessage(first)).id).toBe(7);
    for (const socket of sockets) {
      socket.destroy();
    }
  });
});

describe('the ports', () => {
  test('a port in use is an error with a hint', async () => {
    const options = { host: HOST, port: server.port, zone: () => zone, log: () => undefined };
    await expect(listenDns(options)).rejects.toMatchObject({ code: 'dns-port-in-use' });
  });

  test('closing frees the port for UDP and TCP', async () => {
    const options = { host: HOST, zone: () => zone, log: () => undefined };
    const first = await listenDns({ ...options, port: 0 });
    await first.close();
    const second = await listenDns({ ...options, port: first.port });
    expect(second.port).toBe(first.port);
    await second.close();
  });
});

test('a bug in answering is logged and costs only its own query', async () => {
  const logged: string[] = [];
  const firstLog = Promise.withResolvers<void>();
  let isBroken = true;
  const faulty = await listenDns({
    host: HOST,
    port: 0,
    zone: () => {
      if (isBroken) {
        throw new Error('a bug');
      }
      return zone;
    },
    log: (_, event) => {
      logged.push(event);
      firstLog.resolve();
    },
  });
  const socket = createSocket('udp4');
  socket.send(QUERY, faulty.port, HOST);
  await firstLog.promise;
  isBroken = false;
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(QUERY, faulty.port, HOST);
  expect(decode((await answered)[0]).id).toBe(7);
  expect(logged).toEqual(['dns.answer-failed']);
  socket.close();
  await faulty.close();
});

async function askUdp(query: Buffer, before: readonly Buffer[] = []): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    for (const bytes of [...before, query]) {
      socket.send(bytes, server.port, HOST);
    }
    for (;;) {
      const [packet] = (await once(socket, 'message')) as [Buffer];
      if (packet.readUInt16BE(0) === query.readUInt16BE(0)) {
        return packet;
      }
    }
  } finally {
    socket.close();
  }
}

async function open(): Promise<Socket> {
  const socket = connect({ host: HOST, port: server.port });
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the server has ended the connection, in whatever way. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

async function nextMessage(socket: Socket): Promise<Buffer> {
  let received = Buffer.alloc(0);
  while (received.length < 2 || received.length < 2 + length(received)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received = Buffer.concat([received, chunk]);
  }
  return received.subarray(2);
}

function length(bytes: Buffer): number {
  return bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(message.length);
  return Buffer.concat([prefix, message]);
}
