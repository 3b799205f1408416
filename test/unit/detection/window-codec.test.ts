import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../../lib/detection/arrival-window.ts';
import { Intervals } from '../../../lib/detection/intervals.ts';
import {
  BOOT_ID_LENGTH_MAX,
  ENCODED_BYTES_MAX,
  FORMER_BOOTS_MAX,
} from '../../../lib/detection/limits.ts';
import { phiAfter, suspicionModel } from '../../../lib/detection/suspicion.ts';
import {
  decodeWindow,
  type EncodedWindow,
  encodeWindow,
} from '../../../lib/detection/window-codec.ts';
import { accept, beatOn, jitter, POLICY, seeded } from './arrivals.ts';

function decoded(encoded: EncodedWindow): ArrivalWindow {
  const outcome = decodeWindow(encoded);
  if (outcome.kind !== 'decoded') {
    throw new Error(outcome.code);
  }
  return outcome.window;
}

const bootId = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: BOOT_ID_LENGTH_MAX,
});
const instant = fc.double({ noNaN: true, noDefaultInfinity: true }).map(epochMillis);
const windows = fc
  .record({
    bootId,
    lastSequence: fc.maxSafeNat(),
    lastArrivalAt: instant,
    startedAt: instant,
    formerBoots: fc.array(fc.record({ hash: fc.nat(0xffffffff), lastSequence: fc.maxSafeNat() }), {
      maxLength: FORMER_BOOTS_MAX,
    }),
    quantumExponent: fc.nat(20),
    intervals: fc.uint16Array({ maxLength: 200 }),
    received: fc.nat(0xffffffff),
    lost: fc.nat(0xffffffff),
    flapPenalty: fc.nat(240).map((quarters) => quarters / 4),
    flappedAt: instant,
    arrivalsSinceCrossing: fc.nat(61),
  })
  .map((frame) => ({ ...frame, intervals: Intervals.of(frame.intervals) }));

describe('the encoded window', () => {
  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(windows, (window) => {
        expect(decoded(encodeWindow(window))).toEqual(window);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('decodes from bytes that lie inside a larger buffer', () => {
    const window = beatOn(null, { count: 30 });
    const encoded = encodeWindow(window);
    const larger = new Uint8Array(encoded.history.length + 7);
    larger.set(encoded.history, 3);
    const history = larger.subarray(3, 3 + encoded.history.length);
    expect(decoded({ ...encoded, history })).toEqual(window);
  });

  it('is read as version 1 wrote it, with no flap behind it', () => {
    const window = beatOn(null, { count: 30 });
    const { history, ...attributes } = encodeWindow(window);
    const former = new Uint8Array([...history.subarray(0, 20), ...history.subarray(29)]);
    former[0] = 1;
    former[2] = 3;
    expect(decoded({ ...attributes, history: former })).toEqual({
      ...window,
      arrivalsSinceCrossing: 3,
      flapPenalty: 0,
      flappedAt: window.startedAt,
    });
    expect(decodeWindow({ ...attributes, history: former.subarray(0, 19) })).toEqual({
      kind: 'damaged',
      code: 'history-length',
    });
  });

  it('is read as version 2 wrote it, with no former boots', () => {
    const window = beatOn(null, { count: 30 });
    const { history, ...attributes } = encodeWindow(window);
    const former = new Uint8Array([...history.subarray(0, 28), ...history.subarray(29)]);
    former[0] = 2;
    expect(decoded({ ...attributes, history: former })).toEqual(window);
  });

  it('gives the same φ as the window in memory', () => {
    const window = beatOn(null, { count: 300, intervalMs: jitter(seeded(5), 0.3) });
    const copy = decoded(encodeWindow(window));
    for (const silentMs of [0, 900, 1400, 5000, 60_000]) {
      expect(phiAfter(suspicionModel(copy, POLICY), silentMs)).toBe(
        phiAfter(suspicionModel(window, POLICY), silentMs),
      );
    }
  });

  it('costs less than 700 bytes at its largest, attribute names included', () => {
    const longest = beatOn(null, { count: 250, bootId: 'x'.repeat(64) });
    const encoded = encodeWindow(
      accept(
        { ...longest, lastSequence: Number.MAX_SAFE_INTEGER },
        { bootId: 'y'.repeat(64), sequence: 2 ** 53 - 1, arrivedAt: longest.lastArrivalAt },
      ),
    );
    const former = { hash: 0xffffffff, lastSequence: Number.MAX_SAFE_INTEGER };
    const formerBoots = Array.from({ length: FORMER_BOOTS_MAX }, () => former);
    const { history } = encodeWindow({ ...longest, formerBoots });
    const full = { ...encoded, history };
    expect(full.history.length).toBe(525);
    expect(itemBytes(full)).toBeLessThan(ENCODED_BYTES_MAX);
  });
});

describe('decodeWindow of damaged bytes', () => {
  const encoded = encodeWindow(beatOn(null, { count: 40 }));

  it.each([
    ['history-length', { history: new Uint8Array(28) }],
    ['history-length', { history: encoded.history.slice(0, 30) }],
    ['history-length', { history: patched(430, 0) }],
    ['history-length', { history: patched(28, 8) }],
    ['history-version', { history: patched(0, 4) }],
    ['history-header', { history: patched(28, 9, ...Array(108).fill(0)) }],
    ['history-header', { history: patched(28, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f) }],
    ['history-header', { history: patched(1, 21) }],
    ['history-header', { history: patched(2, 62) }],
    ['history-header', { history: patched(3, 241) }],
    ['history-header', { history: patched(26, 0xf0, 0x7f) }],
    ['history-header', { history: patched(18, 0xf0, 0x7f) }],
    ['attributes', { bootId: '' }],
    ['attributes', { lastSequence: -1 }],
    ['attributes', { lastArrivalAt: Number.NaN }],
  ])('says %s', (code, damage) => {
    expect(decodeWindow({ ...encoded, ...damage })).toEqual({ kind: 'damaged', code });
  });

  function patched(offset: number, ...bytes: readonly number[]): Uint8Array {
    const length = Math.max(encoded.history.length, offset + bytes.length);
    const history = new Uint8Array(length);
    history.set(encoded.history);
    history.set(bytes, offset);
    return history;
  }
});

/** DynamoDB's rule: names and texts in bytes, numbers about half a byte a digit plus one. */
function itemBytes(encoded: EncodedWindow): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(encoded)) {
    bytes += name.length + (value instanceof Uint8Array ? value.length : sizeOf(value));
  }
  return bytes;
}

function sizeOf(value: string | number | null): number {
  if (value === null) {
    return 1;
  }
  return typeof value === 'string' ? value.length : Math.ceil(String(value).length / 2) + 1;
}
