/**
 * A clock that moves only when a test moves it.
 *
 * `advance` lets each sleeper wake at its own instant and everything that follows from it settle
 * before the next one wakes, so a minute of behaviour takes a millisecond and no test ever waits.
 */
import { setImmediate } from 'node:timers/promises';
import type { EpochMillis, MonotonicMillis } from '../../lib/base/identifiers.ts';

export interface ManualClock {
  readonly wallNow: () => EpochMillis;
  readonly monotonicNow: () => MonotonicMillis;
  readonly sleep: (durationMs: number, signal?: AbortSignal) => Promise<void>;
  /** Moves time forward; resolves when all that was due has happened. */
  readonly advance: (durationMs: number) => Promise<void>;
  /** Time passes while the process does not run: all sleepers wake late, at the new instant. */
  readonly freeze: (durationMs: number) => Promise<void>;
  /** How many sleeps have not ended: a leak shows here. */
  readonly sleeperCount: () => number;
}

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

export function createManualClock(startMs: number = 1_000_000): ManualClock {
  let now = startMs;
  const sleepers = new Set<Sleeper>();
  const earliest = (until: number): Sleeper | undefined =>
    [...sleepers].filter(({ wakeAt }) => wakeAt <= until).sort((a, b) => a.wakeAt - b.wakeAt)[0];
  const wakeUntil = async (until: number): Promise<void> => {
    await setImmediate();
    for (let next = earliest(until); next; next = earliest(until)) {
      now = Math.max(now, next.wakeAt);
      next.wake();
      await setImmediate();
    }
    now = until;
  };
  return {
    wallNow: () => now as EpochMillis,
    monotonicNow: () => now as MonotonicMillis,
    sleep: (durationMs, signal) => {
      if (durationMs <= 0) {
        // Only a turn of the event loop: no time has to pass.
        return setImmediate();
      }
      return new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          resolve();
        };
        const sleeper = { wakeAt: now + durationMs, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      });
    },
    advance: (durationMs) => wakeUntil(now + durationMs),
    freeze: (durationMs) => {
      now += durationMs;
      return wakeUntil(now);
    },
    sleeperCount: () => sleepers.size,
  };
}
