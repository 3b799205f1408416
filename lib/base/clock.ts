/**
 * Time and chance as ports. Pure rooms take `now` as an argument; shells take these, so that the
 * simulator can replace both (docs/style.md rule 4).
 */
import type { EpochMillis, MonotonicMillis } from './identifiers.ts';

export interface Clock {
  /** Wall clock. Stamps what people read; orders nothing. */
  readonly wallNow: () => EpochMillis;
  /** Monotonic clock of this process. Measures waits and timeouts. */
  readonly monotonicNow: () => MonotonicMillis;
  /** Resolves after `durationMs`; never rejects. */
  readonly sleep: (durationMs: number) => Promise<void>;
}

/** A number in [0, 1), from a seeded source in tests and simulation. */
export type Random = () => number;
