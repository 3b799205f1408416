/** A snapshot store in memory that a test can look into, and can make fail. */
import type { SnapshotStore } from '../../lib/backup/snapshot-store.ts';

export class MemorySnapshotStore {
  readonly #objects = new Map<string, Uint8Array>();
  /** While true, every call stays without an answer. */
  isAway = false;
  puts = 0;

  readonly port: SnapshotStore = {
    put: async (key, bytes) => {
      this.puts += 1;
      if (this.isAway) {
        return { kind: 'unknown', cause: 'the store is away' };
      }
      const standing = this.#objects.get(key);
      if (standing !== undefined) {
        const isSame = Buffer.compare(standing, bytes) === 0;
        return { kind: isSame ? 'already-stored' : 'conflict' };
      }
      this.#objects.set(key, bytes);
      return { kind: 'stored' };
    },
    get: async (key) => {
      const bytes = this.#objects.get(key);
      if (this.isAway) {
        return { kind: 'unknown', cause: 'the store is away' };
      }
      return bytes === undefined ? { kind: 'absent' } : { kind: 'found', bytes };
    },
    list: async (prefix, limit) =>
      this.isAway
        ? { kind: 'unknown', cause: 'the store is away' }
        : {
            kind: 'listed',
            objects: this.keys()
              .filter((key) => key.startsWith(prefix))
              .slice(0, limit)
              .map((key) => ({ key, size: this.#objects.get(key)?.length ?? 0 })),
          },
  };

  /** In ascending order. */
  keys(): readonly string[] {
    return [...this.#objects.keys()].toSorted();
  }

  /** Throws for a key that is not there. */
  text(key: string): string {
    const bytes = this.#objects.get(key);
    if (bytes === undefined) {
      throw new Error(`nothing is stored as ${key}; there are ${this.keys().join(', ')}`);
    }
    return new TextDecoder().decode(bytes);
  }

  /** Loses an object, as a store never should. */
  lose(key: string): void {
    this.#objects.delete(key);
  }
}
