/**
 * Makes the S3 client: one attempt a call, explicit timeouts, kept-alive connections.
 *
 * A conditional put that the SDK repeats in secret answers 412 to its own first attempt. So
 * retries are made by the caller of the port, who knows what a repeat means.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** All that the store uses of the SDK's client. */
export type S3Calls = Pick<S3Client, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedS3Client = Pick<S3Client, 'send' | 'destroy'>;

export interface S3ClientOptions {
  /** Region of the bucket. */
  readonly region: string;
  /** URL of a stand-in or of a compatible store; leave out for AWS. */
  readonly endpoint?: string;
  /** Bounds a call from its start to the response's headers, and each stall of a body. */
  readonly requestTimeoutMs: number;
  /** Bounds the TCP and TLS handshake. */
  readonly connectionTimeoutMs: number;
  /** Leave out for the default provider chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Connections to one bucket; snapshots are few and large. */
const SOCKETS_MAX = 8;

export function createS3Client(options: S3ClientOptions): OwnedS3Client {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return new S3Client({
    region: options.region,
    maxAttempts: 1,
    // Checksums are set and verified by the store itself, by SHA-256 and not by the default CRC.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: options.connectionTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Without this the handler only prints a warning when the timeout passes, and goes on waiting.
      throwOnRequestTimeout: true,
      socketTimeout: options.requestTimeoutMs,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    }),
    // A bucket name in the path: a stand-in has no wildcard DNS.
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
}
