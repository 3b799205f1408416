import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../lib/config/duration.ts';

describe('parseDuration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('reads %s as %i ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(['', '5', '1.5s', '-1s', '05s', '1h30m', '5 s', '5S', '1d', 's', '5s\n'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );
});

describe('formatDuration', () => {
  test('uses the largest unit that stays exact', () => {
    expect([0, 1, 1500, 90_000, 300_000, 5_400_000, 7_200_000].map(formatDuration)).toEqual([
      '0s',
      '1ms',
      '1500ms',
      '90s',
      '5m',
      '90m',
      '2h',
    ]);
  });

  test('is read back as the same duration', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 604_800_000 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
      { seed: 20_261_123 },
    );
  });
});
