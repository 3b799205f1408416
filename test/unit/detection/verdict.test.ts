import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { deadlines } from '../../../lib/detection/suspicion.ts';
import {
  explain,
  type JudgeInput,
  judge,
  VERDICT_CODES,
  type Verdict,
} from '../../../lib/detection/verdict.ts';
import { accept, beatOn, jitter, judgeAt, POLICY, START, seeded } from './arrivals.ts';

const window = beatOn(null, { count: 300, intervalMs: jitter(seeded(9), 0.1) });
const { suspectAt, failAt } = deadlines(window, POLICY);
const lastAt: number = window.lastArrivalAt;

function judged(now: number, input: Partial<JudgeInput> = {}): Verdict {
  return judge({
    window,
    reportedStatus: 'ok',
    now: epochMillis(now),
    baselineAt: START,
    doubt: null,
    policy: POLICY,
    ...input,
  });
}

describe('judge', () => {
  it('is pending, and nothing else, about a site that was never heard', () => {
    expect(judged(lastAt, { window: null, doubt: 'store-errors' })).toEqual({
      state: 'pending',
      code: 'never-heard',
      sentence: 'no heartbeat was ever heard',
      phi: 0,
      silentMs: 0,
      judgedAt: lastAt,
      bootId: null,
      lastSequence: null,
      lastArrivalAt: null,
    });
  });

  it('turns to suspect and failed at the stored deadlines, to the millisecond', () => {
    const codes = [lastAt, suspectAt - 1, suspectAt, failAt - 1, failAt].map(
      (now) => judged(now).code,
    );
    expect(codes).toEqual([
      'beating',
      'beating',
      'phi-over-suspect',
      'phi-over-suspect',
      'phi-over-fail',
    ]);
  });

  it('carries what it was judged by', () => {
    expect(judged(lastAt + 400)).toMatchObject({
      silentMs: 400,
      judgedAt: lastAt + 400,
      bootId: 'boot-a',
      lastSequence: 300,
      lastArrivalAt: lastAt,
    });
  });

  it('fails a site at the maximum silence though φ is low', () => {
    const irregular = beatOn(null, { count: 300, intervalMs: (k) => (k % 25 === 0 ? 5000 : 1000) });
    const at = irregular.lastArrivalAt + 12_000;
    const verdict = judgeAt(irregular, at);
    expect(verdict).toMatchObject({ state: 'failed', code: 'silence-over-fail-bound' });
    expect(verdict.phi).toBeLessThan(16);
    expect(judgeAt(irregular, at - 1)).toMatchObject({ code: 'silence-over-suspect-bound' });
  });

  it('calls a site that beats and reports trouble degraded, never failed', () => {
    expect(judged(lastAt, { reportedStatus: 'degraded' }).code).toBe('reports-degraded');
    expect(judged(lastAt, { reportedStatus: 'failing' })).toMatchObject({
      state: 'degraded',
      code: 'reports-failing',
    });
    expect(judged(failAt, { reportedStatus: 'degraded' }).state).toBe('failed');
  });

  it('calls a site that came back recovering until 3 arrivals at normal pace', () => {
    let current = window;
    const states: string[] = [];
    for (let k = 0; k < 5; k++) {
      const at = epochMillis(lastAt + 60_000 + 1000 * k);
      current = accept(current, { bootId: 'boot-a', sequence: 301 + k, arrivedAt: at });
      states.push(judgeAt(current, at + 100).code);
    }
    expect(states).toEqual(['recovering', 'recovering', 'recovering', 'beating', 'beating']);
  });
});

describe('an observer that was not watching', () => {
  it('says unknown about silence that it did not watch', () => {
    const verdict = judged(failAt + 600_000, { baselineAt: epochMillis(failAt + 600_000) });
    expect(verdict).toMatchObject({
      state: 'unknown',
      code: 'not-watched-long-enough',
      silentMs: 0,
    });
  });

  it('convicts when it has watched the silence for as long as it takes', () => {
    const baselineAt = epochMillis(failAt + 600_000);
    const states = [suspectAt - lastAt - 1, suspectAt - lastAt, failAt - lastAt].map(
      (watchedMs) => judged(baselineAt + watchedMs, { baselineAt }).state,
    );
    expect(states).toEqual(['unknown', 'suspect', 'failed']);
  });

  it('convicts nobody while it doubts itself, and still believes a proof of life', () => {
    for (const doubt of ['evaluation-late', 'store-errors', 'clock-stepped-back'] as const) {
      expect(judged(failAt, { doubt })).toMatchObject({ state: 'unknown', code: doubt });
      expect(judged(lastAt + 500, { doubt }).state).toBe('healthy');
    }
  });

  it('says unknown when the last arrival lies further ahead than one interval', () => {
    expect(judged(lastAt - 1000).code).toBe('beating');
    expect(judged(lastAt - 1001)).toMatchObject({ state: 'unknown', code: 'arrival-in-future' });
  });
});

describe('a verdict', () => {
  it('has a finite φ and the state of its code for any instants', () => {
    const instant = fc
      .oneof(fc.integer({ min: -20_000, max: 20_000 }), fc.maxSafeInteger())
      .map((ms) => epochMillis(lastAt + ms));
    fc.assert(
      fc.property(
        instant,
        instant,
        fc.constantFrom('ok', 'degraded', 'failing'),
        (now, baselineAt, reportedStatus) => {
          const verdict = judged(now, { baselineAt, reportedStatus });
          expect(Number.isFinite(verdict.phi)).toBe(true);
          expect(verdict.silentMs).toBeGreaterThanOrEqual(0);
          expect(verdict.state).toBe(VERDICT_CODES[verdict.code]);
          expect(verdict.sentence).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
      { numRuns: 1000, seed: 31 },
    );
  });

  it('survives JSON, for it goes into the log', () => {
    expect(JSON.parse(JSON.stringify(judged(failAt)))).toEqual(judged(failAt));
  });

  it('explains itself in one sentence', () => {
    const beats = beatOn(null, { count: 300, intervalMs: (k) => (k % 2 === 0 ? 800 : 1200) });
    expect(explain(beats, POLICY, 300)).toBe('silent 0.3 s, usual 1.0 ± 0.2 s, φ 0.0 < 8');
    expect(explain(beats, POLICY, 5000)).toBe('silent 5.0 s, usual 1.0 ± 0.2 s, φ 11.6 > 8');
    expect(explain(beats, POLICY, 9000)).toBe('silent 9.0 s, usual 1.0 ± 0.2 s, φ 22.4 > 16');
    expect(explain(beats, POLICY, 3_600_000)).toContain('φ 300.0 > 16');
  });
});
