/**
 * The names and numbers every room speaks, as branded types, so that a term is never compared
 * with an index and a wall-clock instant is never subtracted from a monotonic one.
 *
 * A brand costs nothing at run time. The constructors below check the value; code that already
 * holds a checked value casts nothing, it passes the brand on.
 */
import { invariant } from './invariant.ts';

declare const brand: unique symbol;
type Branded<Value, Name extends string> = Value & { readonly [brand]: Name };

/** One of the control regions where Tripoint itself runs, e.g. `us-east-1`. */
export type RegionId = Branded<string, 'RegionId'>;
/** Raft term: a counter that rises with each election. 0 = no election ever. */
export type Term = Branded<number, 'Term'>;
/** Position in the Raft log. The first entry has index 1; 0 = before the log. */
export type LogIndex = Branded<number, 'LogIndex'>;
/** Identity of a client command, unique for ever (Raft thesis, section 6.3). */
export type CommandId = Branded<string, 'CommandId'>;
/** Wall clock, milliseconds since 1970-01-01 UTC. May jump; never part of safety. */
export type EpochMillis = Branded<number, 'EpochMillis'>;
/** Monotonic clock of one process, milliseconds since an arbitrary origin. */
export type MonotonicMillis = Branded<number, 'MonotonicMillis'>;

/** @throws InvariantError when the name is not lower-case letters, digits and dashes. */
export function regionId(name: string): RegionId {
  invariant(/^[a-z][a-z0-9-]{0,62}$/.test(name), 'region-id-malformed', { name });
  return name as RegionId;
}

export function term(value: number): Term {
  invariant(Number.isSafeInteger(value) && value >= 0, 'term-not-a-counter', { value });
  return value as Term;
}

export function logIndex(value: number): LogIndex {
  invariant(Number.isSafeInteger(value) && value >= 0, 'index-not-a-counter', { value });
  return value as LogIndex;
}

export function commandId(value: string): CommandId {
  invariant(/^[\x21-\x7e]{1,128}$/.test(value), 'command-id-malformed', { value });
  return value as CommandId;
}

export function epochMillis(value: number): EpochMillis {
  invariant(Number.isFinite(value), 'instant-not-finite', { value });
  return value as EpochMillis;
}

export function monotonicMillis(value: number): MonotonicMillis {
  invariant(Number.isFinite(value), 'instant-not-finite', { value });
  return value as MonotonicMillis;
}
