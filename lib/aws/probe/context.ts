/** What every kind of probe is given. */
import type { Clock } from '../../base/clock.ts';

export interface ProbeContext {
  /** Aborts at the time limit of the probe, or when the prober stops. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'wallNow' | 'monotonicNow'>;
  /** PEM certificates trusted in place of the usual ones; null = the usual ones. */
  readonly authorities: readonly string[] | null;
}
