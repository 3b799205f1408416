/** The world's clock: what every simulated life stands on. */
import { describe, expect, test } from 'vitest';
import { World } from '../../../lib/simulation/world.ts';

const nothing = () => undefined;

describe('the world', () => {
  test('runs events in order of time, and those of one instant in the order of their making', async () => {
    const world = new World();
    const seen: string[] = [];
    world.after(20, () => seen.push('late'));
    world.after(10, () => seen.push('early'));
    world.after(10, () => seen.push('early, made later'));
    await world.run({ until: 30, check: nothing });
    expect(seen).toEqual(['early', 'early, made later', 'late']);
    expect(world.now).toBe(30);
  });

  test('lets everything that follows from an event happen before it checks', async () => {
    const world = new World();
    let steps = 0;
    world.after(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => {
          steps += 1;
        });
    });
    const seen: number[] = [];
    await world.run({ until: 1, check: () => seen.push(steps) });
    expect(seen).toEqual([0, 1]);
  });

  test('stops at the first check that fails', async () => {
    const world = new World();
    const seen: number[] = [];
    world.after(1, () => seen.push(1));
    world.after(2, () => seen.push(2));
    const check = () => {
      if (seen.length > 0) {
        throw new Error('violated');
      }
    };
    const run = world.run({ until: 10, check });
    await expect(run).rejects.toThrow('violated');
    expect(seen).toEqual([1]);
  });

  test('forgets an event that was called off', async () => {
    const world = new World();
    const seen: string[] = [];
    world.after(1, () => seen.push('called off'))();
    await world.run({ until: 5, check: nothing });
    expect(seen).toEqual([]);
    expect(world.events).toBe(0);
  });

  test('stops as soon as what it waits for is so, and says whether it came in time', async () => {
    const world = new World();
    let count = 0;
    for (const at of [10, 20, 30]) {
      world.after(at, () => {
        count += 1;
      });
    }
    const isDone = () => count === 2;
    expect(await world.run({ until: 100, check: nothing, isDone })).toBe(true);
    expect(world.now).toBe(20);
    expect(await world.run({ until: 25, check: nothing, isDone: () => count === 3 })).toBe(false);
    expect(world.now).toBe(25);
  });

  test('lets a chain of promises of any length settle within one event', async () => {
    const world = new World();
    const chain = async () => {
      for (let link = 0; link < 1000; link += 1) {
        await Promise.resolve();
      }
      links += 1000;
    };
    let links = 0;
    world.after(1, () => void chain());
    const seen: number[] = [];
    await world.run({ until: 1, check: () => seen.push(links) });
    expect(seen).toEqual([0, 1000]);
  });

  test('has another trace when anything differs: an instant, a name, a figure, the order', async () => {
    const lived = async (live: (world: World) => void) => {
      const world = new World();
      live(world);
      await world.run({ until: 10, check: nothing });
      return world.trace.digest;
    };
    const traces = [
      await lived((world) => void world.after(1, nothing, 'a')),
      await lived((world) => void world.after(1 + Number.EPSILON, nothing, 'a')),
      await lived((world) => void world.after(1, nothing, 'b')),
      await lived((world) => void world.after(1, () => world.note('n', 1, 2), 'a')),
      await lived((world) => void world.after(1, () => world.note('n', 2, 1), 'a')),
    ];
    expect(new Set(traces).size).toBe(traces.length);
    expect(await lived((world) => void world.after(1, nothing, 'a'))).toBe(traces[0]);
  });
});
