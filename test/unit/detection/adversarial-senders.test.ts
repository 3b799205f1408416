/**
 * Patterns 10 to 13 and 16 of the table in `adversarial-patterns.test.ts`: what senders, clocks and
 * the evaluator itself do to a stream of beats that is otherwise in order.
 */
import { describe, expect, it } from 'vitest';
import { type EpochMillis, epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../../lib/detection/arrival-window.ts';
import { NO_EVIDENCE } from '../../../lib/detection/evidence.ts';
import { observeSelf, type SelfObservation } from '../../../lib/detection/observer.ts';
import { recordArrival } from '../../../lib/detection/record-arrival.ts';
import { silenceLimits } from '../../../lib/detection/suspicion.ts';
import { judge } from '../../../lib/detection/verdict.ts';
import {
  accept,
  beatOn,
  beatsAt,
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

describe('beats out of order', () => {
  it('replayed by the thousand do not keep a dead site alive', () => {
    let window = beatOn(null, { count: 300 });
    const died = window.lastArrivalAt;
    for (let k = 1; k <= 1000; k++) {
      const arrivedAt = epochMillis(died + k * 20);
      window = accept(window, { bootId: 'boot-a', sequence: k % 301, arrivedAt });
    }
    expect(judgeAt(window, died + 12_000).state).toBe('failed');
  });

  it('swapped in pairs cause no suspicion', () => {
    const beats = beatsAt(offsetsOf(repeat(600, () => 1000)));
    const swapped = beats.map((one, position) => ({
      ...one,
      sequence: position % 2 === 0 ? one.sequence + 1 : one.sequence - 1,
    }));
    expect(statesOf(swapped, 0)).toEqual(['pending', 'healthy']);
  });

  it('of two instances that share an id keep the site alive until both are dead', () => {
    const one = beatsAt(offsetsOf(repeat(300, () => 1000)));
    const other = beatsAt(offsetsOf(repeat(200, () => 1000)), 'boot-b').map((beat) => ({
      ...beat,
      arrivedAt: epochMillis(beat.arrivedAt + 300),
    }));
    const merged = [...one, ...other].toSorted((left, right) => left.arrivedAt - right.arrivedAt);
    expect(statesOf(merged, 13_000)).toEqual(['pending', 'healthy', 'suspect', 'failed']);
  });

  it('that reach the last sequence there is end there: the next one is refused, not wrapped', () => {
    const last = Number.MAX_SAFE_INTEGER;
    const window = accept(beatOn(null, { count: 300 }), {
      bootId: 'boot-a',
      sequence: last,
      arrivedAt: epochMillis(START + 301_000),
    });
    const after = { bootId: 'boot-a', arrivedAt: epochMillis(START + 302_000) };
    expect(recordArrival(window, { ...after, sequence: last + 1 }, POLICY)).toEqual({
      kind: 'refused',
      code: 'sequence-malformed',
    });
    expect(recordArrival(window, { ...after, sequence: 0 }, POLICY).kind).toBe('duplicate');
    expect(recordArrival(window, { ...after, bootId: 'boot-b', sequence: 0 }, POLICY).kind).toBe(
      'restarted',
    );
  });

  it('that start again at 1 are a restart with a new boot id, and a replay with the old one', () => {
    const before = beatOn(null, { count: 300 });
    const died = before.lastArrivalAt;
    let [renamed, same] = [before, before];
    for (let sequence = 1; sequence <= 30; sequence++) {
      const arrivedAt = epochMillis(died + 2000 + sequence * 1000);
      renamed = accept(renamed, { bootId: 'boot-b', sequence, arrivedAt });
      same = accept(same, { bootId: 'boot-a', sequence, arrivedAt });
    }
    expect(judgeAt(renamed, died + 32_500).state).toBe('healthy');
    expect(same).toBe(before);
    expect(judgeAt(same, died + 32_500).state).toBe('failed');
  });

  it('of a crash loop (a new boot every 5 beats) are beats, not an outage', () => {
    const beats = repeat(500, (k) => (k + 1) * 1000).map((offset, position) => ({
      bootId: `boot-${Math.floor(position / 5)}`,
      sequence: position % 5,
      arrivedAt: epochMillis(START + offset),
    }));
    expect(statesOf(beats, 0)).toEqual(['pending', 'healthy']);
  });
});

describe('clocks', () => {
  const window = beatOn(null, { count: 300 });

  it('of a receiver that jump an hour ahead convict nobody once it has noticed', () => {
    const jumped = epochMillis(window.lastArrivalAt + 3_600_000);
    const self = observeSelf(
      { evaluatedAt: window.lastArrivalAt, baselineAt: START },
      { now: jumped, periodMs: 1000, storeErrors: 0 },
    );
    expect(verdictOf(window, self).state).toBe('unknown');
    const next = beatOn(accept(window, nextBeat(window, 3_600_500)), { count: 5 });
    expect(judgeAt(next, next.lastArrivalAt).state).toBe('healthy');
  });

  it('of a receiver that jump an hour back convict nobody and recover with the next beat', () => {
    const back = epochMillis(window.lastArrivalAt - 3_600_000);
    const self = observeSelf(
      { evaluatedAt: window.lastArrivalAt, baselineAt: START },
      { now: back, periodMs: 1000, storeErrors: 0 },
    );
    expect(verdictOf(window, self)).toMatchObject({ code: 'arrival-in-future' });
    const next = accept(window, nextBeat(window, -3_599_000));
    expect(judgeAt(next, back + 1000).state).toBe('healthy');
  });

  it('that smear a leap second change nothing', () => {
    const smeared = beatOn(null, { count: 1000, intervalMs: () => 1000 * (1 + 1 / 86_400) });
    expect(silenceLimits(smeared, POLICY).failMs).toBeLessThan(7000);
  });

  it('of a receiver that say seconds, or nothing at all, leave no trace after three beats', () => {
    for (const instant of [window.lastArrivalAt / 1000, 0, -1, 0.5, 2 ** 53]) {
      const odd = { ...nextBeat(window, 1000), arrivedAt: epochMillis(instant) };
      let after = accept(window, odd);
      for (let k = 2; k <= 5; k++) {
        after = accept(after, {
          ...nextBeat(window, k * 1000),
          sequence: window.lastSequence + k,
        });
      }
      expect(judgeAt(after, window.lastArrivalAt + 5500).state).not.toBe('failed');
      const later = beatOn(after, { count: 60 });
      expect(judgeAt(later, later.lastArrivalAt + 1500).state).toBe('healthy');
      expect(judgeAt(later, later.lastArrivalAt + 12_000).state).toBe('failed');
    }
  });

  it('of a receiver that say what is no instant change nothing', () => {
    for (const instant of [Number.NaN, Infinity, -Infinity]) {
      const odd = { ...nextBeat(window, 1000), arrivedAt: instant as EpochMillis };
      expect(recordArrival(window, odd, POLICY)).toEqual({
        kind: 'refused',
        code: 'instant-malformed',
      });
    }
  });

  function nextBeat(known: ArrivalWindow, afterMs: number): Beat {
    return {
      bootId: 'boot-a',
      sequence: known.lastSequence + 1,
      arrivedAt: epochMillis(known.lastArrivalAt + afterMs),
    };
  }
});

describe('an evaluator', () => {
  it('frozen for 10 minutes while beats were stored finds the site healthy at once', () => {
    const before = beatOn(null, { count: 300 });
    const frozenAt = before.lastArrivalAt;
    const after = beatOn(before, { count: 600 });
    const self = observeSelf(
      { evaluatedAt: frozenAt, baselineAt: START },
      { now: after.lastArrivalAt, periodMs: 1000, storeErrors: 0 },
    );
    expect(self.doubt).toBe('evaluation-late');
    expect(verdictOf(after, self).state).toBe('healthy');
  });

  it('frozen together with its ingress convicts nobody before it has watched long enough', () => {
    const window = beatOn(null, { count: 300 });
    const states = new Map<number, string>();
    let self: SelfObservation = {
      evaluatedAt: window.lastArrivalAt,
      baselineAt: START,
      presentSince: START,
      gap: null,
      score: 0,
      alone: 0,
      doubt: null,
    };
    for (let second = 600; second <= 612; second++) {
      const now = epochMillis(window.lastArrivalAt + second * 1000);
      self = observeSelf(self, { now, periodMs: 1000, storeErrors: 0 });
      states.set(second, verdictOf(window, self).state);
    }
    expect([600, 601, 603].map((second) => states.get(second))).toEqual(Array(3).fill('unknown'));
    expect(states.get(605)).toBe('suspect');
    expect(states.get(612)).toBe('failed');
  });

  it('that gets throttled beats late, all at once, goes on as before', () => {
    const window = beatOn(null, { count: 300 });
    const flushed = beatOn(window, { count: 5, intervalMs: (k) => (k === 1 ? 5000 : 2) });
    expect(flushed.intervals.length).toBe(200);
    expect(judgeAt(flushed, flushed.lastArrivalAt + 1500).state).toBe('healthy');
  });
});

describe('flapping', () => {
  it('of 5 beats and 5 Δ of silence for a day makes a handful of changes', () => {
    const beats = beatsAt(offsetsOf(repeat(48_000, (k) => (k % 5 === 0 ? 5000 : 1000))));
    expect(playBack(beats, beats.at(-1)?.arrivedAt ?? START).length).toBeLessThan(10);
  });
});

describe('a deployment', () => {
  it('that restarts 50 sites within 2 minutes, each away for 4 s, fails none of them', () => {
    const random = seeded(81);
    for (let site = 0; site < 50; site++) {
      const pace = jitter(random, 0.1);
      const before = offsetsOf(repeat(300 + Math.floor(120 * random()), pace));
      const stoppedAt = before.at(-1) ?? 0;
      const after = offsetsOf(repeat(60, pace)).map((offset) => stoppedAt + 3000 + offset);
      const beats = [...beatsAt(before, 'old'), ...beatsAt(after, 'new')];
      expect(statesOf(beats, 0)).not.toContain('failed');
      expect(
        judgeAt(
          beats.reduce<ArrivalWindow | null>((window, beat) => accept(window, beat), null),
          (beats.at(-1)?.arrivedAt ?? 0) + 500,
        ).state,
      ).toBe('healthy');
    }
  });

  it('that scales from 1 to 1,000 sites judges each new one by its own beats only', () => {
    const old = beatOn(null, { count: 300 });
    const young = Array.from({ length: 999 }, (_, k) =>
      beatOn(null, { count: k % 5, bootId: `boot-${k}` }),
    );
    const states = young.map((window) => judgeAt(window, window.lastArrivalAt + 3000).state);
    expect(new Set(states)).toEqual(new Set(['healthy']));
    expect(judgeAt(old, old.lastArrivalAt + 9000).state).toBe('failed');
    expect(judgeAt(young[0] ?? null, START + 9000).state).toBe('suspect');
  });
});

function verdictOf(window: ArrivalWindow, self: SelfObservation) {
  const now: EpochMillis = self.evaluatedAt;
  const { baselineAt, gap, doubt } = self;
  const watch = { baselineAt, gap, doubt };
  const said = { reportedStatus: 'ok', evidence: NO_EVIDENCE } as const;
  return judge({ window, ...said, ...watch, now, policy: POLICY });
}
