/**
 * Keeps this process's replica: takes committed entries (or a snapshot) from a register's copy and
 * applies them, in order, once.
 */
import { describeError } from '../base/errors.ts';
import type { LogIndex } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Sha256 } from '../base/json.ts';
import { type Cluster, clientOf } from './cluster.ts';
import {
  type AppliedEntry,
  applyEntries,
  decodeReplica,
  emptyReplica,
  type Replica,
  type StateMachine,
} from './replica.ts';
import { entriesBetween, type Server } from './server.ts';

export interface ApplierOptions<State> {
  readonly cluster: Cluster;
  readonly machine: StateMachine<State>;
  readonly sha256: Sha256;
}

export type AppliedListener = (applied: readonly AppliedEntry[]) => void;

export class Applier<State> {
  readonly #options: ApplierOptions<State>;
  readonly #listeners = new Set<AppliedListener>();
  #replica: Replica<State>;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ApplierOptions<State>) {
    this.#options = options;
    this.#replica = emptyReplica(options.machine);
  }

  get replica(): Replica<State> {
    return this.#replica;
  }

  onApplied(listener: AppliedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Applies what `server` holds up to `upTo`, which must be committed. Calls queue up, because a
   * snapshot load waits for the store. A replica that cannot apply stays broken: every later call
   * rejects too, and the process must stop.
   */
  applyFrom(server: Server, upTo: LogIndex): Promise<void> {
    this.#work = this.#work.then(() => this.#apply(server, upTo));
    this.#work.catch((thrown: unknown) => {
      this.#options.cluster.log('error', 'apply-failed', { cause: describeError(thrown) });
    });
    return this.#work;
  }

  async #apply(server: Server, upTo: LogIndex): Promise<void> {
    const canStart = this.#replica.applied.index >= server.base.index || (await this.#load(server));
    if (!canStart || upTo <= this.#replica.applied.index) {
      return;
    }
    const entries = entriesBetween(server, this.#replica.applied.index, upTo);
    const { cluster, machine, sha256 } = this.#options;
    const { sessionWindowEntries } = cluster.limits;
    const application = { machine, sha256, sessionWindowEntries };
    const { replica, applied } = applyEntries(this.#replica, entries, application);
    this.#replica = replica;
    this.#notify(applied);
  }

  /** Jumps to the snapshot at the server's base. False when the store does not answer. */
  async #load({ base, identity }: Server): Promise<boolean> {
    const text = await clientOf(this.#options.cluster, identity.region).readSnapshot(base);
    if (text === null) {
      return false;
    }
    const replica = decodeReplica<State>(text, this.#options.machine.restore);
    invariant(replica.applied.index === base.index, 'snapshot-of-another-base', base);
    this.#replica = replica;
    this.#notify([]);
    return true;
  }

  #notify(applied: readonly AppliedEntry[]): void {
    for (const listener of this.#listeners) {
      listener(applied);
    }
  }
}
