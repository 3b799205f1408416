import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { observeSelf } from '../../../lib/detection/observer.ts';
import { START } from './arrivals.ts';

const previous = { evaluatedAt: START, baselineAt: epochMillis(START - 60_000) };

function round(afterMs: number, storeErrors: number = 0) {
  return { now: epochMillis(START + afterMs), periodMs: 1000, storeErrors };
}

describe('observeSelf', () => {
  it('watches from now on after a start', () => {
    expect(observeSelf(null, round(0))).toEqual({
      evaluatedAt: START,
      baselineAt: START,
      doubt: null,
    });
  });

  it('keeps its baseline while rounds come on time', () => {
    expect(observeSelf(previous, round(2000))).toEqual({
      evaluatedAt: START + 2000,
      baselineAt: previous.baselineAt,
      doubt: null,
    });
  });

  it('doubts one round that comes late, and keeps its baseline', () => {
    const late = observeSelf(previous, round(2001));
    expect(late).toMatchObject({ baselineAt: previous.baselineAt, doubt: 'evaluation-late' });
    expect(observeSelf(late, round(3001))).toMatchObject({
      baselineAt: previous.baselineAt,
      doubt: null,
    });
  });

  it('forgets all silence before a gap of more than 5 periods', () => {
    expect(observeSelf(previous, round(5000)).baselineAt).toBe(previous.baselineAt);
    expect(observeSelf(previous, round(5001))).toMatchObject({
      baselineAt: START + 5001,
      doubt: 'evaluation-late',
    });
  });

  it('forgets all silence before an error of its table, which may have lost beats', () => {
    const expected = { baselineAt: START + 1000, doubt: 'store-errors' };
    expect(observeSelf(previous, round(1000, 1))).toMatchObject(expected);
    expect(observeSelf(null, round(1000, 1))).toMatchObject(expected);
  });

  it('forgets all silence when its clock steps back', () => {
    expect(observeSelf(previous, round(-1))).toMatchObject({
      baselineAt: START - 1,
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
