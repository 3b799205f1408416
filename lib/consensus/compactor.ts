/**
 * Keeps this region's register small: DynamoDB charges for the whole item at every write, and 400 KB
 * is a wall.
 *
 * In two moves, so that a crash between them costs nothing: first the snapshot, as items of its own,
 * then the base, by compare-and-set. Between the moves some more entries may come; they stay behind
 * the new base, so that a region a little behind needs no snapshot.
 */
import type { LogIndex } from '../base/identifiers.ts';
import { type Cluster, ownClient } from './cluster.ts';
import type { LogHost } from './log-host.ts';
import { encodeReplica } from './replica.ts';
import { type Base, lastEntry, type Server } from './server.ts';
import { LOG_LIMITS } from './settings.ts';

export class Compactor<State> {
  readonly #cluster: Cluster;
  readonly #host: LogHost<State>;
  /** A snapshot that is stored and not yet the base. */
  #stored: Base | null = null;

  constructor(cluster: Cluster, host: LogHost<State>) {
    this.#cluster = cluster;
    this.#host = host;
  }

  /** Does at most one move. Entries above `archivedUpTo` are not given up. */
  async tick(archivedUpTo: LogIndex): Promise<void> {
    const own = ownClient(this.#cluster).cached;
    if (own === null || !isLarge(own)) {
      return;
    }
    if (this.#stored === null || this.#stored.index <= own.base.index) {
      await this.#store(own, archivedUpTo);
      return;
    }
    const isFollowed = lastEntry(own).index >= this.#stored.index + LOG_LIMITS.entriesKept;
    if (isFollowed || tailBytes(own) > LOG_LIMITS.tailBytesMax) {
      await this.#moveBase(own.base, this.#stored);
    }
  }

  async #store(own: Server, archivedUpTo: LogIndex): Promise<void> {
    const { replica } = this.#host;
    const { applied } = replica;
    if (applied.index <= own.base.index || applied.index > archivedUpTo) {
      return;
    }
    const isStored = await ownClient(this.#cluster).writeSnapshot(applied, encodeReplica(replica));
    this.#stored = isStored ? applied : null;
  }

  async #moveBase(before: Base, base: Base): Promise<void> {
    const client = ownClient(this.#cluster);
    const answer = await client.exchange(() => ({ kind: 'compact', base }));
    this.#stored = null;
    if (answer.kind === 'answered' && answer.reply.kind === 'yes') {
      this.#cluster.log('info', 'log-compacted', { index: base.index });
      await client.port.dropSnapshotsBelow(before.index);
    }
  }
}

function isLarge(server: Server): boolean {
  return (
    server.entries.length > LOG_LIMITS.tailEntriesMax || tailBytes(server) > LOG_LIMITS.tailBytesMax
  );
}

function tailBytes({ entries }: Server): number {
  return JSON.stringify(entries).length;
}
