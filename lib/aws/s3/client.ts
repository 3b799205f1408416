/** Makes the S3 client. */
import { S3Client } from '@aws-sdk/client-s3';
import { type SdkClientOptions, sdkOptions } from '../sdk-options.ts';

/** All that the store uses of the SDK's client. */
export type S3Calls = Pick<S3Client, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedS3Client = Pick<S3Client, 'send' | 'destroy'>;

/** Connections to one bucket; snapshots are few and large. */
const SOCKETS_MAX = 8;

/** `region` is that of the bucket. */
export function createS3Client(options: SdkClientOptions): OwnedS3Client {
  return new S3Client({
    ...sdkOptions(options, SOCKETS_MAX),
    // Checksums are set and verified by the store itself, by SHA-256 and not by the default CRC.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A bucket name in the path: a stand-in has no wildcard DNS.
    forcePathStyle: options.endpoint !== undefined,
  });
}
