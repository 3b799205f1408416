/**
 * Immutable objects in an S3 bucket: the snapshot store on AWS.
 *
 * ```text
 * writer A  PUT If-None-Match:* ──▶ 200, answer lost ─────────────▶ unknown
 * writer A                          PUT again ──▶ 412 ──▶ HEAD: same SHA-256 ──▶ already stored
 * writer B                          PUT, other bytes ──▶ 412 ──▶ HEAD: another ──▶ conflict
 * ```
 *
 * Invariant: no put ever replaces an object (`If-None-Match: *` on each), and no bytes pass in
 * either direction without a SHA-256 computed on this side. S3 verifies it on the way in and keeps
 * it beside the object; on the way out it is compared here. Rejected: the ETag, which is no hash of
 * the bytes once a KMS key encrypts them.
 */
import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { checkKey, checkLimit, checkPrefix, checkSize } from '../../backup/object-key.ts';
import type {
  GetOutcome,
  ListOutcome,
  PutOutcome,
  SnapshotStore,
  StoredObject,
} from '../../backup/snapshot-store.ts';
import type { S3Calls } from './client.ts';
import { classifyS3Failure } from './errors.ts';

export interface S3SnapshotStoreOptions {
  readonly client: S3Calls;
  readonly bucket: string;
  /** A customer-managed key; null = what the bucket does by default (SSE-S3 at least). */
  readonly kmsKeyArn: string | null;
}

/** What S3 gives at most in one page. */
const PAGE_KEYS_MAX = 1000;
/** S3 may answer pages that are not full; a loop that never ends would be worse than an error. */
const PAGES_MAX = 100;

export function createS3SnapshotStore(options: S3SnapshotStoreOptions): SnapshotStore {
  return {
    put: async (key, bytes) => {
      checkKey(key);
      checkSize(bytes);
      return put(options, key, bytes);
    },
    get: async (key) => {
      checkKey(key);
      return get(options, key);
    },
    list: async (prefix, limit) => {
      checkPrefix(prefix);
      checkLimit(limit);
      return list(options, prefix, limit);
    },
  };
}

async function put(
  store: S3SnapshotStoreOptions,
  key: string,
  bytes: Uint8Array,
): Promise<PutOutcome> {
  const sha256 = hash(bytes);
  try {
    await store.client.send(
      new PutObjectCommand({
        Bucket: store.bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.length,
        ContentType: 'application/octet-stream',
        IfNoneMatch: '*',
        ChecksumSHA256: sha256,
        ...encryption(store.kmsKeyArn),
      }),
    );
    return { kind: 'stored' };
  } catch (error) {
    const failure = classifyS3Failure(error, store.bucket);
    if (failure.kind === 'exists') {
      return compare(store, key, sha256);
    }
    const cause = failure.kind === 'unknown' ? failure.cause : 'a put was answered with 404';
    return { kind: 'unknown', cause };
  }
}

/** The key exists: is it this very object? Objects are never deleted by us, so the answer stays. */
async function compare(
  store: S3SnapshotStoreOptions,
  key: string,
  sha256: string,
): Promise<PutOutcome> {
  try {
    const head = await store.client.send(
      new HeadObjectCommand({ Bucket: store.bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    return { kind: head.ChecksumSHA256 === sha256 ? 'already-stored' : 'conflict' };
  } catch (error) {
    const failure = classifyS3Failure(error, store.bucket);
    const cause =
      failure.kind === 'unknown' ? failure.cause : `the key was there, then ${failure.kind}`;
    return { kind: 'unknown', cause };
  }
}

async function get(store: S3SnapshotStoreOptions, key: string): Promise<GetOutcome> {
  try {
    const reply = await store.client.send(
      new GetObjectCommand({ Bucket: store.bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    const bytes = (await reply.Body?.transformToByteArray()) ?? new Uint8Array();
    const [expected, actual] = [reply.ChecksumSHA256, hash(bytes)];
    if (expected === actual) {
      return { kind: 'found', bytes };
    }
    const detail = `the bytes have SHA-256 ${actual} (Base64), the object ${expected ?? 'none'}`;
    return { kind: 'corrupt', detail };
  } catch (error) {
    if (isChecksumMismatch(error)) {
      return { kind: 'corrupt', detail: error.message };
    }
    const failure = classifyS3Failure(error, store.bucket);
    return failure.kind === 'exists'
      ? { kind: 'unknown', cause: 'a get was answered with 412' }
      : failure;
  }
}

async function list(
  store: S3SnapshotStoreOptions,
  prefix: string,
  limit: number,
): Promise<ListOutcome> {
  const objects: StoredObject[] = [];
  let continuation: string | undefined;
  try {
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const wanted = limit - objects.length;
      const reply = await listPage(store, { prefix, wanted, continuation });
      objects.push(...readPage(reply).slice(0, wanted));
      continuation = reply.IsTruncated ? reply.NextContinuationToken : undefined;
      if (continuation === undefined || objects.length === limit) {
        return { kind: 'listed', objects };
      }
    }
    return { kind: 'unknown', cause: `more than ${PAGES_MAX} pages` };
  } catch (error) {
    const failure = classifyS3Failure(error, store.bucket);
    const cause =
      failure.kind === 'unknown' ? failure.cause : `a list was answered: ${failure.kind}`;
    return { kind: 'unknown', cause };
  }
}

function listPage(
  store: S3SnapshotStoreOptions,
  page: {
    readonly prefix: string;
    readonly wanted: number;
    readonly continuation: string | undefined;
  },
): Promise<ListObjectsV2CommandOutput> {
  const { prefix, wanted, continuation } = page;
  return store.client.send(
    new ListObjectsV2Command({
      Bucket: store.bucket,
      Prefix: prefix,
      MaxKeys: Math.min(PAGE_KEYS_MAX, wanted),
      ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
    }),
  );
}

function readPage(reply: ListObjectsV2CommandOutput): readonly StoredObject[] {
  return (reply.Contents ?? []).flatMap(({ Key, Size }) =>
    Key === undefined || Size === undefined ? [] : [{ key: Key, size: Size }],
  );
}

function encryption(
  kmsKeyArn: string | null,
): Pick<PutObjectCommand['input'], 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> {
  return kmsKeyArn === null
    ? {}
    : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyArn, BucketKeyEnabled: true };
}

/** The SDK verifies too, while the body is read, and has no class for what it then throws. */
function isChecksumMismatch(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('Checksum mismatch');
}

/** SHA-256 in the form S3 uses. */
function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
