/**
 * Snapshots of the replicated state machine, as immutable items beside the register.
 *
 *   pk `snapshot`                         sk <group>#<index>#<term>   manifest: complete?, chunks,
 *                                                                     bytes, sha256
 *   pk `snapshot#<group>#<index>#<term>`  sk `chunk#0000` …           at most 300 KB of UTF-8 each
 *
 * Order is everything. A write announces itself (manifest, incomplete), writes its chunks, and makes
 * the manifest complete LAST: a complete manifest means that all chunks are durable. A writer that
 * dies leaves an incomplete manifest, which reads as no snapshot, and which the next write of the
 * same base finishes and the next `dropSnapshotsBelow` removes. That is why the announcement exists:
 * without it the chunks of a dead writer could only be found by a scan.
 *
 * Dropping goes backwards: chunks, then manifest. A reader between the two misses a chunk and reads
 * no snapshot. Nobody needs one: the register's base is past it before it is dropped.
 *
 * Chunks have a partition each snapshot, apart from the register's: 1 MB costs 1,024 write units,
 * a second's worth of a partition, which must not be the one that commits wait for.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../../base/errors.ts';
import type { LogIndex } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import { TABLE_KEYS } from '../../config/names.ts';
import type { Base } from '../../consensus/server.ts';
import {
  bytesValue,
  type Item,
  type ItemKey,
  integerValue,
  keyItem,
  readItem,
  textValue,
} from './attributes.ts';
import { isAbsent, isEqual } from './conditions.ts';
import {
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_CHUNKS_MAX,
  SNAPSHOT_PARALLEL_REQUESTS,
  SNAPSHOTS_DROPPED_MAX,
} from './limits.ts';
import { compareAndPut, deleteItem, getItem, putItem, queryPage, type Table } from './requests.ts';

export interface SnapshotItems {
  readonly table: Table;
  readonly group: string;
}

interface Manifest {
  readonly complete: boolean;
  readonly chunks: number;
  readonly bytes: number;
  readonly sha256: string;
}

const MANIFESTS = 'snapshot';

const CORRUPT = {
  code: 'snapshot-corrupt',
  hint:
    'The snapshot in the consensus table of this region is damaged. Stop the controllers of this ' +
    'region, empty its consensus table, and let the region join as an empty one.',
};

/** @throws AppError `snapshot-diverged` when a snapshot of the same base has another text. */
export async function writeSnapshot(
  items: SnapshotItems,
  base: Base,
  text: string,
): Promise<boolean> {
  // A lone surrogate has no UTF-8 form: it would come back as another character.
  invariant(text.isWellFormed(), 'snapshot-not-well-formed', base);
  const bytes = new TextEncoder().encode(text);
  const chunks = splitChunks(bytes);
  const manifest: Manifest = {
    complete: false,
    chunks: chunks.length,
    bytes: bytes.byteLength,
    sha256: sha256(bytes),
  };
  const before = await announce(items, base, manifest);
  if (before !== 'writing') {
    return before === 'complete';
  }
  const stored = await inParallel(placesUpTo(chunks.length), async (place) => {
    const data = bytesValue(chunks[place] ?? new Uint8Array());
    const item = { ...keyItem(chunkKey(items, base, place)), data };
    return (await putItem(items.table, item, null)).kind === 'applied';
  });
  return stored && (await complete(items, base, manifest));
}

async function announce(
  items: SnapshotItems,
  base: Base,
  manifest: Manifest,
): Promise<'writing' | 'complete' | 'failed'> {
  const write = { item: encodeManifest(manifest), condition: isAbsent() };
  const outcome = await compareAndPut(items.table, manifestKey(items, base), write);
  if (outcome.kind === 'conflict' && outcome.item !== null) {
    const standing = decodeManifest(outcome.item);
    requireSameText(base, standing, manifest);
    return standing.complete ? 'complete' : 'writing';
  }
  return outcome.kind === 'applied' ? 'writing' : 'failed';
}

/**
 * Two writers of one base write the same chunks, so either may complete the manifest; none may once
 * it is gone, for then the chunks are going too.
 */
async function complete(items: SnapshotItems, base: Base, manifest: Manifest): Promise<boolean> {
  const item = encodeManifest({ ...manifest, complete: true });
  const condition = isEqual('sha256', textValue(manifest.sha256));
  const outcome = await compareAndPut(items.table, manifestKey(items, base), { item, condition });
  return outcome.kind === 'applied';
}

/** @throws AppError `snapshot-corrupt` when the chunks do not match the manifest's SHA-256. */
export async function readSnapshot(items: SnapshotItems, base: Base): Promise<string | null> {
  const outcome = await getItem(items.table, manifestKey(items, base));
  if (outcome.kind !== 'found') {
    return null;
  }
  const manifest = decodeManifest(outcome.item);
  const chunks = manifest.complete ? await readChunks(items, base, manifest.chunks) : null;
  if (chunks === null) {
    return null;
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.byteLength !== manifest.bytes || sha256(bytes) !== manifest.sha256) {
    return readItem(outcome.item, CORRUPT).fail('the chunks do not match the SHA-256');
  }
  return bytes.toString('utf8');
}

/** Null when one is missing or unreachable: then there is no snapshot to be had. */
async function readChunks(
  items: SnapshotItems,
  base: Base,
  count: number,
): Promise<readonly Uint8Array[] | null> {
  const chunks: Uint8Array[] = [];
  const found = await inParallel(placesUpTo(count), async (place) => {
    const outcome = await getItem(items.table, chunkKey(items, base, place));
    if (outcome.kind === 'found') {
      chunks[place] = readItem(outcome.item, CORRUPT).bytes('data');
    }
    return outcome.kind === 'found';
  });
  return found ? chunks : null;
}

export async function dropSnapshotsBelow(items: SnapshotItems, index: LogIndex): Promise<void> {
  const page = await queryPage(items.table, {
    // The upper bound has no term, so it sorts before every snapshot of `index` itself.
    KeyConditionExpression: '#partition = :partition AND #sort BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#partition': TABLE_KEYS.partition, '#sort': TABLE_KEYS.sort },
    ExpressionAttributeValues: {
      ':partition': textValue(MANIFESTS),
      ':from': textValue(`${items.group}#`),
      ':to': textValue(`${items.group}#${digits(index, 16)}`),
    },
    Limit: SNAPSHOTS_DROPPED_MAX,
    ConsistentRead: true,
  });
  for (const item of page?.Items ?? []) {
    await dropSnapshot(items, item);
  }
}

async function dropSnapshot(items: SnapshotItems, manifestItem: Item): Promise<void> {
  const read = readItem(manifestItem, CORRUPT);
  const manifest = decodeManifest(manifestItem);
  const sort = read.text(TABLE_KEYS.sort);
  const partition = `${MANIFESTS}#${sort}`;
  const gone = await inParallel(placesUpTo(manifest.chunks), (place) =>
    deleteItem(items.table, { partition, sort: chunkSort(place) }),
  );
  if (gone) {
    await deleteItem(items.table, { partition: MANIFESTS, sort });
  }
}

function requireSameText(base: Base, standing: Manifest, mine: Manifest): void {
  if (standing.sha256 !== mine.sha256) {
    throw new AppError(
      `snapshot ${base.index}/${base.term} exists with SHA-256 ${standing.sha256}, not ${mine.sha256}`,
      {
        code: 'snapshot-diverged',
        hint: 'Two machines applied one log to different states. Stop the controllers and report this.',
        retryable: false,
      },
    );
  }
}

/** The item without its key. */
function encodeManifest(manifest: Manifest): Item {
  return {
    complete: integerValue(manifest.complete ? 1 : 0),
    chunks: integerValue(manifest.chunks),
    bytes: integerValue(manifest.bytes),
    sha256: textValue(manifest.sha256),
  };
}

function decodeManifest(item: Item): Manifest {
  const read = readItem(item, CORRUPT);
  const chunks = read.integer('chunks');
  return {
    complete: read.integer('complete') === 1,
    chunks: chunks >= 0 && chunks <= SNAPSHOT_CHUNKS_MAX ? chunks : read.fail(`${chunks} chunks`),
    bytes: read.integer('bytes'),
    sha256: read.text('sha256'),
  };
}

function manifestKey(items: SnapshotItems, base: Base): ItemKey {
  return { partition: MANIFESTS, sort: snapshotName(items, base) };
}

function chunkKey(items: SnapshotItems, base: Base, place: number): ItemKey {
  return { partition: `${MANIFESTS}#${snapshotName(items, base)}`, sort: chunkSort(place) };
}

function snapshotName(items: SnapshotItems, base: Base): string {
  return `${items.group}#${digits(base.index, 16)}#${digits(base.term, 16)}`;
}

function chunkSort(place: number): string {
  return `chunk#${digits(place, 4)}`;
}

/** Zero-padded, so that the order of the texts is the order of the numbers. */
function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function splitChunks(bytes: Uint8Array): readonly Uint8Array[] {
  const count = Math.ceil(bytes.byteLength / SNAPSHOT_CHUNK_BYTES);
  invariant(count <= SNAPSHOT_CHUNKS_MAX, 'snapshot-too-large', { bytes: bytes.byteLength });
  return placesUpTo(count).map((place) =>
    bytes.subarray(place * SNAPSHOT_CHUNK_BYTES, (place + 1) * SNAPSHOT_CHUNK_BYTES),
  );
}

function placesUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, place) => place);
}

/** Does `work` for each place, a few at a time, until one fails; true when none did. */
async function inParallel(
  places: readonly number[],
  work: (place: number) => Promise<boolean>,
): Promise<boolean> {
  for (let from = 0; from < places.length; from += SNAPSHOT_PARALLEL_REQUESTS) {
    const group = places.slice(from, from + SNAPSHOT_PARALLEL_REQUESTS);
    const results = await Promise.all(group.map(work));
    if (results.includes(false)) {
      return false;
    }
  }
  return true;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
