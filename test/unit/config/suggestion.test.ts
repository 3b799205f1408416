import { describe, expect, test } from 'vitest';
import { editDistance, nearestName } from '../../../lib/config/suggestion.ts';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['primary', 'primary', 0],
    ['primry', 'primary', 1],
    ['holdDwon', 'holdDown', 1],
    ['kitten', 'sitting', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearestName', () => {
  const keys = ['dns', 'primary', 'objectives', 'detection', 'safety', 'sites'];

  test.each([
    ['primry', 'primary'],
    ['Sites', 'sites'],
    ['detecton', 'detection'],
    ['site', 'sites'],
    ['dn', 'dns'],
  ])('of %s is %s', (word, nearest) => {
    expect(nearestName(word, keys)).toBe(nearest);
  });

  test.each(['region', 'x', 'threshold'])('is none for %s, which resembles no key', (word) => {
    expect(nearestName(word, keys)).toBeNull();
  });

  test('is none where there is nothing to choose from', () => {
    expect(nearestName('word', [])).toBeNull();
  });
});
