import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArrivalWindow,
  quantaOf,
  startWindow,
} from '../../../lib/detection/arrival-window.ts';
import { Intervals } from '../../../lib/detection/intervals.ts';
import { LEASE_INTERVALS, SILENCE_INTERVALS_MIN } from '../../../lib/detection/limits.ts';
import {
  deadlines,
  lossShare,
  phiAfter,
  type SuspicionModel,
  silenceForPhi,
  silenceLimits,
  suspicionModel,
} from '../../../lib/detection/suspicion.ts';
import { beatOn, INTERVAL_MS, jitter, POLICY, START, seeded } from './arrivals.ts';

const fresh = startWindow({ bootId: 'boot-a', sequence: 1, arrivedAt: START }, INTERVAL_MS);

/** Any window at all: any intervals the ring can hold, any counters. */
const windows = fc
  .record({
    intervals: fc.oneof(
      fc.uint16Array({ maxLength: 200 }),
      fc.uint16Array({ min: 900, max: 1100, minLength: 20, maxLength: 200 }),
      fc.uint16Array({ max: 3, maxLength: 200 }),
    ),
    received: fc.nat(4096),
    lost: fc.nat(4096),
  })
  .map(({ intervals, ...counted }) => ({
    ...fresh,
    ...counted,
    intervals: Intervals.of(intervals),
  }));

function calmWindow(lostShare: number): ArrivalWindow {
  const random = seeded(11);
  return beatOn(null, {
    count: 4000,
    intervalMs: jitter(random, 0.1),
    lost: () => random() < lostShare,
  });
}

function fallsOn(model: SuspicionModel, gridMs: number, untilMs: number): number {
  let falls = 0;
  let previous = -1;
  for (let silentMs = 0; silentMs <= untilMs; silentMs += gridMs) {
    const phi = phiAfter(model, silentMs);
    falls += Number.isFinite(phi) && phi >= previous ? 0 : 1;
    previous = phi;
  }
  return falls;
}

describe('φ of silence', () => {
  it('never falls on a 1 ms grid up to an hour', () => {
    expect(fallsOn(suspicionModel(calmWindow(0.005), POLICY), 1, 3_600_000)).toBe(0);
  });

  it('never falls and is finite for any window', () => {
    fc.assert(
      fc.property(windows, (window) => fallsOn(suspicionModel(window, POLICY), 37, 30_000) === 0),
      { numRuns: 300, seed: 21 },
    );
  });

  it('rises strictly wherever it is not vanishing', () => {
    const model = suspicionModel(calmWindow(0.005), POLICY);
    let previous = phiAfter(model, 600);
    for (let silentMs = 600.1; silentMs < 5000; silentMs += 0.1) {
      const phi = phiAfter(model, silentMs);
      expect(phi).toBeGreaterThan(previous);
      previous = phi;
    }
  });

  it('meets itself where its pieces meet, seen from both sides', () => {
    fc.assert(
      fc.property(windows, fc.constantFrom(Math.log10(4), 1.30103, 1.95103), (window, phi) => {
        const model = suspicionModel(window, POLICY);
        const at = silenceForPhi(model, phi);
        expect(phiAfter(model, at)).toBeCloseTo(phi, 9);
        expect(phiAfter(model, at - 1e-6)).toBeLessThan(phiAfter(model, at + 1e-6));
        expect(phiAfter(model, at - 1e-6)).toBeCloseTo(phiAfter(model, at + 1e-6), 4);
      }),
      { numRuns: 300, seed: 22 },
    );
  });

  it('is that of no silence when the arrival lies ahead', () => {
    const model = suspicionModel(fresh, POLICY);
    expect(phiAfter(model, -5000)).toBe(phiAfter(model, 0));
  });

  it('never reaches 8 at one lost beat, whatever the window holds', () => {
    fc.assert(
      fc.property(windows, (window) => {
        const phi = phiAfter(suspicionModel(window, POLICY), 2 * INTERVAL_MS);
        return phi < 8;
      }),
      { numRuns: 1000, seed: 23 },
    );
  });
});

describe('the deadline', () => {
  it('inverts φ', () => {
    fc.assert(
      fc.property(windows, fc.double({ min: 1e-6, max: 300, noNaN: true }), (window, phi) => {
        const model = suspicionModel(window, POLICY);
        // A window may hold beats faster than the schedule slips: φ then begins above 0.
        const wanted = Math.max(phi, phiAfter(model, 0));
        const back = phiAfter(model, silenceForPhi(model, phi));
        expect(Math.abs(back / wanted - 1)).toBeLessThan(1e-9);
      }),
      { numRuns: 1000, seed: 24 },
    );
  });

  it('is no silence at all for a φ of nothing', () => {
    const model = suspicionModel(calmWindow(0.005), POLICY);
    expect([-1, 0].map((phi) => silenceForPhi(model, phi))).toEqual([0, 0]);
  });

  it('lies near 4 Δ for φ 8 and near 7.5 Δ for φ 16 at half a percent of loss', () => {
    const window = calmWindow(0.005);
    expect(lossShare(window)).toBeGreaterThan(0.004);
    expect(lossShare(window)).toBeLessThan(0.007);
    const { suspectMs, failMs } = silenceLimits(window, POLICY);
    expect(suspectMs / INTERVAL_MS).toBeGreaterThan(3.7);
    expect(suspectMs / INTERVAL_MS).toBeLessThan(4.3);
    expect(failMs / INTERVAL_MS).toBeGreaterThan(7);
    expect(failMs / INTERVAL_MS).toBeLessThan(8);
  });

  it('comes later on a lossier path', () => {
    const limits = [0, 0.02, 0.1].map(
      (share) => silenceLimits(calmWindow(share), POLICY).suspectMs,
    );
    expect(limits).toEqual(limits.toSorted((left, right) => left - right));
    expect(new Set(limits).size).toBe(3);
  });

  it('is that of the closed form between its bounds, in whole milliseconds', () => {
    const window = calmWindow(0.005);
    const model = suspicionModel(window, POLICY);
    expect(deadlines(window, POLICY)).toEqual({
      suspectAt: window.lastArrivalAt + Math.ceil(silenceForPhi(model, 8)),
      failAt: window.lastArrivalAt + Math.ceil(silenceForPhi(model, 16)),
    });
  });

  it('lies within its bounds, beyond any lease, for any window and any allowed policy', () => {
    const policies = fc.record({
      intervalMs: fc.integer({ min: 100, max: 86_400_000 }),
      suspectPhi: fc.double({ min: 1, max: 99, noNaN: true }),
      over: fc.double({ min: 0.001, max: 100, noNaN: true }),
      silenceIntervals: fc.double({ min: SILENCE_INTERVALS_MIN, max: 50, noNaN: true }),
    });
    fc.assert(
      fc.property(windows, policies, (window, draft) => {
        const policy = {
          intervalMs: draft.intervalMs,
          suspectPhi: draft.suspectPhi,
          failPhi: draft.suspectPhi + draft.over,
          silenceMsMax: Math.ceil(draft.silenceIntervals * draft.intervalMs),
        };
        const { suspectMs, failMs, boundMs } = silenceLimits(window, policy);
        expect(suspectMs).toBeGreaterThanOrEqual(2.2 * policy.intervalMs);
        expect(failMs).toBeGreaterThanOrEqual(suspectMs);
        expect(failMs).toBeGreaterThan(LEASE_INTERVALS * policy.intervalMs);
        expect(failMs).toBeLessThanOrEqual(boundMs);
        expect(boundMs).toBeLessThanOrEqual(
          Math.ceil(Math.min(12 * policy.intervalMs, policy.silenceMsMax)),
        );
      }),
      { numRuns: 1000, seed: 25 },
    );
  });

  it('obeys a configured maximum silence below 12 Δ', () => {
    const noisy = beatOn(null, { count: 300, intervalMs: (k) => (k % 25 === 0 ? 5000 : 1000) });
    expect(silenceLimits(noisy, { ...POLICY, silenceMsMax: 60_000 }).failMs).toBe(12_000);
    expect(silenceLimits(noisy, { ...POLICY, silenceMsMax: 9000 }).failMs).toBe(9000);
  });

  it('is the maximum silence while fewer than 20 intervals are known', () => {
    const learning = beatOn(null, { count: 19 });
    const learnt = beatOn(null, { count: 20 });
    expect(silenceLimits(learning, POLICY).failMs).toBe(12_000);
    expect(silenceLimits(learnt, POLICY).failMs).toBeLessThan(8000);
    expect(silenceLimits(learning, POLICY).suspectMs).toBeLessThan(5000);
  });
});

describe('the model', () => {
  it('begins with the prior: Δ, a quarter of it as spread, 1 loss in 200', () => {
    const model = suspicionModel(fresh, POLICY);
    expect(model.paceMs).toBe(INTERVAL_MS);
    expect(model.tailStartMs / INTERVAL_MS).toBeGreaterThan(1.15);
    expect(model.tailStartMs / INTERVAL_MS).toBeLessThan(1.25);
    expect(lossShare({ ...fresh, received: 0 })).toBe(0.005);
  });

  it('forgets the prior as real intervals come in', () => {
    const starts = [0, 5, 10, 15, 20].map(
      (count) => suspicionModel(beatOn(null, { count }), POLICY).tailStartMs,
    );
    expect(starts).toEqual(starts.toSorted((left, right) => right - left));
    expect(starts.at(-1)).toBeLessThan(1.07 * INTERVAL_MS);
  });

  it('has a floor under the spread of perfectly constant intervals', () => {
    const model = suspicionModel(beatOn(null, { count: 1000 }), POLICY);
    expect(model.spreadMs).toBe(0.067 * INTERVAL_MS);
    const quick = { ...POLICY, intervalMs: 100, silenceMsMax: 1200 };
    const constant = beatOn(null, { count: 250, intervalMs: () => 100, policy: quick });
    expect(suspicionModel(constant, quick).spreadMs).toBeCloseTo(6.7, 9);
  });

  it('has a spread of a quantum at least, also before a new Δ has changed the quantum', () => {
    const slow = { ...POLICY, intervalMs: 86_400_000, silenceMsMax: 12 * 86_400_000 };
    const coarse = beatOn(null, { count: 30, intervalMs: () => 86_400_000, policy: slow });
    expect(suspicionModel(coarse, POLICY).spreadMs).toBe(16_384);
  });

  it('rises within a few beats of a noisier network and falls back only when 200 are past', () => {
    const noise = (k: number) => (k % 2 === 0 ? 500 : 2000);
    const meanOf = (window: ArrivalWindow) => suspicionModel(window, POLICY).pathMeanMs;
    const calm = calmWindow(0);
    const calmMean = meanOf(calm);
    expect(meanOf(beatOn(calm, { count: 5, intervalMs: noise }))).toBeGreaterThan(1.5 * calmMean);
    const congested = beatOn(calm, { count: 60, intervalMs: noise });
    const after = [100, 250].map((count) => meanOf(beatOn(congested, { count })));
    expect(after[0]).toBeGreaterThan(1.5 * calmMean);
    expect(after[1]).toBeLessThan(calmMean);
  });

  it('takes a median near Δ for Δ, and another pace for what it is', () => {
    const paces = [800, 1000, 1340, 1400, 3000].map(
      (ms) => suspicionModel(beatOn(null, { count: 200, intervalMs: () => ms }), POLICY).paceMs,
    );
    expect(paces).toEqual([1000, 1000, 1000, 1400, 3000]);
  });

  it('waits as much longer as the last beat came early, within bounds', () => {
    const calm = beatOn(null, { count: 250 });
    const starts = [1000, 900, 700, 300].map(
      (ms) => suspicionModel(beatOn(calm, { count: 1, intervalMs: () => ms }), POLICY).tailStartMs,
    );
    const later = starts.map((start) => start - (starts[0] ?? 0));
    expect(later[1]).toBeCloseTo((100 * 20) / 21, 6);
    expect(later[2]).toBe(250);
    expect(later[3]).toBe(250);
    const late = beatOn(calm, { count: 1, intervalMs: () => 1300 });
    expect(suspicionModel(late, POLICY).tailStartMs).toBeLessThanOrEqual((starts[0] ?? 0) + 100);
  });

  it('is not destroyed by one pause: the deadline returns after 20 beats', () => {
    const before = calmWindow(0);
    const { suspectMs, failMs } = silenceLimits(before, POLICY);
    const paused = { ...before, intervals: before.intervals.push(quantaOf(before, suspectMs)) };
    const during = silenceLimits(beatOn(paused, { count: 10 }), POLICY);
    const after = silenceLimits(beatOn(paused, { count: 20 }), POLICY);
    expect(during.failMs).toBeGreaterThan(1.1 * failMs);
    expect(during.failMs).toBeLessThan(1.5 * failMs);
    expect(after.failMs).toBeLessThan(1.08 * failMs);
  });

  it('refuses a policy that the configuration would have refused', () => {
    const broken = [
      { intervalMs: Number.NaN },
      { suspectPhi: 0 },
      { failPhi: 8 },
      { failPhi: Infinity },
      { silenceMsMax: 3999 },
    ];
    for (const change of broken) {
      expect(() => suspicionModel(fresh, { ...POLICY, ...change })).toThrow('invariant violated');
    }
  });
});
