import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import {
  compareEpochs,
  type Fence,
  fenceName,
  formatFence,
  parseFence,
} from '../../../lib/recovery/fence.ts';
import type { Epoch } from '../../../lib/recovery/state.ts';

const FENCE: Fence = { epoch: epoch(3, 42), site: 'us-east-1', run: 'checkout-42' };
const TEXT = 'v=tp1 term=3 index=42 site=us-east-1 run=checkout-42';

describe('fence', () => {
  test('stands beside the name it fences', () => {
    expect(fenceName('checkout.example.test')).toBe('_tripoint.checkout.example.test');
  });

  test('is one line that a person can read with dig', () => {
    expect(formatFence(FENCE)).toBe(TEXT);
  });

  test.each([
    ['bare', TEXT],
    ['quoted, as dig prints it', `"${TEXT}"`],
    ['in chunks', '"v=tp1 term=3 index=42 " "site=us-east-1 run=checkout-42"'],
    ['with white space around', `  ${TEXT}\n`],
  ])('is read %s', (_, value) => {
    expect(parseFence(value)).toEqual({ kind: 'fence', fence: FENCE });
  });

  test.each([
    ['nothing', ''],
    ['another text', 'v=spf1 -all'],
    ['a later version', TEXT.replace('tp1', 'tp2')],
    ['a field too many', `${TEXT} note=x`],
    ['a field missing', 'v=tp1 term=3 index=42 site=us-east-1'],
    ['fields in another order', 'v=tp1 index=42 term=3 site=us-east-1 run=checkout-42'],
    ['two spaces', TEXT.replace(' index', '  index')],
    ['a leading zero', TEXT.replace('term=3', 'term=03')],
    ['a negative term', TEXT.replace('term=3', 'term=-3')],
    ['a fraction', TEXT.replace('term=3', 'term=3.5')],
    ['an index beyond exact integers', TEXT.replace('index=42', 'index=9999999999999999')],
    ['an empty site', TEXT.replace('us-east-1', '')],
    ['a site that is no name', TEXT.replace('us-east-1', '-rm')],
    ['an open quote', `"${TEXT}`],
    ['another letter case', TEXT.toUpperCase()],
  ])('%s is malformed, so a machine never overwrites it', (_, value) => {
    expect(parseFence(value).kind).toBe('malformed');
  });

  test('survives the round trip through DNS for every epoch, site and run', () => {
    fc.assert(
      fc.property(fenceArbitrary, (fence) => {
        const text = formatFence(fence);
        expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(255);
        expect(parseFence(`"${text}"`)).toEqual({ kind: 'fence', fence });
      }),
      { seed: 1 },
    );
  });

  test('any text is read without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(['fence', 'malformed']).toContain(parseFence(text).kind);
      }),
      { seed: 1 },
    );
  });

  test.each([
    ['a site with a space', { ...FENCE, site: 'us east' }],
    ['an empty run', { ...FENCE, run: '' }],
    ['a run with a quote', { ...FENCE, run: 'a"b' }],
    ['a run over 100 characters', { ...FENCE, run: 'r'.repeat(101) }],
  ])('%s is a bug that stops before DNS is touched', (_, fence) => {
    expect(() => formatFence(fence)).toThrow(/fence-(site|run)-malformed/);
  });
});

describe('epochs', () => {
  test('are ordered by term first, then by index', () => {
    const ordered = [epoch(1, 9), epoch(2, 1), epoch(2, 2), epoch(10, 0)];
    const shuffled = [ordered[2], ordered[0], ordered[3], ordered[1]].filter(
      (e) => e !== undefined,
    );
    expect(shuffled.sort(compareEpochs)).toEqual(ordered);
  });

  test('are ordered totally: equal only to themselves, and never both older', () => {
    fc.assert(
      fc.property(epochArbitrary, epochArbitrary, (a, b) => {
        expect(Math.sign(compareEpochs(a, b))).toBe(-Math.sign(compareEpochs(b, a)) + 0);
        expect(compareEpochs(a, b) === 0).toBe(a.term === b.term && a.index === b.index);
      }),
      { seed: 1 },
    );
  });
});

function epoch(termNumber: number, index: number): Epoch {
  return { term: term(termNumber), index: logIndex(index) };
}

const counter = fc.oneof(fc.nat(3), fc.maxSafeNat());
const epochArbitrary = fc.tuple(counter, counter).map(([t, i]) => epoch(t, i));
const nameArbitrary = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const fenceArbitrary = fc.record({
  epoch: epochArbitrary,
  site: nameArbitrary,
  run: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}$/),
});
