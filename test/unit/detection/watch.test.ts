import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { watchedSilenceMs, watchedUntil } from '../../../lib/detection/watch.ts';

const at = epochMillis;

describe('a watched silence', () => {
  it('counts from the baseline, and without the gap', () => {
    const watch = { baselineAt: at(100), gap: { from: at(200), to: at(300) } };
    const silences = [
      { from: at(0), to: at(50) },
      { from: at(0), to: at(150) },
      { from: at(150), to: at(250) },
      { from: at(150), to: at(400) },
      { from: at(250), to: at(400) },
      { from: at(300), to: at(400) },
    ].map((silence) => watchedSilenceMs(watch, silence));
    expect(silences).toEqual([0, 50, 50, 150, 100, 100]);
    expect(watchedSilenceMs({ baselineAt: at(100) }, { from: at(0), to: at(400) })).toBe(300);
  });

  it('is reached at the instant that `watchedUntil` names, not a millisecond before', () => {
    const instant = fc.nat(1000).map(at);
    const watch = fc.record({
      baselineAt: instant,
      gap: fc.option(
        fc.tuple(instant, fc.nat(300)).map(([from, forMs]) => ({ from, to: at(from + forMs) })),
      ),
    });
    fc.assert(
      fc.property(watch, instant, fc.integer({ min: 1, max: 1000 }), (given, from, silenceMs) => {
        const until = watchedUntil(given, { from, silenceMs });
        expect(watchedSilenceMs(given, { from, to: until })).toBe(silenceMs);
        expect(watchedSilenceMs(given, { from, to: at(until - 1) })).toBe(silenceMs - 1);
      }),
      { numRuns: 1000, seed: 81 },
    );
  });
});
