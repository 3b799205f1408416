import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis, type RegionId, regionId } from '../../../lib/base/identifiers.ts';
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
  return fuseOpinion(cast(verdicts), OBSERVERS);
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
    expect(() => fuseOpinion(twice, OBSERVERS)).toThrow('observer-votes-twice');
    expect(() => fuseOpinion([], [])).toThrow('no-observers');
    expect(() => fuseOpinion([], [EAST, EAST])).toThrow('observer-configured-twice');
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
        const opinion = fuseOpinion(verdicts, regions);
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
        const opinion = fuseOpinion([...oneBoot, alive], [...regions, witness]);
        expect(opinion.state).not.toBe('failed');
      }),
      options,
    );
  });

  it('does not become failed because an accuser falls silent', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const quieter = verdicts.filter(({ verdict: one }) => one.state !== 'failed');
        expect(fuseOpinion(quieter, regions).state).not.toBe('failed');
      }),
      options,
    );
  });

  it('does not depend on the order of verdicts, nor on regions that are not configured', () => {
    fc.assert(
      fc.property(scene, ({ regions, verdicts }) => {
        const stranger = { observer: regionId('stranger'), verdict: verdict('healthy', 99) };
        const opinion = fuseOpinion(verdicts, regions);
        const shuffled = fuseOpinion([stranger, ...verdicts.toReversed()], regions);
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
