/**
 * Makes the Route 53 client: one attempt a call, explicit timeouts, kept-alive connections.
 *
 * A retry that the SDK hides would turn a success into InvalidChangeBatch: the first attempt was
 * applied, its answer lost, and the second finds nothing left to delete. Retries are the business
 * of `lib/recovery/switch-once.ts`, which reads before it repeats.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Route53Client } from '@aws-sdk/client-route-53';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** All that the switch port uses of the SDK's client. */
export type ChangeClient = Pick<Route53Client, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedChangeClient = Pick<Route53Client, 'send' | 'destroy'>;

export interface Route53ClientOptions {
  /** Region whose endpoint and credentials are used; Route 53 itself is global. */
  readonly region: string;
  /** URL of a stand-in; leave out for AWS. */
  readonly endpoint?: string;
  /** Bounds the wait for an answer; an expired change has an unknown outcome. */
  readonly requestTimeoutMs: number;
  /** Bounds the TCP and TLS handshake. */
  readonly connectionTimeoutMs: number;
  /** Leave out for the default provider chain. A stand-in takes any. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A zone takes one change at a time; more connections than this only wait for each other. */
const SOCKETS_MAX = 8;

export function createRoute53Client(options: Route53ClientOptions): OwnedChangeClient {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return new Route53Client({
    region: options.region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: options.connectionTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Without this the handler only prints a warning when the timeout passes, and goes on waiting.
      throwOnRequestTimeout: true,
      // The request timeout ends with the response's headers; this one covers a body that stalls.
      socketTimeout: options.requestTimeoutMs,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
}
