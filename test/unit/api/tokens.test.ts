import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentialOf, matchToken } from '../../../lib/api/tokens.ts';
import { hashOf } from '../../support/control-plane-fixture.ts';

const token = fc.stringMatching(/^[\x21-\x7e]{1,100}$/);

describe('matchToken', () => {
  it('finds the hash of the token among others, wherever it stands', () => {
    fc.assert(
      fc.property(token, fc.array(token, { maxLength: 4 }), fc.nat(4), (own, others, position) => {
        fc.pre(!others.includes(own));
        const hashes = others.map(hashOf).toSpliced(position, 0, hashOf(own));
        expect(matchToken(own, hashes)).toBe(hashOf(own));
        expect(matchToken(own, others.map(hashOf))).toBeNull();
      }),
    );
  });

  it.each([0, 1, 2])('compares with every hash, also when number %d matches', (position) => {
    const hashes = ['a', 'b'].map(hashOf).toSpliced(position, 0, hashOf('own'));
    const compared: number[] = [];
    const match = matchToken('own', hashes, (left, right) => {
      compared.push(left.length, right.length);
      return Buffer.compare(left, right) === 0;
    });
    expect(match).toBe(hashOf('own'));
    expect(compared).toEqual([32, 32, 32, 32, 32, 32]);
  });

  it.each(['', 'zz', hashOf('own').slice(1), `${hashOf('own')}00`])(
    'matches nothing with the malformed hash "%s"',
    (malformed) => {
      expect(matchToken('own', [malformed])).toBeNull();
    },
  );
});

describe('credentialOf', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    ['Bearer abc', { kind: 'bearer', token: 'abc' }],
    ['bearer abc', { kind: 'bearer', token: 'abc' }],
    [basic('anyone:secret:with:colons'), { kind: 'basic', token: 'secret:with:colons' }],
    [basic(':secret'), { kind: 'basic', token: 'secret' }],
  ])('reads %s', (header, credential) => {
    expect(credentialOf(header)).toEqual(credential);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer two words',
    'Bearer ü',
    'Digest abc',
    'Basic !!!',
    basic('no-colon'),
    basic('user:'),
    `Bearer ${'x'.repeat(513)}`,
    `Basic ${'x'.repeat(5000)}`,
  ])('takes %s for no credential', (header) => {
    expect(credentialOf(header)).toEqual({ kind: 'none' });
  });
});
