/** Somebody else's HTTP server on loopback: a scaling hook and the receiver of webhooks. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface ReceiverStandIn {
  readonly url: string;
  readonly received: readonly Received[];
  /** Answers from now on; the default is 200 and `{}`. */
  answer: (request: Received, response: ServerResponse) => void;
  readonly close: () => Promise<void>;
}

export async function startReceiver(): Promise<ReceiverStandIn> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const { method = '', url: path = '/', headers } = request;
    const taken = { method, path, headers, text: Buffer.concat(chunks).toString('utf8') };
    received.push(taken);
    receiver.answer(taken, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: ReceiverStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (_, response) => {
      response.end('{}');
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
