/**
 * Where full copies, archived log segments and run reports go: a folder on one machine, an S3
 * bucket in another region on AWS. Objects are immutable: a key is written once.
 *
 * Implementations: `lib/local/folder-snapshot-store.ts`, `lib/aws/s3`. Contract suite:
 * `test/contract/snapshot-store`.
 */

export interface StoredObject {
  /** Slash-separated path, characters [a-z0-9._/-], no `..`, at most 512 bytes. */
  readonly key: string;
  /** Bytes, at least 1, at most 64 MiB. */
  readonly size: number;
}

export type PutOutcome =
  | { readonly kind: 'stored' }
  /** The key holds these very bytes already: a repeat of a write whose answer was lost. */
  | { readonly kind: 'already-stored' }
  /** The key holds other bytes. Nothing was written. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'unknown'; readonly cause: string };

export type GetOutcome =
  | { readonly kind: 'found'; readonly bytes: Uint8Array }
  | { readonly kind: 'absent' }
  /** Bytes came back that do not match the SHA-256 stored beside them. */
  | { readonly kind: 'corrupt'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly cause: string };

export type ListOutcome =
  | { readonly kind: 'listed'; readonly objects: readonly StoredObject[] }
  | { readonly kind: 'unknown'; readonly cause: string };

export interface SnapshotStore {
  /** Writes once; durable when it answers `stored`. Verified end to end by SHA-256. */
  readonly put: (key: string, bytes: Uint8Array) => Promise<PutOutcome>;
  readonly get: (key: string) => Promise<GetOutcome>;
  /** All objects whose key starts with `prefix`, in ascending key order, at most `limit`. */
  readonly list: (prefix: string, limit: number) => Promise<ListOutcome>;
}
