/**
 * Full copies of the control plane's own state, on a schedule, into this region's store and into
 * another region's, so that the loss of a region takes no copy with it.
 */

import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { LogIndex } from '../base/identifiers.ts';
import { encodeReplica, type Replica } from '../consensus/replica.ts';
import { stateCopyKey } from './archive-keys.ts';

export type SnapshotOutcome =
  | { readonly kind: 'stored'; readonly key: string; readonly copies: number }
  /** Nothing was applied since the last one. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly detail: string };

export class StateSnapshots {
  readonly #stores: readonly SnapshotStore[];
  #lastIndex: LogIndex | null = null;

  /** @param stores where each copy goes; the first is this region's own. */
  constructor(stores: readonly SnapshotStore[]) {
    this.#stores = stores;
  }

  async take<State>(replica: Replica<State>): Promise<SnapshotOutcome> {
    const { index } = replica.applied;
    if (index === 0 || index === this.#lastIndex) {
      return { kind: 'unchanged' };
    }
    const key = stateCopyKey(index);
    const bytes = new TextEncoder().encode(encodeReplica(replica));
    const outcomes = await Promise.all(this.#stores.map((store) => store.put(key, bytes)));
    if (outcomes.some(({ kind }) => kind === 'conflict')) {
      return { kind: 'failed', detail: `${key} holds other bytes: two regions disagree` };
    }
    const copies = outcomes.filter(({ kind }) => kind === 'stored' || kind === 'already-stored');
    if (copies.length === 0) {
      return {
        kind: 'failed',
        detail: `no store took ${key}: ${outcomes.map(({ kind }) => kind)}`,
      };
    }
    this.#lastIndex = index;
    return { kind: 'stored', key, copies: copies.length };
  }
}
