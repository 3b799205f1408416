/**
 * The port to one region's register: one item that changes only by compare-and-set.
 *
 * Every answer has three values where the world has three. `unknown` means the write may have been
 * applied, or may still be; the caller reads and steps again (every Raft message is idempotent).
 * An implementation makes ONE attempt per call: a retry hidden below this port would turn a success
 * into a conflict (docs/raft.md, "One attempt").
 *
 * Implementations: `lib/aws/dynamodb/register-store.ts` (AWS and dynalite), `lib/simulation`.
 * Contract suite: `test/contract/register-port`.
 *
 * Methods by criticality. Compare-and-set: `compareAndSet`. Must be strongly consistent: `read`,
 * `readSnapshot`. Best effort, clocks only: `readBeat`, `writeBeat`. Create-only: `writeSnapshot`.
 */
import type { LogIndex, RegionId, Term } from '../base/identifiers.ts';
import type { Base, Server } from './server.ts';

/** Rises by one with every applied write; 0 = the register does not exist yet. */
export type Revision = number;

export interface Copy {
  readonly revision: Revision;
  readonly server: Server;
}

export type RegisterRead =
  | { readonly kind: 'found'; readonly copy: Copy }
  | { readonly kind: 'absent' }
  /** No answer, or not a register: nothing is known. */
  | { readonly kind: 'unreachable'; readonly cause: string };

export type RegisterWrite =
  | { readonly kind: 'applied' }
  /** The revision has moved. `copy` is the register as it stood then; null = it does not exist. */
  | { readonly kind: 'conflict'; readonly copy: Copy | null }
  /** Never applied: the request did not leave, was throttled, or the item is over-size. */
  | {
      readonly kind: 'refused';
      readonly code: 'unreachable' | 'throttled' | 'too-large';
      readonly cause: string;
    }
  /** Applied, or not, or still on its way. */
  | { readonly kind: 'unknown'; readonly cause: string };

/** Sign of a live leader, and how far its log is committed. Unsafe to rely on for anything else. */
export interface Beat {
  readonly term: Term;
  readonly leader: RegionId;
  /** Changes with every beat, so that an observer needs no common clock. */
  readonly counter: number;
  /** (index, term) names a committed prefix, by Log Matching. */
  readonly commit: Base;
}

export type BeatRead =
  | { readonly kind: 'found'; readonly beat: Beat }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreachable'; readonly cause: string };

export interface RegisterPort {
  readonly region: RegionId;
  /** Strongly consistent. */
  readonly read: () => Promise<RegisterRead>;
  /** Writes `server` as revision `expected + 1`, if the revision is still `expected`. */
  readonly compareAndSet: (expected: Revision, server: Server) => Promise<RegisterWrite>;
  readonly readBeat: () => Promise<BeatRead>;
  /** Keeps the beat unless one of a higher term stands. Resolves false when it was not kept. */
  readonly writeBeat: (beat: Beat) => Promise<boolean>;
  /** Text of the snapshot whose last entry is `base`; null = no such snapshot, or no answer. */
  readonly readSnapshot: (base: Base) => Promise<string | null>;
  /** Durable and complete when it resolves true. Snapshots of one base are all equal. */
  readonly writeSnapshot: (base: Base, text: string) => Promise<boolean>;
  /** Forgets snapshots below `index`. Best effort. */
  readonly dropSnapshotsBelow: (index: LogIndex) => Promise<void>;
}
