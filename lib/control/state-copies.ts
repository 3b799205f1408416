/**
 * Reads back the copies of the state that `state-snapshot.ts` stores: where a replay may begin, and
 * what the log's hash chain was at that place.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import { decodeReplica, type Replica } from '../consensus/replica.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { listStateCopies, stateCopyKey } from './archive-keys.ts';
import { migrateState } from './state-migration.ts';

/** The newest copy at or below `index` that can be read; null when this store has none. */
export async function readStateCopy(
  store: SnapshotStore,
  index: number,
): Promise<Replica<RecoveryState> | null> {
  const copies = await stateCopiesOf(store);
  for (const place of copies.filter((copy) => copy <= index).toReversed()) {
    const object = await store.get(stateCopyKey(place));
    const replica = object.kind === 'found' ? decoded(object.bytes) : null;
    if (replica?.applied.index === place) {
      return replica;
    }
  }
  return null;
}

/** Index of each copy, ascending; none when the store does not answer. */
export async function stateCopiesOf(store: SnapshotStore): Promise<readonly number[]> {
  const listed = await listStateCopies(store);
  return listed.kind === 'found' ? listed.found : [];
}

/** null when these bytes are no copy of the state: an older one will do. */
function decoded(bytes: Uint8Array): Replica<RecoveryState> | null {
  try {
    return decodeReplica<RecoveryState>(new TextDecoder().decode(bytes), migrateState);
  } catch {
    return null;
  }
}
