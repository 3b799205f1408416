/**
 * Patterns 3 and 4 of the table in `adversarial-patterns.test.ts`: pauses between beats drawn from
 * distributions that no model assumes, and paths whose delay is not the same from beat to beat.
 */
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { silenceLimits } from '../../../lib/detection/suspicion.ts';
import { accept, beatOn, INTERVAL_MS, judgeAt, POLICY, START, seeded } from './arrivals.ts';

/** A standard normal number (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

interface Mistakes {
  /** Beats that came after their own fail deadline, and after the longest one there can be. */
  readonly failures: number;
  readonly beyondBound: number;
  readonly suspicions: number;
}

/** Plays a living site, beat by beat, and counts the deadlines that it missed. */
function mistakesOf(arrivalsMs: readonly number[]): Mistakes {
  let window = accept(null, { bootId: 'boot-a', sequence: 0, arrivedAt: START });
  const mistakes = { failures: 0, beyondBound: 0, suspicions: 0 };
  arrivalsMs.forEach((arrival, position) => {
    const at = epochMillis(START + arrival);
    const silentMs = at - window.lastArrivalAt;
    if (silentMs > 2 * INTERVAL_MS) {
      const { suspectMs, failMs, boundMs } = silenceLimits(window, POLICY);
      mistakes.suspicions += silentMs >= suspectMs ? 1 : 0;
      mistakes.failures += silentMs >= failMs ? 1 : 0;
      mistakes.beyondBound += silentMs >= boundMs ? 1 : 0;
    }
    window = accept(window, { bootId: 'boot-a', sequence: position + 1, arrivedAt: at });
  });
  expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
  return mistakes;
}

/** Arrivals of a sender whose pauses are independent. */
function paused(count: number, pauseMs: () => number): readonly number[] {
  let at = 0;
  return Array.from({ length: count }, () => {
    at += pauseMs();
    return at;
  });
}

/** Arrivals of a punctual sender over a path with a delay of its own for each beat. */
function delayed(count: number, delayMs: (k: number) => number): readonly number[] {
  let latest = 0;
  return Array.from({ length: count }, (_, k) => {
    latest = Math.max(latest, (k + 1) * INTERVAL_MS + delayMs(k));
    return latest;
  });
}

describe('independent pauses of a living site', () => {
  const random = seeded(31);
  const logDeviation = Math.sqrt(Math.log(1 + 0.3 ** 2));
  it.each([
    ['uniform', () => INTERVAL_MS * (0.7 + 0.6 * random())],
    ['Gaussian', () => Math.max(0, INTERVAL_MS * (1 + 0.3 * normal(random)))],
    [
      'lognormal',
      () => INTERVAL_MS * Math.exp(logDeviation * normal(random) - logDeviation ** 2 / 2),
    ],
  ])('that are %s, with 30%% of spread, never raise suspicion in 20,000 beats', (_, pauseMs) => {
    expect(mistakesOf(paused(20_000, pauseMs))).toEqual({
      failures: 0,
      beyondBound: 0,
      suspicions: 0,
    });
  });

  it('that are Pareto with infinite variance fail it hardly more often than the bound does', () => {
    const pareto = paused(20_000, () => (INTERVAL_MS / 3) * (1 - random()) ** (-1 / 1.5));
    const { failures, beyondBound } = mistakesOf(pareto);
    expect(beyondBound).toBeGreaterThan(50);
    expect(failures).toBeLessThan(1.3 * beyondBound);
  });
});

describe('the delay of a path', () => {
  it('of two modes (a cold start in 100 beats, a long one in 2,000) fails nobody', () => {
    const random = seeded(32);
    let long = 0;
    const starts = delayed(40_000, () => {
      const chance = random();
      long += chance < 0.0005 ? 1 : 0;
      return 20 + 10 * random() + (chance < 0.0005 ? 3000 : chance < 0.0105 ? 300 : 0);
    });
    const { failures, suspicions } = mistakesOf(starts);
    expect(failures).toBe(0);
    expect(suspicions).toBeLessThanOrEqual(long);
  });

  it('that is held for 7 beats and then steps raises no suspicion', () => {
    const random = seeded(33);
    let held = 100;
    const steps = delayed(20_000, (k) => {
      held = k % 7 === 0 ? 20 + 400 * random() : held;
      return held;
    });
    expect(mistakesOf(steps)).toMatchObject({ failures: 0, suspicions: 0 });
  });

  it('that goes through an hour of congestion fails nobody and is forgotten afterwards', () => {
    const random = seeded(34);
    const calm = () => 40 + 4 * normal(random);
    const congested = () => 60 + 40 * Math.abs(normal(random)) + (random() < 0.01 ? 800 : 0);
    const day = delayed(12_000, (k) => (k > 4000 && k <= 7600 ? congested() : calm()));
    expect(mistakesOf(day)).toMatchObject({ failures: 0, suspicions: 0 });
    const pauses = day.map((at, k) => at - (day[k - 1] ?? 0));
    const limitsAfter = (beats: number) =>
      silenceLimits(beatOn(null, { count: beats, intervalMs: (k) => pauses[k - 1] ?? 0 }), POLICY);
    expect(limitsAfter(7600).failMs).toBeGreaterThan(limitsAfter(4000).failMs);
    expect(limitsAfter(7900).failMs).toBeLessThan(1.02 * limitsAfter(4000).failMs);
  });
});
