/**
 * Arrival patterns that have broken other detectors, each played against one observer that
 * evaluates every second (`playBack`), or against the stored window. The cases come from defects of
 * Akka, Cassandra, chitchat and memberlist, and from what recorded heartbeats contain:
 *
 *   1  constant intervals, one late, one lost      here: constant arrivals
 *   2  all at once; bursts after long silence      here: constant arrivals
 *   3  uniform, Gaussian, lognormal, Pareto, bimodal pauses      adversarial-distributions
 *   4  delays in steps; an hour of congestion      adversarial-distributions
 *   5  steps of the pace; a re-based schedule      here: a step of the pace
 *   6  loss: 0.5 to 10 %, bursts, every second     here: lost beats
 *   7  periodic and growing pauses; an outage      here: pauses of the sender
 *   8  intervals that grow by 1 % a beat           here: pauses of the sender
 *   9  a crash at every phase, in the warm-up; never heard       here: a crash
 *  10  flapping for a day                          adversarial-senders, flapping
 *  11  repeated, replayed, reordered beats; the end of sequences; resets; twins   adversarial-senders
 *  12  clocks of receivers; instants that are none adversarial-senders; senders' clocks: no field
 *  13  a frozen, late or doubled evaluator         adversarial-senders, observer
 *  14  one observer sick, alone or cut off         opinion, observer (the score, the panic guard)
 *  15  alive but not serving, and the reverse      verdict (a probe, callers)
 *  16  deployments; growth; a site that leaves     adversarial-senders, verdict and opinion (leaves)
 *  17  the edge of 16 bits; another quantum under a full ring   here, arrival-window
 *  18  10^7 beats; φ each millisecond for an hour  intervals, `npm run fuzz:detection`; suspicion
 *  19  recorded heartbeats, all rivals in one run  `npm run evaluate`
 *
 * A name without a file is the test of that name beside this one.
 */
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import {
  deadlines,
  phiAfter,
  silenceLimits,
  suspicionModel,
} from '../../../lib/detection/suspicion.ts';
import {
  accept,
  beatOn,
  beatsAt,
  INTERVAL_MS,
  jitter,
  judgeAt,
  offsetsOf,
  POLICY,
  playBack,
  repeat,
  START,
  seeded,
  statesOf,
} from './arrivals.ts';

describe('constant arrivals', () => {
  it('survive one beat that is 1 ms late, and one that is lost', () => {
    const window = beatOn(null, { count: 1000 });
    expect(judgeAt(window, window.lastArrivalAt + 1001).state).toBe('healthy');
    expect(phiAfter(suspicionModel(window, POLICY), 1001)).toBeLessThan(1);
    expect(judgeAt(window, window.lastArrivalAt + 2001).state).toBe('healthy');
  });

  it('of 0 ms (a queue that is flushed) carry no timing and do no harm', () => {
    const window = beatOn(beatOn(null, { count: 50 }), { count: 500, intervalMs: () => 0 });
    expect(window.intervals.length).toBe(50);
    expect(judgeAt(window, window.lastArrivalAt + 2000).state).toBe('healthy');
    expect(judgeAt(beatOn(null, { count: 500, intervalMs: () => 0 }), START + 3000).state).toBe(
      'healthy',
    );
  });

  it('in bursts of 50 after 50 Δ of silence stay within the bounds', () => {
    const bursts = repeat(2000, (k) => (k % 50 === 0 ? 50_000 : 0));
    const window = beatOn(beatOn(null, { count: 100 }), {
      count: 2000,
      intervalMs: (k) => bursts[k - 1] ?? 0,
    });
    const { failMs } = silenceLimits(window, POLICY);
    expect(failMs).toBe(12_000);
    expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
  });
});

describe('a step of the pace without notice', () => {
  it('from 1 s to 10 s and back ends healthy, with a bounded number of changes', () => {
    const beats = beatsAt(
      offsetsOf([
        ...repeat(100, () => 1000),
        ...repeat(50, () => 10_000),
        ...repeat(100, () => 1000),
      ]),
    );
    const changes = playBack(beats, START + 700_000);
    const slow = changes.filter(({ at }) => at > START + 160_000 && at < START + 600_000);
    expect(slow.some(({ state }) => state === 'failed')).toBe(false);
    expect(changes.at(-1)?.state).toBe('healthy');
    const fast = changes.filter(({ at }) => at > START + 605_000);
    expect(fast.filter(({ state }) => state !== 'healthy')).toEqual([]);
    expect(changes.length).toBeLessThan(12);
  });

  it('does not lag when the sender moves its schedule after one pause', () => {
    const random = seeded(51);
    const pace = jitter(random, 0.05);
    const beats = beatsAt(offsetsOf([...repeat(300, pace), 2700, ...repeat(300, pace)]));
    expect(statesOf(beats, 0)).toEqual(['pending', 'healthy']);
  });
});

describe('lost beats', () => {
  it.each([
    [0.005, 20_000],
    [0.02, 20_000],
    [0.1, 20_000],
  ])('at a rate of %d never fail a living site in %i beats', (share, count) => {
    const random = seeded(61);
    const pace = jitter(random, 0.1);
    let at: number = START;
    let window = beatOn(null, { count: 100, intervalMs: pace });
    at = window.lastArrivalAt;
    let failures = 0;
    for (let k = 0; k < count; k++) {
      at += pace();
      if (random() >= share) {
        const elapsed = at - window.lastArrivalAt;
        failures +=
          elapsed > 3 * INTERVAL_MS && elapsed >= silenceLimits(window, POLICY).failMs ? 1 : 0;
        const sequence = 101 + k;
        window = accept(window, { bootId: 'boot-a', sequence, arrivedAt: epochMillis(at) });
      }
    }
    expect(failures).toBe(0);
  });

  it('every second one are learnt, and a crash is still seen within 12 Δ', () => {
    const window = beatOn(null, { count: 1000, lost: (k) => k % 2 === 1 });
    const calm = silenceLimits(beatOn(null, { count: 1000 }), POLICY);
    const { suspectMs } = silenceLimits(window, POLICY);
    expect(suspectMs).toBeGreaterThan(1.4 * calm.suspectMs);
    expect(suspectMs).toBeLessThanOrEqual(8000);
    expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
    expect(window.intervals.view().every((quanta) => quanta === 1000)).toBe(true);
  });

  it('in bursts teach the window to wait longer', () => {
    const random = seeded(62);
    let bad = false;
    const gilbert = () => {
      bad = bad ? random() < 0.7 : random() < 0.01;
      return bad;
    };
    const calm = beatOn(null, { count: 3000 });
    const bursty = beatOn(null, { count: 3000, lost: gilbert });
    expect(silenceLimits(bursty, POLICY).suspectMs).toBeGreaterThan(
      1.1 * silenceLimits(calm, POLICY).suspectMs,
    );
  });

  it('in one burst of 1,093 do not blind the detector afterwards', () => {
    const before = beatOn(null, { count: 2000 });
    const after = beatOn(before, { count: 1093, lost: () => true });
    const resumed = beatOn(
      accept(after, {
        bootId: 'boot-a',
        sequence: after.lastSequence + 1094,
        arrivedAt: epochMillis(after.lastArrivalAt + 1_094_000),
      }),
      { count: 5 },
    );
    expect(silenceLimits(resumed, POLICY).failMs).toBeLessThan(9000);
  });
});

describe('pauses of the sender', () => {
  it('of 3 s every 5 minutes (garbage collection) never raise suspicion', () => {
    const beats = beatsAt(offsetsOf(repeat(3000, (k) => (k % 300 === 299 ? 3000 : 1000))));
    expect(statesOf(beats, 0)).toEqual(['pending', 'healthy']);
  });

  it('that grow up to 60 s (a leak) are suspected, and in the end a failure', () => {
    const beats = beatsAt(
      offsetsOf(repeat(1200, (k) => (k % 60 === 59 ? 3000 * (1 + Math.floor(k / 60)) : 1000))),
    );
    const states = statesOf(beats, 0);
    expect(states).toContain('suspect');
    expect(states).toContain('failed');
  });

  it('of an hour leave a usable window: the second crash is seen on time', () => {
    const before = beatOn(null, { count: 300 });
    const back = accept(before, {
      bootId: 'boot-a',
      sequence: before.lastSequence + 1,
      arrivedAt: epochMillis(before.lastArrivalAt + 3_600_000),
    });
    for (const count of [0, 3, 50]) {
      const window = beatOn(back, { count });
      expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
    }
    const later = beatOn(back, { count: 50 });
    expect(judgeAt(later, later.lastArrivalAt + 8500).state).toBe('failed');
  });

  it('that grow by 1% per beat until the end meet the hard bound', () => {
    const window = beatOn(null, { count: 600, intervalMs: (k) => 1000 * 1.01 ** k });
    expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
    const beats = beatsAt(offsetsOf(repeat(400, (k) => 1000 * 1.01 ** k)));
    expect(statesOf(beats, 0)).toContain('failed');
  });
});

describe('a crash', () => {
  it('at every phase of the interval is suspected and failed within the bounds', () => {
    const pace = jitter(seeded(71), 0.1);
    const beats = beatsAt(offsetsOf(repeat(300, pace)));
    const last = beats.at(-1)?.arrivedAt ?? START;
    for (let phase = 0; phase < 1000; phase += 50) {
      const shifted = beats.map((one) => ({
        ...one,
        arrivedAt: epochMillis(one.arrivedAt + phase),
      }));
      const changes = playBack(shifted, last + 20_000);
      expect(changes.map(({ state }) => state)).toEqual([
        'pending',
        'healthy',
        'suspect',
        'failed',
      ]);
      const failedAfterMs = (changes.at(-1)?.at ?? 0) - (last + phase);
      expect(failedAfterMs).toBeGreaterThan(5000);
      expect(failedAfterMs).toBeLessThan(9000);
    }
  });

  it.each([0, 1, 2, 19, 20])('after %i intervals is seen within 12 Δ, not before 3 Δ', (count) => {
    const window = beatOn(null, { count });
    expect(judgeAt(window, window.lastArrivalAt + 3000).state).toBe('healthy');
    expect(judgeAt(window, window.lastArrivalAt + 12_000).state).toBe('failed');
  });

  it('is never concluded of a site that was never heard', () => {
    expect(judgeAt(null, START + 1e12).state).toBe('pending');
  });
});

describe('the edge of 16 bits', () => {
  it('is above the longest interval that is ever kept, for every Δ', () => {
    for (const intervalMs of [100, 1000, 5461, 5462, 60_000, 86_400_000]) {
      const policy = { ...POLICY, intervalMs, silenceMsMax: 12 * intervalMs };
      const steady = beatOn(null, { count: 200, intervalMs: () => intervalMs, policy });
      const paused = beatOn(steady, { count: 1, intervalMs: () => 50 * intervalMs, policy });
      const kept = (paused.intervals.view().at(-1) ?? 0) * 2 ** paused.quantumExponent;
      const { suspectAt } = deadlines(steady, policy);
      expect(kept).toBeLessThan(65_535 * 2 ** paused.quantumExponent);
      expect(Math.abs(kept - (suspectAt - steady.lastArrivalAt))).toBeLessThanOrEqual(
        2 ** paused.quantumExponent,
      );
    }
  });

  it('does not stop detection when Δ changes under a full window', () => {
    const steady = beatOn(null, { count: 250 });
    const slower = { ...POLICY, intervalMs: 60_000, silenceMsMax: 720_000 };
    const changed = beatOn(steady, { count: 250, intervalMs: () => 60_000, policy: slower });
    expect(changed.quantumExponent).toBe(4);
    expect(judgeAt(changed, changed.lastArrivalAt + 120_000, slower).state).toBe('healthy');
    expect(judgeAt(changed, changed.lastArrivalAt + 540_000, slower).state).toBe('failed');
    const back = beatOn(changed, { count: 250 });
    expect(back.quantumExponent).toBe(0);
    expect(silenceLimits(back, POLICY).failMs).toBeLessThan(8000);
  });
});
