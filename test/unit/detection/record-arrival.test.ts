import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochMillis, epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../../lib/detection/arrival-window.ts';
import { hashOfBoot } from '../../../lib/detection/boots.ts';
import { recordArrival } from '../../../lib/detection/record-arrival.ts';
import { deadlines, lossShare } from '../../../lib/detection/suspicion.ts';
import { accept, beatOn, INTERVAL_MS, POLICY, START } from './arrivals.ts';

const steady = beatOn(null, { count: 250 });
const lastAt: number = steady.lastArrivalAt;

function beat(ahead: number, afterMs: number, bootId: string = 'boot-a'): Beat {
  return {
    bootId,
    sequence: steady.lastSequence + ahead,
    arrivedAt: epochMillis(lastAt + afterMs),
  };
}

describe('recordArrival of a newer beat', () => {
  it('keeps the interval and moves sequence and arrival', () => {
    const outcome = recordArrival(steady, beat(1, 1234), POLICY);
    expect(outcome).toMatchObject({
      kind: 'recorded',
      window: { lastSequence: 251, lastArrivalAt: lastAt + 1234 },
    });
    expect(outcome.kind === 'recorded' && outcome.window.intervals.view().at(-1)).toBe(1234);
  });

  it('reads losses from the sequence and shares the time among the beats that were sent', () => {
    const window = accept(steady, beat(3, 3030));
    expect(window.lost).toBe(2);
    expect(window.intervals.view().at(-1)).toBe(1010);
  });

  it('believes no loss for which there was no time', () => {
    const window = accept(steady, beat(10, 1000));
    expect(window.lost).toBe(0);
    expect(window.intervals.view().at(-1)).toBe(1000);
  });

  it('counts an outage of the path as 12 losses at most', () => {
    const window = accept(steady, beat(1094, 1_094_000));
    expect(window.lost).toBe(12);
    expect(window.intervals.view().at(-1)).toBe(1000);
  });

  it('cuts a pause to the suspect deadline that was in force', () => {
    const { suspectAt } = deadlines(steady, POLICY);
    const window = accept(steady, beat(1, 3_600_000));
    expect(window.intervals.view().at(-1)).toBe(suspectAt - lastAt);
  });

  it('takes no timing from beats that were delivered together', () => {
    const outcome = recordArrival(steady, beat(1, 199), POLICY);
    expect(outcome).toMatchObject({
      kind: 'batched',
      window: { lastSequence: 251, lastArrivalAt: lastAt + 199, intervals: steady.intervals },
    });
    expect(recordArrival(steady, beat(1, 200), POLICY).kind).toBe('recorded');
  });

  it('halves both counters in time, so that old losses fade', () => {
    const lossy = beatOn(null, { count: 4000, lost: (k) => k % 10 === 0 });
    expect(lossShare(lossy)).toBeCloseTo(0.1, 2);
    const healed = beatOn(lossy, { count: 20_000 });
    expect(healed.received + healed.lost).toBeLessThan(4096);
    expect(lossShare(healed)).toBeLessThan(0.004);
  });
});

describe('recordArrival of an old beat', () => {
  it('ignores a repeated, an overtaken and a replayed beat, and gives the window back', () => {
    for (const ahead of [0, -1, -250]) {
      const outcome = recordArrival(steady, beat(ahead, 5000), POLICY);
      expect(outcome.kind).toBe('duplicate');
      expect(outcome.kind === 'duplicate' && outcome.window).toBe(steady);
    }
  });

  it('ignores a late beat of the boot before a restart', () => {
    const restarted = accept(steady, { ...beat(0, 1500, 'boot-b'), sequence: 1 });
    expect(recordArrival(restarted, beat(0, 1600), POLICY).kind).toBe('duplicate');
    expect(recordArrival(restarted, beat(-7, 1600), POLICY).kind).toBe('duplicate');
  });
});

describe('recordArrival of another boot', () => {
  it('computes no interval across boots and keeps the distribution as a prior', () => {
    const outcome = recordArrival(steady, { ...beat(0, 5000, 'boot-b'), sequence: 1 }, POLICY);
    expect(outcome).toMatchObject({
      kind: 'restarted',
      window: {
        bootId: 'boot-b',
        lastSequence: 1,
        formerBoots: [{ hash: hashOfBoot('boot-a'), lastSequence: 250 }],
        startedAt: lastAt + 5000,
      },
    });
    expect(outcome.kind === 'restarted' && [...outcome.window.intervals]).toEqual(
      Array(20).fill(1000),
    );
  });

  it('lets two instances that share an id beat side by side without an interval between them', () => {
    let window = steady;
    for (let k = 1; k <= 100; k++) {
      window = accept(window, beat(k, k * 1000));
      window = accept(window, { ...beat(0, k * 1000 + 400, 'boot-b'), sequence: k });
    }
    expect([...window.intervals]).toEqual(Array(20).fill(1000));
    expect(window.lastArrivalAt).toBe(lastAt + 100_400);
  });
});

describe('recovery after a crossed deadline', () => {
  it('starts to count at the first arrival, and is over after 3 at normal pace', () => {
    const counts: number[] = [];
    let window = accept(steady, beat(1, 60_000));
    counts.push(window.arrivalsSinceCrossing);
    for (let k = 1; k <= 4; k++) {
      window = accept(window, beat(1 + k, 60_000 + k * INTERVAL_MS));
      counts.push(window.arrivalsSinceCrossing);
    }
    expect(counts).toEqual([0, 1, 2, 3, 4]);
  });

  it('starts again at a silence over the suspect deadline, and is not helped by batches', () => {
    const back = accept(steady, beat(1, 60_000));
    const once = accept(back, beat(2, 61_000));
    const batch = accept(once, beat(3, 61_010));
    expect([once, batch].map((window) => window.arrivalsSinceCrossing)).toEqual([1, 1]);
    expect(accept(batch, beat(4, 61_010 + 11_999)).arrivalsSinceCrossing).toBe(0);
  });

  it('does not start for a site that was only suspect', () => {
    expect(accept(steady, beat(1, 5000)).arrivalsSinceCrossing).toBe(61);
  });

  it('starts also when another boot ends the silence', () => {
    const late = { ...beat(0, 60_000, 'boot-b'), sequence: 1 };
    expect(accept(steady, late).arrivalsSinceCrossing).toBe(0);
  });
});

describe('the clock of the receiver', () => {
  it('does not move back for the small differences between two hosts', () => {
    const outcome = recordArrival(steady, beat(1, -999), POLICY);
    expect(outcome).toMatchObject({ kind: 'batched', window: { lastArrivalAt: lastAt } });
  });

  it('is followed when it steps back, so that a crash is seen on time', () => {
    const ahead = accept(steady, beat(1, 3_600_000));
    const back = accept(ahead, beat(2, 2000));
    expect(back.lastArrivalAt).toBe(lastAt + 2000);
    expect(deadlines(back, POLICY).failAt).toBeLessThanOrEqual(lastAt + 2000 + 12_000);
  });

  it('may give seconds for milliseconds without harm that lasts', () => {
    const wrong = accept(steady, { ...beat(1, 0), arrivedAt: epochMillis(lastAt / 1000) });
    const right = beatOn(accept(wrong, beat(2, 2000)), { count: 30 });
    expect(deadlines(right, POLICY).failAt - right.lastArrivalAt).toBeLessThanOrEqual(12_000);
  });
});

describe('recordArrival of what is not a beat', () => {
  it.each([Number.NaN, Infinity, -1, 1.5, 2 ** 53])('refuses the sequence %d', (sequence) => {
    expect(recordArrival(steady, { ...beat(1, 1000), sequence }, POLICY)).toEqual({
      kind: 'refused',
      code: 'sequence-malformed',
    });
  });

  it('takes the last sequence there is', () => {
    const last = { ...beat(1, 1000), sequence: Number.MAX_SAFE_INTEGER };
    expect(recordArrival(steady, last, POLICY).kind).toBe('recorded');
  });

  it('refuses a boot id that does not fit, and an instant that is none', () => {
    expect(recordArrival(steady, { ...beat(1, 1000), bootId: '' }, POLICY)).toEqual({
      kind: 'refused',
      code: 'boot-id-malformed',
    });
    const arrivedAt = Number.NaN as EpochMillis;
    expect(recordArrival(null, { ...beat(1, 1000), arrivedAt }, POLICY)).toEqual({
      kind: 'refused',
      code: 'instant-malformed',
    });
  });
});

describe('recordArrival of anything', () => {
  const beats = fc.array(
    fc.record({
      bootId: fc.constantFrom('boot-a', 'boot-b', 'boot-c'),
      sequence: fc.oneof(fc.nat(60), fc.maxSafeNat()),
      arrivedAt: fc.oneof(
        fc.integer({ min: -5000, max: 60_000 }).map((ms) => epochMillis(START + ms)),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(epochMillis),
      ),
    }),
    { maxLength: 60 },
  );

  it('never moves a sequence back within a boot, and keeps deadlines within their bounds', () => {
    fc.assert(
      fc.property(beats, (list) => {
        let window = accept(null, { bootId: 'boot-a', sequence: 0, arrivedAt: START });
        for (const one of list) {
          const next = accept(window, one);
          if (next.bootId === window.bootId) {
            expect(next.lastSequence).toBeGreaterThanOrEqual(window.lastSequence);
          }
          window = next;
        }
        const { suspectAt, failAt } = deadlines({ ...window, lastArrivalAt: START }, POLICY);
        expect(suspectAt - START).toBeGreaterThanOrEqual(2200);
        expect(failAt).toBeGreaterThan(suspectAt);
        expect(failAt - START).toBeLessThanOrEqual(12_000);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});

describe('recordArrival of a ping, which has no sequence', () => {
  const pinged = (window: ArrivalWindow | null, afterMs: number) =>
    accept(window, { bootId: 'ping', sequence: null, arrivedAt: epochMillis(START + afterMs) });

  it('counts no loss, however slow the pings are', () => {
    let window = pinged(null, 0);
    for (let pings = 1; pings <= 60; pings += 1) {
      window = pinged(window, pings * 1.6 * INTERVAL_MS);
    }
    expect([window.received, window.lost, window.intervals.length]).toEqual([61, 0, 60]);
  });

  it('takes all of them after the clock of the region stepped back, and two in a millisecond', () => {
    let window = pinged(null, 3_600_000);
    for (const afterMs of [0, 1000, 2000, 2000]) {
      const before = window.lastSequence;
      window = pinged(window, afterMs);
      expect(window.lastSequence).toBeGreaterThan(before);
    }
    expect(window).toMatchObject({ received: 5, lastArrivalAt: START + 2000, bootId: 'ping' });
  });

  it('beside a sender that counts is proof of life, and no restart of it', () => {
    let window = steady;
    for (let rounds = 1; rounds <= 100; rounds += 1) {
      const at = lastAt - START + rounds * INTERVAL_MS;
      window = pinged(window, at - 500);
      expect(window).toMatchObject({ lastSequence: 249 + rounds, lastArrivalAt: START + at - 500 });
      window = accept(window, beat(rounds, rounds * INTERVAL_MS));
    }
    expect(window).toMatchObject({ bootId: 'boot-a', formerBoots: [], lost: 0 });
    expect(window.intervals.length).toBe(200);
  });
});
