/**
 * What the suspicion model reads from a window: its intervals in ascending order, so that every
 * quantile is one look. They are kept from beat to beat; nothing is sorted in the common case.
 *
 * Invariant: both equal a fresh sort of the window's newest intervals.
 */
import type { ArrivalWindow } from './arrival-window.ts';

/** All intervals of the window (0 to 200 quanta), ascending. Read only, until the next beat. */
export function longSorted(window: ArrivalWindow): Uint16Array {
  return window.intervals.ascending();
}

/** The newest 20 intervals (0 to 20 quanta), ascending. Read only, until the next beat. */
export function shortSorted(window: ArrivalWindow): Uint16Array {
  return window.intervals.ascendingNewest();
}
