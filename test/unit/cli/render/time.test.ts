import { expect, test } from 'vitest';
import { formatElapsed } from '../../../../lib/base/elapsed.ts';
import { elapsedBetween, formatInstant } from '../../../../lib/cli/render/time.ts';

test.each([
  [0, '0 ms'],
  [85.4, '85 ms'],
  [2319, '2.31 s'],
  [59_999, '59.99 s'],
  [250_000, '4 min 10 s'],
  [11_520_000, '3 h 12 min'],
  [190_800_000, '2 d 5 h'],
  [-120, '-120 ms'],
])('%d ms are shown as %s', (durationMs, text) => {
  expect(formatElapsed(durationMs)).toBe(text);
});

test('instants are shown to the second, in UTC', () => {
  expect(formatInstant('2026-11-23T09:40:05.123Z')).toBe('2026-11-23 09:40:05Z');
});

test('the time between two instants is unknown when one of them is', () => {
  expect(elapsedBetween('2026-11-23T09:40:00Z', '2026-11-23T09:40:01.500Z')).toBe(1500);
  expect(elapsedBetween(null, '2026-11-23T09:40:01Z')).toBeNull();
});
