import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../../lib/detection/arrival-window.ts';
import {
  type ForecastCode,
  type ForecastMemory,
  forecastOf,
  NO_FORECAST,
  stepForecast,
} from '../../../lib/detection/forecast.ts';
import { decodeForecast, encodeForecast } from '../../../lib/detection/forecast-codec.ts';
import { FORECAST_LIMITS } from '../../../lib/detection/limits.ts';
import { recordArrival } from '../../../lib/detection/record-arrival.ts';
import { deadlines } from '../../../lib/detection/suspicion.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';

const POLICY = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };

interface Life {
  readonly arrivedAt: number;
  readonly sequence?: number;
  readonly lagMs?: number;
}

interface Told {
  readonly code: ForecastCode | null;
  readonly at: number;
}

/** Every change of the warning, when the first suspicion came, and what stands at the end. */
function live(beats: readonly Life[]) {
  let window: ArrivalWindow | null = null;
  let memory: ForecastMemory = NO_FORECAST;
  let suspectedAt: number | null = null;
  const told: Told[] = [];
  beats.forEach(({ arrivedAt, sequence, lagMs }, position) => {
    const before: ArrivalWindow | null = window;
    if (before !== null && suspectedAt === null) {
      const { suspectAt } = deadlines(before, POLICY);
      suspectedAt = suspectAt < arrivedAt ? suspectAt : null;
    }
    const beat = { bootId: 'b', sequence: sequence ?? position, arrivedAt: epochMillis(arrivedAt) };
    const outcome = recordArrival(before, beat, POLICY);
    if (outcome.kind === 'refused' || outcome.kind === 'duplicate') {
      return;
    }
    window = outcome.window;
    const step = {
      before,
      window,
      replicationLagMs: lagMs ?? null,
      hasLagObjective: false,
      policy: POLICY,
    };
    const next = stepForecast(memory, step);
    if (next.code !== memory.code) {
      told.push({ code: next.code, at: arrivedAt });
    }
    memory = next;
  });
  return { told, suspectedAt, forecast: forecastOf(memory, window, POLICY) };
}

/** Beats whose intervals are given, from the epoch on. */
function withIntervals(intervals: readonly number[]): Life[] {
  let arrivedAt = 0;
  return intervals.map((intervalMs) => {
    arrivedAt += intervalMs;
    return { arrivedAt };
  });
}

function times<Value>(count: number, make: (position: number) => Value): Value[] {
  return Array.from({ length: count }, (_, position) => make(position));
}

describe('a site that beats as usual', () => {
  test('never warns, whatever its jitter, and never its loss of 2%', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 1e6 }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        (seed, jitter) => {
          const random = seededRandom(seed);
          const all = times(800, (k) => ({
            arrivedAt: 1000 * k + 1000 * jitter * random(),
            sequence: k,
            lagMs: 2000 * random(),
          }));
          expect(live(all.filter(() => random() > 0.02)).told).toEqual([]);
        },
      ),
      { seed: 4, numRuns: 30 },
    );
  });

  test('says so', () => {
    const { forecast } = live(withIntervals(times(100, () => 1000)));
    expect(forecast).toEqual({
      state: 'none',
      code: null,
      sentence: 'no sign of a failure to come',
      since: 0,
    });
  });
});

describe('a site that will fail', () => {
  test('is warned of on the slow boil, long before it is suspect', () => {
    const intervals = times(600, (k) => (k < 200 ? 1000 : 1000 * 1.01 ** (k - 200)));
    const { told, suspectedAt } = live(withIntervals(intervals));
    expect(told[0]?.code).toBe('interval-drift');
    expect(suspectedAt).not.toBeNull();
    expect((suspectedAt ?? 0) - (told[0]?.at ?? Number.POSITIVE_INFINITY)).toBeGreaterThan(60_000);
  });

  test('is warned of when it boils from its first beat on', () => {
    const intervals = times(400, (k) => 1000 * 1.01 ** k);
    const { told, suspectedAt } = live(withIntervals(intervals));
    expect(told[0]?.code).toBe('interval-drift');
    expect(told[0]?.at).toBeLessThan(suspectedAt ?? 0);
  });

  test('is warned of while its pauses grow, however rare they are', () => {
    const intervals = times(3000, (k) => (k % 300 === 299 ? 1000 + 2 * k : 1000));
    const { told, suspectedAt } = live(withIntervals(intervals));
    expect(told[0]?.code).toBe('pauses-growing');
    expect(suspectedAt === null || (told[0]?.at ?? 0) < suspectedAt).toBe(true);
  });

  test('is warned of while more and more beats are lost', () => {
    const random = seededRandom(5);
    const beats = times(1200, (k) => ({ arrivedAt: 1000 * k, sequence: k }));
    const lossy = beats.filter(({ sequence }) => random() > Math.max(0, (sequence - 600) / 1000));
    expect(live(lossy).told[0]?.code).toBe('loss-rising');
  });

  test('is not warned of for one high lag that fell at once', () => {
    // Before the window is long enough to warn, so that the mean alone would speak.
    const beats = times(600, (k) => ({ arrivedAt: 1000 * k, lagMs: k === 45 ? 360_000 : 200 }));
    expect(live(beats).told).toEqual([]);
  });

  test('is warned of while its replication lag rises, with the rate', () => {
    const beats = times(600, (k) => ({
      arrivedAt: 1000 * k,
      lagMs: Math.max(200, 50 * (k - 300)),
    }));
    const { told, forecast } = live(beats);
    expect(told[0]?.code).toBe('lag-rising');
    expect(forecast.sentence).toMatch(
      /^replication lag 1[34]\.\d s, rising by about \d\.\d s a minute$/,
    );
  });
});

describe('a warning', () => {
  test('ends when the site beats as usual again', () => {
    const intervals = times(900, (k) => (k >= 200 && k < 260 ? 1300 : 1000));
    const { told } = live(withIntervals(intervals));
    expect(told.map(({ code }) => code)).toEqual(['interval-drift', null]);
  });

  test('of growing pauses ends when no pause has come for long', () => {
    const intervals = times(4000, (k) => (k < 1600 && k % 300 === 299 ? 1000 + 2 * k : 1000));
    const { told } = live(withIntervals(intervals));
    expect(told.map(({ code }) => code)).toEqual(['pauses-growing', null]);
  });

  test('says nothing after one outage: that was told already', () => {
    const beats = times(900, (k) => ({ arrivedAt: 1000 * k, sequence: k }));
    const { told, suspectedAt } = live(
      beats.filter(({ sequence }) => sequence < 300 || sequence > 600),
    );
    expect(suspectedAt).not.toBeNull();
    expect(told).toEqual([]);
  });

  test('never chatters: it changes at most once a minute, whatever arrives', () => {
    const interval = fc.oneof(
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 900, max: 1100 }),
      fc.constant(20_000),
    );
    const beat = fc.record({ interval, lag: fc.nat({ max: 1e7 }), skipped: fc.nat({ max: 3 }) });
    fc.assert(
      fc.property(fc.array(beat, { minLength: 150, maxLength: 400 }), (beats) => {
        let arrivedAt = 0;
        let sequence = 0;
        const { told } = live(
          beats.map(({ interval: intervalMs, lag, skipped }) => {
            arrivedAt += intervalMs;
            sequence += 1 + skipped;
            return { arrivedAt, sequence, lagMs: lag };
          }),
        );
        told.slice(1).forEach(({ at }, position) => {
          expect(at - (told[position]?.at ?? 0)).toBeGreaterThanOrEqual(
            FORECAST_LIMITS.changeMsMin,
          );
        });
      }),
      { seed: 6, numRuns: 40 },
    );
  });
});

test('whatever is reported and whenever it arrives, the memory stays what can be stored', () => {
  const beat = fc.record({
    stepMs: fc.oneof(fc.integer({ min: -5000, max: 5000 }), fc.constant(3_600_000)),
    lagMs: fc.option(fc.double()),
    boot: fc.constantFrom('a', 'a', 'a', 'b'),
    skipped: fc.nat({ max: 2 ** 40 }),
  });
  fc.assert(
    fc.property(fc.array(beat, { maxLength: 200 }), (beats) => {
      let arrivedAt = 1_790_000_000_000;
      let sequence = 0;
      let window: ArrivalWindow | null = null;
      let memory: ForecastMemory = NO_FORECAST;
      for (const { stepMs, lagMs, boot, skipped } of beats) {
        arrivedAt += stepMs;
        sequence += 1 + (skipped % 7);
        const said = { bootId: boot, sequence, arrivedAt: epochMillis(arrivedAt) };
        const before: ArrivalWindow | null = window;
        const outcome = recordArrival(before, said, POLICY);
        if (outcome.kind === 'refused' || outcome.kind === 'duplicate') {
          continue;
        }
        window = outcome.window;
        memory = stepForecast(memory, {
          before,
          window,
          replicationLagMs: lagMs,
          hasLagObjective: false,
          policy: POLICY,
        });
        expect(decodeForecast(encodeForecast(memory))).toEqual(memory);
      }
    }),
    { seed: 9, numRuns: 60 },
  );
});
