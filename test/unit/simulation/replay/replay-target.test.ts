import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../../lib/base/identifiers.ts';
import { deadlines } from '../../../../lib/detection/suspicion.ts';
import { backTest, monthlyRate } from '../../../../lib/simulation/replay/back-test.ts';
import { recordingOf } from '../../../../lib/simulation/replay/recording.ts';
import { replayTarget } from '../../../../lib/simulation/replay/replay-target.ts';
import { type ReplayPolicy, Watch } from '../../../../lib/simulation/replay/watch.ts';

const DETECTION = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };
const PHI: ReplayPolicy = { label: 'phi', rule: { kind: 'detection', policy: DETECTION } };
const MISSES: ReplayPolicy = {
  label: 'misses',
  rule: { kind: 'timeout', policy: DETECTION, silenceMs: 3500 },
};

function beatsAt(arrivals: readonly number[], bootId = 'boot') {
  return arrivals.map((arrivedAt, sequence) => ({
    bootId,
    sequence,
    arrivedAt: epochMillis(arrivedAt),
  }));
}

function steady(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, position) => from + position * 1000);
}

function target(...observers: readonly ReturnType<typeof beatsAt>[]) {
  return {
    target: 'site',
    series: observers.map((beats, position) => ({
      target: 'site',
      observer: `o${position}`,
      beats,
    })),
  };
}

const FOR_EVER = { beginsAt: 0, endsAt: Number.POSITIVE_INFINITY };

describe('one observer', () => {
  test('accuses nobody who beats, however the beats jitter within their interval', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { minLength: 30, maxLength: 80 }), (jitter) => {
        const arrivals = jitter.map((late, position) => position * 1000 + late);
        const span = { beginsAt: 0, endsAt: arrivals.at(-1) ?? 0 };
        expect(replayTarget(target(beatsAt(arrivals)), PHI, span).accusations).toEqual([]);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test('acts at the deadlines that the detector itself would store', () => {
    const beats = beatsAt(steady(60));
    const watch = new Watch(PHI.rule, epochMillis(0));
    for (const beat of beats) {
      watch.hear(beat);
    }
    const { window } = watch;
    expect(window).not.toBeNull();
    if (window !== null) {
      const { suspectAt, failAt } = deadlines(window, DETECTION);
      const { accusations } = replayTarget(target(beats), PHI, FOR_EVER);
      expect(accusations).toEqual([
        {
          suspectedAt: suspectAt,
          failedAt: failAt,
          refutedAt: null,
          clearedAt: null,
          restarted: false,
        },
      ]);
    }
  });

  test('takes a pause for a failure only under the policy whose timeout it exceeds', () => {
    const arrivals = [...steady(60), ...steady(60, 64_000)];
    const span = { beginsAt: 0, endsAt: 123_000 };
    const [wrong] = replayTarget(target(beatsAt(arrivals)), MISSES, span).accusations;
    expect(wrong).toMatchObject({ failedAt: 62_500, refutedAt: 64_000, restarted: false });
    const phi = replayTarget(target(beatsAt(arrivals)), PHI, span).accusations;
    expect(phi.filter(({ failedAt }) => failedAt !== null)).toEqual([]);
  });

  test('knows a restart from a wrong failure', () => {
    const beats = [...beatsAt(steady(60)), ...beatsAt(steady(60, 100_000), 'another')];
    const span = { beginsAt: 0, endsAt: 159_000 };
    const [accusation] = replayTarget(target(beats), PHI, span).accusations;
    expect(accusation).toMatchObject({ refutedAt: 100_000, restarted: true });
  });
});

describe('three observers', () => {
  const all = steady(100);
  const cut = all.slice(0, 50);

  test('fail nobody whom one of them hears', () => {
    const heardByOne = target(beatsAt(all), beatsAt(cut), beatsAt(cut));
    const { accusations } = replayTarget(heardByOne, PHI, { beginsAt: 0, endsAt: 99_000 });
    expect(accusations).toMatchObject([{ failedAt: null, clearedAt: null }]);
  });

  test('agree when the last two that hear it fall silent', () => {
    const heardByTwo = target(beatsAt(all), beatsAt(all), beatsAt(cut));
    const [dead, ...others] = replayTarget(heardByTwo, PHI, FOR_EVER).accusations;
    expect(others).toEqual([]);
    expect(dead?.suspectedAt).toBeGreaterThan(99_000);
    expect(dead?.failedAt).toBeGreaterThan(dead?.suspectedAt ?? 0);
  });
});

describe('a back-test', () => {
  const recording = recordingOf([
    { target: 'dead', observer: 'o', beats: beatsAt(steady(100)) },
    { target: 'alive', observer: 'o', beats: beatsAt(steady(200)) },
  ]);

  test('finds the target that ended before the recording did, and when', () => {
    expect(recording).not.toBeNull();
    if (recording !== null) {
      const [dead, alive] = backTest(recording, [MISSES], null);
      expect(dead?.results[0]).toMatchObject({
        crash: { failedAt: 102_500, detectedMs: 3500 },
        wrong: [],
        notice: { medianMs: 3500, worstMs: 3500 },
      });
      expect(alive?.results[0]).toMatchObject({ failures: 0, crash: null });
    }
  });

  test('lets all senders die at a given moment', () => {
    expect(recording).not.toBeNull();
    if (recording !== null) {
      const results = backTest(recording, [MISSES], 150_000);
      expect(results.map(({ results: [one] }) => one?.crash)).toEqual([
        { failedAt: 102_500, detectedMs: 3500 },
        { failedAt: 153_500, detectedMs: 3500 },
      ]);
    }
  });

  test('bounds a rate as Poisson counts are bounded', () => {
    const month = 30 * 86_400_000;
    expect(monthlyRate(0, month).atMost).toBeCloseTo(3.689, 3);
    expect(monthlyRate(10, month).atMost).toBeCloseTo(18.39, 2);
    expect(monthlyRate(10, month / 2).mean).toBe(20);
  });
});
