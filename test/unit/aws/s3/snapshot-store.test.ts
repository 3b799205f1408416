import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3Client, type OwnedS3Client } from '../../../../lib/aws/s3/client.ts';
import { createS3SnapshotStore } from '../../../../lib/aws/s3/snapshot-store.ts';
import type { SnapshotStore } from '../../../../lib/backup/snapshot-store.ts';
import { type S3Fault, type S3StandIn, startS3StandIn } from '../../../support/s3-stand-in.ts';

const text = (content: string) => new TextEncoder().encode(content);
const sha256 = (content: string) => createHash('sha256').update(content).digest('base64');

let standIn: S3StandIn;
let client: OwnedS3Client;
let impatientClient: OwnedS3Client;
let store: SnapshotStore;

const clientOf = (url: string, requestTimeoutMs: number) =>
  createS3Client({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestTimeoutMs,
    connectionTimeoutMs: 5000,
  });

beforeEach(async () => {
  standIn = await startS3StandIn();
  client = clientOf(standIn.url, 10_000);
  impatientClient = clientOf(standIn.url, 300);
  store = storeFor('none');
});

afterEach(async () => {
  client.destroy();
  impatientClient.destroy();
  await standIn.close();
});

/** Only where no answer will come is it right to wait shortly: a busy machine answers late. */
function storeFor(fault: S3Fault): SnapshotStore {
  const { bucket } = standIn;
  const chosen = fault === 'hang' ? impatientClient : client;
  return createS3SnapshotStore({ client: chosen, bucket, kmsKeyArn: null });
}

const lines = () => standIn.requests.map(({ line }) => line);

describe('put', () => {
  it('does not know after a lost reply, and knows after a repeat', async () => {
    standIn.fail('drop-reply');
    expect((await store.put('a', text('x'))).kind).toBe('unknown');
    expect(await store.put('a', text('x'))).toEqual({ kind: 'already-stored' });
    expect(await store.put('a', text('y'))).toEqual({ kind: 'conflict' });
  });

  it('does not know after a lost request, and stores by a repeat', async () => {
    standIn.fail('drop-request');
    expect((await store.put('a', text('x'))).kind).toBe('unknown');
    expect(await store.put('a', text('x'))).toEqual({ kind: 'stored' });
  });

  it.each(['hang', 'slow-down', 'internal-error', 'conditional-conflict'] as const)(
    'makes one attempt and says unknown: %s',
    async (fault) => {
      standIn.fail(fault);
      expect((await storeFor(fault).put('a', text('x'))).kind).toBe('unknown');
      expect(lines()).toEqual(['PUT a']);
    },
  );

  it.each(['hang', 'drop-reply', 'internal-error'] as const)(
    'does not know whose bytes stand under the key while that question is not answered: %s',
    async (fault) => {
      await store.put('a', text('x'));
      standIn.fail('none', fault);
      expect((await storeFor(fault).put('a', text('x'))).kind).toBe('unknown');
      expect(lines()).toEqual(['PUT a', 'PUT a', 'HEAD a']);
    },
  );

  it('takes an object of another writer without SHA-256 for other bytes', async () => {
    standIn.plant('a', { bytes: text('x'), sha256: null });
    expect(await store.put('a', text('x'))).toEqual({ kind: 'conflict' });
  });

  it('sends the condition and the checksum, and leaves encryption to the bucket', async () => {
    await store.put('a', text('x'));
    const headers = standIn.requests[0]?.headers ?? {};
    expect(headers['if-none-match']).toBe('*');
    expect(headers['x-amz-checksum-sha256']).toBe(sha256('x'));
    expect(headers).not.toHaveProperty('x-amz-server-side-encryption');
    expect(headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  it('encrypts with the key that it was given', async () => {
    const kmsKeyArn = 'arn:aws:kms:us-east-1:123456789012:key/0';
    const encrypted = createS3SnapshotStore({ client, bucket: standIn.bucket, kmsKeyArn });
    await encrypted.put('a', text('x'));
    expect(standIn.requests[0]?.headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyArn,
      'x-amz-server-side-encryption-bucket-key-enabled': 'true',
    });
  });
});

describe('get', () => {
  it('finds a flipped bit on the way', async () => {
    await store.put('a', text('full copy'));
    standIn.fail('corrupt-byte');
    expect((await store.get('a')).kind).toBe('corrupt');
    expect(await store.get('a')).toEqual({ kind: 'found', bytes: text('full copy') });
  });

  it('finds bytes that do not match what is stored beside them, or have nothing beside them', async () => {
    standIn.plant('rotten', { bytes: text('full c0py'), sha256: sha256('full copy') });
    standIn.plant('foreign', { bytes: text('full copy'), sha256: null });
    expect((await store.get('rotten')).kind).toBe('corrupt');
    expect((await store.get('foreign')).kind).toBe('corrupt');
  });

  it.each(['drop-reply', 'hang', 'slow-down', 'internal-error', 'cut-body'] as const)(
    'does not know, and does not say absent or corrupt: %s',
    async (fault) => {
      await store.put('a', text('full copy'));
      standIn.fail(fault);
      expect((await storeFor(fault).get('a')).kind).toBe('unknown');
    },
  );
});

describe('list', () => {
  it('reads on until there is enough, and asks for no more than that', async () => {
    const paged = await startS3StandIn({ pageKeysMax: 3 });
    for (let index = 0; index < 10; index += 1) {
      paged.plant(`part-${index}`, { bytes: text('x'), sha256: null });
    }
    const pagedClient = clientOf(paged.url, 10_000);
    const reader = createS3SnapshotStore({
      client: pagedClient,
      bucket: paged.bucket,
      kmsKeyArn: null,
    });
    const seven = await reader.list('part-', 7);
    expect(seven.kind === 'listed' && seven.objects.map(({ key }) => key)).toEqual(
      Array.from({ length: 7 }, (_, index) => `part-${index}`),
    );
    expect(paged.requests).toHaveLength(3);
    pagedClient.destroy();
    await paged.close();
  });

  it('does not pass off the first page as everything when the second is lost', async () => {
    const names = Array.from({ length: 1500 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    for (const name of names) {
      standIn.plant(name, { bytes: text('x'), sha256: null });
    }
    standIn.fail('none', 'drop-reply');
    expect((await store.list('k', 1500)).kind).toBe('unknown');
    const all = await store.list('k', 1500);
    expect(all.kind === 'listed' && all.objects).toHaveLength(1500);
  });

  it('gives up on a bucket whose pages never end', async () => {
    const endless = createS3SnapshotStore({
      bucket: 'endless',
      kmsKeyArn: null,
      client: {
        send: async () => ({ IsTruncated: true, NextContinuationToken: 'on' }),
      } as unknown as OwnedS3Client,
    });
    expect(await endless.list('', 10)).toEqual({ kind: 'unknown', cause: 'more than 100 pages' });
  });
});

describe('a bucket that cannot work', () => {
  it.each([
    ['put', () => store.put('a', text('x'))],
    ['get', () => store.get('a')],
    ['list', () => store.list('', 1)],
  ] as const)('is an error with the next step, not an unknown outcome: %s', async (_, call) => {
    standIn.fail('access-denied');
    await expect(call()).rejects.toMatchObject({
      name: 'AppError',
      code: 'snapshot-bucket-unusable',
      hint: expect.stringContaining('s3:PutObject'),
      retryable: false,
    });
  });

  it('is told apart from a key that is absent', async () => {
    const lost = createS3SnapshotStore({ client, bucket: 'no-such-bucket', kmsKeyArn: null });
    expect(await store.get('a')).toEqual({ kind: 'absent' });
    await expect(lost.get('a')).rejects.toMatchObject({ code: 'snapshot-bucket-unusable' });
    await expect(lost.put('a', text('x'))).rejects.toMatchObject({
      hint: expect.stringContaining('TRIPOINT_BUCKETS'),
    });
  });
});
