/**
 * Ascending arrays of quanta that stay ascending while intervals come and go.
 *
 * One interval takes the place of another, and the values between the two places move by one: for
 * 200 values that beats any tree, and there is nothing to balance. Invariant: before and after each
 * call the array is ascending and holds what was put in and not taken out.
 */
import { invariant } from '../base/invariant.ts';

/** Adds `added` to the first `count` values of `sorted`, which are ascending; there must be room. */
export function insertSorted(sorted: Uint16Array, count: number, added: number): void {
  invariant(count < sorted.length, 'no-room-in-sorted-quanta', count);
  let hole = count;
  for (; hole > 0 && (sorted[hole - 1] ?? 0) > added; hole -= 1) {
    sorted[hole] = sorted[hole - 1] ?? 0;
  }
  sorted[hole] = added;
}

/** Below this many values a walk is faster than the search and the call that moves a block. */
const WALK_MAX = 32;

/** Puts `added` in the place of one `dropped`, which must be among the values; all are ascending. */
export function replaceSorted(sorted: Uint16Array, dropped: number, added: number): void {
  if (sorted.length <= WALK_MAX) {
    replaceWalking(sorted, dropped, added);
    return;
  }
  const from = countBelow(sorted, dropped);
  invariant(sorted[from] === dropped, 'dropped-interval-not-in-order', dropped);
  const to = countBelow(sorted, added);
  if (to <= from) {
    sorted.copyWithin(to + 1, to, from);
    sorted[to] = added;
  } else {
    sorted.copyWithin(from, from + 1, to);
    sorted[to - 1] = added;
  }
}

function replaceWalking(sorted: Uint16Array, dropped: number, added: number): void {
  let hole = 0;
  while (hole < sorted.length && sorted[hole] !== dropped) {
    hole += 1;
  }
  invariant(hole < sorted.length, 'dropped-interval-not-in-order', dropped);
  for (; hole > 0 && (sorted[hole - 1] ?? 0) > added; hole -= 1) {
    sorted[hole] = sorted[hole - 1] ?? 0;
  }
  for (; hole < sorted.length - 1 && (sorted[hole + 1] ?? 0) < added; hole += 1) {
    sorted[hole] = sorted[hole + 1] ?? 0;
  }
  sorted[hole] = added;
}

/**
 * How many values are below `value`: a binary search without branches, for a processor would guess
 * every second one wrong. `difference >> 31` is all ones where the difference is negative, else 0.
 */
function countBelow(sorted: Uint16Array, value: number): number {
  let below = 0;
  for (let left = sorted.length; left > 1; left -= left >>> 1) {
    const half = left >>> 1;
    below += half & (((sorted[below + half - 1] ?? 0) - value) >> 31);
  }
  return below + (((sorted[below] ?? 0) - value) >>> 31);
}
