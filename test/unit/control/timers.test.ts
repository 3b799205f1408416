/** The invariant of the timers, against a world that is out to break it (`timer-world.ts`). */
import { describe, expect, test } from 'vitest';
import type { EpochMillis } from '../../../lib/base/identifiers.ts';
import type { SiteName } from '../../../lib/control/health-store.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { liveThrough, type MakeStore } from '../../support/timer-world.ts';

/** In the last lives an observer looks at a site while the word of another one is on its way. */
const SEEDS = [...Array.from({ length: 15 }, (_, place) => 1000 + place), 60_748, 61_270];
const FEW_SEEDS = SEEDS.slice(0, 4);

test('no site whose verdict must change is ever without a timer, and a tick finds it', async () => {
  for (const seed of SEEDS) {
    expect({ seed, violation: await liveThrough(seed) }).toEqual({ seed, violation: null });
  }
});

test('what reaches the log out of order is found by the slow sweep', async () => {
  for (const seed of FEW_SEEDS) {
    const violation = await liveThrough(seed, { isLogDisordered: true });
    expect({ seed, violation }).toEqual({ seed, violation: null });
  }
});

describe('the same world catches a store that', () => {
  test('writes the record before its timer', async () => {
    const store: MakeStore = (table, pass) => {
      const honest = memoryHealthStore(table, pass);
      return {
        ...honest,
        write: async (expected, record, wakeAt) => {
          const outcome = await honest.write(expected, record, null);
          if (outcome.kind === 'applied' && wakeAt !== null) {
            await honest.wake(wakeAt, record.service, record.site);
          }
          return outcome;
        },
      };
    };
    expect(await firstViolation({ makeStore: store })).not.toBeNull();
  });

  test('does not say which revision a timer awaits', async () => {
    class Forgetful extends MemoryHealthTable {
      override putTimer(at: EpochMillis, name: SiteName): void {
        super.putTimer(at, name, 0);
      }
    }
    expect(
      await firstViolation({ makeTable: () => new Forgetful(), firstSeed: 27 }),
    ).not.toBeNull();
  });

  test('takes a timer down before the next one stands', async () => {
    const store: MakeStore = (table, pass) => {
      const honest = memoryHealthStore(table, pass);
      return {
        ...honest,
        settle: async (timer, nextAt) => {
          const isGone = await honest.settle(timer, null);
          return (
            isGone && (nextAt === null || (await honest.wake(nextAt, timer.service, timer.site)))
          );
        },
      };
    };
    expect(await firstViolation({ makeStore: store })).not.toBeNull();
  });

  test('does not keep the mark that the next beat must bring a timer', async () => {
    const store: MakeStore = (table, pass) => {
      const honest = memoryHealthStore(table, pass);
      return {
        ...honest,
        write: (expected, record, wakeAt) =>
          record.wakesOnBeat
            ? Promise.resolve({ kind: 'applied' })
            : honest.write(expected, record, wakeAt),
      };
    };
    expect(await firstViolation({ makeStore: store, firstSeed: 29 })).not.toBeNull();
  });
});

/** @param firstSeed where the search begins: a seed known to find it soon, or any. */
async function firstViolation(options: {
  readonly makeStore?: MakeStore;
  readonly makeTable?: () => MemoryHealthTable;
  readonly firstSeed?: number;
}): Promise<string | null> {
  const { makeStore = memoryHealthStore, firstSeed = 1 } = options;
  for (let seed = firstSeed; seed < firstSeed + 200; seed += 1) {
    const table = options.makeTable?.() ?? new MemoryHealthTable();
    const violation = await liveThrough(seed, { makeStore, table });
    if (violation !== null) {
      return `seed ${seed}, ${violation}`;
    }
  }
  return null;
}
