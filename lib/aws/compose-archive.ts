/**
 * The buckets of a cluster, by the credentials of whoever reads them: for checking the archived log from
 * a machine that is no part of the cluster. Nothing is written.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { RegionId } from '../base/identifiers.ts';
import { createS3Client } from './s3/client.ts';
import { createS3SnapshotStore } from './s3/snapshot-store.ts';
import type { SdkClientOptions } from './sdk-options.ts';

/** A person waits, perhaps far from every region. */
const PATIENT_TIMEOUTS = { requestTimeoutMs: 15_000, connectionTimeoutMs: 5000 } as const;

interface Bucket {
  readonly region: RegionId;
  readonly bucket: string;
}

/** @param elsewhere a stand-in; leave out for AWS. */
export function openBucket(
  { region, bucket }: Bucket,
  elsewhere: Pick<SdkClientOptions, 'endpoint' | 'credentials'> = {},
): SnapshotStore {
  const client = createS3Client({ region, ...elsewhere, ...PATIENT_TIMEOUTS });
  return createS3SnapshotStore({ client, bucket, kmsKeyArn: null });
}
