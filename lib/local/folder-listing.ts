/**
 * The keys below a folder in the order in which a bucket would list them.
 *
 * A bucket compares whole keys, where `/` sorts after `-` and `.`; a folder compares names. Sorting
 * a folder as if its name ended in `/` makes both orders the same, so the walk can stop as soon as
 * it has enough and never reads what cannot match.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObject } from '../backup/snapshot-store.ts';

/** Objects whose key starts with `prefix`, ascending, at most `limit`. A missing root is empty. */
export async function listFolder(
  root: string,
  prefix: string,
  limit: number,
): Promise<readonly StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const key of walk(root, '', prefix)) {
    const size = await sizeOf(join(root, key));
    if (size !== null) {
      objects.push({ key, size });
    }
    if (objects.length === limit) {
      break;
    }
  }
  return objects;
}

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<string> {
  for (const entry of await readSorted(join(root, folder))) {
    const path = `${folder}${sortName(entry)}`;
    if (entry.isDirectory()) {
      if (path.startsWith(prefix) || prefix.startsWith(path)) {
        yield* walk(root, path, prefix);
      }
    } else if (path.startsWith(prefix) && isObject(entry)) {
      yield path;
    }
  }
}

async function readSorted(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((left, right) => (sortName(left) < sortName(right) ? -1 : 1));
  } catch (thrown) {
    if (isMissing(thrown)) {
      return [];
    }
    throw thrown;
  }
}

function sortName(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

/** Checksums and drafts carry a `#`, which no key can. Links and devices are not ours. */
function isObject(entry: Dirent): boolean {
  return entry.isFile() && !entry.name.includes('#');
}

/** null when the file has gone since the folder was read. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isMissing(thrown)) {
      return null;
    }
    throw thrown;
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
