import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EpochMillis,
  epochMillis,
  type RegionId,
  regionId,
} from '../../../lib/base/identifiers.ts';
import {
  fuseOpinion,
  majorityOf,
  type ObserverVerdict,
  OPINION_CODES,
} from '../../../lib/detection/opinion.ts';
import type { Verdict, VerdictState } from '../../../lib/detection/verdict.ts';
import { judgeAt, START } from './arrivals.ts';

const [EAST, WEST, IRELAND] = ['us-east-1', 'us-west-2', 'eu-west-1'].map(regionId) as [
  RegionId,
  RegionId,
  RegionId,
];
const OBSERVERS = [EAST, WEST, IRELAND];
const NEVER_HEARD = judgeAt(null, START);
/** For rules that are not about time: no proof of life expires. */
const LASTING = { now: epochMillis(START), proofMsMax: Number.MAX_SAFE_INTEGER };

interface Heard {
  readonly boot?: string;
  readonly arrivedMs?: number;
}

function verdict(state: VerdictState, sequence: number = 10, heard: Heard = {}): Verdict {
  return {
    ...NEVER_HEARD,
    state,
    bootId: heard.boot ?? 'boot-a',
    lastSequence: sequence,
    lastArrivalAt: epochMillis(START + (heard.arrivedMs ?? sequence * 1000)),
  };
}

/** Fuses the verdicts of east, west and ireland, in this order; null = has said nothing. */
function fuse(...verdicts: readonly (Verdict | null)[]) {
  return fuseOpinion(cast(verdicts), OBSERVERS, LASTING);
}

function cast(verdicts: readonly (Verdict | null)[]): ObserverVerdict[] {
  return verdicts.flatMap((given, position) => {
    const observer = OBSERVERS[position];
    return given === null || observer === undefined ? [] : [{ observer, verdict: given }];
  });
}

describe('fuseOpinion', () => {
  it('fails a site when 2 of 3 observers find it failed', () => {
    const opinion = fuse(verdict('failed'), verdict('failed'), verdict('suspect'));
    expect(opinion).toMatchObject({ state: 'failed', code: 'majority-failed' });
    expect(opinion.votes).toEqual([
      { observer: EAST, state: 'failed', refutedBy: null },
      { observer: WEST, state: 'failed', refutedBy: null },
      { observer: IRELAND, state: 'suspect', refutedBy: null },
    ]);
  });

  it('never lets an abstaining observer lower the majority to one', () => {
    const alone = verdict('failed');
    expect(fuse(alone, verdict('unknown'), verdict('unknown')).code).toBe('too-few-verdicts');
    expect(fuse(alone, null, null).code).toBe('too-few-verdicts');
    expect(fuse(alone, NEVER_HEARD, null).code).toBe('too-few-verdicts');
  });

  it('still fails a site when the third observer abstains', () => {
    expect(fuse(verdict('failed'), verdict('failed'), verdict('unknown')).state).toBe('failed');
    expect(fuse(verdict('failed'), verdict('failed'), null).state).toBe('failed');
  });

  it('lets one newer beat refute two accusations: the accusers are cut off', () => {
    const opinion = fuse(verdict('failed', 10), verdict('failed', 10), verdict('healthy', 11));
    expect(opinion).toMatchObject({ state: 'suspect', code: 'accusations-refuted' });
    expect(opinion.votes[0]?.refutedBy).toBe(IRELAND);
  });

  it('is not refuted by a healthy verdict that knows nothing newer', () => {
    expect(fuse(verdict('failed', 10), verdict('failed', 10), verdict('healthy', 10)).state).toBe(
      'failed',
    );
    expect(fuse(verdict('failed', 10), verdict('failed', 10), verdict('healthy', 3)).state).toBe(
      'failed',
    );
  });

  it('is not refuted by an observer that doubts or suspects', () => {
    for (const state of ['unknown', 'suspect', 'pending'] as const) {
      expect(fuse(verdict('failed'), verdict('failed'), verdict(state, 99)).state).toBe('failed');
    }
  });

  it('takes a newer boot as newer, though its sequence is lower', () => {
    const restarted = verdict('healthy', 1, { boot: 'boot-b', arrivedMs: 11_000 });
    const older = verdict('healthy', 500, { boot: 'boot-z', arrivedMs: 9000 });
    expect(fuse(verdict('failed'), verdict('failed'), restarted).state).toBe('suspect');
    expect(fuse(verdict('failed'), verdict('failed'), older).state).toBe('failed');
  });

  it('lets a proof of life expire where the caller says how long it lasts', () => {
    const verdicts = cast([verdict('failed', 10), verdict('failed', 10), verdict('healthy', 11)]);
    const at = (ms: number) => ({ now: epochMillis(START + ms), proofMsMax: 12_000 });
    expect(fuseOpinion(verdicts, OBSERVERS, at(23_000)).state).toBe('suspect');
    expect(fuseOpinion(verdicts, OBSERVERS, at(23_001)).state).toBe('failed');
  });

  it('does not count the last word of a region that has missed a life of the site since', () => {
    const freshness = { now: epochMillis(START + 600_000), proofMsMax: 12_000 };
    const dead = verdict('failed', 10);
    const fused = (recent: Verdict) =>
      fuseOpinion(cast([dead, recent, verdict('unknown', 588)]), OBSERVERS, freshness);
    expect(fused(verdict('failed', 588))).toMatchObject({ code: 'too-few-verdicts' });
    expect(fused(verdict('failed', 588)).votes[0]?.refutedBy).toBe(WEST);
    expect(fused(verdict('failed', 22)).votes[0]?.refutedBy).toBe(IRELAND);
  });

  it('is not made outdated by a clock that runs ahead: the beats are counted too', () => {
    const freshness = { now: epochMillis(START + 600_000), proofMsMax: 12_000 };
    const ahead = verdict('unknown', 11, { arrivedMs: 590_000 });
    const verdicts = cast([verdict('failed', 10), verdict('failed', 10), ahead]);
    expect(fuseOpinion(verdicts, OBSERVERS, freshness).state).toBe('failed');
    const restarted = verdict('unknown', 1, { boot: 'boot-b', arrivedMs: 590_000 });
    const later = cast([verdict('failed', 10), verdict('failed', 10), restarted]);
    expect(fuseOpinion(later, OBSERVERS, freshness).state).not.toBe('failed');
  });

  it('counts it all the same when every observer misses the site', () => {
    const freshness = { now: epochMillis(START + 600_000), proofMsMax: 12_000 };
    const verdicts = cast([verdict('failed', 10), verdict('failed', 10), verdict('suspect', 588)]);
    expect(fuseOpinion(verdicts, OBSERVERS, freshness).state).toBe('failed');
  });

  it('counts it also when the region that does not miss the site has not been heard of for long', () => {
    const verdicts = cast([verdict('failed', 10), verdict('failed', 588), verdict('healthy', 300)]);
    const at = (ms: number) => ({ now: epochMillis(START + ms), proofMsMax: 12_000 });
    expect(fuseOpinion(verdicts, OBSERVERS, at(312_000)).votes[0]?.refutedBy).toBe(IRELAND);
    expect(fuseOpinion(verdicts, OBSERVERS, at(600_000)).state).toBe('failed');
  });

  it('counts an accuser that lost a few beats more than the others before the end', () => {
    const freshness = { now: epochMillis(START + 40_000), proofMsMax: 12_000 };
    for (const newer of [11, 15, 22]) {
      const verdicts = cast([verdict('failed', 10), verdict('failed', newer), verdict('unknown')]);
      expect(fuseOpinion(verdicts, OBSERVERS, freshness).state, `${newer}`).toBe('failed');
    }
  });

  it('is refuted by a region that finds the silent site serving, while that is fresh', () => {
    const judgedAt = epochMillis(START + 20_000);
    const serving: Verdict = { ...verdict('suspect'), code: 'silent-but-serving', judgedAt };
    const verdicts = cast([verdict('failed'), verdict('failed'), serving]);
    const at = (ms: number) => ({ now: epochMillis(START + ms), proofMsMax: 12_000 });
    expect(fuseOpinion(verdicts, OBSERVERS, at(32_000)).code).toBe('accusations-refuted');
    expect(fuseOpinion(verdicts, OBSERVERS, at(32_001)).code).toBe('majority-failed');
    const all = cast([serving, serving, serving]);
    expect(fuseOpinion(all, OBSERVERS, at(21_000)).code).toBe('majority-suspects');
  });

  it('is pending until somebody has heard the site', () => {
    expect(fuse(null, null, null).state).toBe('pending');
    expect(fuse(NEVER_HEARD, NEVER_HEARD, { ...NEVER_HEARD, state: 'unknown' }).state).toBe(
      'pending',
    );
    expect(fuse(verdict('healthy'), NEVER_HEARD, null).state).toBe('healthy');
  });

  it('does not follow a minority that suspects or accuses', () => {
    const well = verdict('healthy');
    expect(fuse(well, well, verdict('suspect')).code).toBe('heard');
    expect(fuse(well, well, verdict('failed')).code).toBe('heard');
    expect(fuse(well, verdict('unknown'), null).code).toBe('heard-by-minority');
  });

  it('is suspect when as many miss the site as hear it', () => {
    expect(fuse(verdict('suspect'), verdict('failed'), verdict('healthy')).code).toBe(
      'majority-suspects',
    );
    expect(fuse(verdict('suspect'), verdict('healthy'), null).state).toBe('suspect');
    expect(fuse(verdict('suspect'), verdict('suspect'), null).state).toBe('suspect');
  });

  it('is degraded when most of those who hear the site are told of trouble', () => {
    const trouble = verdict('degraded');
    expect(fuse(trouble, trouble, verdict('healthy')).code).toBe('reports-trouble');
    expect(fuse(trouble, verdict('healthy'), verdict('healthy')).state).toBe('healthy');
    expect(fuse(trouble, verdict('healthy'), null).state).toBe('healthy');
    expect(fuse(trouble, null, null).state).toBe('degraded');
  });

  it('says in its sentence who said what', () => {
    const opinion = fuse(verdict('failed', 10), null, verdict('healthy', 11));
    expect(opinion.sentence).toContain('us-east-1 failed (refuted by eu-west-1)');
    expect(opinion.sentence).toContain('us-west-2 silent');
  });

  it('refuses two votes of one observer', () => {
    const twice = [...cast([verdict('failed')]), ...cast([verdict('failed')])];
    expect(() => fuseOpinion(twice, OBSERVERS, LASTING)).toThrow('observer-votes-twice');
    expect(() => fuseOpinion([], [], LASTING)).toThrow('no-observers');
    expect(() => fuseOpinion([], [EAST, EAST], LASTING)).toThrow('observer-configured-twice');
  });
});

describe('a site that leaves', () => {
  const left: Verdict = { ...verdict('pending', 11), code: 'deregistered' };

  it('has left when a majority has its word for it', () => {
    expect(fuse(left, left, null)).toMatchObject({ state: 'pending', code: 'deregistered' });
    expect(fuse(left, left, verdict('healthy', 10)).code).toBe('deregistered');
  });

  it('has left, not failed, when one has its word and the others miss it', () => {
    expect(fuse(left, verdict('failed'), verdict('failed')).code).toBe('deregistered');
    expect(fuse(left, verdict('suspect'), null).code).toBe('deregistered');
  });

  it('has not left by the word that one region has of it', () => {
    expect(fuse(left, null, verdict('unknown')).code).toBe('too-few-verdicts');
    expect(fuse(left, verdict('healthy'), verdict('healthy')).code).toBe('heard');
    expect(fuse(left, NEVER_HEARD, null).code).toBe('too-few-verdicts');
  });

  it('is back when one region has a newer beat, and failed when it falls silent after that', () => {
    expect(fuse(left, left, verdict('healthy', 12)).code).toBe('accusations-refuted');
    expect(fuse(left, verdict('healthy', 12), verdict('healthy', 12)).code).toBe('heard');
    expect(fuse(left, verdict('failed', 12), verdict('failed', 12)).code).toBe('majority-failed');
  });
});

describe('a region that lies, or whose clock or table is broken', () => {
  const now = epochMillis(START + 30_000);
  const freshness = { now, proofMsMax: 12_000 };
  const fused = (...verdicts: readonly (Verdict | null)[]) =>
    fuseOpinion(cast(verdicts), OBSERVERS, freshness);

  it('proves no life by a beat from the future', () => {
    const future = verdict('healthy', 99, { arrivedMs: 3_600_000 });
    expect(fused(verdict('failed'), verdict('failed'), future).state).toBe('failed');
    const skewed = verdict('healthy', 99, { arrivedMs: 30_000 + 60_000 });
    expect(fused(verdict('failed'), verdict('failed'), skewed).state).toBe('suspect');
  });

  it('convicts nobody alone, whatever sequence it claims', () => {
    for (const sequence of [0, -1, Number.NaN, Infinity, Number.MAX_SAFE_INTEGER]) {
      const liar = verdict('failed', sequence, { arrivedMs: 10_000 });
      expect(fused(liar, verdict('healthy', 29), verdict('healthy', 29)).code).toBe('heard');
      expect(fused(liar, verdict('unknown'), null).state).not.toBe('failed');
    }
  });

  it('does not protect a dead site by an absurd sequence or instant of a silence', () => {
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      const liar = { ...verdict('suspect'), lastSequence: odd, lastArrivalAt: odd as EpochMillis };
      expect(fused(verdict('failed'), verdict('failed'), liar).state).toBe('failed');
    }
    const absurd: Verdict = {
      ...verdict('healthy', Number.MAX_SAFE_INTEGER),
      lastArrivalAt: Number.NaN as EpochMillis,
    };
    expect(fused(verdict('failed'), verdict('failed'), absurd).state).toBe('failed');
  });
});

describe('any opinion', () => {
  const state = fc.constantFrom<VerdictState>(
    'pending',
    'healthy',
    'suspect',
    'failed',
    'degraded',
    'unknown',
  );
  const observers = fc
    .constantFrom(1, 2, 3, 5)
    .map((count) => Array.from({ length: count }, (_, position) => regionId(`region-${position}`)));
  const scene = observers.chain((regions) =>
    fc
      .array(fc.option(fc.tuple(state, fc.nat(4), fc.constantFrom('a', 'b'))), {
        minLength: regions.length,
        maxLength: regions.length,
      })
      .map((given) => ({
        regions,
        verdicts: given.flatMap((one, position): ObserverVerdict[] => {
          const observer = regions[position];
          return one === null || observer === undefined
            ? []
            : [{ observer, verdict: verdict(one[0], one[1], { boot: one[2] }) }];
        }),
      })),
  );
  const options = { numRuns: 2000, seed: 41 };

  it('is failed only with a majority of all configured observers', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const opinion = fuseOpinion(verdicts, regions, LASTING);
        const standing = opinion.votes.filter(
          (vote) => vote.state === 'failed' && vote.refutedBy === null,
        ).length;
        expect(opinion.state === 'failed').toBe(
          standing >= majorityOf(regions.length) && verdicts.length > 0,
        );
        expect(opinion.state).toBe(OPINION_CODES[opinion.code]);
        expect(opinion.votes.map((vote) => vote.observer)).toEqual(regions);
      }),
      options,
    );
  });

  it('is never failed while somebody has newer news than every accuser', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const witness = regionId('witness');
        const alive = { observer: witness, verdict: verdict('healthy', 99) };
        const oneBoot = verdicts.map((one) => ({
          ...one,
          verdict: { ...one.verdict, bootId: 'boot-a' },
        }));
        const opinion = fuseOpinion([...oneBoot, alive], [...regions, witness], LASTING);
        expect(opinion.state).not.toBe('failed');
      }),
      options,
    );
  });

  it('is never failed by one accuser, however many abstain', () => {
    const abstentions = fc.array(
      fc.tuple(fc.constantFrom<VerdictState>('unknown', 'pending'), fc.nat(4), fc.boolean()),
      { minLength: 2, maxLength: 4 },
    );
    fc.assert(
      fc.property(abstentions, fc.nat(99), (given, sequence) => {
        const regions = [EAST, ...given.map((_, position) => regionId(`region-${position}`))];
        const others = given.flatMap(([said, at, speaks], position) => {
          const observer = regions[position + 1] ?? EAST;
          return speaks ? [{ observer, verdict: verdict(said, at) }] : [];
        });
        const accuser = { observer: EAST, verdict: verdict('failed', sequence) };
        expect(fuseOpinion([accuser, ...others], regions, LASTING).state).not.toBe('failed');
      }),
      options,
    );
  });

  it('is not failed where it was not, because an observer abstains that hears nobody', () => {
    fc.assert(
      fc.property(scene, fc.nat(4), ({ regions, verdicts }, position) => {
        const quieter = verdicts.map((one, place) =>
          place === position && !['healthy', 'degraded'].includes(one.verdict.state)
            ? { ...one, verdict: { ...one.verdict, state: 'unknown' as const } }
            : one,
        );
        const before = fuseOpinion(verdicts, regions, LASTING).state;
        expect(
          before === 'failed' || fuseOpinion(quieter, regions, LASTING).state !== 'failed',
        ).toBe(true);
      }),
      options,
    );
  });

  it('does not become failed because an accuser falls silent', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const quieter = verdicts.filter(({ verdict: one }) => one.state !== 'failed');
        expect(fuseOpinion(quieter, regions, LASTING).state).not.toBe('failed');
      }),
      options,
    );
  });

  it('does not depend on the order of verdicts, nor on regions that are not configured', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const stranger = { observer: regionId('stranger'), verdict: verdict('healthy', 99) };
        const opinion = fuseOpinion(verdicts, regions, LASTING);
        const shuffled = fuseOpinion([stranger, ...verdicts.toReversed()], regions, LASTING);
        expect(shuffled.state).toBe(opinion.state);
      }),
      options,
    );
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [5, 3],
  ])('of %i observers needs %i', (count, majority) => {
    expect(majorityOf(count)).toBe(majority);
  });
});
