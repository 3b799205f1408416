/** What holds a process back, and by what it measures time. */
import { describe, expect, test } from 'vitest';
import { ProcessClock } from '../../../lib/simulation/process-clock.ts';
import { Vitality } from '../../../lib/simulation/vitality.ts';
import { World } from '../../../lib/simulation/world.ts';

const nothing = () => undefined;

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
      const clock = new ProcessClock(world, new Vitality(), { skewMs: 0, rate });
      void clock.sleep(100).then(() => seen.push(`${name} at ${world.now}`));
    }
    await world.run({ until: 300, check: nothing });
    expect(seen).toEqual(['fast at 50', 'slow at 200']);
  });

  test('has a monotonic clock that never goes back, whatever its rate and its wall clock do', async () => {
    const world = new World();
    const clock = new ProcessClock(world, new Vitality(), { skewMs: 5, rate: 1 });
    const shown: number[] = [];
    const look = () => void shown.push(clock.monotonicNow());
    for (const [at, change] of [
      [10, () => clock.drift(2)],
      [20, () => clock.jump(-3_600_000)],
      [30, () => clock.drift(0.5)],
      [40, () => clock.steady()],
    ] as const) {
      world.after(at, () => {
        change();
        look();
      });
    }
    world.after(50, look);
    await world.run({ until: 60, check: nothing });
    expect(shown).toEqual([10, 30, 50, 55, 65]);
  });

  test('has a wall clock that jumps', () => {
    const clock = new ProcessClock(new World(), new Vitality(), { skewMs: 0, rate: 1 });
    const before = clock.wallNow();
    clock.jump(3_600_000);
    expect(clock.wallNow() - before).toBe(3_600_000);
  });
});
