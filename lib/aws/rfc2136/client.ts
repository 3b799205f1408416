/**
 * One TCP connection to a name server, and messages on it (RFC 1035, section 4.2.2; RFC 7766).
 *
 * TCP and not UDP, because a datagram may arrive twice or late, and because a change needs to know
 * whether anything left this machine: a connection that was never made is the one failure after
 * which it is certain that nothing was sent. Answers may come in any order; the id tells whose.
 */
import { connect, type Socket } from 'node:net';
import { describeError } from '../../base/errors.ts';
import { RFC2136_LIMITS } from './limits.ts';

export interface ServerAddress {
  /** IP address or host name. */
  readonly host: string;
  readonly port: number;
}

export interface ClientOptions {
  readonly connectionTimeoutMs: number;
  /** From the sending of a message to its whole answer. */
  readonly requestTimeoutMs: number;
}

export type Opened =
  | { readonly kind: 'open'; readonly connection: DnsConnection }
  /** No byte of a message has left. */
  | { readonly kind: 'never-connected'; readonly cause: string };

export type Reply =
  | { readonly kind: 'answered'; readonly packet: Buffer }
  /** Nobody knows whether the server has read the message. */
  | { readonly kind: 'lost'; readonly cause: string };

/** Never rejects. Close the connection when done. */
export async function openConnection(
  server: ServerAddress,
  options: ClientOptions,
): Promise<Opened> {
  const socket = connect({ host: server.host, port: server.port });
  const outcome = await new Promise<string | null>((resolve) => {
    socket.setTimeout(options.connectionTimeoutMs, () => resolve('no connection in time'));
    socket.once('connect', () => resolve(null));
    socket.once('error', (error) => resolve(describeError(error)));
  });
  if (outcome !== null) {
    socket.on('error', () => undefined);
    socket.destroy();
    return { kind: 'never-connected', cause: `${server.host} port ${server.port}: ${outcome}` };
  }
  socket.setTimeout(0);
  return { kind: 'open', connection: new DnsConnection(socket, options) };
}

interface Waiting {
  readonly settle: (reply: Reply) => void;
  readonly timer: NodeJS.Timeout;
}

const LENGTH_BYTES = 2;
const ID_BYTES = 2;

/** Guards the socket: whoever waits on it is answered, also when it breaks. */
export class DnsConnection {
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #pending: Buffer = Buffer.alloc(0);
  #fault: string | null = null;

  constructor(socket: Socket, options: ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', (error) => this.#break(describeError(error)));
    socket.on('close', () => this.#break('the server closed the connection'));
  }

  /** `packet` begins with an id that no other message in flight has. Never rejects. */
  ask(packet: Buffer): Promise<Reply> {
    const id = packet.readUInt16BE(0);
    if (this.#fault !== null || this.#waiting.size >= RFC2136_LIMITS.inFlightMax) {
      return Promise.resolve({ kind: 'lost', cause: this.#fault ?? 'too many questions at once' });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.#settle(id, { kind: 'lost', cause: 'no answer in time' }),
        this.#options.requestTimeoutMs,
      );
      this.#waiting.set(id, { settle: resolve, timer });
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(packet.length);
      this.#socket.write(Buffer.concat([length, packet]));
    });
  }

  close(): void {
    this.#break('the connection was closed here');
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#pending.readUInt16BE(0);
      if (this.#pending.length < end) {
        return;
      }
      const packet = Buffer.from(this.#pending.subarray(LENGTH_BYTES, end));
      this.#pending = this.#pending.subarray(end);
      if (packet.length >= ID_BYTES) {
        this.#settle(packet.readUInt16BE(0), { kind: 'answered', packet });
      }
    }
  }

  #break(cause: string): void {
    this.#fault ??= cause;
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, { kind: 'lost', cause });
    }
  }

  #settle(id: number, reply: Reply): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
      waiting.settle(reply);
    }
  }
}
