import { describe, expect, it } from 'vitest';
import { type EpochMillis, epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../../lib/detection/arrival-window.ts';
import { arrivalsNeeded, isProving, penaltyAt, withFlap } from '../../../lib/detection/flapping.ts';
import { isNews } from '../../../lib/detection/news.ts';
import type { Verdict } from '../../../lib/detection/verdict.ts';
import { accept, beatOn, INTERVAL_MS, judgeAt, POLICY, START } from './arrivals.ts';

const calm = beatOn(null, { count: 300 });

/** The window after a silence that was longer than any may be, and one beat. */
function back(window: ArrivalWindow, silentMs: number = 13_000): ArrivalWindow {
  const arrivedAt = epochMillis(window.lastArrivalAt + silentMs);
  const sequence = window.lastSequence + Math.round(silentMs / INTERVAL_MS);
  return accept(window, { bootId: window.bootId, sequence, arrivedAt });
}

describe('the penalty', () => {
  it('is 2 for a return from failure and 1 from suspicion', () => {
    expect(back(calm).flapPenalty).toBe(2);
    expect(back(calm, 5500).flapPenalty).toBe(1);
    expect(back(calm, 2000).flapPenalty).toBe(0);
  });

  it('halves every ten minutes, and is kept by a window that only beats', () => {
    const once = back(calm);
    const at = (ms: number) => penaltyAt(once, epochMillis(once.flappedAt + ms));
    expect([at(0), at(600_000), at(1_200_000)]).toEqual([2, 1, 0.5]);
    expect(at(-600_000)).toBe(2);
    expect(beatOn(once, { count: 50 })).toMatchObject({
      flapPenalty: 2,
      flappedAt: once.flappedAt,
    });
  });

  it('has a bound, so that a site that has come back for good waits a bounded time', () => {
    let window = calm;
    for (let times = 0; times < 100; times++) {
      window = back(window);
    }
    expect(window.flapPenalty).toBe(60);
    expect(arrivalsNeeded(window)).toBe(61);
    expect(isProving(beatOn(window, { count: 50 }))).toBe(true);
    expect(isProving(beatOn(window, { count: 61 }))).toBe(false);
  });

  it('asks for 3 arrivals after a first failure and more after each one that follows soon', () => {
    let window = calm;
    const needed: number[] = [];
    for (let times = 0; times < 4; times++) {
      window = back(window);
      needed.push(arrivalsNeeded(window));
    }
    expect(needed).toEqual([3, 5, 7, 9]);
  });

  it('asks for none after a first suspicion that a beat dispels', () => {
    expect(isProving(back(calm, 5500))).toBe(false);
    expect(isProving(back(back(calm, 5500), 5500))).toBe(true);
    const later = beatOn(back(calm, 5500), { count: 1200 });
    expect(isProving(back(later, 5500))).toBe(false);
  });

  it('is raised by a trouble that a site reports and takes back', () => {
    const at = calm.lastArrivalAt;
    expect(isProving(withFlap(calm, 1, at))).toBe(false);
    expect(isProving(withFlap(withFlap(calm, 1, at), 1, at))).toBe(true);
  });
});

describe('a site that flaps for hours', () => {
  /** Entries of one observer: what it would bring to the log, looking each second. */
  function entriesOf(pattern: {
    readonly alive: number;
    readonly silent: number;
    readonly hours: number;
  }): readonly Verdict[] {
    const { alive, silent, hours } = pattern;
    const told: Verdict[] = [];
    let window = calm;
    const look = (now: EpochMillis) => {
      const verdict = judgeAt(window, now);
      const standing = told.at(-1);
      const committed = standing === undefined ? [] : [standing];
      if (isNews(verdict, { standing, committed, proofMsMax: POLICY.silenceMsMax })) {
        told.push(verdict);
      }
    };
    const cycle = alive + silent;
    const seconds = hours * 3600;
    for (let second = 1; second <= seconds; second++) {
      const at = epochMillis(calm.lastArrivalAt + second * INTERVAL_MS);
      if (second % cycle < alive) {
        const sequence = calm.lastSequence + second;
        window = accept(window, { bootId: 'boot-a', sequence, arrivedAt: at });
      }
      look(at);
    }
    return told;
  }

  it.each([
    { alive: 5, silent: 5, hours: 24, most: 20 },
    { alive: 5, silent: 13, hours: 6, most: 20 },
    { alive: 5, silent: 60, hours: 6, most: 20 },
    { alive: 20, silent: 10, hours: 6, most: 70 },
    { alive: 20, silent: 13, hours: 6, most: 70 },
  ])(
    'alive $alive beats, silent $silent Δ, costs fewer than $most entries in $hours h',
    (pattern) => {
      expect(entriesOf(pattern).length).toBeLessThan(pattern.most);
    },
  );

  it('is told as healthy when it has come back for good', () => {
    let window = calm;
    for (let times = 0; times < 30; times++) {
      window = beatOn(back(window), { count: 4 });
    }
    expect(judgeAt(window, window.lastArrivalAt)).toMatchObject({ code: 'flapping' });
    const settled = beatOn(window, { count: 61 });
    expect(judgeAt(settled, settled.lastArrivalAt).code).toBe('beating');
    expect(settled.lastArrivalAt).toBeGreaterThan(START);
  });
});
