import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArrivalWindow,
  pushInterval,
  startWindow,
  withIntervals,
} from '../../../lib/detection/arrival-window.ts';
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
  .map(({ intervals, received, lost }) => withIntervals({ ...fresh, received, lost }, intervals));

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

  it('is 1.301 where the tail begins, seen from both sides', () => {
    fc.assert(
      fc.property(windows, (window) => {
        const model = suspicionModel(window, POLICY);
        const at = model.tailStartMs;
        expect(phiAfter(model, at)).toBeCloseTo(1.30103, 5);
        const below = phiAfter(model, at * (1 - Number.EPSILON / 2));
        expect(below).toBeLessThanOrEqual(phiAfter(model, at));
        expect(phiAfter(model, at * (1 - 1e-9))).toBeCloseTo(phiAfter(model, at), 5);
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
      fc.property(windows, fc.double({ min: 1.31, max: 300, noNaN: true }), (window, phi) => {
        const model = suspicionModel(window, POLICY);
        const back = phiAfter(model, silenceForPhi(model, phi));
        expect(Math.abs(back / phi - 1)).toBeLessThan(1e-9);
      }),
      { numRuns: 1000, seed: 24 },
    );
  });

  it('for a φ that the body would reach is the start of the tail, never earlier', () => {
    const model = suspicionModel(calmWindow(0.005), POLICY);
    expect([-1, 0.5, 1.3].map((phi) => silenceForPhi(model, phi))).toEqual(
      Array(3).fill(model.tailStartMs),
    );
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

  it('lies within its bounds for any window and any allowed policy', () => {
    const policies = fc.record({
      intervalMs: fc.integer({ min: 100, max: 86_400_000 }),
      suspectPhi: fc.double({ min: 1, max: 99, noNaN: true }),
      over: fc.double({ min: 0.001, max: 100, noNaN: true }),
      silenceIntervals: fc.double({ min: 3, max: 50, noNaN: true }),
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
    expect(model.medianMs / INTERVAL_MS).toBeCloseTo(1, 1);
    expect(model.tailStartMs / INTERVAL_MS).toBeGreaterThan(1.3);
    expect(model.tailStartMs / INTERVAL_MS).toBeLessThan(1.45);
    expect(lossShare({ ...fresh, received: 0 })).toBe(0.005);
  });

  it('forgets the prior as real intervals come in', () => {
    const starts = [0, 5, 10, 15, 20].map(
      (count) => suspicionModel(beatOn(null, { count }), POLICY).tailStartMs,
    );
    expect(starts).toEqual(starts.toSorted((left, right) => right - left));
    expect(starts.at(-1)).toBeLessThan(1.02 * INTERVAL_MS);
  });

  it('has a floor under the spread of perfectly constant intervals', () => {
    const model = suspicionModel(beatOn(null, { count: 1000 }), POLICY);
    expect(model.spreadMs).toBe(0.01 * INTERVAL_MS);
    const quick = { ...POLICY, intervalMs: 100, silenceMsMax: 1200 };
    const constant = beatOn(null, { count: 250, intervalMs: () => 100, policy: quick });
    expect(suspicionModel(constant, quick).spreadMs).toBe(1);
  });

  it('has a spread of a quantum at least, also before a new Δ has changed the quantum', () => {
    const slow = { ...POLICY, intervalMs: 86_400_000, silenceMsMax: 12 * 86_400_000 };
    const coarse = beatOn(null, { count: 30, intervalMs: () => 86_400_000, policy: slow });
    expect(suspicionModel(coarse, POLICY).spreadMs).toBe(16_384);
  });

  it('rises within a few beats of a noisier network and falls back only when 200 are past', () => {
    const calm = calmWindow(0);
    const calmStart = suspicionModel(calm, POLICY).tailStartMs;
    const noisy = beatOn(calm, { count: 5, intervalMs: (k) => (k % 2 === 0 ? 500 : 2000) });
    expect(suspicionModel(noisy, POLICY).tailStartMs).toBeGreaterThan(1.5 * calmStart);
    const congested = beatOn(calm, { count: 60, intervalMs: (k) => (k % 2 === 0 ? 500 : 2000) });
    const after = [100, 250].map(
      (count) => suspicionModel(beatOn(congested, { count }), POLICY).tailStartMs,
    );
    expect(after[0]).toBeGreaterThan(1.5 * calmStart);
    expect(after[1]).toBeLessThan(calmStart);
  });

  it('is not destroyed by one pause: the deadline returns after 20 beats', () => {
    const before = calmWindow(0);
    const paused = pushInterval(before, silenceLimits(before, POLICY).suspectMs);
    const during = silenceLimits(beatOn(paused, { count: 10 }), POLICY);
    const after = silenceLimits(beatOn(paused, { count: 20 }), POLICY);
    expect(during.failMs).toBe(12_000);
    expect(after.failMs).toBeLessThan(9000);
  });

  it('refuses a policy that the configuration would have refused', () => {
    const broken = [
      { intervalMs: Number.NaN },
      { suspectPhi: 0 },
      { failPhi: 8 },
      { failPhi: Infinity },
      { silenceMsMax: 2999 },
    ];
    for (const change of broken) {
      expect(() => suspicionModel(fresh, { ...POLICY, ...change })).toThrow('invariant violated');
    }
  });
});
