import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ProbeCode } from '../../../lib/detection/evidence.ts';
import { PROBE_LIMITS } from '../../../lib/detection/limits.ts';
import {
  afterProbe,
  isUnsettled,
  type ProbePace,
  type ProbeState,
  probePauseMs,
  siteFinding,
  staleAfterMs,
  UNPROBED,
  vigilPauseMs,
} from '../../../lib/detection/probe-state.ts';

const PACE: ProbePace = { intervalMs: 10_000, timeoutMs: 2000, rise: 2, fall: 3 };
const T0 = 1_795_000_000_000;

/** P passed, W passed with a warning, F failed, R refused, N not probed; one a second. */
function stateAfter(results: string, pace = PACE): ProbeState {
  return [...results].reduce<ProbeState>((state, letter, place) => {
    const [outcome, code] = RESULTS[letter] ?? RESULTS['N'] ?? [];
    const endedAt = epochMillis(T0 + place * 1000);
    return outcome === undefined || code === undefined
      ? state
      : afterProbe(state, { outcome, code, detail: `${letter}${place}`, endedAt }, pace);
  }, UNPROBED);
}

const RESULTS: {
  readonly [letter: string]: readonly ['passed' | 'failed' | 'not-probed', ProbeCode];
} = {
  P: ['passed', 'passed'],
  W: ['passed', 'certificate-expires-soon'],
  F: ['failed', 'timed-out'],
  R: ['failed', 'connection-refused'],
  N: ['not-probed', 'not-probed'],
};

function findingOf(results: string, atMs = results.length * 1000) {
  const probe = { state: stateAfter(results), pace: PACE, provesService: true };
  return siteFinding([probe], epochMillis(T0 + atMs));
}

describe('one probe', () => {
  test.each([
    ['', 'inconclusive', 'not-probed'],
    ['P', 'passing', 'passed'],
    ['W', 'passing', 'certificate-expires-soon'],
    ['F', 'inconclusive', 'timed-out'],
    ['FF', 'inconclusive', 'timed-out'],
    ['FFF', 'failing', 'timed-out'],
    ['FFP', 'passing', 'passed'],
    ['PF', 'inconclusive', 'timed-out'],
    ['PFF', 'inconclusive', 'timed-out'],
    ['PFFF', 'failing', 'timed-out'],
    ['PFFPFF', 'inconclusive', 'timed-out'],
    ['PFFFP', 'failing', 'timed-out'],
    ['PFFFPP', 'passing', 'passed'],
    ['PFFFPFP', 'failing', 'timed-out'],
    ['FFR', 'failing', 'connection-refused'],
    ['N', 'inconclusive', 'not-probed'],
    ['PN', 'passing', 'passed'],
    ['FNFNF', 'failing', 'timed-out'],
    ['FFFNPNP', 'passing', 'passed'],
  ])('after "%s" is %s by %s', (results, state, code) => {
    expect(findingOf(results)).toMatchObject({ state, code });
  });

  test('says how far it is from another standing', () => {
    expect(findingOf('PFF')?.detail).toBe('F2 (2 of 3 in a row)');
    expect(findingOf('FFFP')?.detail).toBe('F2; since then 1 of 2 passed');
  });

  test('is dated by its newest result, also by one that contradicts', () => {
    expect(findingOf('PFFFP')?.checkedAt).toBe(T0 + 4000);
    expect(findingOf('PPN')?.checkedAt).toBe(T0 + 1000);
  });

  test('says nothing any more when its newest result is old', () => {
    const ageMs = staleAfterMs(PACE);
    expect(findingOf('FFF', 2000 + ageMs)).toMatchObject({ state: 'failing' });
    expect(findingOf('FFF', 2001 + ageMs)).toMatchObject({
      state: 'inconclusive',
      code: 'not-probed',
    });
  });
});

test('a standing changes only after as many results in a row as the policy asks for', () => {
  const pace = fc.record({
    intervalMs: fc.constant(10_000),
    timeoutMs: fc.constant(1000),
    rise: fc.integer({ min: 1, max: 5 }),
    fall: fc.integer({ min: 1, max: 5 }),
  });
  const letters = fc.array(fc.constantFrom('P', 'F', 'N'), { maxLength: 80 });
  fc.assert(
    fc.property(pace, letters, (policy, results) => {
      const text = results.join('');
      let before = UNPROBED.standing;
      for (let length = 1; length <= text.length; length += 1) {
        const { standing } = stateAfter(text.slice(0, length), policy);
        const telling = text.slice(0, length).replaceAll('N', '');
        if (standing !== before && standing === 'failing') {
          expect(telling.endsWith('F'.repeat(policy.fall))).toBe(true);
        }
        if (standing !== before && before === 'failing') {
          expect(telling.endsWith('P'.repeat(policy.rise))).toBe(true);
        }
        before = standing;
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

describe('the pause until the next probe', () => {
  const calm = { draw: 0.5, isUrgent: false };

  test('is the interval while all is well, and shorter while it is not', () => {
    const hurriedMs = PACE.intervalMs * PROBE_LIMITS.hurriedShare;
    expect(probePauseMs(stateAfter('P'), PACE, calm)).toBe(PACE.intervalMs);
    expect(
      ['', 'F', 'PF', 'FFF', 'FFFP'].map((text) => probePauseMs(stateAfter(text), PACE, calm)),
    ).toEqual(Array(5).fill(hurriedMs));
  });

  test('never falls below a second nor above the interval', () => {
    const brisk = { ...PACE, intervalMs: 1000, timeoutMs: 500 };
    expect(probePauseMs(stateAfter('FFF', brisk), brisk, calm)).toBe(1000);
    expect(probePauseMs(stateAfter('FFF'), { ...PACE, intervalMs: 2000 }, calm)).toBe(1000);
  });

  test('varies by its jitter, so that probes do not stay in step', () => {
    const pauses = [0, 0.999].map((draw) =>
      probePauseMs(stateAfter('P'), PACE, { draw, isUrgent: false }),
    );
    expect(pauses).toEqual([9000, 10_998]);
  });

  test('is shortest while somebody waits for a finding that is not settled', () => {
    const urgent = { draw: 0.5, isUrgent: true };
    expect(probePauseMs(stateAfter('PF'), PACE, urgent)).toBe(PROBE_LIMITS.urgentPauseMs);
    expect(probePauseMs(stateAfter('P'), PACE, urgent)).toBe(PACE.intervalMs);
    expect([vigilPauseMs(stateAfter('PF')), vigilPauseMs(stateAfter('P'))]).toEqual([500, 2500]);
    expect([isUnsettled(UNPROBED), isUnsettled(stateAfter('FFF'))]).toEqual([true, false]);
  });
});

describe('all probes of a site', () => {
  function siteOf(...probes: readonly (readonly [string, boolean?])[]) {
    const standing = probes.map(([results, provesService = true]) => ({
      ...{ state: stateAfter(results), pace: PACE, provesService },
    }));
    return siteFinding(standing, epochMillis(T0 + 10_000));
  }

  test('are nothing when there are none', () => {
    expect(siteOf()).toBeNull();
  });

  test.each<[string, readonly (readonly [string, boolean?])[], string, ProbeCode]>([
    ['all pass', [['P'], ['P']], 'passing', 'passed'],
    ['one fails', [['P'], ['FFF']], 'failing', 'timed-out'],
    ['one is refused among failing ones', [['FFF'], ['RRR']], 'failing', 'connection-refused'],
    ['one just failed', [['P'], ['PF']], 'inconclusive', 'timed-out'],
    ['one was not probed yet', [['P'], ['']], 'passing', 'passed'],
    ['one warns', [['P'], ['W']], 'passing', 'certificate-expires-soon'],
    ['only a name resolves', [['P', false]], 'inconclusive', 'passed'],
    ['a name does not resolve', [['P'], ['FFF', false]], 'failing', 'timed-out'],
  ])('when %s', (_, ...[probes, state, code]) => {
    expect(siteOf(...probes)).toMatchObject({ state, code });
  });
});

test('a pace without counts is a bug', () => {
  expect(() => stateAfter('P', { ...PACE, rise: 0 })).toThrow('probe-pace-counts');
});
