/**
 * The embedded DNS server's sockets: UDP, and TCP for answers that do not fit (RFC 7766).
 *
 * What to answer is decided in `answer.ts`; here is only transport. Each limit exists because a
 * client may be broken or hostile: TCP connections are counted, closed when idle, and not read
 * further while the client does not read what it asked for.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../base/clock.ts';
import { AppError, describeError } from '../../base/errors.ts';
import type { LogEvent } from '../../base/log.ts';
import { answerPacket, type Transport } from './answer.ts';
import { DNS_LIMITS } from './limits.ts';
import type { Zone } from './zone.ts';

export interface DnsServerOptions {
  /** Address to listen on, e.g. `127.0.0.1`. */
  readonly host: string;
  /** One port for UDP and TCP; 0 = choose a free one. */
  readonly port: number;
  /** Called for each query, so that an answer is never older than the zone. */
  readonly zone: () => Zone;
  /** Draws one of several weighted sets; the default is `Math.random`. */
  readonly random?: Random;
  readonly log: LogEvent;
  /** Silence after which a TCP connection is closed; the default is `DNS_LIMITS.tcpIdleMs`. */
  readonly tcpIdleMs?: number;
}

export interface DnsServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens on UDP and TCP. Throws AppError `dns-port-in-use` when it cannot. */
export async function listenDns(options: DnsServerOptions): Promise<DnsServer> {
  for (let tries = 1; ; tries += 1) {
    const datagrams = await bindUdp(options);
    const { port } = datagrams.address();
    try {
      const stream = await listenTcp(options, port);
      return { port, close: () => closeAll(datagrams, stream) };
    } catch (thrown) {
      await closeDatagrams(datagrams);
      if (options.port !== 0 || tries >= DNS_LIMITS.portTriesMax) {
        throw portInUse(port, thrown);
      }
    }
  }
}

async function bindUdp(options: DnsServerOptions): Promise<DatagramSocket> {
  const { host, port, log } = options;
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (packet, { address, port: clientPort }) => {
    const response = respond(options, packet, 'udp');
    if (response !== null) {
      socket.send(response, clientPort, address, (error) => {
        if (error) {
          log('warn', 'dns.answer-not-sent', { error: describeError(error) });
        }
      });
    }
  });
  socket.bind({ address: host, port, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (thrown) {
    throw portInUse(port, thrown);
  }
  socket.on('error', (error) => log('error', 'dns.udp-error', { error: describeError(error) }));
  return socket;
}

/** `answerPacket` is total; were it ever not, one packet must not take every name down. */
function respond(options: DnsServerOptions, packet: Buffer, transport: Transport): Buffer | null {
  try {
    const random = options.random ?? Math.random;
    return answerPacket(options.zone(), packet, { transport, random });
  } catch (thrown) {
    const hex = packet.subarray(0, LOGGED_BYTES_MAX).toString('hex');
    options.log('error', 'dns.answer-failed', { error: describeError(thrown), packet: hex });
    return null;
  }
}

const LOGGED_BYTES_MAX = 64;

interface Stream {
  readonly server: Server;
  readonly connections: ReadonlySet<Socket>;
}

async function listenTcp(options: DnsServerOptions, port: number): Promise<Stream> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(socket, options);
  });
  server.maxConnections = DNS_LIMITS.tcpConnectionsMax;
  server.listen({ host: options.host, port, exclusive: true });
  await once(server, 'listening');
  server.on('error', (error) => {
    options.log('error', 'dns.tcp-error', { error: describeError(error) });
  });
  return { server, connections };
}

const LENGTH_BYTES = 2;

function serveConnection(socket: Socket, options: DnsServerOptions): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.setTimeout(options.tcpIdleMs ?? DNS_LIMITS.tcpIdleMs, () => socket.destroy());
  socket.on('error', (error) => {
    options.log('debug', 'dns.connection-lost', { error: describeError(error) });
    socket.destroy();
  });
  socket.on('drain', () => socket.resume());
  socket.on('data', (received) => {
    pending = Buffer.concat([pending, received]);
    for (let message = nextMessage(pending); message !== null; message = nextMessage(pending)) {
      pending = pending.subarray(LENGTH_BYTES + message.length);
      const response = respond(options, message, 'tcp');
      if (response === null) {
        socket.destroy();
        return;
      }
      socket.write(framed(response));
    }
    if (socket.writableNeedDrain) {
      socket.pause();
    }
  });
}

/** The first whole message, without its length prefix; null when more bytes are needed. */
function nextMessage(pending: Buffer): Buffer | null {
  if (pending.length < LENGTH_BYTES) {
    return null;
  }
  const end = LENGTH_BYTES + pending.readUInt16BE(0);
  return pending.length < end ? null : pending.subarray(LENGTH_BYTES, end);
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

async function closeAll(datagrams: DatagramSocket, { server, connections }: Stream): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections) {
    connection.destroy();
  }
  await Promise.all([closeDatagrams(datagrams), closed]);
}

function closeDatagrams(socket: DatagramSocket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function portInUse(port: number, cause: unknown): AppError {
  return new AppError(`the DNS server cannot listen on port ${port}: ${describeError(cause)}`, {
    code: 'dns-port-in-use',
    hint: 'Stop the other program on this port, or choose another DNS port.',
    retryable: true,
    cause,
  });
}
