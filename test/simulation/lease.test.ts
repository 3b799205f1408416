import { describe, expect, test } from 'vitest';
import { monotonicMillis } from '../../lib/base/identifiers.ts';
import { runLeaseWorld } from '../support/lease-world.ts';

const SEEDS = 40;

async function total(mutant: Parameters<typeof runLeaseWorld>[1] = {}, seeds: number = SEEDS) {
  const sum = { dualActive: 0, handovers: 0, acknowledged: 0, active: 0 };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const outcome = await runLeaseWorld(seed, mutant);
    sum.dualActive += outcome.dualActive;
    sum.handovers += outcome.handovers;
    sum.acknowledged += outcome.acknowledged;
    sum.active += outcome.active;
  }
  return sum;
}

describe('with lease fencing, whatever the network and the clocks do', () => {
  test('no two sites believe at once that they are active', async () => {
    const sum = await total();
    expect(sum.dualActive).toBe(0);
    // The world is not one in which nothing happens.
    expect(sum.handovers).toBeGreaterThan(2 * SEEDS);
    expect(sum.acknowledged).toBeGreaterThan(SEEDS / 4);
    expect(sum.active).toBeGreaterThan(1000);
  });

  test('a region that lends by what it merely follows is caught', async () => {
    const sum = await total({
      lending: ({ clock }) => ({
        clock,
        confirmation: {
          get confirmedFrom() {
            return clock.monotonicNow();
          },
        },
      }),
    });
    expect(sum.dualActive).toBeGreaterThan(0);
  });

  test('a worker that does not wait for the whole lease is caught', async () => {
    const sum = await total({
      work: (work) => ({
        ...work,
        context: { ...work.context, openSince: monotonicMillis(work.context.openSince - 1500) },
      }),
    });
    expect(sum.dualActive).toBeGreaterThan(0);
  });
});
