/**
 * Where a command looks for the archived log: folders, files, buckets, or the folder of local mode.
 *
 * None of them needs a cluster that runs: what is checked is what lies there.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import { AppError, describeError } from '../base/errors.ts';
import { type RegionId, regionId } from '../base/identifiers.ts';
import { NAME_PATTERN } from '../config/schema.ts';
import { segmentOf } from '../control/archive-keys.ts';
import type { LogPlace } from '../control/log-audit.ts';
import { decodeLogLine } from '../control/log-line.ts';
import { linesOf, type PieceEvent, segmentPieces } from '../control/log-piece.ts';
import { pathExists } from '../local/durable-file.ts';
import { createFolderSnapshotStore } from '../local/folder-snapshot-store.ts';
import { createLayout, PORT_BASE_DEFAULT } from '../local/local-layout.ts';
import { fileFailure } from './file-failure.ts';

export interface BucketName {
  readonly region: RegionId;
  readonly bucket: string;
}

export interface PlaceOptions {
  /** Folders that hold `log/`, and files that `log export` wrote. */
  readonly paths: readonly string[];
  readonly buckets: readonly BucketName[];
  /** Folder of local mode, when neither is given. */
  readonly dir: string;
}

export interface ArchivePlaces {
  readonly places: readonly LogPlace[];
  /** The regions that the cluster was made with; null where the places do not say. */
  readonly founders: readonly RegionId[] | null;
}

/** @throws AppError `archive-unknown`, `archive-unreadable`, `log-file-redacted`. */
export async function findPlaces(options: PlaceOptions): Promise<ArchivePlaces> {
  const { paths, buckets, dir } = options;
  if (paths.length + buckets.length === 0) {
    return localPlaces(dir);
  }
  const places = [
    ...(await Promise.all(paths.map(pathPlace))),
    ...(await Promise.all(buckets.map(bucketPlace))),
  ];
  const isCluster = paths.length === 0 && (buckets.length === 3 || buckets.length === 5);
  return { places, founders: isCluster ? buckets.map(({ region }) => region).toSorted() : null };
}

async function localPlaces(dir: string): Promise<ArchivePlaces> {
  if (!(await pathExists(join(dir, 'cluster.json')))) {
    throw new AppError(`local mode was never started in ${dir}`, {
      code: 'archive-unknown',
      hint: 'Name its folder by --dir, or name folders or files by --archive, or buckets by --bucket.',
      retryable: false,
    });
  }
  const { regions } = createLayout({ dir, portBase: PORT_BASE_DEFAULT });
  const places = regions.map(({ region, snapshotDir }) =>
    storePlace(region, createFolderSnapshotStore(snapshotDir)),
  );
  return { places, founders: regions.map(({ region }) => region).toSorted() };
}

async function pathPlace(path: string): Promise<LogPlace> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  return found.isDirectory() ? storePlace(path, createFolderSnapshotStore(path)) : filePlace(path);
}

async function bucketPlace(bucket: BucketName): Promise<LogPlace> {
  // The SDK takes its time to load, and only this needs it.
  const { openBucket } = await import('../aws/compose-archive.ts');
  return storePlace(bucket.region, openBucket(bucket));
}

function storePlace(name: string, store: SnapshotStore): LogPlace {
  return { name, store, pieces: () => segmentPieces(name, store) };
}

/** A segment that was copied out of a store says by its name where it ends, other files by their end. */
async function filePlace(path: string): Promise<LogPlace> {
  const name = basename(path);
  const segment = segmentOf(`log/${name}`);
  const first = segment?.first ?? (await firstIndex(path));
  const piece = {
    source: path,
    name,
    first,
    last: segment?.last ?? null,
    read: () => readLines(path),
  };
  return {
    name: path,
    store: null,
    pieces: () => Promise.resolve({ kind: 'found', pieces: [piece] }),
  };
}

async function firstIndex(path: string): Promise<number> {
  for await (const event of readLines(path)) {
    if (event.kind === 'line') {
      requireComplete(path, event.text);
      return decodeLogLine(event.text)?.index ?? 1;
    }
    if (event.kind === 'fault' && event.fault === 'unreadable') {
      throw unreadable(path, event.detail);
    }
    return 1;
  }
  return 1;
}

/** The API leaves token hashes out of what it shows, so its answers cannot hash to their links. */
function requireComplete(path: string, line: string): void {
  if (/^\{"(appliedIndex|index":\d+,"term":\d+,"command)"/.test(line)) {
    throw new AppError(`${path} is an answer of the API, which leaves token hashes out`, {
      code: 'log-file-redacted',
      hint: 'Write the log into a file by `tripoint log export`, or look at the archive itself.',
      retryable: false,
    });
  }
}

async function* readLines(path: string): AsyncGenerator<PieceEvent> {
  try {
    yield* linesOf(createReadStream(path));
  } catch (thrown) {
    yield { kind: 'fault', fault: 'unreadable', detail: describeError(thrown) };
  }
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError(fileFailure(path, cause), {
    code: 'archive-unreadable',
    hint: 'Name a folder that holds log/, or a file that `tripoint log export` wrote.',
    retryable: false,
    cause,
  });
}

/** null unless the text is `region=bucket`. */
export function parseBucket(text: string): BucketName | null {
  const [region = '', bucket = '', ...rest] = text.split('=');
  return NAME_PATTERN.test(region) && bucket !== '' && rest.length === 0
    ? { region: regionId(region), bucket }
    : null;
}
