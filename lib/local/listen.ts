/** Serves a web-standard app on a loopback port, and lets go of it in order. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { AppError, describeError } from '../base/errors.ts';
import { LOOPBACK } from './local-layout.ts';

/** A client must hear of a closed connection before it uses it again: longer than any beat. */
const KEEP_ALIVE_MS = 65_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface Listener {
  /** Cuts open connections, streams among them. Resolves when the port is free again. */
  readonly close: () => Promise<void>;
}

/** @throws AppError `port-in-use` when the port cannot be bound. */
export async function listen(
  app: { readonly fetch: (request: Request) => Response | Promise<Response> },
  place: { readonly port: number; readonly host?: string },
): Promise<Listener> {
  const { port, host = LOOPBACK } = place;
  const server = createAdaptorServer({ fetch: (request) => app.fetch(request) }) as Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new AppError(`port ${port} on ${host} is not free: ${describeError(cause)}`, {
      code: 'port-in-use',
      hint: 'Stop the program that holds it, or start with another --port-base.',
      retryable: false,
      cause,
    });
  }
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
