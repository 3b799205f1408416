import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EpochMillis, logIndex } from '../../../lib/base/identifiers.ts';
import {
  type CommittedLag,
  type LagReading,
  type LagRules,
  lagEdgesOf,
  lagOf,
  lagWordAfter,
  rpoRiskOf,
  standingRisk,
  withLag,
} from '../../../lib/recovery/replication.ts';
import {
  atMs,
  committed,
  EAST,
  servicePolicy,
  serviceState,
  siteState,
  verdictOf,
  WEST,
} from '../../support/service-states.ts';

const RULES: LagRules = { edges: lagEdgesOf(servicePolicy()), rpoMs: 5000, isWaitedFor: false };

function lagAt(
  offsetMs: number,
  lagMs: number | null,
  changes: Partial<CommittedLag> = {},
): CommittedLag {
  const at = atMs(offsetMs);
  const said = { lagMs, writes: null, measuredAt: at, risingMsPerMinute: null };
  return { source: 'heartbeats', at, index: logIndex(5), ...said, ...changes };
}

function reading(lagMs: number | null, measuredAt: EpochMillis, rising: number | null = null) {
  return { lagMs, writes: null, measuredAt, risingMsPerMinute: rising } satisfies LagReading;
}

function standby(lags: readonly CommittedLag[]) {
  return { [EAST]: siteState('healthy'), [WEST]: siteState('healthy', { lags }) };
}

describe('the lag of a switch', () => {
  test('is what the target said last, however long ago', () => {
    const service = serviceState({ sites: standby([lagAt(0, 80, { writes: 7 }), lagAt(900, 40)]) });
    expect(lagOf(service, atMs(86_400_000), WEST)).toEqual({
      lagMs: 40,
      writes: null,
      measuredAt: atMs(900),
    });
  });

  test('is unknown where the target said nothing, or says so', () => {
    expect(lagOf(serviceState(), atMs(0), WEST)).toBeNull();
    const service = serviceState({ sites: standby([lagAt(0, 80), lagAt(10, null)]) });
    expect(lagOf(service, atMs(20), WEST)).toBeNull();
  });

  test('is never what the active site says of itself', () => {
    const sites = {
      [EAST]: siteState('healthy', { lags: [lagAt(0, 0)] }),
      [WEST]: siteState('healthy'),
    };
    expect(lagOf(serviceState({ sites }), atMs(10))).toBeNull();
  });

  test('of a dead site is what its replicas lacked when it was last heard, not how long it is dead', () => {
    const last = verdictOf('failed', { judgedAt: atMs(20_000), lastArrivalAt: atMs(10_000) });
    const sites = {
      ...standby([lagAt(0, 300), lagAt(11_000, 1200), lagAt(16_000, 6000)]),
      [EAST]: siteState('failed', { verdicts: { 'us-east-1': committed(last) } }),
    };
    expect(lagOf(serviceState({ sites }), atMs(20_000), WEST)).toMatchObject({ lagMs: 300 });
    const alive = { ...sites, [EAST]: siteState('healthy') };
    expect(lagOf(serviceState({ sites: alive }), atMs(20_000), WEST)).toMatchObject({
      lagMs: 6000,
    });
  });

  test('of two sources is the larger, and one that fell silent does not count', () => {
    const metric = lagAt(5, 900, { source: 'metric' });
    const both = serviceState({ sites: standby([lagAt(0, 80), metric]) });
    expect(lagOf(both, atMs(10), WEST)).toMatchObject({ lagMs: 900 });
    const silent = lagAt(6, null, { source: 'metric' });
    const one = serviceState({ sites: standby([lagAt(0, 80), metric, silent]) });
    expect(lagOf(one, atMs(10), WEST)).toMatchObject({ lagMs: 80 });
  });
});

describe('a word about lag', () => {
  test('is given when it crosses an edge upwards, at once', () => {
    const word = reading(80, atMs(0));
    expect(lagWordAfter(word, reading(99, atMs(1000)), RULES)).toBe(word);
    expect(lagWordAfter(word, reading(101, atMs(1000)), RULES)).toMatchObject({ lagMs: 101 });
  });

  test('of a fall waits for a minute, unless a run waits for the fall', () => {
    const word = reading(1500, atMs(0));
    const fallen = reading(90, atMs(10_000));
    expect(lagWordAfter(word, fallen, RULES)).toBe(word);
    expect(lagWordAfter(word, fallen, { ...RULES, isWaitedFor: true })).toBe(fallen);
    const later = reading(90, atMs(60_000));
    expect(lagWordAfter(word, later, RULES)).toBe(later);
  });

  test('is given when the lag is known no more, and when it is again', () => {
    const gone = reading(null, atMs(10));
    expect(lagWordAfter(reading(1, atMs(0)), gone, RULES)).toBe(gone);
    expect(lagWordAfter(gone, gone, RULES)).toBe(gone);
    expect(lagWordAfter(null, gone, RULES)).toBeNull();
  });

  test('stands on the edges that somebody set', () => {
    const policy = servicePolicy({
      objectives: { rtoMs: 30_000, rpoMs: 7000 },
      replication: { ...servicePolicy().replication, lagMsMax: 2500 },
    });
    expect(lagEdgesOf(policy)).toEqual([100, 1000, 2500, 7000, 10_000, 60_000, 600_000, 3_600_000]);
  });

  test('about a lag that dances around an edge is given twice a minute at most', () => {
    let word: LagReading | null = null;
    let words = 0;
    for (let second = 0; second < 600; second += 1) {
      const next: LagReading | null = lagWordAfter(
        word,
        reading(second % 2 === 0 ? 900 : 1100, atMs(second * 1000)),
        RULES,
      );
      words += next === word ? 0 : 1;
      word = next;
    }
    expect(words).toBeLessThanOrEqual(21);
  });

  test('never lags behind the truth by more than its band: the gate decides as if it had read', () => {
    const policy = servicePolicy({
      replication: { ...servicePolicy().replication, lagMsMax: 2500 },
    });
    const rules = { ...RULES, edges: lagEdgesOf(policy) };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 60 }), (lags) => {
        let word: LagReading | null = null;
        for (const [second, lagMs] of lags.entries()) {
          word = lagWordAfter(word, reading(lagMs, atMs(second * 1000)), rules);
          // Above the limit is known at once; below it, a minute later at most.
          if (lagMs > 2500) {
            expect(word?.lagMs).toBeGreaterThan(2500);
          }
        }
      }),
    );
  });
});

describe('the risk to the objective', () => {
  test('is that it is exceeded, or will be soon', () => {
    expect(rpoRiskOf({ lagMs: 5001, risingMsPerMinute: null }, 5000)).toEqual({ kind: 'exceeded' });
    expect(rpoRiskOf({ lagMs: 3000, risingMsPerMinute: 1000 }, 5000)).toEqual({
      kind: 'rising',
      inMs: 120_000,
    });
    expect(rpoRiskOf({ lagMs: 100, risingMsPerMinute: 100 }, 5000)).toEqual({ kind: 'none' });
    expect(rpoRiskOf({ lagMs: null, risingMsPerMinute: null }, 5000)).toEqual({ kind: 'none' });
  });
});

describe('the risk that stands', () => {
  const service = (active: 'healthy' | 'suspect', lags: readonly CommittedLag[]) => {
    const heard = committed(verdictOf(active, { judgedAt: atMs(5000), lastArrivalAt: atMs(0) }));
    const sites = {
      [EAST]: siteState(active, { verdicts: { a: heard }, lags }),
      [WEST]: siteState('healthy', { lags }),
    };
    return serviceState({ sites });
  };

  test('is that of a standby: what the active site says of itself counts nothing', () => {
    const behind = service('healthy', [lagAt(-1000, 9000)]);
    expect(standingRisk(behind, WEST).kind).toBe('exceeded');
    expect(standingRisk(behind, EAST).kind).toBe('none');
  });

  test('is none of what was measured after the active site fell silent', () => {
    const lags = [lagAt(-1000, 40), lagAt(4000, 5900)];
    expect(standingRisk(service('suspect', lags), WEST).kind).toBe('none');
    expect(standingRisk(service('healthy', lags), WEST).kind).toBe('exceeded');
  });

  test('is told for ten minutes ahead, and no further', () => {
    const rising = (risingMsPerMinute: number) =>
      standingRisk(service('healthy', [lagAt(-1000, 1000, { risingMsPerMinute })]), WEST).kind;
    expect([rising(400), rising(399)]).toEqual(['rising', 'none']);
  });
});

describe('words in the log', () => {
  test('are bounded for each source, and never go back', () => {
    const lags = Array.from({ length: 40 }, (_, place) => lagAt(place, place)).reduce(
      (all: readonly CommittedLag[], lag) => withLag(all, lag),
      [lagAt(-1, 1, { source: 'metric' })],
    );
    expect(lags).toHaveLength(13);
    expect(withLag(lags, lagAt(5, 99))).toBe(lags);
  });
});
