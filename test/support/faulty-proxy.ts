/**
 * A TCP proxy between a client and a store that does to real HTTP what networks do: loses or delays
 * a request or a reply, cuts a reply in half, or answers in the store's place.
 *
 * The fault in force when bytes arrive decides. Nothing here depends on time: what is held stays
 * held until `release`, which resolves when the store has answered.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Fault =
  | { readonly kind: 'none' }
  /** The store never sees the requests after the first `after`; the connections break. */
  | { readonly kind: 'drop-request'; readonly after: number }
  /** The request waits here until `release`; the client gives up. */
  | { readonly kind: 'hold-request' }
  /** The store does what it was asked; the client's connection breaks before the reply. */
  | { readonly kind: 'drop-reply' }
  /** The store does what it was asked; the client never hears of it. */
  | { readonly kind: 'swallow-reply' }
  /** Status line, headers and one byte of the body arrive, the rest never. */
  | { readonly kind: 'half-reply' }
  /** This answer comes back; the store never sees the request. */
  | { readonly kind: 'reply'; readonly status: number; readonly body: object };

export interface FaultyProxy {
  readonly url: string;
  readonly inject: (fault: Fault) => void;
  /** Sends on what was held; resolves when the store has answered all of it. */
  readonly release: () => Promise<void>;
  /** DynamoDB operations that clients sent since the last call, in order. */
  readonly takeOperations: () => readonly string[];
  readonly close: () => Promise<void>;
}

const OPERATION = /x-amz-target: DynamoDB_20120810\.(\w+)/gi;

interface State {
  readonly upstreamPort: number;
  readonly sockets: Set<Socket>;
  readonly held: { readonly upstream: Socket; readonly bytes: Buffer }[];
  fault: Fault;
  /** Requests that the fault in force still lets through. */
  allowance: number;
  readonly operations: string[];
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** @param storeUrl an `http://host:port` on this machine. */
export async function startFaultyProxy(storeUrl: string): Promise<FaultyProxy> {
  const state: State = {
    upstreamPort: Number(new URL(storeUrl).port),
    sockets: new Set(),
    held: [],
    fault: { kind: 'none' },
    allowance: 0,
    operations: [],
  };
  const server = createServer((client) => join(state, client));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    inject: (fault) => {
      state.fault = fault;
      state.allowance = fault.kind === 'drop-request' ? fault.after : 0;
    },
    release: () => release(state),
    takeOperations: () => state.operations.splice(0),
    close: () => close(state, server),
  };
}

function join(state: State, client: Socket): void {
  const upstream = connect(state.upstreamPort, '127.0.0.1');
  for (const socket of [client, upstream]) {
    state.sockets.add(socket);
    // A broken connection is what this proxy is for.
    socket.on('error', () => undefined);
    socket.on('close', () => state.sockets.delete(socket));
  }
  client.on('data', (bytes) => onRequest(state, { client, upstream }, bytes));
  upstream.on('data', (bytes) => onReply(state, client, bytes));
  upstream.on('close', () => client.destroy());
}

function onRequest(state: State, { client, upstream }: Pair, bytes: Buffer): void {
  // A long request comes in several pieces, of which only the first has a head.
  const begun = [...bytes.toString('latin1').matchAll(OPERATION)].map(([, name = '']) => name);
  state.operations.push(...begun);
  switch (state.fault.kind) {
    case 'drop-request':
      if (begun.length > state.allowance) {
        client.destroy();
      } else {
        state.allowance -= begun.length;
        upstream.write(bytes);
      }
      break;
    case 'hold-request':
      state.held.push({ upstream, bytes });
      break;
    case 'reply':
      client.write(httpReply(state.fault.status, state.fault.body));
      break;
    default:
      upstream.write(bytes);
  }
}

function onReply(state: State, client: Socket, bytes: Buffer): void {
  switch (state.fault.kind) {
    case 'drop-reply':
      client.destroy();
      break;
    case 'swallow-reply':
      break;
    case 'half-reply':
      client.write(bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 5));
      break;
    default:
      client.write(bytes);
  }
}

async function release(state: State): Promise<void> {
  const held = state.held.splice(0);
  const answered = [...new Set(held.map(({ upstream }) => upstream))].map(
    (upstream) => new Promise((resolve) => upstream.once('data', resolve)),
  );
  for (const { upstream, bytes } of held) {
    upstream.write(bytes);
  }
  await Promise.all(answered);
}

function httpReply(status: number, body: object): string {
  const text = JSON.stringify(body);
  return [
    `HTTP/1.1 ${status} Injected`,
    'content-type: application/x-amz-json-1.0',
    `content-length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}

function close(state: State, server: Server): Promise<void> {
  for (const socket of state.sockets) {
    socket.destroy();
  }
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
