import { describe, expect, test } from 'vitest';
import { createFreshness } from '../../../lib/aws/freshness.ts';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';

/** Looks that the test ends, and a clock that it moves; a sleep ends when the clock has passed it. */
function world(options: { readonly hasState: boolean }) {
  const time = { nowMs: 0, hasState: options.hasState };
  const looks: { end: () => void; fail: () => void }[] = [];
  const sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];
  const freshen = createFreshness({
    refresh: () =>
      new Promise((resolve, reject) => {
        looks.push({ end: resolve, fail: () => reject(new Error('halted')) });
      }),
    hasState: () => time.hasState,
    clock: {
      monotonicNow: () => monotonicMillis(time.nowMs),
      sleep: (durationMs) =>
        new Promise((wake) => sleepers.push({ untilMs: time.nowMs + durationMs, wake })),
    },
    ageMsMax: () => 1000,
    patienceMs: 100,
  });
  return {
    looks,
    learn: () => {
      time.hasState = true;
    },
    freshen,
    advance: (byMs: number) => {
      time.nowMs += byMs;
      for (const sleeper of sleepers.filter(({ untilMs }) => untilMs <= time.nowMs)) {
        sleeper.wake();
      }
    },
  };
}

/** Whether the promise has settled once everything that is ready has run. */
async function isSettled(work: Promise<void>): Promise<boolean> {
  let settled = false;
  void work.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('createFreshness', () => {
  test('waits for the first look as long as it takes: there is nothing to answer from', async () => {
    const { freshen, looks, learn, advance } = world({ hasState: false });
    const first = freshen();
    advance(60_000);
    expect(await isSettled(first)).toBe(false);
    learn();
    looks[0]?.end();
    expect(await isSettled(first)).toBe(true);
  });

  test('waits only so long when there is a state, and answers from that', async () => {
    const { freshen, advance } = world({ hasState: true });
    const request = freshen();
    advance(99);
    expect(await isSettled(request)).toBe(false);
    advance(1);
    expect(await isSettled(request)).toBe(true);
  });

  test('shares one look between requests that come together', async () => {
    const { freshen, looks } = world({ hasState: true });
    const requests = [freshen(), freshen(), freshen()];
    expect(looks).toHaveLength(1);
    looks[0]?.end();
    await Promise.all(requests);
  });

  test('does not look again while the last look is young, and does when it is not', async () => {
    const { freshen, looks, advance } = world({ hasState: true });
    const first = freshen();
    looks[0]?.end();
    await first;
    advance(999);
    await freshen();
    expect(looks).toHaveLength(1);
    advance(1);
    const later = freshen();
    expect(looks).toHaveLength(2);
    looks[1]?.end();
    await later;
  });

  test('looks again at once while there is still no state', async () => {
    const { freshen, looks } = world({ hasState: false });
    const first = freshen();
    looks[0]?.end();
    await first;
    const second = freshen();
    expect(looks).toHaveLength(2);
    looks[1]?.end();
    await second;
  });

  test('lets a request answer after a look that failed', async () => {
    const { freshen, looks } = world({ hasState: true });
    const request = freshen();
    looks[0]?.fail();
    await expect(request).resolves.toBeUndefined();
  });
});
