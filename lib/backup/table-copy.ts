/**
 * The form of a table's copy in the snapshot store, and what proves that one is whole.
 *
 *     tables/<region>/<table>/copies/<copy>/begin.json                 what is copied, since when
 *     tables/<region>/<table>/copies/<copy>/segment-00/part-000000.gz  a header line, then a line per item
 *     tables/<region>/<table>/copies/<copy>/manifest.json              written last: the copy is complete
 *     tables/<region>/<table>/newest/<instant>-<copy>                  so that the newest is found by listing
 *
 * Each part names the SHA-256 of the part before it, and the manifest that of each segment's last one: a
 * chain per segment, so no part can be missing, changed or put in another's place, and whoever takes
 * over a half-made copy needs to read the last part only. What the items are is a sum over their
 * SHA-256s, modulo 2^256: it does not depend on order, so it can be compared with a table that was made
 * from the copy. A copy is not one instant: every item is as it stood at some time while it was made.
 *
 * Source: the multiset hash AdHASH (Bellare and Micciancio 1997, "A New Paradigm for Collision-free
 * Hashing"), used against accidents, not against a forger of items; the manifest-last order of Litestream.
 */
import { invariant } from '../base/invariant.ts';
import { canonicalJson, type JsonValue, type Sha256 } from '../base/json.ts';

export interface TableKey {
  readonly name: string;
  readonly type: 'B' | 'N' | 'S';
  readonly role: 'HASH' | 'RANGE';
}

export interface TablePlace {
  readonly region: string;
  readonly table: string;
}

/** Written first, once: every worker at this copy goes by it. */
export interface CopyBegin {
  readonly format: 1;
  readonly source: TablePlace;
  /** Name of the copy, from the token of its step. */
  readonly copy: string;
  /** When it was begun, epoch milliseconds. */
  readonly takenAt: number;
  readonly segments: number;
  readonly keys: readonly TableKey[];
}

/** The first line of a part. */
export interface PartHeader {
  readonly segment: number;
  readonly part: number;
  /** SHA-256 of the part before, as stored; null = this is the first one. */
  readonly previous: string | null;
  /** Where the scan goes on; null = this is the last part of its segment. */
  readonly next: JsonValue;
  /** Of this segment up to the end of this part. */
  readonly tally: Tally;
}

/** What was counted: how many items, and the sum of their hashes as 64 hex digits. */
export interface Tally {
  readonly items: number;
  readonly sum: string;
}

export interface SegmentEnd {
  readonly segment: number;
  readonly parts: number;
  /** SHA-256 of the last part. */
  readonly last: string;
  readonly tally: Tally;
}

export interface CopyManifest extends CopyBegin {
  readonly ends: readonly SegmentEnd[];
  readonly tally: Tally;
}

const SUM_DIGITS = 64;
const SUM_MODULUS: bigint = 1n << 256n;
const SLUG_CHARACTERS_MAX = 60;
const PART_DIGITS = 6;
const INSTANT_DIGITS = 15;

export const EMPTY_TALLY: Tally = { items: 0, sum: '0'.repeat(SUM_DIGITS) };

/** Adds items to a tally by their lines. */
export function tallyWith(tally: Tally, lines: readonly string[], sha256: Sha256): Tally {
  let sum = BigInt(`0x${tally.sum}`);
  for (const line of lines) {
    sum = (sum + BigInt(`0x${sha256(line)}`)) % SUM_MODULUS;
  }
  return { items: tally.items + lines.length, sum: sum.toString(16).padStart(SUM_DIGITS, '0') };
}

export function totalOf(tallies: readonly Tally[]): Tally {
  let sum = 0n;
  let items = 0;
  for (const tally of tallies) {
    sum = (sum + BigInt(`0x${tally.sum}`)) % SUM_MODULUS;
    items += tally.items;
  }
  return { items, sum: sum.toString(16).padStart(SUM_DIGITS, '0') };
}

/** A name that may stand in a key: readable as far as that goes, and never that of another text. */
export function keySegment(text: string, sha256: Sha256): string {
  const readable = text.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  return `${readable.slice(0, SLUG_CHARACTERS_MAX)}.${sha256(text).slice(0, 16)}`;
}

export function tableFolder({ region, table }: TablePlace, sha256: Sha256): string {
  return `tables/${keySegment(region, sha256)}/${keySegment(table, sha256)}`;
}

export function copyFolder(place: TablePlace, copy: string, sha256: Sha256): string {
  return `${tableFolder(place, sha256)}/copies/${copy}`;
}

export function segmentFolder(folder: string, segment: number): string {
  return `${folder}/segment-${String(segment).padStart(2, '0')}/`;
}

export function partKey(folder: string, segment: number, part: number): string {
  return `${segmentFolder(folder, segment)}part-${String(part).padStart(PART_DIGITS, '0')}.gz`;
}

/** Sorts by the instant at which the copy was begun. */
export function newestKey(begin: CopyBegin, sha256: Sha256): string {
  const instant = String(begin.takenAt).padStart(INSTANT_DIGITS, '0');
  return `${tableFolder(begin.source, sha256)}/newest/${instant}-${begin.copy}`;
}

/** The copy that a key of `newestKey` stands for; null = it is no such key. */
export function copyOfNewestKey(key: string): { takenAt: number; copy: string } | null {
  const [, instant = '', copy = ''] = /\/newest\/(\d{15})-([a-z0-9._-]+)$/.exec(key) ?? [];
  return copy === '' ? null : { takenAt: Number(instant), copy };
}

export function manifestOf(begin: CopyBegin, ends: readonly SegmentEnd[]): CopyManifest {
  const isWhole =
    ends.length === begin.segments && ends.every(({ segment }, position) => segment === position);
  invariant(isWhole, 'copy-without-segment', { copy: begin.copy, ends: ends.length });
  return { ...begin, ends, tally: totalOf(ends.map(({ tally }) => tally)) };
}

/** The text of a part; unpacked. */
export function partText(header: PartHeader, lines: readonly string[]): string {
  const { segment, part, previous, next, tally } = header;
  const { items, sum } = tally;
  const first = canonicalJson({ segment, part, previous, next, tally: { items, sum } });
  return `${[first, ...lines].join('\n')}\n`;
}

/** null = it is not what `partText` writes. */
export function readPart(text: string): { header: PartHeader; lines: readonly string[] } | null {
  const [first = '', ...lines] = text.replace(/\n$/, '').split('\n');
  const header = parseObject<PartHeader>(first);
  return header === null || typeof header.part !== 'number' || typeof header.tally !== 'object'
    ? null
    : { header, lines };
}

export function readBegin(text: string): CopyBegin | null {
  const begin = parseObject<CopyBegin>(text);
  return begin?.format === 1 && Array.isArray(begin.keys) ? begin : null;
}

export function readManifest(text: string): CopyManifest | null {
  const manifest = parseObject<CopyManifest>(text);
  return manifest?.format === 1 && Array.isArray(manifest.ends) ? manifest : null;
}

/** What the store holds is guarded by its hashes; this is for what an older or newer form wrote. */
function parseObject<Value extends object>(text: string): Value | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Value) : null;
  } catch {
    return null;
  }
}
