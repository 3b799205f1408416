/**
 * Which copy a restore goes by, found once and written down under the token of its step.
 *
 * The note is kept in the store that holds the copy. A store that does not answer may hold the note of
 * an earlier attempt, and then the items that stand in the new table are this restore's own: so they are
 * called somebody else's only when every store has answered.
 */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { GetOutcome, SnapshotStore } from '../../../backup/snapshot-store.ts';
import {
  type CopyManifest,
  copyFolder,
  copyOfNewestKey,
  keySegment,
  readManifest,
  type TablePlace,
  tableFolder,
} from '../../../backup/table-copy.ts';
import type { ActionToken } from '../../../recovery/action-ports.ts';
import { classifyActionFailure, refused } from '../errors.ts';
import { PARTS_PER_SEGMENT_MAX } from '../limits.ts';
import { describeTable, storesInOrder } from './snapshot.ts';
import { type Failure, sha256Text, type TableOptions } from './table-options.ts';

export interface Restore {
  readonly source: TablePlace;
  readonly into: TablePlace;
  readonly token: ActionToken;
}

/** The copy that this restore goes by, and where it keeps its place. */
export interface RestoreBegun {
  readonly kind: 'begun';
  readonly region: string;
  readonly store: SnapshotStore;
  readonly manifest: CopyManifest;
  /** Where the copy's parts are. */
  readonly copy: string;
  /** Where this restore notes how far it is. */
  readonly folder: string;
}

/** What one store says of this restore and of the table it is made from. */
interface Seen {
  readonly region: string;
  readonly store: SnapshotStore;
  readonly note: GetOutcome;
  readonly newest: { readonly takenAt: number; readonly copy: string } | 'unknown' | null;
}

export async function beginRestore(
  options: TableOptions,
  restore: Restore,
): Promise<RestoreBegun | Failure> {
  const name = keySegment(restore.token, sha256Text);
  const folder = `${tableFolder(restore.into, sha256Text)}/restores/${name}`;
  const stores = storesInOrder(options.stores, restore.source.region);
  const seen: readonly Seen[] = await Promise.all(
    stores.map(async ([region, store]) => ({
      region,
      store,
      note: await store.get(`${folder}/begin.txt`),
      newest: await newestCopy(store, restore.source),
    })),
  );
  for (const { region, store, note } of seen) {
    if (note.kind === 'found') {
      const copy = new TextDecoder().decode(note.bytes).trim();
      return openCopy({ region, store, copy, folder });
    }
  }
  return chooseCopy(options, restore, { seen, folder });
}

async function chooseCopy(
  options: TableOptions,
  { source, into }: Restore,
  { seen, folder }: { readonly seen: readonly Seen[]; readonly folder: string },
): Promise<RestoreBegun | Failure> {
  const silent = seen.filter(({ note, newest }) => note.kind !== 'absent' || newest === 'unknown');
  const cause = `no answer from ${silent.map(({ region }) => region).join(', ')}`;
  const copies = seen.flatMap((place) =>
    place.newest === null || place.newest === 'unknown' ? [] : [{ ...place, ...place.newest }],
  );
  const [chosen] = copies.toSorted((left, right) => right.takenAt - left.takenAt);
  if (chosen === undefined) {
    return silent.length > 0
      ? { kind: 'unknown', cause }
      : refused('copy-absent', `there is no copy of ${source.table} of ${source.region}`);
  }
  const taken = await findItems(options, into);
  if (taken !== null) {
    return taken.kind === 'refused' && silent.length > 0 ? { kind: 'unknown', cause } : taken;
  }
  const { store } = chosen;
  const copy = copyFolder(source, chosen.copy, sha256Text);
  const outcome = await store.put(`${folder}/begin.txt`, new TextEncoder().encode(`${copy}\n`));
  switch (outcome.kind) {
    case 'unknown':
      return outcome;
    case 'conflict':
      // Another worker was first by a moment, with another copy: the next call goes by it.
      return { kind: 'pending', code: 'restore-under-way', evidence: { table: into.table } };
    default:
      return openCopy({ region: chosen.region, store, copy, folder });
  }
}

/** null = there is none in this store. */
async function newestCopy(store: SnapshotStore, source: TablePlace): Promise<Seen['newest']> {
  const prefix = `${tableFolder(source, sha256Text)}/newest/`;
  const listing = await store.list(prefix, PARTS_PER_SEGMENT_MAX);
  if (listing.kind === 'unknown') {
    return 'unknown';
  }
  const key = listing.objects.at(-1)?.key;
  return key === undefined ? null : copyOfNewestKey(key);
}

async function openCopy(
  place: Omit<RestoreBegun, 'kind' | 'manifest'>,
): Promise<RestoreBegun | Failure> {
  const key = `${place.copy}/manifest.json`;
  const found = await place.store.get(key);
  if (found.kind === 'unknown') {
    return found;
  }
  const manifest =
    found.kind === 'found' ? readManifest(new TextDecoder().decode(found.bytes)) : null;
  return manifest === null
    ? refused('copy-damaged', `${key} cannot be read`)
    : { kind: 'begun', ...place, manifest };
}

/** null = the table is absent or empty: nothing would be overwritten. */
async function findItems(options: TableOptions, into: TablePlace): Promise<Failure | null> {
  const described = await describeTable(options, into);
  if (described.kind === 'absent') {
    return null;
  }
  if (described.kind !== 'table') {
    return described;
  }
  try {
    const { Items = [] } = await options
      .clientOf(into.region)
      .send(new ScanCommand({ TableName: into.table, Limit: 1, ConsistentRead: true }));
    return Items.length === 0
      ? null
      : refused('table-has-items', `${into.table} in ${into.region} holds items; name another`);
  } catch (thrown) {
    return classifyActionFailure(thrown, `table ${into.table} in ${into.region}`);
  }
}
