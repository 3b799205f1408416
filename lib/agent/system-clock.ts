/**
 * The clock of the host process for the agent.
 *
 * A waiting agent must neither keep a finished program alive nor leave timers behind when it is
 * stopped, so a sleep can be cut short by a signal and its timer can be detached from the event
 * loop. Any `Clock` of `lib/base` fits as well; it merely sleeps to the end.
 *
 * On Linux the monotonic clock of a process stands still while the machine is suspended, and a
 * lease would outlive a night with the lid closed. The time since boot goes on, so the clock here
 * jumps forward by what the other one slept through.
 */
import { uptime } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import { SUSPENSION_MS_MIN } from './limits.ts';

export interface AgentClock extends Omit<Clock, 'sleep'> {
  /** Resolves after `durationMs`, or soon after `signal` aborts; never rejects. */
  readonly sleep: (durationMs: number, signal?: AbortSignal) => Promise<void>;
}

/** `keepProcessAlive: false` lets a program end while the agent waits. */
export function createSystemClock(options: { readonly keepProcessAlive: boolean }): AgentClock {
  const awake = countingSuspension({ runningMs: () => performance.now(), sinceBootMs });
  return {
    wallNow: () => epochMillis(Date.now()),
    monotonicNow: () => monotonicMillis(awake()),
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(finish, durationMs);
        if (!options.keepProcessAlive) {
          timer.unref();
        }
        signal?.addEventListener('abort', finish);
        if (signal?.aborted) {
          finish();
        }
        function finish(): void {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          resolve();
        }
      }),
  };
}

/**
 * `runningMs`, moved forward by what it missed of `sinceBootMs`. Never steps back: the difference
 * between the two only counts when it grew, by more than their resolution.
 */
export function countingSuspension(clocks: {
  readonly runningMs: () => number;
  /** null where the platform does not tell. */
  readonly sinceBootMs: () => number | null;
}): () => number {
  const gapMs = (runningMs: number): number => {
    const bootMs = clocks.sinceBootMs();
    return bootMs === null ? Number.NEGATIVE_INFINITY : bootMs - runningMs;
  };
  let knownGapMs = gapMs(clocks.runningMs());
  let suspendedMs = 0;
  return () => {
    const runningMs = clocks.runningMs();
    const missedMs = gapMs(runningMs) - knownGapMs;
    if (missedMs > SUSPENSION_MS_MIN && Number.isFinite(missedMs)) {
      knownGapMs += missedMs;
      suspendedMs += missedMs;
    }
    return runningMs + suspendedMs;
  };
}

function sinceBootMs(): number | null {
  try {
    return uptime() * 1000;
  } catch {
    // Some sandboxes hide it; then a suspended machine is noticed by the regions only.
    return null;
  }
}
