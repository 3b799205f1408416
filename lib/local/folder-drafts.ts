/**
 * Files on their way into the snapshot folder: written beside their place, flushed, then linked.
 *
 * A process that is killed leaves its draft behind. The next process sweeps drafts away that are
 * so old that no living writer can own them.
 */
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** No put takes this long: 64 MiB in an hour would be 18 KiB a second. */
const DRAFT_AGE_MS_MAX = 3_600_000;
const DRAFT_SUFFIX = '.draft';
const OWNER_ONLY = 0o600;

/** `#` keeps drafts apart from objects: no key can hold it. */
export function draftPathOf(path: string, id: string): string {
  return `${path}#${id}${DRAFT_SUFFIX}`;
}

/** The bytes are on disk when this resolves; the name is when its folder is flushed as well. */
export async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', OWNER_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes drafts of processes that died; `nowMs` is the wall clock that stamped the files. */
export async function sweepDrafts(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.includes('#') && name.endsWith(DRAFT_SUFFIX)) {
      await removeIfOld(join(folder, name), nowMs);
    }
  }
}

async function removeIfOld(path: string, nowMs: number): Promise<void> {
  // Another process may finish or sweep it at the same time.
  const file = await stat(path).catch(() => null);
  if (file !== null && nowMs - file.mtimeMs > DRAFT_AGE_MS_MAX) {
    await rm(path, { force: true });
  }
}
