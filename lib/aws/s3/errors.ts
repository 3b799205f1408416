/**
 * What an error of the SDK means for a snapshot.
 *
 * Three kinds. An answer that is part of the protocol (there already, not there) is a value. A
 * bucket that can never work as it is set up is an exception with the next step for the operator.
 * Everything else, also an HTTP 500 or a broken connection, is *unknown*: the write may stand.
 */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { AppError, describeError } from '../../base/errors.ts';

export type S3Failure =
  /** 412: the key exists, nothing was written. */
  | { readonly kind: 'exists' }
  /** 404 of a key, not of the bucket. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly cause: string };

const SETUP_HINTS: ReadonlyMap<string, string> = new Map([
  ['NoSuchBucket', 'Deploy the regional stack, or correct TRIPOINT_BUCKETS.'],
  ['PermanentRedirect', 'Correct the region of the bucket in TRIPOINT_BUCKETS.'],
  ['AccessDenied', 'Grant s3:PutObject, s3:GetObject and s3:ListBucket, and use of the KMS key.'],
  ['InvalidAccessKeyId', 'Renew the credentials of this process.'],
  ['SignatureDoesNotMatch', 'Renew the credentials of this process and check its clock.'],
  ['ExpiredToken', 'Renew the credentials of this process.'],
  ['CredentialsProviderError', 'Give this process credentials, such as a role or a profile.'],
  ['KMS.NotFoundException', 'Correct the KMS key of the snapshot store.'],
  ['KMS.DisabledException', 'Enable the KMS key of the snapshot store.'],
]);

/** @throws AppError `snapshot-bucket-unusable` when no repeat can succeed until someone acts. */
export function classifyS3Failure(error: unknown, bucket: string): S3Failure {
  const name = error instanceof Error ? error.name : '';
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const hint = SETUP_HINTS.get(name) ?? (status === 403 ? SETUP_HINTS.get('AccessDenied') : null);
  if (hint) {
    throw new AppError(`the bucket ${bucket} cannot be used: ${describeError(error)}`, {
      code: 'snapshot-bucket-unusable',
      hint,
      retryable: false,
      cause: error,
    });
  }
  if (status === 412) {
    return { kind: 'exists' };
  }
  // HeadObject has no body to name the error: S3 sends a bare 404.
  if (name === 'NoSuchKey' || name === 'NotFound') {
    return { kind: 'absent' };
  }
  return { kind: 'unknown', cause: describeError(error) };
}
