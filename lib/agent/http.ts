/**
 * The agent's default HTTP client: one kept-alive connection to each region.
 *
 * A beat each second over a fresh TLS connection would cost more in handshakes than in beats, and
 * the built-in `fetch` drops an idle connection after four seconds, which is shorter than many
 * beat intervals. Sockets are detached from the event loop unless the host asks otherwise.
 *
 * A server may close an idle connection at the very moment at which it is used again. That reset
 * says nothing about the region, so such a request is sent once more on a new connection; a
 * heartbeat carries boot id and sequence, so a repeat does no harm.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** The part of the Fetch API that the agent uses, so that the built-in `fetch` fits too. */
export type HeartbeatFetch = (
  url: string,
  init: {
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
    readonly redirect: 'error';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly text: () => Promise<string>;
}>;

export interface KeepAliveFetch {
  readonly fetch: HeartbeatFetch;
  /** Closes all connections. Later calls open new ones. */
  readonly close: () => void;
}

/** Bytes of an answer; a true one has about 150. */
const ANSWER_BYTES_MAX = 16_384;

interface Connections {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  readonly keepProcessAlive: boolean;
}

type Init = Parameters<HeartbeatFetch>[1];
type Response = Awaited<ReturnType<HeartbeatFetch>>;

/** Redirects are never followed: a bearer token goes to the configured region or nowhere. */
export function createKeepAliveFetch(options: {
  readonly keepProcessAlive: boolean;
}): KeepAliveFetch {
  const connections: Connections = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 2 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 2 }),
    keepProcessAlive: options.keepProcessAlive,
  };
  return {
    fetch: async (url, init) => {
      const first = await exchange(connections, url, init);
      const outcome = first.kind === 'stale' ? await exchange(connections, url, init) : first;
      if (outcome.kind === 'answered') {
        return outcome.response;
      }
      throw outcome.cause;
    },
    close: () => {
      connections.http.destroy();
      connections.https.destroy();
    },
  };
}

type Exchange =
  | { readonly kind: 'answered'; readonly response: Response }
  /** The connection had been used before and was closed under us. */
  | { readonly kind: 'stale'; readonly cause: Error }
  | { readonly kind: 'failed'; readonly cause: Error };

function exchange(connections: Connections, url: string, init: Init): Promise<Exchange> {
  const { method, headers, body, signal } = init;
  const isSecure = new URL(url).protocol === 'https:';
  const agent = isSecure ? connections.https : connections.http;
  const send = isSecure ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const length = String(Buffer.byteLength(body));
    const request = send(url, {
      method,
      agent,
      signal,
      headers: { ...headers, 'content-length': length },
    });
    request.on('socket', (socket) => {
      if (!connections.keepProcessAlive) {
        socket.unref();
      }
    });
    request.on('error', (cause: NodeJS.ErrnoException) => {
      const isClosed = cause.code === 'ECONNRESET' || cause.code === 'EPIPE';
      const isStale = request.reusedSocket && isClosed;
      resolve({ kind: isStale ? 'stale' : 'failed', cause });
    });
    request.on('response', (incoming) => {
      readAnswer(incoming).then(
        (response) => resolve({ kind: 'answered', response }),
        (cause: Error) => resolve({ kind: 'failed', cause }),
      );
    });
    request.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) {
      incoming.destroy();
      throw new RangeError(`answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    status: incoming.statusCode ?? 0,
    headers: { get: (name) => headerText(incoming.headers[name.toLowerCase()]) },
    text: () => Promise.resolve(text),
  };
}

function headerText(value: string | readonly string[] | undefined): string | null {
  return value === undefined ? null : [value].flat().join(', ');
}
