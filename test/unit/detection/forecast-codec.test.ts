import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { FORECAST_CODES, NO_FORECAST } from '../../../lib/detection/forecast.ts';
import {
  decodeForecast,
  encodeForecast,
  FORECAST_BYTES,
} from '../../../lib/detection/forecast-codec.ts';

const single = fc.float({ min: 0, max: Math.fround(1e12), noNaN: true });
const share = fc.float({ min: 0, max: 1, noNaN: true });
const memory = fc.record({
  code: fc.constantFrom(null, ...FORECAST_CODES),
  since: fc.nat().map(epochMillis),
  lossFast: share,
  lossSlow: share,
  lagFastMs: fc.option(single),
  lagSlowMs: fc.option(single),
  pausesMs: fc.tuple(single, single, single, single),
  pausedAt: fc.nat().map(epochMillis),
});

test('what was stored comes back exactly, in a few bytes', () => {
  fc.assert(
    fc.property(memory, (stored) => {
      const bytes = encodeForecast(stored);
      expect(bytes.byteLength).toBe(FORECAST_BYTES);
      expect(decodeForecast(bytes)).toEqual(stored);
    }),
    { seed: 2 },
  );
});

test('bytes that nothing encodes to are forgotten, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const decoded = decodeForecast(bytes);
      expect(decoded === null || Number.isFinite(decoded.since)).toBe(true);
    }),
    { seed: 3 },
  );
  const damaged = encodeForecast(NO_FORECAST);
  damaged[1] = 99;
  expect(decodeForecast(damaged)).toBeNull();
});
