/**
 * Makes the DynamoDB client: one attempt a call, explicit timeouts, kept-alive connections.
 *
 * A retry that the SDK hides would turn a success into ConditionalCheckFailed (the first attempt
 * was applied, its answer lost; aws-sdk-java issue 2667). So retries are protocol events, made
 * above the ports where the simulator can see them.
 *
 * The low-level client on purpose: no document client, whose number and error handling would stand
 * between us and the item that a failed condition brings back.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SOCKETS_MAX } from './limits.ts';

/** All that the stores use of the SDK's client. */
export type DynamoClient = Pick<DynamoDBClient, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedDynamoClient = Pick<DynamoDBClient, 'send' | 'destroy'>;

export interface DynamoClientOptions {
  readonly region: string;
  /** URL of an embedded or local store; leave out for AWS. */
  readonly endpoint?: string;
  /** Bounds a call from its start to its last byte; an expired call has an unknown outcome. */
  readonly requestTimeoutMs: number;
  /** Bounds the TCP and TLS handshake. */
  readonly connectionTimeoutMs: number;
  /** Leave out for the default provider chain. A local store takes any. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function createDynamoClient(options: DynamoClientOptions): OwnedDynamoClient {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return new DynamoDBClient({
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
