/**
 * A TCP proxy before a DNS server, which knows a dynamic update when it sees one: it can lose its
 * answer, hold it back before it reaches the server, or refuse every connection.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface UpdateProxy {
  readonly port: number;
  /** The next update reaches the server, its answer is cut off. `onDone` is called in between. */
  readonly loseNextAnswer: (onDone?: () => void) => void;
  /** Before the next update is passed on, waits. `reached` resolves when it has come. */
  readonly holdNextUpdate: () => { readonly reached: Promise<void>; readonly release: () => void };
  /** Connections are refused until `open`. */
  readonly shut: () => Promise<void>;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Plan {
  losing: (() => void) | null;
  hold: { readonly reached: () => void; readonly released: Promise<void> } | null;
}

const HOST = '127.0.0.1';

export async function startUpdateProxy(target: () => number): Promise<UpdateProxy> {
  const plan: Plan = { losing: null, hold: null };
  const sockets = new Set<Socket>();
  let server = await listenOn(0, (client) => pass(client, { plan, sockets, port: target() }));
  const { port } = server.address() as AddressInfo;
  const shut = async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    await once(server, 'close');
  };
  return {
    port,
    loseNextAnswer: (onDone = () => undefined) => {
      plan.losing = onDone;
    },
    holdNextUpdate: () => {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      plan.hold = { reached: reached.resolve, released: released.promise };
      return { reached: reached.promise, release: released.resolve };
    },
    shut,
    open: async () => {
      server = await listenOn(port, (client) => pass(client, { plan, sockets, port: target() }));
    },
    close: async () => {
      if (server.listening) {
        await shut();
      }
    },
  };
}

async function listenOn(port: number, onClient: (client: Socket) => void): Promise<Server> {
  const server = createServer(onClient);
  server.listen({ host: HOST, port, exclusive: true });
  await once(server, 'listening');
  return server;
}

interface Passing {
  readonly plan: Plan;
  readonly sockets: Set<Socket>;
  readonly port: number;
}

function pass(client: Socket, { plan, sockets, port }: Passing): void {
  const upstream = connect({ host: HOST, port });
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
  let pending = Buffer.alloc(0);
  let order = Promise.resolve();
  let losing: (() => void) | null = null;
  client.on('data', (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (let frame = firstFrame(pending); frame !== null; frame = firstFrame(pending)) {
      const whole = frame;
      pending = pending.subarray(whole.length);
      order = order.then(async () => {
        if (isUpdate(whole)) {
          const { hold } = plan;
          plan.hold = null;
          hold?.reached();
          await hold?.released;
          losing = plan.losing;
          plan.losing = null;
        }
        upstream.write(whole);
      });
    }
  });
  upstream.on('data', (bytes) => {
    if (losing === null) {
      client.write(bytes);
      return;
    }
    losing();
    client.destroy();
  });
}

const OPCODE_UPDATE = 5;

/** A message with its two bytes of length, if it is whole. */
function firstFrame(bytes: Buffer): Buffer | null {
  const end = bytes.length < 2 ? Number.POSITIVE_INFINITY : 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? null : bytes.subarray(0, end);
}

function isUpdate(frame: Buffer): boolean {
  return (((frame[4] ?? 0) >> 3) & 0xf) === OPCODE_UPDATE;
}
