/**
 * Small private files that survive a power cut: whole or not at all, and readable by the owner only.
 *
 * Write a new file, flush it, rename it over the old one, flush the folder. A reader, also one that
 * comes after `kill -9`, sees the old text or the new one.
 */
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, describeError } from '../base/errors.ts';

const OWNER_ONLY = 0o600;

/** The text is on disk, under `path`, when this resolves. */
export async function writeFileDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, 'w', OWNER_ONLY);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * The JSON value in the file; `absent` when there is no such file.
 * @throws AppError `file-unreadable` when it is there but cannot be read or parsed.
 */
export async function readJsonFile(
  path: string,
): Promise<{ readonly kind: 'absent' } | { readonly kind: 'found'; readonly value: unknown }> {
  try {
    return { kind: 'found', value: JSON.parse(await readFile(path, 'utf8')) };
  } catch (cause) {
    if (isMissing(cause)) {
      return { kind: 'absent' };
    }
    throw new AppError(`${path} cannot be read: ${describeError(cause)}`, {
      code: 'file-unreadable',
      hint: 'Check who owns the file and whether it was edited by hand.',
      retryable: false,
      cause,
    });
  }
}

export async function pathExists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if (isMissing(cause)) {
      return false;
    }
    throw cause;
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
