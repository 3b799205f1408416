import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { type ArrivalWindow, withIntervals } from '../../../lib/detection/arrival-window.ts';
import { BOOT_ID_LENGTH_MAX, ENCODED_BYTES_MAX } from '../../../lib/detection/limits.ts';
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
    previousBoot: fc.option(fc.record({ bootId, lastSequence: fc.maxSafeNat() })),
    quantumExponent: fc.nat(20),
    intervals: fc.uint16Array({ maxLength: 200 }),
    received: fc.nat(0xffffffff),
    lost: fc.nat(0xffffffff),
    arrivalsSinceCrossing: fc.nat(3),
  })
  .map((frame) => withIntervals({ ...frame, sum: 0, sumOfSquares: 0 }, frame.intervals));

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
    const full = { ...encoded, history: encodeWindow(longest).history };
    expect(full.history.length).toBe(420);
    expect(itemBytes(full)).toBeLessThan(ENCODED_BYTES_MAX);
  });
});

describe('decodeWindow of damaged bytes', () => {
  const encoded = encodeWindow(beatOn(null, { count: 40 }));

  it.each([
    ['history-length', { history: new Uint8Array(19) }],
    ['history-length', { history: new Uint8Array(21) }],
    ['history-length', { history: new Uint8Array(422) }],
    ['history-version', { history: patched(0, 2) }],
    ['history-header', { history: patched(1, 21) }],
    ['history-header', { history: patched(2, 4) }],
    ['history-header', { history: patched(18, 0xf0, 0x7f) }],
    ['attributes', { bootId: '' }],
    ['attributes', { lastSequence: -1 }],
    ['attributes', { lastArrivalAt: Number.NaN }],
    ['attributes', { previousBootId: 'boot-z' }],
    ['attributes', { previousSequence: 4 }],
    ['attributes', { previousBootId: 'boot-z', previousSequence: 0.5 }],
  ])('says %s', (code, damage) => {
    expect(decodeWindow({ ...encoded, ...damage })).toEqual({ kind: 'damaged', code });
  });

  function patched(offset: number, ...bytes: readonly number[]): Uint8Array {
    const history = encoded.history.slice();
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
