/**
 * Reads one DNS query packet (RFC 1035, section 4.1; EDNS: RFC 6891).
 *
 * Header and question are read here byte by byte, because an answer must echo the question exactly
 * as it was asked, with its letter case and with whatever bytes its labels hold. The rest, of which
 * only EDNS matters, is left to `dns-packet`. Total: any bytes give one of the three results.
 */
import { decode } from 'dns-packet';

export interface Edns {
  /** Largest UDP answer the client takes, as it says. */
  readonly udpBytes: number;
  readonly version: number;
}

export interface Query {
  readonly id: number;
  readonly isRecursionDesired: boolean;
  /** The question section as it was sent. */
  readonly question: Uint8Array;
  /** Canonical; bytes that no host name holds are written `\ddd`, so they match nothing. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly edns: Edns | null;
}

export type QueryReading =
  | { readonly kind: 'query'; readonly query: Query }
  /** Answer with this code and no question. */
  | {
      readonly kind: 'fault';
      readonly id: number;
      readonly opcode: number;
      readonly isRecursionDesired: boolean;
      readonly responseCode: number;
    }
  /** Not a query at all; an answer could start a loop. */
  | { readonly kind: 'noise' };

export const RESPONSE_CODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;

export function readQuery(packet: Uint8Array): QueryReading {
  if (packet.length < HEADER_BYTES) {
    return { kind: 'noise' };
  }
  const flags = word(packet, 2);
  if ((flags & 0x8000) !== 0) {
    return { kind: 'noise' };
  }
  const id = word(packet, 0);
  const opcode = (flags >> 11) & 0xf;
  const isRecursionDesired = (flags & 0x0100) !== 0;
  const fault = (responseCode: number): QueryReading => {
    return { kind: 'fault', id, opcode, isRecursionDesired, responseCode };
  };
  if (opcode !== 0) {
    return fault(RESPONSE_CODE.notImplemented);
  }
  const question = word(packet, 4) === 1 ? readQuestion(packet) : null;
  const extension = question === null ? 'malformed' : readEdns(packet);
  return question === null || extension === 'malformed'
    ? fault(RESPONSE_CODE.formatError)
    : { kind: 'query', query: { id, isRecursionDesired, ...question, edns: extension } };
}

type Question = Pick<Query, 'question' | 'name' | 'type' | 'class'>;

function readQuestion(packet: Uint8Array): Question | null {
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (;;) {
    const length = packet[offset];
    if (length === undefined || length > LABEL_BYTES_MAX) {
      return null;
    }
    offset += 1;
    if (length === 0) {
      break;
    }
    labels.push(labelText(packet.subarray(offset, offset + length)));
    offset += length;
    if (offset - HEADER_BYTES >= NAME_BYTES_MAX) {
      return null;
    }
  }
  const end = offset + 4;
  return end > packet.length
    ? null
    : {
        question: packet.subarray(HEADER_BYTES, end),
        name: labels.join('.'),
        type: word(packet, offset),
        class: word(packet, offset + 2),
      };
}

function labelText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9_-]/.test(character)
      ? character.toLowerCase()
      : `\\${byte.toString().padStart(3, '0')}`;
  }
  return text;
}

function readEdns(packet: Uint8Array): Edns | null | 'malformed' {
  try {
    const { additionals = [] } = decode(Buffer.from(packet));
    const [option, ...others] = additionals.filter((record) => record.type === 'OPT');
    if (option === undefined) {
      return null;
    }
    return others.length > 0
      ? 'malformed'
      : { udpBytes: option.udpPayloadSize, version: option.ednsVersion };
  } catch {
    return 'malformed';
  }
}

function word(packet: Uint8Array, offset: number): number {
  return ((packet[offset] ?? 0) << 8) | (packet[offset + 1] ?? 0);
}
