/** Chaos: partitions of every shape. Two sites never believe to be active where leases fence them. */
import { describe, expect, test } from 'vitest';
import { bothWays, cut, heal } from '../../../lib/simulation/whole/faults.ts';
import { pass, passUntil, propose, startLife } from '../../../lib/simulation/whole/life.ts';
import { SCENARIOS } from '../../../lib/simulation/whole/scenarios.ts';
import { servicePolicy } from '../../support/service-states.ts';
import { play } from './play.ts';

const PARTITIONS = Object.keys(SCENARIOS).filter((name) => name.startsWith('partition-'));

describe('a partition', () => {
  test.each([...PARTITIONS, 'clock-skew', 'region-loss', 'mute-agent', 'planned-return'])(
    '%s: no two sites believe to be active with lease fencing',
    async (scenario) => {
      const result = await play(scenario, { changes: { fencing: 'lease' } });
      expect(result.violations).toEqual([]);
      expect(result.dualActiveMs).toBe(0);
      expect(result.rules['dual-active'].looks).toBeGreaterThan(0);
    },
  );

  test('without fencing two sites may believe it for minutes, and it is counted', async () => {
    const result = await play('partition-minority');
    expect(result.violations).toEqual([]);
    expect(result.dualActiveMs).toBeGreaterThan(60_000);
  });

  test('a leader without a majority commits nothing, and the others elect one that does', async () => {
    const whole = await startLife({
      seed: 3,
      policies: [servicePolicy()],
      configHash: '0'.repeat(64),
      service: 'checkout',
      paths: ['b'],
    });
    const minority = whole.leader ?? '';
    const places = whole.regions.map(({ place }) => place.name);
    const own = `region ${minority}`;
    const ways = bothWays(
      [own],
      places.filter((name) => name !== own),
    );
    const stage = { whole, tell: () => undefined };
    cut(stage, ways, 'the leader is cut off');
    const note = (by: string) =>
      ({ kind: 'note', service: 'checkout', by, reason: 'who hears this?' }) as const;
    let answer: string | null = null;
    void whole
      .region(minority)
      .control?.plane.propose('minority-1' as never, { ...note('minority'), at: whole.stamp() })
      .then(({ kind }) => {
        answer = kind;
      });
    await passUntil(whole, () => answer !== null, 60_000);
    expect(answer).not.toBe('committed');
    await pass(whole, 15_000);
    const other = whole.regions.find(({ region }) => region !== minority);
    expect(other?.control?.plane.status().position.leader).not.toBe(minority);
    heal(stage, ways);
    await pass(whole, 10_000);
    const outcome = await propose(whole, { ...note('majority'), at: whole.stamp() });
    expect(outcome?.kind).toBe('committed');
    const notes = whole.state?.timeline.filter(({ kind }) => kind === 'note') ?? [];
    expect(notes.some(({ sentence }) => sentence.includes('minority'))).toBe(false);
  });
});
