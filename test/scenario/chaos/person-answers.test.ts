/** Recoveries beside the plain one: by a person, by a drain, and by the plan of a warm standby. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../../../lib/config/parse.ts';
import { runScenario } from '../../../lib/simulation/whole/run-scenario.ts';
import { servicePolicy } from '../../support/service-states.ts';
import { play } from './play.ts';

const BY_HAND = {
  automatic: false,
  safety: { ...servicePolicy().safety, approval: 'manual' },
} as const;

describe('a recovery by hand', () => {
  test('does not begin itself, and the report says why', async () => {
    const result = await play('region-loss', { changes: BY_HAND });
    expect(result.runs).toEqual([]);
    expect(result.refusal?.code).toBe('automatic-off');
    expect(result.objectives.rto).toMatchObject({ actualMs: null, met: false });
  });

  test('begins when the page is answered, waits for a second person, and counts from the loss', async () => {
    const result = await play('person-answers', { changes: BY_HAND });
    expect(result.violations).toEqual([]);
    expect(result.refusal).toBeNull();
    expect(result.runs).toEqual([expect.objectContaining({ kind: 'failover', outcome: 'done' })]);
    expect(result.timeline.some(({ sentence }) => sentence.startsWith('approve: accepted'))).toBe(
      true,
    );
    expect(result.stages?.rtoMs).toBeGreaterThan(150_000);
    expect(result.stages?.rtoMs).toBeLessThan(240_000);
  });

  test('is left alone where the run began itself', async () => {
    const result = await play('person-answers');
    expect(result.runs).toHaveLength(1);
    expect(result.stages?.rtoMs).toBeLessThan(120_000);
  });
});

describe('a site that shares its traffic', () => {
  test('is drained, and the drain is the recovery with all of its stages', async () => {
    const result = await play('region-loss', { changes: { strategy: 'active-active' } });
    const [first] = result.runs;
    expect(first).toMatchObject({ kind: 'rebalance', outcome: 'done' });
    expect(Object.values(result.stages ?? {})).not.toContain(null);
    expect(result.objectives.rto.actualMs).toBe(result.stages?.rtoMs);
  });
});

describe('the example of a warm standby', () => {
  test('keeps the objectives that it names when its region is lost', async () => {
    const parsed = parseConfiguration(readFileSync('docs/examples/warm-standby.yaml', 'utf8'), {});
    const policies = parsed.kind === 'valid' ? parsed.policies : [];
    for (const seed of [1, 3, 5]) {
      const { objectives, violations } = await runScenario({
        ...{ scenario: 'region-loss', seed, path: 'b', service: 'orders', policies },
        configHash: '0'.repeat(64),
      });
      expect(violations).toEqual([]);
      expect(objectives).toMatchObject({ rto: { met: true }, rpo: { met: true } });
    }
  });
});
