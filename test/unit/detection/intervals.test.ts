import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intervals, sumsOf } from '../../../lib/detection/intervals.ts';
import { deepFreeze } from '../../../lib/simulation/deep-freeze.ts';
import { seeded } from './arrivals.ts';

const NONE = Intervals.of(new Uint16Array(0));

function pushed(start: Intervals, quanta: Iterable<number>): Intervals {
  let intervals = start;
  for (const one of quanta) {
    intervals = intervals.push(one);
  }
  return intervals;
}

/** What the version must show, worked out from all that was ever pushed into it. */
function expected(all: readonly number[]) {
  const kept = Uint16Array.from(all.slice(-200));
  return {
    view: [...kept],
    ascending: [...kept.slice().sort()],
    newest: [...kept.slice(-20).sort()],
    ...sumsOf(kept),
  };
}

function shown(intervals: Intervals) {
  return {
    view: [...intervals],
    ascending: [...intervals.ascending()],
    newest: [...intervals.ascendingNewest()],
    sum: intervals.sum,
    sumOfSquares: intervals.sumOfSquares,
  };
}

describe('Intervals', () => {
  it('keep the newest 200, oldest first', () => {
    const intervals = pushed(NONE, Array(750).keys());
    expect([...intervals]).toEqual(Array.from({ length: 200 }, (_, k) => k + 550));
    expect(intervals.length).toBe(200);
  });

  it('refuse to begin with more than they hold', () => {
    expect(() => Intervals.of(new Uint16Array(201))).toThrow('window-overfull');
  });

  it('show each version what it showed, whichever version is extended, in whatever order', () => {
    const quanta = fc.oneof(fc.nat(65_535), fc.nat(3), fc.integer({ min: 990, max: 1010 }));
    const step = fc.record({
      from: fc.nat(),
      quanta: fc.oneof(fc.array(quanta, { maxLength: 4 }), fc.array(quanta, { maxLength: 350 })),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const versions = [{ intervals: NONE, all: [] as readonly number[] }];
        for (const { from, quanta: added, looks } of steps) {
          const origin = versions[from % versions.length] ?? { intervals: NONE, all: [] };
          if (looks) {
            expect(shown(origin.intervals)).toEqual(expected(origin.all));
          }
          versions.push({
            intervals: pushed(origin.intervals, added),
            all: [...origin.all, ...added],
          });
        }
        for (const { intervals, all } of versions) {
          expect(shown(intervals)).toEqual(expected(all));
        }
      }),
      { numRuns: 150, seed: 12 },
    );
  });

  it('have sums and orders that equal a recomputation after 400,000 pushes', () => {
    const random = seeded(7);
    let intervals = NONE;
    for (let k = 0; k < 400_000; k += 1) {
      intervals = intervals.push(random() < 0.5 ? 1 : Math.floor(random() * 65_536));
      // Asked often, the orders catch up; after a long pause they are sorted anew.
      if (k % 5 === 0 && k % 1000 > 100) {
        intervals.ascending();
      }
      if (k % 9973 === 0) {
        expect([...intervals.ascending()]).toEqual([...intervals.view().slice().sort()]);
        expect([...intervals.ascendingNewest()]).toEqual([...intervals.view().slice(-20).sort()]);
      }
    }
    expect(shown(intervals)).toEqual(expected([...intervals]));
  });

  it('are equal to others with the same content, however they came by it, and to no others', () => {
    const few = Intervals.of(Uint16Array.of(3, 1, 2));
    expect(pushed(NONE, [3, 1, 2])).toEqual(few);
    expect(pushed(NONE, [1, 3, 2])).not.toEqual(few);
    const many = Array.from({ length: 200 }, (_, k) => (k * 37) % 1009);
    expect(pushed(pushed(NONE, Array(250).keys()), many)).toEqual(
      Intervals.of(Uint16Array.from(many)),
    );
  });

  it('can be frozen by a store and still be extended', () => {
    const intervals = deepFreeze(pushed(NONE, [5, 4]));
    expect([...intervals.push(3)]).toEqual([5, 4, 3]);
    expect([...intervals]).toEqual([5, 4]);
  });
});
