/**
 * A register in memory: what one table is, without the table.
 *
 * A synchronous core and an async facade. The simulator calls the core at the instant it chooses
 * (a write may land late, a reply may be lost: that is the network's business, not the store's); the
 * facade is the port, for tests and for whatever runs in one process and forgets.
 *
 * It gives the same answers as the DynamoDB adapter, in the same order of checks: the contract suite
 * `test/contract/register-port` runs on both.
 */
import { invariant } from '../base/invariant.ts';
import { requireNotRolledBack, requireSameIdentity } from '../consensus/register-guard.ts';
import type {
  Beat,
  Copy,
  RegisterPort,
  RegisterWrite,
  Revision,
} from '../consensus/register-port.ts';
import {
  type Base,
  type ClusterIdentity,
  checkServer,
  type Entry,
  type Server,
} from '../consensus/server.ts';
import { registerBytes } from '../consensus/size.ts';
import { deepFreeze } from './deep-freeze.ts';

/** Where DynamoDB's wall stands for the real register. */
const REGISTER_BYTES_MAX = 380 * 1024;
/** A register without entries. */
const EMPTY_BYTES = registerBytes({ entries: [] });

/** What stands in the store. Guards it: copies that go out are frozen. */
export class MemoryRegister {
  /** Where the wall stands; tests and faults move it. */
  bytesMax: number;
  readonly #snapshots = new Map<string, { readonly base: Base; readonly text: string }>();
  #copy: Copy | null = null;
  #beat: Beat | null = null;
  #bytes = EMPTY_BYTES;

  constructor(bytesMax: number = REGISTER_BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** How large the item is. */
  get bytes(): number {
    return this.#bytes;
  }

  get copy(): Copy | null {
    return this.#copy;
  }

  get beat(): Beat | null {
    return this.#beat;
  }

  /** The table is gone with all that it held, and an empty one stands in its place. */
  lose(): void {
    this.#copy = null;
    this.#beat = null;
    this.#bytes = EMPTY_BYTES;
    this.#snapshots.clear();
  }

  compareAndSet(
    expected: Revision,
    server: Server,
  ): Exclude<RegisterWrite, { readonly kind: 'unknown' }> {
    checkServer(server);
    const current = this.#copy;
    const { added, removed } = changeOf(current?.server ?? null, server);
    const bytes = this.#bytes + bytesOf(added) - bytesOf(removed);
    if (bytes > this.bytesMax) {
      const cause = `the register would take ${bytes} bytes of ${this.bytesMax}`;
      return { kind: 'refused', code: 'too-large', cause };
    }
    if (current !== null && current.server.identity !== server.identity) {
      requireSameIdentity(server.identity, current.server.identity);
    }
    const { incarnation } = server.identity;
    const isOther = current !== null && current.server.identity.incarnation !== incarnation;
    if ((current?.revision ?? 0) !== expected || isOther) {
      if (current !== null) {
        requireNotRolledBack({ revision: expected, incarnation }, current);
      }
      return { kind: 'conflict', copy: current };
    }
    this.#bytes = bytes;
    this.#copy = { revision: expected + 1, server };
    freezeServer(server, added);
    return { kind: 'applied' };
  }

  writeBeat(beat: Beat): boolean {
    if (this.#beat !== null && this.#beat.term > beat.term) {
      return false;
    }
    this.#beat = deepFreeze(beat);
    return true;
  }

  readSnapshot(base: Base): string | null {
    return this.#snapshots.get(nameOf(base))?.text ?? null;
  }

  writeSnapshot(base: Base, text: string): boolean {
    invariant(text.isWellFormed(), 'snapshot-not-well-formed', base);
    const standing = this.readSnapshot(base);
    invariant(standing === null || standing === text, 'snapshot-diverged', base);
    this.#snapshots.set(nameOf(base), { base, text });
    return true;
  }

  dropSnapshotsBelow(index: number): void {
    for (const [name, { base }] of this.#snapshots) {
      if (base.index < index) {
        this.#snapshots.delete(name);
      }
    }
  }
}

/** The port of one control region on the store. Ports with one store share one register. */
export function memoryRegisterPort(store: MemoryRegister, identity: ClusterIdentity): RegisterPort {
  const ownCopy = (): Copy | null => {
    const { copy } = store;
    if (copy !== null && copy.server.identity !== identity) {
      requireSameIdentity(identity, copy.server.identity);
    }
    return copy;
  };
  return {
    region: identity.region,
    read: async () => {
      const copy = ownCopy();
      return copy === null ? { kind: 'absent' } : { kind: 'found', copy };
    },
    compareAndSet: async (expected, server) => {
      if (server.identity !== identity) {
        requireSameIdentity(identity, server.identity);
      }
      return store.compareAndSet(expected, server);
    },
    readBeat: async () =>
      store.beat === null ? { kind: 'absent' } : { kind: 'found', beat: store.beat },
    writeBeat: async (beat) => store.writeBeat(beat),
    readSnapshot: async (base) => store.readSnapshot(base),
    writeSnapshot: async (base, text) => store.writeSnapshot(base, text),
    dropSnapshotsBelow: async (index) => store.dropSnapshotsBelow(index),
  };
}

interface LogChange {
  readonly added: readonly Entry[];
  readonly removed: readonly Entry[];
}

/** Most writes add an entry to many that stay where they are: those cost nothing but a look. */
function changeOf(before: Server | null, after: Server): LogChange {
  const old = before?.entries ?? [];
  const shift = after.base.index - (before?.base.index ?? 0);
  const added = after.entries.filter((entry, place) => old[place + shift] !== entry);
  const removed = old.filter((entry, place) => after.entries[place - shift] !== entry);
  return { added, removed };
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.length === 0 ? 0 : registerBytes({ entries }) - EMPTY_BYTES;
}

/** The entries that stood there before are frozen already. */
function freezeServer(server: Server, added: readonly Entry[]): void {
  added.forEach(deepFreeze);
  deepFreeze(server.identity);
  deepFreeze(server.base);
  deepFreeze(server.baseConfiguration);
  Object.freeze(server.entries);
  Object.freeze(server);
}

function nameOf(base: Base): string {
  return `${base.index}/${base.term}`;
}
