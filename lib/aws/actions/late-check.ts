/**
 * Whether this process was held up between looking and changing: stopped, frozen, starved.
 *
 * Capacities and databases take no fencing number, so what was seen before a long pause says nothing of
 * now: another worker has taken the step over, and a newer run may have moved everything elsewhere. A
 * change that is due then is not made. What remains is the time between this check and the first byte;
 * only a service that compares epochs could close it (`docs/known-limits.md`).
 */
import type { Clock } from '../../base/clock.ts';
import type { ActionUnknown } from '../../recovery/action-ports.ts';
import { CHANGE_STALE_MS } from './limits.ts';

/** Starts to count now. */
export function lateCheck({ monotonicNow }: Pick<Clock, 'monotonicNow'>): () => boolean {
  const startedAt = monotonicNow();
  return () => monotonicNow() - startedAt > CHANGE_STALE_MS;
}

export const HELD_UP: ActionUnknown = {
  kind: 'unknown',
  cause: 'this process was held up between looking and changing; nothing was changed',
};
