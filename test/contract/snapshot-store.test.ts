/** The snapshot store contract on a folder, on S3's stand-in and, on demand, on a real bucket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Client } from '../../lib/aws/s3/client.ts';
import { createS3SnapshotStore } from '../../lib/aws/s3/snapshot-store.ts';
import { createFolderSnapshotStore } from '../../lib/local/folder-snapshot-store.ts';
import { startS3StandIn } from '../support/s3-stand-in.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';

const timeouts = { requestTimeoutMs: 10_000, connectionTimeoutMs: 3000 };

snapshotStoreContract('folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tripoint-snapshots-'));
  return {
    open: () => createFolderSnapshotStore(join(root, 'made/on/demand')),
    close: () => rm(root, { recursive: true }),
  };
});

snapshotStoreContract('S3 stand-in, two keys a page', async () => {
  const standIn = await startS3StandIn({ pageKeysMax: 2 });
  const client = createS3Client({
    region: 'us-east-1',
    endpoint: standIn.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...timeouts,
  });
  return {
    open: () => createS3SnapshotStore({ client, bucket: standIn.bucket, kmsKeyArn: null }),
    close: async () => {
      client.destroy();
      await standIn.close();
    },
  };
});

const realBucket = process.env['TRIPOINT_TEST_BUCKET'];
if (realBucket !== undefined) {
  snapshotStoreContract(`bucket ${realBucket}`, async () => {
    const region = process.env['AWS_REGION'] ?? 'us-east-1';
    const client = createS3Client({ region, ...timeouts });
    return {
      open: () => createS3SnapshotStore({ client, bucket: realBucket, kmsKeyArn: null }),
      close: async () => client.destroy(),
    };
  });
}
