/**
 * The clock of the host process for the agent.
 *
 * A waiting agent must neither keep a finished program alive nor leave timers behind when it is
 * stopped, so a sleep can be cut short by a signal and its timer can be detached from the event
 * loop. Any `Clock` of `lib/base` fits as well; it merely sleeps to the end.
 */
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';

export interface AgentClock extends Omit<Clock, 'sleep'> {
  /** Resolves after `durationMs`, or soon after `signal` aborts; never rejects. */
  readonly sleep: (durationMs: number, signal?: AbortSignal) => Promise<void>;
}

/** `keepProcessAlive: false` lets a program end while the agent waits. */
export function createSystemClock(options: { readonly keepProcessAlive: boolean }): AgentClock {
  return {
    wallNow: () => epochMillis(Date.now()),
    monotonicNow: () => monotonicMillis(performance.now()),
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
