/**
 * One address for all of AWS: sends each signed request on to the stand-in of its service and region.
 *
 * The SDK takes one endpoint for all regions from `AWS_ENDPOINT_URL`. Which region and service a
 * request is meant for stands in its signature: `Credential=KEY/20261123/us-east-1/dynamodb/…`.
 */
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

const SCOPE_PATTERN = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/;

export interface AwsRouter {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** `upstreams`: origin by `service region`, e.g. `dynamodb us-east-1`. Others are refused. */
export async function startAwsRouter(upstreams: ReadonlyMap<string, string>): Promise<AwsRouter> {
  const server = createServer((incoming, outgoing) => {
    const [, region = '', service = ''] =
      SCOPE_PATTERN.exec(incoming.headers.authorization ?? '') ?? [];
    const origin = upstreams.get(`${service} ${region}`);
    if (origin === undefined) {
      outgoing.writeHead(403).end();
      return;
    }
    const onward = httpRequest(
      new URL(incoming.url ?? '/', origin),
      { method: incoming.method ?? 'GET', headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, outgoing, () => undefined);
      },
    );
    onward.on('error', () => outgoing.destroy());
    pipeline(incoming, onward, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
