/**
 * Names of what the control plane keeps in a snapshot store: segments of the log, copies of the state.
 *
 * Indexes have sixteen digits, so that keys sort like numbers, and so that a listing by prefix is a
 * look at one block of the log, however long the log is.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';

export interface Segment {
  readonly key: string;
  readonly first: number;
  readonly last: number;
}

const SEGMENT_PREFIX = 'log/';
const STATE_COPY_PREFIX = 'state/';
const INDEX_DIGITS = 16;
/** What a store lists at most in one call. */
const LISTED_MAX = 10_000;

export function segmentKey(first: number, last: number): string {
  return `${SEGMENT_PREFIX}${padded(first)}-${padded(last)}.jsonl`;
}

/** Of all segments that begin in the block of `index`, which has all but so many digits in common. */
export function segmentPrefix(index: number, digits: number): string {
  return `${SEGMENT_PREFIX}${padded(index).slice(0, -digits)}`;
}

/** null when the key names no segment. */
export function segmentOf(key: string): Segment | null {
  const match = /^log\/(\d{16})-(\d{16})\.jsonl$/.exec(key);
  return match === null ? null : { key, first: Number(match[1]), last: Number(match[2]) };
}

export function stateCopyKey(index: number): string {
  return `${STATE_COPY_PREFIX}${padded(index)}.json`;
}

export type KeysFound<Found> =
  | { readonly kind: 'found'; readonly found: readonly Found[] }
  | { readonly kind: 'unknown'; readonly cause: string };

/** Every segment that a store holds, ascending. */
export async function listSegments(store: SnapshotStore): Promise<KeysFound<Segment>> {
  return parsed(await listKeys(store, SEGMENT_PREFIX), segmentOf);
}

/** The index of every copy of the state that a store holds, ascending. */
export async function listStateCopies(store: SnapshotStore): Promise<KeysFound<number>> {
  return parsed(await listKeys(store, STATE_COPY_PREFIX), (key) => {
    const match = /^state\/(\d{16})\.json$/.exec(key);
    return match === null ? null : Number(match[1]);
  });
}

function parsed<Found>(
  keys: KeysFound<string>,
  parse: (key: string) => Found | null,
): KeysFound<Found> {
  return keys.kind === 'unknown'
    ? keys
    : { kind: 'found', found: keys.found.flatMap((key) => parse(key) ?? []) };
}

/** More than one listing shows is asked for digit by digit. */
async function listKeys(store: SnapshotStore, prefix: string): Promise<KeysFound<string>> {
  const listing = await store.list(prefix, LISTED_MAX);
  if (listing.kind === 'unknown') {
    return listing;
  }
  const keys = listing.objects.map(({ key }) => key);
  const isWhole = keys.length < LISTED_MAX || prefix.length >= SEGMENT_PREFIX.length + INDEX_DIGITS;
  if (isWhole) {
    return { kind: 'found', found: keys };
  }
  const found: string[] = [];
  for (const digit of '0123456789') {
    const part = await listKeys(store, `${prefix}${digit}`);
    if (part.kind === 'unknown') {
      return part;
    }
    found.push(...part.found);
  }
  return { kind: 'found', found };
}

function padded(index: number): string {
  return String(index).padStart(INDEX_DIGITS, '0');
}
