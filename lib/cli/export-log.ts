/**
 * Writes the archived log into one file that can be checked anywhere: a line for each entry, complete,
 * and a last line that says where it ends. A file without that line was cut off.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { AppError, describeError } from '../base/errors.ts';
import { sha256 } from '../config/token-hashing.ts';
import { CHAIN_START } from '../consensus/replica.ts';
import { gather, type LogPlace } from '../control/log-audit.ts';
import { encodeLogLine, encodeTrailer } from '../control/log-line.ts';
import { type LogSweep, sweepLog } from '../control/log-sweep.ts';

/** Written at once. */
const CHUNK_CHARACTERS = 256 * 1024;

export interface ExportedLog {
  readonly last: number;
  readonly chain: string;
}

/**
 * Takes every entry from whichever place has it as it must be. Null when no place has one; then, and
 * when it throws, no file is left.
 *
 * @throws AppError `archive-silent`, `file-exists`, `file-unwritable`, `log-broken`.
 */
export async function exportLog(
  path: string,
  places: readonly LogPlace[],
): Promise<ExportedLog | null> {
  const { pieces, silent } = await gather(places);
  const [mute] = silent;
  if (mute !== undefined) {
    throw new AppError(`${mute.name} does not say what it holds: ${mute.cause}`, {
      code: 'archive-silent',
      hint: 'Check the names and your permission, or leave that place out.',
      retryable: true,
    });
  }
  const file = await create(path);
  let isDone = false;
  try {
    const writer = new Writer(file);
    const sweep = await sweepLog(pieces, {
      sha256,
      onEntry: (entry) => writer.write(`${encodeLogLine(entry)}\n`),
    });
    requireWhole(sweep);
    const { intactUpTo: last, chain } = sweep;
    await writer.write(`${encodeTrailer({ first: 1, last, chain: chain ?? CHAIN_START })}\n`);
    await writer.finish();
    isDone = chain !== null;
    return chain === null ? null : { last, chain };
  } finally {
    await file.close();
    if (!isDone) {
      await rm(path, { force: true });
    }
  }
}

/** A copy that is broken in one place is no matter while another place has it. */
function requireWhole({ breaks, gaps, damages, intactUpTo }: LogSweep): void {
  const isWhole =
    breaks.every(({ intactIn }) => intactIn !== null) && gaps.length + damages.length === 0;
  if (!isWhole) {
    throw new AppError(`the archive is intact up to entry ${intactUpTo} only`, {
      code: 'log-broken',
      hint: '`tripoint log verify` says what is wrong, and where.',
      retryable: false,
    });
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new AppError(
      isThere ? `${path} is there already` : `cannot write ${path}: ${describeError(cause)}`,
      {
        code: isThere ? 'file-exists' : 'file-unwritable',
        hint: 'Name a file that is not there yet, in a folder that is.',
        retryable: false,
        cause,
      },
    );
  }
}

/** Guards what waits to be written. */
class Writer {
  readonly #file: FileHandle;
  #waiting = '';

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(text: string): Promise<void> {
    this.#waiting += text;
    if (this.#waiting.length >= CHUNK_CHARACTERS) {
      await this.#flush();
    }
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
  }

  async #flush(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = '';
    await this.#file.writeFile(text);
  }
}
