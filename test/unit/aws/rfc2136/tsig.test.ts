/** Signatures held against what BIND 9.18 signed and accepted: `bind-exchanges.json` is a recording. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { updateOf } from '../../../../lib/aws/rfc2136/mapping.ts';
import {
  readResponse,
  signRequest,
  type TsigAlgorithm,
  type TsigKey,
} from '../../../../lib/aws/rfc2136/tsig.ts';
import { encodeUpdate } from '../../../../lib/aws/rfc2136/wire.ts';

interface Recorded {
  readonly request: string;
  readonly mac: string;
  readonly response: string;
  readonly when: number;
}

interface Recording {
  readonly algorithm: TsigAlgorithm;
  readonly secret: string;
  readonly update: Recorded;
  readonly late: Recorded;
  readonly stranger: Recorded;
}

const RECORDINGS = JSON.parse(
  readFileSync(new URL('./bind-exchanges.json', import.meta.url), 'utf8'),
) as readonly Recording[];

describe.each(RECORDINGS)('with $algorithm', (recording) => {
  const key: TsigKey = {
    name: 'tripoint-key',
    algorithm: recording.algorithm,
    secret: bytes(recording.secret),
  };
  const read = (exchange: Recorded, response: Buffer = bytes(exchange.response)) =>
    readResponse(key, response, { requestMac: bytes(exchange.mac), wallSeconds: exchange.when });

  test('a request is signed in the bytes that BIND accepted', () => {
    const batch = [
      {
        action: 'CREATE',
        recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
      },
    ] as const;
    const message = encodeUpdate({ id: 4711, zone: 'example.test', ...updateOf(batch) });
    const { packet, mac } = signRequest(key, message, recording.update.when);
    expect(packet.toString('base64')).toBe(recording.update.request);
    expect(mac.toString('base64')).toBe(recording.update.mac);
  });

  test('the answer of BIND is authentic, and what was signed is given back', () => {
    const reading = read(recording.update);
    expect(reading).toMatchObject({ kind: 'authentic', error: null });
    const message = reading.kind === 'authentic' ? reading.message : Buffer.alloc(0);
    expect([message.readUInt16BE(0), message.readUInt16BE(2), message.readUInt16BE(10)]).toEqual([
      4711, 0xa800, 0,
    ]);
  });

  test('an answer about the clock is signed, and believed', () => {
    expect(read(recording.late)).toMatchObject({ kind: 'authentic', error: 'tsig-bad-time' });
  });

  test('an answer about the key is not signed, and not believed', () => {
    expect(read(recording.stranger)).toEqual({ kind: 'unsigned', error: 'tsig-bad-key' });
  });

  test('with any bit of it changed an answer is not authentic', () => {
    const good = bytes(recording.update.response);
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const bad = Buffer.from(good);
        const place = Math.floor(bit / 8);
        bad.writeUInt8(bad.readUInt8(place) ^ (1 << (bit % 8)), place);
        // The id on the wire and the one that was signed may differ: a forwarder changes it. And names
        // are compared without case, a record's TTL is not covered.
        const isCovered = !changesOnlyWhatNobodySigns(good, bad);
        expect(isAuthentic(() => read(recording.update, bad))).toBe(!isCovered);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  test('to another request, or at another time, an answer is forged', () => {
    const response = bytes(recording.update.response);
    const other = { requestMac: bytes(recording.late.mac), wallSeconds: recording.update.when };
    expect(readResponse(key, response, other).kind).toBe('forged');
    const requestMac = bytes(recording.update.mac);
    const later = { requestMac, wallSeconds: recording.update.when + 301 };
    expect(readResponse(key, response, later).kind).toBe('forged');
  });

  test('cut short anywhere it is never authentic', () => {
    const good = bytes(recording.update.response);
    for (let length = 0; length < good.length; length += 1) {
      const cut = good.subarray(0, length);
      expect(isAuthentic(() => read(recording.update, cut))).toBe(false);
    }
  });
});

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** What is not even a message is not authentic either. */
function isAuthentic(read: () => { readonly kind: string }): boolean {
  try {
    return read().kind === 'authentic';
  } catch {
    return false;
  }
}

/** Id (restored from the signature), class and TTL of the signature's record, letter case of its names. */
function changesOnlyWhatNobodySigns(good: Buffer, bad: Buffer): boolean {
  const record = good.indexOf(Buffer.from('\x0ctripoint-key\x00', 'latin1'));
  const fixed = record + '\x0ctripoint-key\x00'.length + 2;
  const places = [...good.keys()].filter((place) => good[place] !== bad[place]);
  return places.every((place) => {
    const [old, now] = [good, bad].map((message) => String.fromCharCode(message[place] ?? 0));
    const isCase = /^[a-z]$/i.test(old ?? '') && old?.toLowerCase() === now?.toLowerCase();
    const isInName = place >= record && place < fixed + 8 + '\x0bhmac-sha256\x00'.length;
    return place < 2 || (place >= fixed && place < fixed + 6) || (isInName && isCase);
  });
}
