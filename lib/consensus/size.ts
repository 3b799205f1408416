/**
 * Sizes as the store counts them: bytes of UTF-8, which text has more of than it has characters.
 *
 * A register is written whole for every batch, and its entries never change: so each entry's text is
 * made once, at its first write, and kept with it. Without that a commit on a tail of 200 entries
 * spends as much time on the 199 that are old as on everything else.
 */
import type { Entry, Server } from './server.ts';

/** An upper bound of what an item holds beside its log: identity, term, vote, base, commit, names. */
const REGISTER_FRAME_BYTES = 768;

/** What the store charges a write by, of the whole item. */
const UNIT_BYTES = 1024;

const TWO_BYTES_FROM = 0x80;
const THREE_BYTES_FROM = 0x800;
const SURROGATES_FROM = 0xd800;
const SURROGATES_TO = 0xdfff;

interface EntryText {
  readonly text: string;
  readonly bytes: number;
}

/** Gone with what they belong to. */
const texts = new WeakMap<Entry, EntryText>();
const sizes = new WeakMap<readonly Entry[], number>();

/** An entry as a register's item holds it: `[term]` (no-op) or `[term,"id",basis,body]`. */
export function entryText(entry: Entry): string {
  return textOf(entry).text;
}

/** Bytes of the register's item: at most this, and at most 768 fewer. */
export function registerBytes({ entries }: Pick<Server, 'entries'>): number {
  const known = sizes.get(entries);
  if (known !== undefined) {
    return known;
  }
  let bytes = REGISTER_FRAME_BYTES;
  for (const entry of entries) {
    bytes += textOf(entry).bytes + 1;
  }
  sizes.set(entries, bytes);
  return bytes;
}

/** Units of one write of an item of so many bytes. */
export function writeUnits(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES);
}

function textOf(entry: Entry): EntryText {
  const known = texts.get(entry);
  if (known !== undefined) {
    return known;
  }
  const text = JSON.stringify(fieldsOf(entry));
  const made = { text, bytes: utf8Bytes(text) };
  texts.set(entry, made);
  return made;
}

function fieldsOf({ term, command, configuration }: Entry): readonly unknown[] {
  if (command !== null) {
    return [term, command.id, command.basis, command.body];
  }
  if (configuration === undefined) {
    return [term];
  }
  const { voters, outgoing, learners } = configuration;
  return [term, [voters, outgoing, learners]];
}

/** Bytes of the value's JSON text. */
export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let place = 0; place < text.length; place += 1) {
    bytes += extraBytes(text.charCodeAt(place));
  }
  return bytes;
}

/** Bytes beyond the first. Half of a surrogate pair counts two of the pair's four. */
function extraBytes(unit: number): number {
  if (unit < TWO_BYTES_FROM) {
    return 0;
  }
  const isHalf = unit >= SURROGATES_FROM && unit <= SURROGATES_TO;
  return unit < THREE_BYTES_FROM || isHalf ? 1 : 2;
}
