import { describe, expect, test } from 'vitest';
import { isConclusive, renderCampaign } from '../../../../lib/cli/render/campaign.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';

const RESULT = {
  seeds: 1000,
  events: 1000,
  committed: 50,
  acknowledged: 40,
  violations: 0,
  failures: [],
  faults: { cut: 3, crashes: 1 },
  missingFaults: [],
  compactions: 9,
};

describe('a campaign', () => {
  test('passes without violations', () => {
    expect(isConclusive(RESULT)).toBe(true);
    expect(renderCampaign(RESULT, PLAIN)).toEqual([
      '1000 events, 50 entries committed, 40 acknowledged, 9 lives with compaction',
      'fault    times',
      'cut      3',
      'crashes  1',
      '● no violation',
    ]);
  });

  test('fails with the command that replays the seed', () => {
    const failures = [
      { seed: 17, cause: 'divergence', replay: 'npm run simulate -- --first-seed 17 --seeds 1' },
    ];
    const failed = { ...RESULT, violations: 1, failures };
    expect(isConclusive(failed)).toBe(false);
    expect(renderCampaign(failed, PLAIN).slice(-3)).toEqual([
      '✖ seed 17: divergence',
      '  npm run simulate -- --first-seed 17 --seeds 1',
      '✖ not passed: 1 violations',
    ]);
  });

  test('fails as vacuous when a kind of fault never occurred, unless it is a replay', () => {
    const vacuous = { ...RESULT, missingFaults: ['freezes'] };
    expect(isConclusive(vacuous)).toBe(false);
    expect(renderCampaign(vacuous, PLAIN)).toContain('✖ vacuous: never installed: freezes');
    expect(isConclusive({ ...vacuous, seeds: 1 })).toBe(true);
  });
});
