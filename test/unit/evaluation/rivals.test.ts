import { describe, expect, it } from 'vitest';
import { normalPhi } from '../../../lib/detection/tail.ts';
import type { ArrivalTrace } from '../../../lib/simulation/traces/arrival-trace.ts';
import {
  normalIntervals,
  syntheticTrace,
} from '../../../lib/simulation/traces/synthetic-traces.ts';
import { decisionsOf } from '../../evaluation/decisions.ts';
import { mean, parameterFor } from '../../evaluation/detector.ts';
import { measure } from '../../evaluation/measures.ts';
import { fitOurs, ours } from '../../evaluation/ours.ts';
import { akkaZ, RIVALS, type RivalName } from '../../evaluation/rivals.ts';

/** 203 beats at 1 s, the last intervals as given. */
function traceOf(...lastMs: readonly number[]): ArrivalTrace {
  const intervals = [...Array<number>(202 - lastMs.length).fill(1000), ...lastMs];
  let arrivedAtMs = 0;
  const arrivals = [0, ...intervals.map((ms) => (arrivedAtMs += ms))];
  return {
    name: 'by hand',
    intervalMs: 1000,
    transitMs: 0,
    series: [{ name: 'one', arrivalsMs: Float64Array.from(arrivals) }],
  };
}

function silenceOf(name: RivalName, trace: ArrivalTrace, parameter: number): number {
  return RIVALS[name](decisionsOf(trace)).silenceMs(0, parameter);
}

describe('rivals', () => {
  it('have Akka reach φ 8 and 16 where its curve does, well short of a normal tail', () => {
    expect(akkaZ(8)).toBeCloseTo(5.226, 3);
    expect(akkaZ(16)).toBeCloseTo(7.12, 2);
    expect(normalPhi(akkaZ(8))).toBeCloseTo(7.06, 2);
  });

  it('allow what their formulas say on a window worked out by hand', () => {
    // At the decision the window holds 199 intervals of 1 s and one of 3 s, the newest.
    const trace = traceOf(3000, 1000, 1000);
    const average = 1010;
    const deviation = Math.sqrt((199 * 10 ** 2 + 1990 ** 2) / 200);
    expect(silenceOf('fixed', trace, 1500)).toBe(1500);
    expect(silenceOf('gauss', trace, 2)).toBeCloseTo(average + 2 * deviation, 6);
    expect(silenceOf('akka', trace, 2)).toBeCloseTo(average + 2 * deviation, 6);
    expect(silenceOf('cassandra', trace, 8 * Math.LN10)).toBeCloseTo(18.42 * average, -1);
    expect(silenceOf('satzger', trace, 0.9)).toBeCloseTo(2700, 9);
  });

  it('have Chen expect a late beat to be made up for, and 2W not', () => {
    const trace = traceOf(3000, 1000, 1000);
    // The newest beat is 2 s behind a schedule that 199 others kept.
    expect(silenceOf('chen', trace, 0)).toBeCloseTo(1000 - (2000 * 199) / 200, 6);
    expect(silenceOf('2w', trace, 0)).toBe(1000);
  });

  it('have Bertier widen its margin after a prediction that failed', () => {
    const calm = RIVALS.bertier(decisionsOf(traceOf()));
    expect([0, 1].map((decision) => calm.silenceMs(decision, 0))).toEqual([1000, 1000]);
    const late = RIVALS.bertier(decisionsOf(traceOf(3000, 1000)));
    const chen = RIVALS.chen(decisionsOf(traceOf(3000, 1000)));
    expect(late.silenceMs(1, 0) - chen.silenceMs(1, 0)).toBeCloseTo(0.1 * 2000 + 4 * 0.1 * 2000, 6);
  });
});

describe('the sanity gates of the comparison', () => {
  it('find the normal φ right on intervals that are normal', () => {
    const decisions = decisionsOf(normalIntervals(120_000, 0.1, 5));
    const detector = RIVALS.gauss(decisions);
    for (const phi of [1, 2, 3]) {
      const z = [1.2815516, 2.3263479, 3.0902323][phi - 1] ?? 0;
      const { perDecision } = measure(decisions, (decision) => detector.silenceMs(decision, z));
      expect(Math.abs(Math.log10(perDecision) + phi)).toBeLessThan(0.08);
    }
  });

  it('find the fixed timeout as wrong as intervals are longer than it', () => {
    const decisions = decisionsOf(syntheticTrace('pareto', 3));
    const longer = decisions.silencesMs.filter((ms) => ms > 1300).length;
    const { mistakes, detectionMs, low, high } = measure(decisions, () => 1300);
    expect(mistakes).toBe(longer);
    expect(mistakes).toBeGreaterThan(100);
    expect(detectionMs).toBeCloseTo(1300 + decisions.trace.transitMs, 6);
    expect(low).toBeLessThan(mistakes);
    expect(high).toBeGreaterThan(mistakes);
  });

  it('give every detector the detection time that was asked for', () => {
    const decisions = decisionsOf(syntheticTrace('unequal-paths', 3));
    const own = ours(fitOurs(decisions));
    const detectors = [
      own,
      RIVALS.fixed(decisions),
      RIVALS.akka(decisions),
      RIVALS['2w'](decisions),
    ];
    for (const detector of detectors) {
      for (const wantedMs of [1040, 1100, 1500, 4000]) {
        const parameter = parameterFor(detector, wantedMs) ?? Number.NaN;
        const had = Float64Array.from({ length: decisions.count }, (_, decision) =>
          detector.silenceMs(decision, parameter),
        );
        expect(mean(had)).toBeCloseTo(wantedMs, 3);
      }
    }
  });

  it('have no answer where a detector cannot wait so long', () => {
    const decisions = decisionsOf(traceOf());
    expect(parameterFor(RIVALS.gauss(decisions), 2000)).toBeNull();
    expect(parameterFor(RIVALS.bertier(decisions), 2000)).toBeNull();
  });
});
