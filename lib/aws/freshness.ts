/**
 * How an API function keeps its copy of the state fresh without making every caller wait for it.
 *
 * A function has no loop that follows the log: it is frozen between invocations. So each request
 * looks first, unless another did a moment ago. A copy that exists is worth waiting for a little
 * (`patienceMs`) and then answers as it is: losing the log must never move traffic. A function that
 * has no copy yet has nothing to answer from, and waits for the look to end.
 */
import type { Clock } from '../base/clock.ts';

export interface FreshnessOptions {
  /** One look at the log. May reject: a register that halts says so in its own log line. */
  readonly refresh: () => Promise<void>;
  /** Whether there is a state to answer from. */
  readonly hasState: () => boolean;
  readonly clock: Pick<Clock, 'monotonicNow' | 'sleep'>;
  /** A look that began less than this ago is not repeated. */
  readonly ageMsMax: () => number;
  /** How long a caller waits for a look when there is a state already. */
  readonly patienceMs: number;
}

/** The function to call at the beginning of each request; never rejects. */
export function createFreshness(options: FreshnessOptions): () => Promise<void> {
  const { refresh, hasState, clock, ageMsMax, patienceMs } = options;
  let startedAt: number | null = null;
  let underWay: Promise<void> | null = null;
  return async () => {
    const isDue =
      startedAt === null || clock.monotonicNow() - startedAt >= ageMsMax() || !hasState();
    if (underWay === null && isDue) {
      startedAt = clock.monotonicNow();
      underWay = settled(refresh()).finally(() => {
        underWay = null;
      });
    }
    if (underWay !== null) {
      await (hasState() ? Promise.race([underWay, clock.sleep(patienceMs)]) : underWay);
    }
  };
}

/**
 * Reads answer from the last state whatever happened to the look. Commands do not go by it: they meet
 * the same register themselves, and fail there.
 */
function settled(work: Promise<void>): Promise<void> {
  return work.then(ignore, ignore);
}

function ignore(): void {
  // Nothing to tell: see `settled`.
}
