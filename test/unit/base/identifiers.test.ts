import { describe, expect, it } from 'vitest';
import {
  commandId,
  epochMillis,
  logIndex,
  monotonicMillis,
  regionId,
  term,
} from '../../../lib/base/identifiers.ts';

describe('identifiers', () => {
  it.each(['us-east-1', 'a', `r${'0'.repeat(62)}`])('takes the region name %s', (name) => {
    expect(regionId(name)).toBe(name);
  });

  it.each(['', '1-east', 'US-EAST-1', 'us_east', '-a', 'a b', `r${'0'.repeat(63)}`])(
    'refuses the region name "%s"',
    (name) => {
      expect(() => regionId(name)).toThrow('region-id-malformed');
    },
  );

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuses %d as a term or an index',
    (value) => {
      expect(() => term(value)).toThrow('term-not-a-counter');
      expect(() => logIndex(value)).toThrow('index-not-a-counter');
    },
  );

  it('counts from zero, up to the largest exact integer', () => {
    expect([term(0), logIndex(Number.MAX_SAFE_INTEGER)]).toEqual([0, Number.MAX_SAFE_INTEGER]);
  });

  it.each(['', ' ', 'a b', 'ü', 'a\n', 'x'.repeat(129)])('refuses the command id %j', (value) => {
    expect(() => commandId(value)).toThrow('command-id-malformed');
  });

  it('takes any visible ASCII text of 1 to 128 characters as command id', () => {
    expect(commandId('!'.repeat(128))).toHaveLength(128);
  });

  it('takes negative and fractional instants but no infinity', () => {
    expect([epochMillis(-1.5), monotonicMillis(0.25)]).toEqual([-1.5, 0.25]);
    expect(() => epochMillis(Number.NaN)).toThrow('instant-not-finite');
    expect(() => monotonicMillis(Number.POSITIVE_INFINITY)).toThrow('instant-not-finite');
  });
});
