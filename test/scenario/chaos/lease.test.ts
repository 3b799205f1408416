/** Leases fence: a planned move, and a site that is cut off together with the leading region. */
import { expect, test } from 'vitest';
import { play } from './play.ts';

/** Said here, because mutants are hunted without the configuration of the chaos tests. */
const TIMEOUT_MS = 120_000;
const LEASE = { changes: { fencing: 'lease' } } as const;

test.each(['partition-minority', 'partition-site', 'planned-return'])(
  '%s: the site before has given its role up before another one has it',
  async (scenario) => {
    const result = await play(scenario, LEASE);
    expect(result.violations).toEqual([]);
    expect(result.dualActiveMs).toBe(0);
    expect(result.runs.some(({ kind, outcome }) => kind === 'failover' && outcome === 'done')).toBe(
      true,
    );
  },
  TIMEOUT_MS,
);

test(
  'partition-one-way: a site that hears no answer says so, and is failed over once',
  async () => {
    const result = await play('partition-one-way', LEASE);
    expect(result.violations).toEqual([]);
    expect(result.dualActiveMs).toBe(0);
    expect(result.runs.map(({ kind, outcome }) => [kind, outcome])).toEqual([['failover', 'done']]);
    expect(result.availability).toBeGreaterThan(0.9);
  },
  TIMEOUT_MS,
);

test(
  'bad-weather: leases outlive most losses, and nothing is failed over',
  async () => {
    const result = await play('bad-weather', LEASE);
    expect(result.violations).toEqual([]);
    expect(result.dualActiveMs).toBe(0);
    expect(result.runs).toEqual([]);
    expect(result.availability).toBeGreaterThan(0.88);
  },
  TIMEOUT_MS,
);
