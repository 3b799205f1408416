/** Seeded lives of the log: safe under every fault, alive afterwards, and the same each time. */
import { describe, expect, it } from 'vitest';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import { sha256 } from '../../lib/local/system-clock.ts';
import { runCampaign } from '../../lib/simulation/campaign.ts';
import { runConsensus } from '../../lib/simulation/consensus-run.ts';

const SEEDS = 20;

describe('a campaign', () => {
  it('finds no violation, and met every kind of fault it claims to survive', async () => {
    const result = await runCampaign({
      seeds: SEEDS,
      firstSeed: 1000,
      sha256,
      onProgress: () => undefined,
    });
    expect(result.failures).toEqual([]);
    expect(result.missingFaults).toEqual([]);
    expect(result.acknowledged).toBeGreaterThan(SEEDS * 20);
    expect(result.compactions).toBeGreaterThan(0);
  });
});

describe('a seed', () => {
  it('lives the same life twice, event for event', async () => {
    const once = await runConsensus({ seed: 7, sha256 });
    const again = await runConsensus({ seed: 7, sha256 });
    expect(again).toEqual(once);
  });

  it.each([
    [1, 'a leader that one register in a higher term refuses for ever'],
    [12, 'a follower whose catching-up was thought to be under way'],
  ])('that failed once stays mended: %i, %s', async (seed) => {
    const { acknowledged } = await runConsensus({ seed, sha256 });
    expect(acknowledged).toBeGreaterThan(0);
  });
});

describe('the checks themselves', () => {
  it('fail for a store that says it has written what it has not', async () => {
    const forgetful = (port: RegisterPort): RegisterPort => ({
      ...port,
      compareAndSet: async (expected, server) =>
        expected > 3 && expected % 5 === 0
          ? { kind: 'applied' }
          : port.compareAndSet(expected, server),
    });
    await expect(runConsensus({ seed: 7, sha256, sabotage: forgetful })).rejects.toThrow();
  });
});
