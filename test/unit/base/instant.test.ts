import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { formatInstant } from '../../../lib/base/instant.ts';

const byDate = (instant: number) => new Date(instant).toISOString();

describe('an instant as text', () => {
  test('is what the platform writes, for every millisecond of the years 0 to 9999', () => {
    const min = Date.parse('0000-01-01T00:00:00.000Z');
    const max = Date.parse('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.integer({ min, max }), (instant) => {
        expect(formatInstant(epochMillis(instant))).toBe(byDate(instant));
      }),
      { seed: 20_261_123, numRuns: 2000 },
    );
  });

  test.each([
    '1970-01-01T00:00:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '2000-02-29T12:00:00.000Z',
    '1900-02-28T23:59:59.999Z',
    '1900-03-01T00:00:00.000Z',
    '2100-02-28T23:59:59.999Z',
    '2024-12-31T23:59:59.999Z',
    '0000-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ])('%s comes back as it went in', (text) => {
    expect(formatInstant(epochMillis(Date.parse(text)))).toBe(text);
  });

  test('drops what is smaller than a millisecond', () => {
    expect(formatInstant(epochMillis(1.999))).toBe('1970-01-01T00:00:00.001Z');
    expect(formatInstant(epochMillis(-0.5))).toBe('1969-12-31T23:59:59.999Z');
  });
});
