import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertSorted, replaceSorted } from '../../../lib/detection/sorted-quanta.ts';

describe('sorted quanta', () => {
  it('stay ascending and keep their values when one is added', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 30 }), fc.nat(50), (values, added) => {
        const sorted = new Uint16Array(31);
        sorted.set(Uint16Array.from(values).sort());
        insertSorted(sorted, values.length, added);
        const filled = sorted.subarray(0, values.length + 1);
        expect([...filled]).toEqual([...Uint16Array.from([...values, added]).sort()]);
      }),
      { seed: 1 },
    );
  });

  it('stay ascending and keep the other values when one takes the place of another', () => {
    const values = fc.array(fc.nat(50), { minLength: 1, maxLength: 70, size: 'max' });
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(50), (before, choice, added) => {
        const sorted = Uint16Array.from(before).sort();
        const place = choice % before.length;
        replaceSorted(sorted, before[place] ?? 0, added);
        expect([...sorted]).toEqual([...Uint16Array.from(before.with(place, added)).sort()]);
      }),
      { seed: 2 },
    );
  });

  it('refuse to drop what they do not hold, and to grow beyond their room', () => {
    const sorted = Uint16Array.of(1, 3);
    expect(() => replaceSorted(sorted, 2, 9)).toThrow('dropped-interval-not-in-order');
    expect(() => replaceSorted(sorted, 4, 9)).toThrow('dropped-interval-not-in-order');
    const many = Uint16Array.from({ length: 200 }, (_, k) => 2 * k);
    expect(() => replaceSorted(many, 101, 9)).toThrow('dropped-interval-not-in-order');
    expect(() => replaceSorted(many, 399, 9)).toThrow('dropped-interval-not-in-order');
    expect(() => insertSorted(sorted, 2, 9)).toThrow('no-room-in-sorted-quanta');
  });
});
