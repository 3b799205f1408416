/** The world's clock and what holds a process back: what every simulated life stands on. */
import { describe, expect, test } from 'vitest';
import { simulatedClock, Vitality, World } from '../../../lib/simulation/world.ts';

const nothing = () => undefined;

describe('the world', () => {
  test('runs events in order of time, and those of one instant in the order of their making', async () => {
    const world = new World();
    const seen: string[] = [];
    world.after(20, () => seen.push('late'));
    world.after(10, () => seen.push('early'));
    world.after(10, () => seen.push('early, made later'));
    await world.run(30, nothing);
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
    await world.run(1, () => seen.push(steps));
    expect(seen).toEqual([1]);
  });

  test('stops at the first check that fails', async () => {
    const world = new World();
    const seen: number[] = [];
    world.after(1, () => seen.push(1));
    world.after(2, () => seen.push(2));
    const run = world.run(10, () => {
      throw new Error('violated');
    });
    await expect(run).rejects.toThrow('violated');
    expect(seen).toEqual([1]);
  });

  test('forgets an event that was called off', async () => {
    const world = new World();
    const seen: string[] = [];
    world.after(1, () => seen.push('called off'))();
    await world.run(5, nothing);
    expect(seen).toEqual([]);
    expect(world.events).toBe(0);
  });
});

describe('a process', () => {
  test('hears nothing while it is frozen, and all of it, in order, when it thaws', () => {
    const vitality = new Vitality();
    const heard: number[] = [];
    vitality.freeze();
    vitality.deliver(() => heard.push(1));
    vitality.deliver(() => heard.push(2));
    expect(heard).toEqual([]);
    vitality.thaw();
    expect(heard).toEqual([1, 2]);
  });

  test('that is dead hears nothing ever again, thawed or not', () => {
    const vitality = new Vitality();
    const heard: number[] = [];
    vitality.freeze();
    vitality.deliver(() => heard.push(1));
    vitality.kill();
    vitality.thaw();
    vitality.deliver(() => heard.push(2));
    expect(heard).toEqual([]);
    expect(vitality.isDead).toBe(true);
  });

  test('sleeps by its own clock, fast or slow', async () => {
    const world = new World();
    const seen: string[] = [];
    const sleepers = [
      ['fast', 2],
      ['slow', 0.5],
    ] as const;
    for (const [name, rate] of sleepers) {
      const clock = simulatedClock(world, { skewMs: 0, rate }, new Vitality());
      void clock.sleep(100).then(() => seen.push(`${name} at ${world.now}`));
    }
    await world.run(300, nothing);
    expect(seen).toEqual(['fast at 50', 'slow at 200']);
  });
});
