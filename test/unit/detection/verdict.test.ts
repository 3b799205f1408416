import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { NO_EVIDENCE, type ProbeFinding } from '../../../lib/detection/evidence.ts';
import { deadlines } from '../../../lib/detection/suspicion.ts';
import {
  changesAt,
  type JudgeInput,
  judge,
  type ReportedStatus,
  VERDICT_CODES,
  type Verdict,
} from '../../../lib/detection/verdict.ts';
import { accept, beatOn, jitter, judgeAt, POLICY, START, seeded } from './arrivals.ts';

const window = beatOn(null, { count: 300, intervalMs: jitter(seeded(9), 0.1) });
const { suspectAt, failAt } = deadlines(window, POLICY);
const lastAt: number = window.lastArrivalAt;

function inputAt(now: number, input: Partial<JudgeInput> = {}): JudgeInput {
  return {
    window,
    reportedStatus: 'ok',
    evidence: NO_EVIDENCE,
    now: epochMillis(now),
    baselineAt: START,
    doubt: null,
    policy: POLICY,
    ...input,
  };
}

function judged(now: number, input: Partial<JudgeInput> = {}): Verdict {
  return judge(inputAt(now, input));
}

function probed(
  state: ProbeFinding['state'],
  checkedAt: number,
  code: ProbeFinding['code'] = state === 'passing' ? 'passed' : 'timed-out',
): Pick<JudgeInput, 'evidence'> {
  const probe = { state, code, detail: 'GET /health', checkedAt: epochMillis(checkedAt) };
  return { evidence: { probe, callers: null } };
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
    const strict = { ...POLICY, silenceMsMax: 4000 };
    expect(judgeAt(window, lastAt + 2700, strict).code).toBe('silence-over-suspect-bound');
  });

  it('calls a site that beats and reports trouble degraded, never failed', () => {
    expect(judged(lastAt, { reportedStatus: 'degraded' }).code).toBe('reports-degraded');
    expect(judged(lastAt, { reportedStatus: 'failing' })).toMatchObject({
      state: 'degraded',
      code: 'reports-failing',
    });
    expect(judged(failAt, { reportedStatus: 'degraded' }).state).toBe('failed');
  });

  it('says that a site gave up its role when its beats say so for eight intervals, whatever its status', () => {
    const since = (ms: number) => epochMillis(window.lastArrivalAt - ms);
    const code = (fencedSince: ReturnType<typeof since> | null) =>
      judged(lastAt, { reportedStatus: 'failing', fencedSince }).code;
    expect(code(since(8000))).toBe('gave-up-role');
    expect(code(since(7999))).toBe('reports-failing');
    expect(code(null)).toBe('reports-failing');
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

describe('a site that leaves', () => {
  it('is pending from its last beat on, however long it is silent, and no doubt changes that', () => {
    const reportedStatus = 'leaving';
    for (const now of [lastAt, failAt + 86_400_000]) {
      expect(judged(now, { reportedStatus })).toMatchObject({
        state: 'pending',
        code: 'deregistered',
        lastSequence: 300,
      });
    }
    expect(judged(failAt, { reportedStatus, doubt: 'store-errors' }).code).toBe('deregistered');
    expect(changesAt(inputAt(lastAt, { reportedStatus }))).toBeNull();
  });
});

describe('a probe', () => {
  it('that fails makes a site that beats degraded, never failed', () => {
    expect(judged(lastAt, probed('failing', lastAt - 100))).toMatchObject({
      state: 'degraded',
      code: 'probe-failing',
    });
    expect(judged(lastAt, probed('inconclusive', lastAt)).code).toBe('beating');
  });

  it('that passes while the site is silent holds it at suspect, as long as it is fresh', () => {
    const held = probed('passing', suspectAt + 100);
    expect(judged(failAt + 1000, held)).toMatchObject({
      state: 'suspect',
      code: 'silent-but-serving',
    });
    expect(judged(suspectAt + 100 + 12_000, held).state).toBe('suspect');
    expect(judged(suspectAt + 100 + 12_001, held).state).toBe('failed');
  });

  it('that passed before the site was suspect holds nothing: it proves no more than the beats', () => {
    expect(judged(failAt, probed('passing', suspectAt - 1)).state).toBe('failed');
  });

  it('that is refused lowers the fail threshold to φ 12, not that of suspicion', () => {
    const refused = probed('failing', lastAt + 500, 'connection-refused');
    const instants = Array.from({ length: failAt - lastAt }, (_, ms) => lastAt + ms);
    const failedAt = instants.find((now) => judged(now, refused).state === 'failed') ?? 0;
    expect(judged(failedAt, refused)).toMatchObject({ code: 'silent-and-refused' });
    expect(judged(failedAt, refused).phi).toBeCloseTo(12, 1);
    expect(judged(suspectAt - 1, refused)).toMatchObject({ state: 'degraded' });
    expect(judged(failedAt, probed('failing', lastAt + 500)).state).toBe('suspect');
    expect(judged(failedAt, probed('failing', lastAt - 1, 'connection-refused')).state).toBe(
      'suspect',
    );
  });
});

describe('callers', () => {
  it('in trouble make a site that beats degraded, and say nothing about a silent one', () => {
    const callers = { state: 'troubled', failing: 9, total: 10, detail: '9 of 10 fail' } as const;
    const evidence = { probe: null, callers };
    expect(judged(lastAt, { evidence })).toMatchObject({
      state: 'degraded',
      code: 'callers-report-trouble',
    });
    expect(judged(failAt, { evidence }).code).toBe('phi-over-fail');
    const content = { ...evidence, callers: { ...callers, state: 'content' } as const };
    expect(judged(lastAt, { evidence: content }).code).toBe('beating');
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

  it('that had one gap adds up what it watched before and after it', () => {
    const gap = { from: epochMillis(lastAt + 1000), to: epochMillis(lastAt + 61_000) };
    const silences = [suspectAt - lastAt - 1, suspectAt - lastAt, failAt - lastAt];
    const states = silences.map((silence) => judged(lastAt + 60_000 + silence, { gap }).state);
    expect(states).toEqual(['unknown', 'suspect', 'failed']);
  });

  it('convicts later the more it doubts itself, and at the longest silence all the same', () => {
    const failures = [0, 1, 3].map((score) => {
      const instants = Array.from({ length: 12_001 }, (_, ms) => lastAt + ms);
      return (instants.find((now) => judged(now, { score }).state === 'failed') ?? 0) - lastAt;
    });
    expect(failures[0]).toBe(failAt - lastAt);
    expect(failures[1]).toBeGreaterThan(failures[0] ?? 0);
    expect(failures[2]).toBeGreaterThan(failures[1] ?? 0);
    expect(failures[2]).toBeLessThanOrEqual(12_000);
  });

  it('holds a conviction at suspect while most sites are silent at once here alone', () => {
    const doubt = 'many-silent-at-once';
    expect(judged(suspectAt, { doubt }).code).toBe('phi-over-suspect');
    expect(judged(failAt, { doubt })).toMatchObject({ state: 'suspect', code: doubt });
  });

  it('says unknown when the last arrival lies further ahead than one interval', () => {
    expect(judged(lastAt - 1000).code).toBe('beating');
    expect(judged(lastAt - 1001)).toMatchObject({ state: 'unknown', code: 'arrival-in-future' });
  });
});

describe('a verdict', () => {
  const instant = fc
    .oneof(fc.integer({ min: -20_000, max: 20_000 }), fc.maxSafeInteger())
    .map((ms) => epochMillis(lastAt + ms));
  const finding = fc.record({
    state: fc.constantFrom<ProbeFinding['state']>('passing', 'failing', 'inconclusive'),
    code: fc.constantFrom<ProbeFinding['code']>('passed', 'connection-refused', 'timed-out'),
    detail: fc.constant('a probe'),
    checkedAt: fc.integer({ min: -20_000, max: 20_000 }).map((ms) => epochMillis(lastAt + ms)),
  });
  const callers = fc.record({
    state: fc.constantFrom<'content' | 'troubled'>('content', 'troubled'),
    failing: fc.constant(5),
    total: fc.constant(10),
    detail: fc.constant('5 of 10 fail'),
  });
  const anything = fc.record({
    reportedStatus: fc.constantFrom<ReportedStatus>('ok', 'degraded', 'failing', 'leaving'),
    evidence: fc.record({ probe: fc.option(finding), callers: fc.option(callers) }),
    doubt: fc.constantFrom(null, 'store-errors', 'observer-unwell', 'many-silent-at-once'),
    score: fc.nat(7),
    gap: fc.option(
      fc.tuple(fc.nat(10_000), fc.nat(10_000)).map(([fromMs, forMs]) => ({
        from: epochMillis(lastAt + fromMs),
        to: epochMillis(lastAt + fromMs + forMs),
      })),
    ),
  });

  it('has a finite φ and the state of its code for any instants', () => {
    fc.assert(
      fc.property(instant, instant, anything, (now, baselineAt, rest) => {
        const verdict = judged(now, { baselineAt, ...rest });
        expect(Number.isFinite(verdict.phi)).toBe(true);
        expect(verdict.silentMs).toBeGreaterThanOrEqual(0);
        expect(verdict.state).toBe(VERDICT_CODES[verdict.code]);
        expect(verdict.sentence).not.toMatch(/NaN|Infinity|undefined/);
        expect(judged(now, { baselineAt, ...rest })).toEqual(verdict);
      }),
      { numRuns: 1000, seed: 31 },
    );
  });

  it('never convicts while the observer doubts itself', () => {
    fc.assert(
      fc.property(instant, instant, anything, (now, baselineAt, rest) => {
        const { state } = judged(now, { baselineAt, ...rest, doubt: rest.doubt ?? 'store-errors' });
        expect(state).not.toBe('failed');
      }),
      { numRuns: 500, seed: 33 },
    );
  });

  it('only gets worse as silence grows, all else being equal', () => {
    const ranks = { pending: 0, healthy: 0, degraded: 0, unknown: 1, suspect: 1, failed: 2 };
    const silences = fc
      .uniqueArray(fc.nat(20_000), { minLength: 2, maxLength: 20 })
      .map((times) => times.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(silences, anything, (times, rest) => {
        // A passing probe that grows stale lets the site fail: still worse, never better.
        const seen = times.map((ms) => ranks[judged(lastAt + ms, rest).state]);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      }),
      { numRuns: 500, seed: 34 },
    );
  });

  it('stays the same until the instant that `changesAt` names', () => {
    fc.assert(
      fc.property(fc.nat(15_000), fc.nat(20_000), anything, (sinceMs, aheadMs, rest) => {
        const input = inputAt(lastAt + sinceMs, rest);
        const until = changesAt(input) ?? Infinity;
        const later = epochMillis(Math.min(lastAt + sinceMs + aheadMs, until - 1));
        expect(judge({ ...input, now: later }).state).toBe(judge(input).state);
      }),
      { numRuns: 1000, seed: 35 },
    );
  });

  it('survives JSON, for it goes into the log', () => {
    expect(JSON.parse(JSON.stringify(judged(failAt)))).toEqual(judged(failAt));
  });

  it('explains itself in one sentence', () => {
    const beats = beatOn(null, { count: 300, intervalMs: (k) => (k % 2 === 0 ? 800 : 1200) });
    const said = (silentMs: number) =>
      judged(beats.lastArrivalAt + silentMs, { window: beats }).sentence;
    expect(said(300)).toBe('silent 0.3 s, usual 1.0 ± 0.2 s, φ 0.0 < 8');
    expect(said(5000)).toMatch(/^silent 5\.0 s, usual 1\.0 ± 0\.2 s, φ 1[0-5]\.\d > 8$/);
    expect(said(11_000)).toMatch(/^silent 11\.0 s, .* φ \d\d\.\d > 16$/);
    expect(said(3_600_000)).toContain('φ 300.0 > 16');
  });
});
