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
import { type Base, type ClusterIdentity, checkServer, type Server } from '../consensus/server.ts';
import { deepFreeze } from './deep-freeze.ts';

/** Where DynamoDB's wall stands for the real register, counted on the JSON text of the server. */
const REGISTER_BYTES_MAX = 380 * 1024;

/** What stands in the store. Guards it: copies that go out are frozen. */
export class MemoryRegister {
  readonly #bytesMax: number;
  readonly #snapshots = new Map<string, { readonly base: Base; readonly text: string }>();
  #copy: Copy | null = null;
  #beat: Beat | null = null;

  /** `bytesMax` moves the wall, for tests that want to meet it soon. */
  constructor(bytesMax: number = REGISTER_BYTES_MAX) {
    this.#bytesMax = bytesMax;
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
    this.#snapshots.clear();
  }

  compareAndSet(
    expected: Revision,
    server: Server,
  ): Exclude<RegisterWrite, { readonly kind: 'unknown' }> {
    checkServer(server);
    const bytes = new TextEncoder().encode(JSON.stringify(server)).byteLength;
    if (bytes > this.#bytesMax) {
      const cause = `the register would take ${bytes} bytes of ${this.#bytesMax}`;
      return { kind: 'refused', code: 'too-large', cause };
    }
    const current = this.#copy;
    if (current !== null) {
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
    this.#copy = deepFreeze({ revision: expected + 1, server });
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
    if (copy !== null) {
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
      requireSameIdentity(identity, server.identity);
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

function nameOf(base: Base): string {
  return `${base.index}/${base.term}`;
}
