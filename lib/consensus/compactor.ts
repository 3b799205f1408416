/**
 * Keeps this region's register small: DynamoDB charges for the whole item at every write, and 400 KB
 * is a wall.
 *
 * In two moves, so that a crash between them costs nothing: first the snapshot, as items of its own,
 * then the base, by compare-and-set. Between the moves some more entries may come; they stay behind
 * the new base, so that a region a little behind needs no snapshot.
 */
import { type LogIndex, logIndex } from '../base/identifiers.ts';
import { type Cluster, ownClient } from './cluster.ts';
import type { LogHost } from './log-host.ts';
import type { MemberId } from './membership.ts';
import { encodeReplica } from './replica.ts';
import { type Base, lastEntry, memberOf, type Server, termAt } from './server.ts';
import type { LogLimits } from './settings.ts';
import { registerBytes } from './size.ts';

export class Compactor<State> {
  readonly #cluster: Cluster;
  readonly #host: LogHost<State>;
  /** A snapshot that is stored and not yet the base, and the table that it is in. */
  #stored: (Base & { readonly member: MemberId }) | null = null;

  constructor(cluster: Cluster, host: LogHost<State>) {
    this.#cluster = cluster;
    this.#host = host;
  }

  /** What must be archived before the base can move; 0 = nothing waits. */
  get awaitedIndex(): LogIndex {
    return this.#stored?.index ?? logIndex(0);
  }

  /**
   * Does at most one move. Entries above `archivedUpTo` are not given up: the snapshot is stored
   * first and waits for the archive, which is never level with a log that grows.
   */
  async tick(archivedUpTo: LogIndex): Promise<void> {
    const own = ownClient(this.#cluster).cached;
    const { limits } = this.#cluster;
    if (own === null || !isLarge(own, limits)) {
      return;
    }
    if (this.#stored === null || this.#stored.index <= own.base.index) {
      await this.#store(own);
      return;
    }
    if (this.#stored.index > archivedUpTo) {
      return;
    }
    const isFollowed = lastEntry(own).index >= this.#stored.index + limits.entriesKept;
    if (isFollowed || registerBytes(own) > limits.tailBytesMax) {
      await this.#moveBase(own.base);
    }
  }

  async #store(own: Server): Promise<void> {
    const { replica } = this.#host;
    const { applied } = replica;
    // A register that lags behind the replica could not move its base there.
    const isHeld = applied.index > own.base.index && termAt(own, applied.index) === applied.term;
    if (!isHeld) {
      return;
    }
    const isStored = await ownClient(this.#cluster).writeSnapshot(applied, encodeReplica(replica));
    this.#stored = isStored ? { ...applied, member: memberOf(own) } : null;
  }

  /** A snapshot that went with a lost table is none: the table in its place keeps its log. */
  async #moveBase(before: Base): Promise<void> {
    if (this.#stored === null) {
      return;
    }
    const { member, ...base } = this.#stored;
    const client = ownClient(this.#cluster);
    const answer = await client.exchange((server) =>
      memberOf(server) === member ? { kind: 'compact', base } : null,
    );
    this.#stored = null;
    const isMoved = answer.kind === 'answered' && answer.reply.kind === 'yes';
    if (isMoved && answer.server.base.index >= base.index) {
      this.#cluster.log('info', 'log-compacted', { index: base.index });
      await client.dropSnapshotsBelow(before.index);
    }
  }
}

function isLarge(server: Server, { tailEntriesMax, tailBytesMax }: LogLimits): boolean {
  return server.entries.length > tailEntriesMax || registerBytes(server) > tailBytesMax;
}
