/** What `npm run simulate` makes of its flags, and of what it found. */
import { describe, expect, test } from 'vitest';
import { joinCampaigns } from '../../lib/simulation/campaign.ts';
import { readArguments } from './arguments.ts';
import { sharesOf } from './lives.ts';
import type { Hunt } from './mutants/hunt.ts';
import { isPassed, summaryOf } from './summary.ts';
import { inParallel } from './worker.ts';

describe('flags', () => {
  test('replay one seed without hunting mutants', () => {
    const flags = readArguments(['--seeds', '1', '--first-seed', '4711']);
    expect(flags).toMatchObject({ seeds: 1, firstSeed: 4711, mutants: [], isJson: false });
  });

  test.each([
    [['--seeds', '1000'], 'all'],
    [['--seeds', '999'], []],
    [['--seeds', '5', '--mutants'], 'all'],
    [['--seeds', '2000', '--no-mutants'], []],
    [['--seeds', '2000', '--mutant', 'any-leader'], ['any-leader']],
  ])('%j hunts %j', (words, mutants) => {
    expect(readArguments(words).mutants).toEqual(mutants);
  });

  test('that name mutants only live no life besides', () => {
    expect(readArguments(['--mutant', 'any-leader'])).toMatchObject({ seeds: 0 });
  });

  test.each([[['--seeds', 'many']], [['--workers', '-1']], [['--sed', '5']]])(
    '%j is refused',
    (words) => {
      expect(() => readArguments(words)).toThrow();
    },
  );
});

describe('shares of a campaign', () => {
  test.each([
    [2000, 2],
    [7, 3],
    [1, 4],
  ])('%i seeds for %i workers are all seeds, once each', (seeds, workers) => {
    const shares = sharesOf({ firstSeed: 5, seeds }, workers);
    const lived = shares.flatMap((share) =>
      Array.from({ length: share.seeds }, (_, place) => share.firstSeed + place),
    );
    expect(lived).toEqual(Array.from({ length: seeds }, (_, place) => 5 + place));
  });
});

test('jobs run as many at a time as asked for, and answer in their order', async () => {
  const turns: (() => void)[] = [];
  const begun: number[] = [];
  const jobs = [0, 1, 2].map((job) => async () => {
    begun.push(job);
    await new Promise<void>((resolve) => turns.push(resolve));
    return job;
  });
  const all = inParallel(jobs, 2);
  expect(begun).toEqual([0, 1]);
  turns[1]?.();
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  turns[2]?.();
  turns[0]?.();
  expect(await all).toEqual([0, 1, 2]);
});

const CAMPAIGN = { ...joinCampaigns([]), seeds: 2000, faults: { cut: 3 } };
const CAUGHT: Hunt = {
  kind: 'caught-by-life',
  name: 'a',
  seed: 3,
  violation: 'stale-read',
  cause: '',
};
const LATER: Hunt = { ...CAUGHT, name: 'b', seed: 90 };
const TESTED: Hunt = { kind: 'caught-by-test', name: 'd', test: 'a step is idempotent' };
const SURVIVOR: Hunt = { kind: 'survived', name: 'c', tries: 1000 };
const FINDINGS = { campaign: CAMPAIGN, hunts: [CAUGHT, LATER, TESTED], elapsedMs: 1, machineMs: 2 };

describe('findings', () => {
  test('pass when nothing was violated and every mutant was caught', () => {
    expect(isPassed(FINDINGS)).toBe(true);
    const slowest = { name: 'b', seed: 90 };
    const mutants = { total: 3, caught: 3, byLives: 2, byTests: 1, survived: [], slowest };
    expect(summaryOf(FINDINGS)).toMatchObject({ passed: true, seeds: 2000, mutants, machineMs: 2 });
  });

  test('fail when a mutant survived', () => {
    const findings = { ...FINDINGS, hunts: [CAUGHT, SURVIVOR] };
    const mutants = { total: 2, caught: 1, survived: ['c'] };
    expect(summaryOf(findings)).toMatchObject({ passed: false, mutants });
  });

  test('fail when a fault never occurred', () => {
    const campaign = { ...CAMPAIGN, missingFaults: ['storms'] };
    expect(isPassed({ ...FINDINGS, campaign })).toBe(false);
  });

  test('fail when a promise was broken, whatever became of the mutants', () => {
    const campaign = { ...CAMPAIGN, violations: 1 };
    expect(isPassed({ ...FINDINGS, campaign })).toBe(false);
  });

  test('say nothing of mutants when none were hunted', () => {
    expect(summaryOf({ ...FINDINGS, hunts: [] })).toMatchObject({ passed: true, mutants: null });
  });
});
