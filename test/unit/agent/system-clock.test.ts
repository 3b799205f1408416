import { describe, expect, it } from 'vitest';
import { countingSuspension, createSystemClock } from '../../../lib/agent/system-clock.ts';

/** Two clocks of one machine that may differ by what it slept. */
function twoClocks(start: number) {
  const state = { runningMs: start, bootMs: (start + 70_000) as number | null };
  const read = countingSuspension({
    runningMs: () => state.runningMs,
    sinceBootMs: () => state.bootMs,
  });
  const pass = (runningMs: number, sleptMs: number) => {
    state.runningMs += runningMs;
    state.bootMs = (state.bootMs ?? 0) + runningMs + sleptMs;
    return read();
  };
  return { state, read, pass };
}

describe('countingSuspension', () => {
  it('follows the running clock while the machine is awake', () => {
    const clocks = twoClocks(1000);
    expect([clocks.read(), clocks.pass(5, 0), clocks.pass(2000, 0)]).toEqual([1000, 1005, 3005]);
  });

  it('jumps by what the machine slept, once for each sleep', () => {
    const clocks = twoClocks(0);
    expect([clocks.pass(10, 60_000), clocks.pass(10, 0), clocks.pass(10, 5000)]).toEqual([
      60_010, 60_020, 65_030,
    ]);
  });

  it('takes the resolution of the clocks for no sleep, and never steps back', () => {
    const clocks = twoClocks(0);
    expect([clocks.pass(10, 1000), clocks.pass(10, -1000), clocks.pass(10, -9000)]).toEqual([
      10, 20, 30,
    ]);
  });

  it('is the running clock where nobody tells the time since boot', () => {
    const clocks = twoClocks(0);
    clocks.state.bootMs = null;
    expect(clocks.read()).toBe(0);
    const blind = countingSuspension({ runningMs: () => 7, sinceBootMs: () => null });
    expect(blind()).toBe(7);
  });
});

describe('createSystemClock', () => {
  it('ends a sleep at once when the signal aborts, before and during', async () => {
    const clock = createSystemClock({ keepProcessAlive: false });
    const before = clock.monotonicNow();
    await clock.sleep(60_000, AbortSignal.abort());
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort();
    await sleeping;
    expect(clock.monotonicNow() - before).toBeLessThan(10_000);
  });
});
