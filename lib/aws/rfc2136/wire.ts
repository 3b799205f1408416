/**
 * The bytes of DNS messages that `dns-packet` cannot write or find (RFC 1035, section 4; RFC 2136,
 * section 2).
 *
 * An UPDATE is full of records without data, of the classes ANY and NONE, which a packet library
 * made for answers has no form for; and a signature covers the message up to the last record, whose
 * offset it does not tell. Answers are read by `dns-packet`. Names are never compressed here, as the canonical form of a signature demands (RFC 8945, section 4.3.3).
 */
import { canonicalName } from '../../recovery/record-set.ts';

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  TXT: 16,
  AAAA: 28,
  TSIG: 250,
  ANY: 255,
} as const;
export const CLASS = { in: 1, none: 254, any: 255 } as const;

/** A record whose data is written already; empty data is what prerequisites and deletions have. */
export interface WireRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}

export interface UpdateMessage {
  readonly id: number;
  /** Apex of the zone. */
  readonly zone: string;
  readonly prerequisites: readonly WireRecord[];
  readonly updates: readonly WireRecord[];
}

const HEADER_BYTES = 12;
const OPCODE_UPDATE = 5;
const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;
/** A length byte from here on is the first of a two-byte pointer. */
const POINTER = 0xc0;

/** The message is not DNS, or not whole. */
export class WireFault extends Error {}

export function encodeUpdate({ id, zone, prerequisites, updates }: UpdateMessage): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(OPCODE_UPDATE << 11, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(prerequisites.length, 6);
  header.writeUInt16BE(updates.length, 8);
  const section = Buffer.alloc(4);
  section.writeUInt16BE(TYPE.SOA, 0);
  section.writeUInt16BE(CLASS.in, 2);
  const records = [...prerequisites, ...updates].map(encodeRecord);
  return Buffer.concat([header, encodeName(zone), section, ...records]);
}

export interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
}

/** Asks an authoritative server: no recursion, no extension. */
export function encodeQuery({ id, name, type }: Question): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  const fields = Buffer.alloc(4);
  fields.writeUInt16BE(type, 0);
  fields.writeUInt16BE(CLASS.in, 2);
  return Buffer.concat([header, encodeName(name), fields]);
}

export function encodeRecord(record: WireRecord): Buffer {
  const fields = Buffer.alloc(10);
  fields.writeUInt16BE(record.type, 0);
  fields.writeUInt16BE(record.class, 2);
  fields.writeUInt32BE(record.ttlSeconds, 4);
  fields.writeUInt16BE(record.data.length, 8);
  return Buffer.concat([encodeName(record.name), fields, record.data]);
}

/** Lower case, uncompressed. @throws WireFault for a name that does not fit. */
export function encodeName(name: string): Buffer {
  const bare = canonicalName(name);
  const labels = (bare === '' ? [] : bare.split('.')).map((label) => Buffer.from(label, 'utf8'));
  const parts = labels.flatMap((label) => {
    if (label.length === 0 || label.length > LABEL_BYTES_MAX) {
      throw new WireFault(`${name} is not a DNS name`);
    }
    return [Buffer.from([label.length]), label];
  });
  const encoded = Buffer.concat([...parts, Buffer.from([0])]);
  if (encoded.length > NAME_BYTES_MAX) {
    throw new WireFault(`${name} is longer than ${NAME_BYTES_MAX} bytes`);
  }
  return encoded;
}

/** Reads bytes one field after the other; every read beyond the end is a fault. */
export class WireReader {
  readonly #bytes: Buffer;
  offset: number;

  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  uint(byteCount: 1 | 2 | 4 | 6): number {
    const from = this.#advance(byteCount);
    return this.#bytes.readUIntBE(from, byteCount);
  }

  take(byteCount: number): Buffer {
    const from = this.#advance(byteCount);
    return this.#bytes.subarray(from, from + byteCount);
  }

  /** Lower case without the trailing dot; follows compression, which only ever leads backwards. */
  name(): string {
    const labels: string[] = [];
    let at = this.offset;
    /** Pointers lead to ever earlier places, so that none can lead round in a circle. */
    let earliest = at;
    /** Where the name ends here, though the rest of it stands elsewhere. */
    let end: number | null = null;
    for (let length = this.#byteAt(at); length > 0; length = this.#byteAt(at)) {
      if (length >= POINTER) {
        end ??= at + 2;
        at = this.#pointerAt(at, earliest);
        earliest = at;
      } else {
        labels.push(this.#labelAt(at, length));
        at += 1 + length;
      }
    }
    this.offset = end ?? at + 1;
    return labels.join('.').toLowerCase();
  }

  #pointerAt(at: number, earliest: number): number {
    const target = ((this.#byteAt(at) & 0x3f) << 8) | this.#byteAt(at + 1);
    if (target >= earliest) {
      throw new WireFault('a compressed name does not lead backwards');
    }
    return target;
  }

  #labelAt(at: number, length: number): string {
    if (length > LABEL_BYTES_MAX) {
      throw new WireFault('a label is longer than 63 bytes');
    }
    return this.#bytes.subarray(at + 1, at + 1 + length).toString('latin1');
  }

  #byteAt(at: number): number {
    const value = this.#bytes[at];
    if (value === undefined) {
      throw new WireFault('the message ends within a record');
    }
    return value;
  }

  #advance(byteCount: number): number {
    const from = this.offset;
    if (from + byteCount > this.#bytes.length) {
      throw new WireFault('the message ends within a record');
    }
    this.offset = from + byteCount;
    return from;
  }
}

/** Where the last record of the additional section begins; null when that section is empty. */
export function lastRecordOffset(message: Buffer): number | null {
  const reader = new WireReader(message, 4);
  const [questions, answers, authorities, additionals] = [
    reader.uint(2),
    reader.uint(2),
    reader.uint(2),
    reader.uint(2),
  ];
  for (let question = 0; question < questions; question += 1) {
    reader.name();
    reader.take(4);
  }
  let last = reader.offset;
  for (let record = 0; record < answers + authorities + additionals; record += 1) {
    last = reader.offset;
    reader.name();
    reader.take(8);
    reader.take(reader.uint(2));
  }
  if (reader.offset !== message.length) {
    throw new WireFault('there are bytes after the last record');
  }
  return additionals === 0 ? null : last;
}
