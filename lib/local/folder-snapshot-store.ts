/**
 * Immutable objects in a folder: the snapshot store of one machine.
 *
 * An object `a/b` is the file `a/b`, its bytes unchanged, and beside it the file `a/b#<SHA-256>`,
 * whose name is the checksum (`#` cannot occur in a key). `sha256sum -c` understands its content.
 *
 * ```text
 * draft and checksum, flushed ──▶ link(draft, key): fails if the key exists ──▶ folders flushed
 *                                 ▲ the one instant at which the object comes to be
 * ```
 *
 * Invariant: a key that exists has all its bytes and its checksum, at every instant, also after
 * `kill -9` or a power cut. A crash before the link leaves a draft, which a later process sweeps
 * away, or a lone checksum, which nobody reads. Rejected: rename, which overwrites; one checksum
 * file of a fixed name, which a writer of other bytes could replace between the two steps.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, link, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkKey, checkLimit, checkPrefix, checkSize } from '../backup/object-key.ts';
import type {
  GetOutcome,
  ListOutcome,
  PutOutcome,
  SnapshotStore,
} from '../backup/snapshot-store.ts';
import { AppError, describeError } from '../base/errors.ts';
import { draftPathOf, flushFolder, sweepDrafts, writeFlushed } from './folder-drafts.ts';
import { listFolder } from './folder-listing.ts';

interface Folder {
  readonly root: string;
  /** Folders that this process has swept of old drafts. */
  readonly swept: Set<string>;
}

/** Keeps objects below `root`, which is made when the first object is put. */
export function createFolderSnapshotStore(root: string): SnapshotStore {
  const folder: Folder = { root: resolve(root), swept: new Set() };
  return {
    put: async (key, bytes) => {
      checkKey(key);
      checkSize(bytes);
      return put(folder, key, bytes);
    },
    get: async (key) => {
      checkKey(key);
      return get(join(folder.root, key));
    },
    list: async (prefix, limit) => {
      checkPrefix(prefix);
      checkLimit(limit);
      return list(folder.root, prefix, limit);
    },
  };
}

async function put(folder: Folder, key: string, bytes: Uint8Array): Promise<PutOutcome> {
  const path = join(folder.root, key);
  const draftPath = draftPathOf(path, randomUUID());
  try {
    const topmost = await prepare(folder, dirname(path));
    const outcome = await linkOnce({ path, draftPath }, bytes);
    if (outcome.kind !== 'conflict') {
      await flushUpTo(topmost, dirname(path));
    }
    return outcome;
  } catch (thrown) {
    return unknownOrThrow(thrown, { root: folder.root, key });
  } finally {
    await rm(draftPath, { force: true }).catch(() => undefined);
  }
}

/** Makes the folder of an object; gives the topmost folder whose names must be made durable. */
async function prepare(folder: Folder, path: string): Promise<string> {
  const made = await mkdir(path, { recursive: true });
  if (!folder.swept.has(path)) {
    folder.swept.add(path);
    await sweepDrafts(path, Date.now());
  }
  return made !== undefined && made.length <= folder.root.length ? dirname(made) : folder.root;
}

async function linkOnce(
  place: { readonly path: string; readonly draftPath: string },
  bytes: Uint8Array,
): Promise<PutOutcome> {
  const { path, draftPath } = place;
  const sha256 = hash(bytes);
  const checksumPath = `${path}#${sha256}`;
  await writeFlushed(draftPath, bytes);
  await writeFlushed(checksumPath, Buffer.from(`${sha256}  ${basename(path)}\n`));
  // The checksum's name must be on disk before the object's can be.
  await flushFolder(dirname(path));
  if (await linkIfAbsent(draftPath, path)) {
    return { kind: 'stored' };
  }
  if (hash(await readFile(path)) === sha256) {
    return { kind: 'already-stored' };
  }
  // Safe to take back: with other bytes under the key, these can never come to stand there.
  await rm(checksumPath, { force: true });
  return { kind: 'conflict' };
}

async function linkIfAbsent(draftPath: string, path: string): Promise<boolean> {
  try {
    await link(draftPath, path);
    return true;
  } catch (thrown) {
    if (isOneOf(thrown, ['EEXIST'])) {
      return false;
    }
    throw thrown;
  }
}

async function flushUpTo(topmost: string, path: string): Promise<void> {
  await flushFolder(path);
  if (path !== topmost && path !== dirname(path)) {
    await flushUpTo(topmost, dirname(path));
  }
}

async function get(path: string): Promise<GetOutcome> {
  try {
    const bytes = await readFile(path);
    const sha256 = hash(bytes);
    if (await exists(`${path}#${sha256}`)) {
      return { kind: 'found', bytes: new Uint8Array(bytes) };
    }
    return { kind: 'corrupt', detail: `the bytes have SHA-256 ${sha256}, which was never stored` };
  } catch (thrown) {
    return isOneOf(thrown, ['ENOENT', 'ENOTDIR', 'EISDIR'])
      ? { kind: 'absent' }
      : { kind: 'unknown', cause: describeError(thrown) };
  }
}

async function list(root: string, prefix: string, limit: number): Promise<ListOutcome> {
  try {
    return { kind: 'listed', objects: await listFolder(root, prefix, limit) };
  } catch (thrown) {
    return { kind: 'unknown', cause: describeError(thrown) };
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (thrown) {
    if (isOneOf(thrown, ['ENOENT'])) {
      return false;
    }
    throw thrown;
  }
}

/** A fault of the disk is an outcome; a caller's bug or a wrong folder is an exception. */
function unknownOrThrow(
  thrown: unknown,
  place: { readonly root: string; readonly key: string },
): PutOutcome {
  if (isOneOf(thrown, ['EEXIST', 'ENOTDIR', 'EISDIR'])) {
    throw new AppError(`the key ${place.key} is the folder of another key, or inside one`, {
      code: 'object-key-nested',
      hint: 'Choose keys of which none is the folder of another, such as a/b and a/c.',
      retryable: false,
      cause: thrown,
    });
  }
  if (isOneOf(thrown, ['EACCES', 'EPERM', 'EROFS', 'ENOTSUP'])) {
    throw new AppError(`cannot write snapshots below ${place.root}: ${describeError(thrown)}`, {
      code: 'snapshot-folder-unusable',
      hint: 'Choose a folder this user may write to, on a file system with hard links.',
      retryable: false,
      cause: thrown,
    });
  }
  return { kind: 'unknown', cause: describeError(thrown) };
}

function isOneOf(thrown: unknown, codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
