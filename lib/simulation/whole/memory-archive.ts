/** A snapshot store in memory: written once, never changed. */
import type { SnapshotStore } from '../../backup/snapshot-store.ts';

export function memoryArchive(): SnapshotStore {
  const objects = new Map<string, Uint8Array>();
  return {
    put: async (key, bytes) => {
      const standing = objects.get(key);
      if (standing === undefined) {
        objects.set(key, bytes);
        return { kind: 'stored' };
      }
      const isSame = Buffer.compare(standing, bytes) === 0;
      return { kind: isSame ? 'already-stored' : 'conflict' };
    },
    get: async (key) => {
      const bytes = objects.get(key);
      return bytes === undefined ? { kind: 'absent' } : { kind: 'found', bytes };
    },
    list: async (prefix, limit) => ({
      kind: 'listed',
      objects: [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .toSorted()
        .slice(0, limit)
        .map((key) => ({ key, size: objects.get(key)?.length ?? 0 })),
    }),
  };
}
