/**
 * One supervisor for each folder: a lock file that names its holder.
 *
 * A lock file alone cannot tell a running holder from one that was killed, and process ids are used
 * again. So the file names where the holder listens and a random token; a holder is alive when
 * somebody at that address knows the token. Taking over a dead lock is a rename, which only one of
 * several can win.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../base/errors.ts';

const PROBE_TIMEOUT_MS = 1000;

const schema = z.object({ pid: z.int(), url: z.url(), token: z.string() });
type Holder = z.infer<typeof schema>;

export interface SupervisorLock {
  /** Gives the folder free. */
  readonly release: () => void;
}

/** @throws AppError `already-running` when a supervisor that answers holds the folder. */
export async function requireNotRunning(path: string): Promise<void> {
  const other = readLock(path);
  if (other !== null && (await isAlive(other))) {
    throw alreadyRunning(other);
  }
}

/**
 * Takes the folder for the holder, which must be listening by now.
 * @throws AppError `already-running` when another supervisor holds it.
 */
export async function takeSupervisorLock(path: string, holder: Holder): Promise<SupervisorLock> {
  for (let tries = 0; tries < 2; tries += 1) {
    if (createLock(path, holder)) {
      return { release: () => releaseLock(path, holder) };
    }
    await requireNotRunning(path);
    setAside(path, holder);
  }
  throw new AppError(`the lock ${path} changes hands while it is looked at`, {
    code: 'already-running',
    hint: 'Another supervisor starts right now. Look again in a moment.',
    retryable: true,
  });
}

function alreadyRunning({ pid }: Holder): AppError {
  return new AppError(`a supervisor runs on this folder already (process ${pid})`, {
    code: 'already-running',
    hint: 'Use that one, stop it with Ctrl-C, or start another with --dir and --port-base.',
    retryable: false,
  });
}

function createLock(path: string, holder: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      return false;
    }
    throw cause;
  }
}

/** null = no lock, or one whose writer was killed before it was whole. */
function readLock(path: string): Holder | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

async function isAlive({ url, token }: Holder): Promise<boolean> {
  try {
    const response = await fetch(`${url}/processes`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    return response.ok;
  } catch (cause) {
    // Silence is no proof of death: only a closed door is.
    return cause instanceof Error && cause.name === 'TimeoutError';
  }
}

/** Loses quietly against another one who does the same. */
function setAside(path: string, { token }: Holder): void {
  const grave = `${path}.${token.slice(0, 8)}`;
  try {
    renameSync(path, grave);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
      throw cause;
    }
  }
  rmSync(grave, { force: true });
}

function releaseLock(path: string, { token }: Holder): void {
  if (readLock(path)?.token === token) {
    rmSync(path, { force: true });
  }
}
