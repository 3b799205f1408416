/**
 * The clock of a Lambda function, whose process is frozen between two invocations.
 *
 * While it is frozen its monotonic clock may stand still, so a copy that was read "50 ms ago" can be
 * an hour old. The wall clock goes on. So this monotonic clock takes the larger of both advances
 * since it was last read: it never goes back, and a frozen hour counts as an hour. A wall clock that
 * jumps ahead makes things look older than they are: a copy is read once too often, and a fence that
 * waits then waits less by the jump. AWS slews its clocks and steps none, which is assumed here.
 */
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';

export interface HostTime {
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Milliseconds from an arbitrary origin; never goes back; may stand still while frozen. */
  readonly processMs: () => number;
}

const HOST_TIME: HostTime = {
  wallMs: () => Date.now(),
  processMs: () => performance.now(),
};

export function createLambdaClock(host: HostTime = HOST_TIME): Clock {
  let wall = host.wallMs();
  let process = host.processMs();
  let elapsedMs = 0;
  return {
    wallNow: () => epochMillis(host.wallMs()),
    monotonicNow: () => {
      const wallNext = host.wallMs();
      const processNext = host.processMs();
      elapsedMs += Math.max(0, wallNext - wall, processNext - process);
      wall = wallNext;
      process = processNext;
      return monotonicMillis(elapsedMs);
    },
    sleep: (durationMs) =>
      new Promise((resolve) => {
        setTimeout(resolve, durationMs);
      }),
  };
}
