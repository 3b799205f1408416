import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { Comparison } from '../../../lib/detection/comparison.ts';
import {
  type EvaluationRound,
  type ObserverBaseline,
  observeSelf,
  type SelfObservation,
  stretchOf,
} from '../../../lib/detection/observer.ts';
import { watchedSilenceMs } from '../../../lib/detection/watch.ts';
import { START } from './arrivals.ts';

const previous = { evaluatedAt: START, baselineAt: epochMillis(START - 60_000) };

function round(afterMs: number, changes: Partial<EvaluationRound> = {}): EvaluationRound {
  return { now: epochMillis(START + afterMs), periodMs: 1000, storeErrors: 0, ...changes };
}

function compared(comparison: Partial<Comparison>): Partial<EvaluationRound> {
  return { comparison: { known: 10, unconfirmed: 0, alone: 0, ...comparison } };
}

/** Rounds on time, one a second, each with what is given for it. */
function afterRounds(
  from: ObserverBaseline | null,
  rounds: readonly Partial<EvaluationRound>[],
): readonly SelfObservation[] {
  let self: ObserverBaseline | null = from;
  return rounds.map((changes, position) => {
    const next = observeSelf(self, round((position + 1) * 1000, changes));
    self = next;
    return next;
  });
}

describe('observeSelf', () => {
  it('watches from now on after a start', () => {
    expect(observeSelf(null, round(0))).toEqual({
      evaluatedAt: START,
      baselineAt: START,
      gap: null,
      presentSince: START,
      score: 0,
      alone: 0,
      doubt: null,
    });
  });

  it('keeps its baseline while rounds come on time', () => {
    expect(observeSelf(previous, round(2000))).toMatchObject({
      evaluatedAt: START + 2000,
      baselineAt: previous.baselineAt,
      gap: null,
      doubt: null,
    });
  });

  it('doubts one round that comes late, and keeps its baseline', () => {
    const late = observeSelf(previous, round(2001));
    expect(late).toMatchObject({ baselineAt: previous.baselineAt, doubt: 'evaluation-late' });
    expect(observeSelf(late, round(3001))).toMatchObject({
      baselineAt: previous.baselineAt,
      gap: null,
      doubt: null,
    });
  });

  it('counts a freeze of more than 5 periods as unwatched, and what was before it as watched', () => {
    expect(observeSelf(previous, round(5000)).gap).toBeNull();
    expect(observeSelf(previous, round(5001))).toMatchObject({
      baselineAt: previous.baselineAt,
      gap: { from: START - 2000, to: START + 5001 },
      doubt: 'evaluation-late',
    });
  });

  it('forgets all silence when its clock steps back', () => {
    expect(observeSelf(previous, round(-1))).toMatchObject({
      baselineAt: START - 1,
      gap: null,
      doubt: 'clock-stepped-back',
    });
  });

  it('evaluated twice at once, says the same', () => {
    expect(observeSelf(previous, round(1000))).toEqual(observeSelf(previous, round(1000)));
    expect(observeSelf(observeSelf(previous, round(1000)), round(1000)).doubt).toBeNull();
  });

  it('refuses a period that is not one', () => {
    expect(() => observeSelf(null, { ...round(0), periodMs: 0 })).toThrow('period-invalid');
  });
});

describe('an error of its table', () => {
  it('costs the time in which a beat may have been lost, not the whole watch', () => {
    const [self] = afterRounds(previous, [{ storeErrors: 1 }]);
    expect(self).toMatchObject({
      baselineAt: previous.baselineAt,
      gap: { from: START - 2000, to: START + 1000 },
      doubt: 'store-errors',
    });
  });

  it('delays a conviction by 3 s where it used to delay it by a full silence', () => {
    const lastArrivalAt = epochMillis(START - 5000);
    const self = observeSelf(previous, round(1000, { storeErrors: 1 }));
    const needMs = 7500;
    const watched = (afterMs: number) =>
      watchedSilenceMs(self, { from: lastArrivalAt, to: epochMillis(START + afterMs) });
    expect(watched(2500 + 3000)).toBe(needMs);
    expect(watched(2500 + 2999)).toBeLessThan(needMs);
  });

  it('that lasts leaves one gap, as long as it lasts', () => {
    const selves = afterRounds(previous, [{}, {}, {}, ...Array(20).fill({ storeErrors: 2 }), {}]);
    expect(selves.at(-1)).toMatchObject({
      baselineAt: previous.baselineAt,
      gap: { from: START + 1000, to: START + 23_000 },
    });
  });

  it('that comes again makes the end of the last one the baseline: never two gaps in a silence', () => {
    const calm = Array(10).fill({});
    const selves = afterRounds(previous, [{ storeErrors: 1 }, ...calm, { storeErrors: 1 }]);
    expect(selves.at(-1)).toMatchObject({
      baselineAt: START + 1000,
      gap: { from: START + 9000, to: START + 12_000 },
    });
  });

  it('takes no run of a job away, unless it lasts longer than a sender repeats', () => {
    const calm = Array(10).fill({});
    const points = afterRounds(previous, [{ storeErrors: 1 }, ...calm, { storeErrors: 1 }]);
    expect(points.at(-1)).toMatchObject({ presentSince: previous.baselineAt });
    const long = afterRounds(previous, [...Array(40).fill({ storeErrors: 1 }), ...calm]);
    expect(long.at(-1)).toMatchObject({ presentSince: START + 40_000 });
    expect(observeSelf(previous, round(600_000)).presentSince).toBe(START + 600_000);
    expect(observeSelf(previous, round(-1)).presentSince).toBe(START - 1);
  });

  it('never makes a living site look silent for more than two of its intervals', () => {
    const errors = fc.array(fc.boolean(), { minLength: 30, maxLength: 60 });
    fc.assert(
      fc.property(errors, fc.integer({ min: 300, max: 4000 }), fc.nat(999), (bad, everyMs, at) => {
        let self: SelfObservation | null = null;
        let lastStoredAt = epochMillis(START);
        let worstMs = 0;
        bad.forEach((isBad, second) => {
          const now = epochMillis(START + (second + 1) * 1000);
          for (let beatAt = START + at; beatAt <= now; beatAt += everyMs) {
            // Every beat of a bad second is lost: the worst case.
            const isStored = beatAt > now - 1000 && !isBad;
            lastStoredAt = isStored ? epochMillis(beatAt) : lastStoredAt;
          }
          self = observeSelf(self, { now, periodMs: 1000, storeErrors: isBad ? 1 : 0 });
          worstMs = Math.max(worstMs, watchedSilenceMs(self, { from: lastStoredAt, to: now }));
        });
        expect(worstMs).toBeLessThanOrEqual(2 * everyMs);
      }),
      { numRuns: 500, seed: 71 },
    );
  });
});

describe('the score', () => {
  it('rises with trouble to 7 at most, and falls by one with each clean round', () => {
    const worst = Array(10).fill({ storeErrors: 1 });
    const selves = afterRounds(previous, [...worst, ...Array(9).fill({})]);
    expect(selves.map(({ score }) => score)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 7, 7, 7],
      ...[6, 5, 4, 3, 2, 1, 0, 0, 0],
    ]);
  });

  it('from 4 on lets the observer abstain, and four clean rounds bring it back from the worst', () => {
    const from = { ...previous, score: 7 };
    const doubts = afterRounds(from, Array(5).fill({})).map(({ doubt }) => doubt);
    expect(doubts).toEqual([...Array(3).fill('observer-unwell'), null, null]);
  });

  it('stretches the thresholds by a quarter for each point', () => {
    expect([0, 1, 4, 7, 99].map(stretchOf)).toEqual([1, 1.25, 2, 2.75, 2.75]);
  });

  it('tells one broken path to one site once, and leaves it at that', () => {
    const selves = afterRounds(previous, Array(6).fill(compared({ alone: 1, unconfirmed: 1 })));
    expect(selves.map(({ score }) => score)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  it('makes an observer that is out of step on most sites abstain until it is back in step', () => {
    const outOfStep = compared({ alone: 6, unconfirmed: 6 });
    const selves = afterRounds(previous, [...Array(8).fill(outOfStep), ...Array(5).fill({})]);
    expect(selves.map(({ doubt }) => doubt)).toEqual([
      ...Array(3).fill('many-silent-at-once'),
      ...Array(5).fill('observer-unwell'),
      ...Array(3).fill('observer-unwell'),
      ...[null, null],
    ]);
  });

  it('does not fall, nor rise for being out of step, by rounds that come out of turn', () => {
    const unwell = { ...previous, score: 4, alone: 6 };
    expect(observeSelf(unwell, round(499)).score).toBe(4);
    expect(observeSelf(unwell, round(500)).score).toBe(3);
    expect(observeSelf(unwell, round(499, compared({ alone: 6 }))).score).toBe(4);
    expect(observeSelf(unwell, round(500, compared({ alone: 6 }))).score).toBe(5);
    expect(observeSelf(unwell, round(10, { storeErrors: 1 })).score).toBe(5);
  });

  it('survives a restart, because it is part of what is stored', () => {
    const stored = JSON.parse(
      JSON.stringify(observeSelf(previous, round(1000, { storeErrors: 1 }))),
    );
    expect(observeSelf(stored, round(2000, { storeErrors: 1 })).score).toBe(2);
  });
});

describe('the panic guard', () => {
  const doubtOf = (comparison: Partial<Comparison>) =>
    observeSelf(previous, round(1000, compared(comparison))).doubt;

  it('holds where more than half of the sites, and more than 3, are silent here only', () => {
    expect(doubtOf({ unconfirmed: 6 })).toBe('many-silent-at-once');
    expect(doubtOf({ unconfirmed: 5 })).toBeNull();
    expect(doubtOf({ known: 4, unconfirmed: 3 })).toBeNull();
  });

  it('holds where all of a few sites are, but not where there is only one', () => {
    expect(doubtOf({ known: 2, unconfirmed: 2 })).toBe('many-silent-at-once');
    expect(doubtOf({ known: 2, unconfirmed: 1 })).toBeNull();
    expect(doubtOf({ known: 1, unconfirmed: 1 })).toBeNull();
    expect(doubtOf({ known: 0 })).toBeNull();
  });

  it('costs no point: the loss of a region is no sign against who sees it', () => {
    expect(observeSelf(previous, round(1000, compared({ unconfirmed: 9 }))).score).toBe(0);
  });
});
