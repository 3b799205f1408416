/**
 * Transaction signatures: each message to and from the name server carries a MAC made with a key that
 * both hold (RFC 8945).
 *
 * A response is believed only when its MAC is right: it covers the MAC of the request, so an answer
 * to another request, or an older one, does not pass. An error that says "I do not know this key"
 * or "your MAC is wrong" comes without a MAC by its nature; it is reported as unsigned, and never
 * taken as proof that nothing was changed. The clock has its say only in `fudge`: RFC 8945 bounds
 * how long a captured request could be sent again; the fence bounds what that could do.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CLASS, encodeName, encodeRecord, lastRecordOffset, TYPE, WireReader } from './wire.ts';

export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha512';

export interface TsigKey {
  /** A DNS name, as the server knows the key. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
}

export interface SignedRequest {
  /** To send. */
  readonly packet: Buffer;
  /** What the response's MAC covers too. */
  readonly mac: Buffer;
}

/** RFC 8945, section 5.2.3: 300 seconds is what servers expect. */
const FUDGE_SECONDS = 300;

/** TSIG error codes (RFC 8945, section 3), and what they mean here. */
const ERRORS: ReadonlyMap<number, TsigErrorCode> = new Map([
  [16, 'tsig-bad-signature'],
  [17, 'tsig-bad-key'],
  [18, 'tsig-bad-time'],
  [22, 'tsig-bad-truncation'],
]);

export type TsigErrorCode =
  | 'tsig-bad-signature'
  | 'tsig-bad-key'
  | 'tsig-bad-time'
  | 'tsig-bad-truncation';

export type TsigReading =
  /** From the holder of the key, in answer to this request. `error`: null = the request was accepted. */
  | { readonly kind: 'authentic'; readonly message: Buffer; readonly error: TsigErrorCode | null }
  /** Anyone may have sent it. `error`: what it claims is wrong with our signature. */
  | { readonly kind: 'unsigned'; readonly error: TsigErrorCode | null }
  /** It carries a signature, and that one is not right. */
  | { readonly kind: 'forged'; readonly detail: string };

/** `message` is a whole DNS message without a signature. `wallSeconds`: since 1970. */
export function signRequest(key: TsigKey, message: Buffer, wallSeconds: number): SignedRequest {
  const fields: TsigFields = {
    wallSeconds,
    fudgeSeconds: FUDGE_SECONDS,
    error: 0,
    other: Buffer.alloc(0),
  };
  const mac = macOf(key, [message, variablesOf(key, fields)]);
  const data = Buffer.concat([
    encodeName(key.algorithm),
    timeFields(fields),
    uint16(mac.length),
    mac,
    message.subarray(0, 2),
    uint16(fields.error),
    uint16(fields.other.length),
  ]);
  const record = encodeRecord({
    name: key.name,
    type: TYPE.TSIG,
    class: CLASS.any,
    ttlSeconds: 0,
    data,
  });
  return { packet: withAdditionalCount(Buffer.concat([message, record]), 1), mac };
}

/** @throws WireFault when the response is not whole. */
export function readResponse(
  key: TsigKey,
  response: Buffer,
  { requestMac, wallSeconds }: { readonly requestMac: Buffer; readonly wallSeconds: number },
): TsigReading {
  const signature = findSignature(response);
  if (signature === null) {
    return { kind: 'unsigned', error: null };
  }
  const { error: code, mac, message } = signature;
  const error = ERRORS.get(code) ?? null;
  if (mac.length === 0) {
    return { kind: 'unsigned', error };
  }
  if (signature.keyName !== lowerName(key.name) || signature.algorithm !== key.algorithm) {
    return { kind: 'forged', detail: `signed with ${signature.keyName}, ${signature.algorithm}` };
  }
  const expected = macOf(key, [
    uint16(requestMac.length),
    requestMac,
    message,
    variablesOf(key, signature),
  ]);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    return { kind: 'forged', detail: 'the signature of the answer is not right' };
  }
  const isTimely = Math.abs(wallSeconds - signature.wallSeconds) <= signature.fudgeSeconds;
  return isTimely || error === 'tsig-bad-time'
    ? { kind: 'authentic', message, error }
    : { kind: 'forged', detail: 'the answer was signed at another time' };
}

interface TsigFields {
  readonly wallSeconds: number;
  readonly fudgeSeconds: number;
  readonly error: number;
  readonly other: Buffer;
}

interface Signature extends TsigFields {
  readonly keyName: string;
  readonly algorithm: string;
  readonly mac: Buffer;
  /** The message as it was before it was signed. */
  readonly message: Buffer;
}

function findSignature(response: Buffer): Signature | null {
  const offset = lastRecordOffset(response);
  if (offset === null) {
    return null;
  }
  const reader = new WireReader(response, offset);
  const keyName = reader.name();
  const type = reader.uint(2);
  reader.take(8);
  if (type !== TYPE.TSIG) {
    return null;
  }
  const algorithm = reader.name();
  const [wallSeconds, fudgeSeconds] = [reader.uint(6), reader.uint(2)];
  const mac = reader.take(reader.uint(2));
  const originalId = reader.take(2);
  const error = reader.uint(2);
  const other = reader.take(reader.uint(2));
  const message = withAdditionalCount(Buffer.from(response.subarray(0, offset)), -1);
  originalId.copy(message, 0);
  return { keyName, algorithm, wallSeconds, fudgeSeconds, mac, error, other, message };
}

/** RFC 8945, section 4.3.3: what the MAC covers beside the message. */
function variablesOf(key: TsigKey, fields: TsigFields): Buffer {
  return Buffer.concat([
    encodeName(key.name),
    uint16(CLASS.any),
    Buffer.alloc(4),
    encodeName(key.algorithm),
    timeFields(fields),
    uint16(fields.error),
    uint16(fields.other.length),
    fields.other,
  ]);
}

function timeFields({ wallSeconds, fudgeSeconds }: TsigFields): Buffer {
  const time = Buffer.alloc(6);
  time.writeUIntBE(wallSeconds, 0, 6);
  return Buffer.concat([time, uint16(fudgeSeconds)]);
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(algorithm.slice('hmac-'.length), secret);
  for (const part of parts) {
    hmac.update(part);
  }
  return hmac.digest();
}

function withAdditionalCount(message: Buffer, change: 1 | -1): Buffer {
  message.writeUInt16BE(message.readUInt16BE(10) + change, 10);
  return message;
}

function lowerName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
