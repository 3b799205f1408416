/**
 * What every SDK client of ours is made with: one attempt a call, explicit timeouts, kept-alive
 * connections.
 *
 * A retry that the SDK hides would turn a success into a failed condition: the first attempt was
 * applied, its answer lost, and the second meets its own work (aws-sdk-java issue 2667). So retries
 * are protocol events, made above the ports, where the simulator can see them.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export interface SdkClientOptions {
  /** Region of the endpoint and of the signature. */
  readonly region: string;
  /** URL of a local store or a stand-in; leave out for AWS. */
  readonly endpoint?: string;
  /** Bounds a call from its start to its headers, and each stall of a body. An expired call has an unknown outcome. */
  readonly requestTimeoutMs: number;
  /** Bounds the TCP and TLS handshake. */
  readonly connectionTimeoutMs: number;
  /** Leave out for the default provider chain. A local store takes any. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface SdkClientConfiguration {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly requestHandler: NodeHttpHandler;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** @param socketsMax connections to one endpoint; further calls wait for one. */
export function sdkOptions(options: SdkClientOptions, socketsMax: number): SdkClientConfiguration {
  const { region, endpoint, credentials, requestTimeoutMs, connectionTimeoutMs } = options;
  const agentOptions = { keepAlive: true, maxSockets: socketsMax };
  return {
    region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Without this the handler only prints a warning when the timeout passes, and goes on waiting.
      throwOnRequestTimeout: true,
      // The request timeout ends with the response's headers; this one covers a body that stalls.
      socketTimeout: requestTimeoutMs,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}
