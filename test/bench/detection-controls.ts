/** What the figures of detection are held against: the plain ways to do the same. */

/** One interval kept by copying the window, with sums computed afresh: a value, the simple way. */
export function copiedBeat(kept: Uint16Array, intervalMs: number): Uint16Array {
  const next = new Uint16Array(kept.length);
  next.set(kept.subarray(1));
  next[kept.length - 1] = intervalMs;
  return next;
}

/** φ of a normal distribution with mean and deviation of all intervals, both computed anew. */
export function twoPassPhi(intervalsMs: readonly number[], silentMs: number): number {
  let sum = 0;
  for (const interval of intervalsMs) {
    sum += interval;
  }
  const mean = sum / intervalsMs.length;
  let squares = 0;
  for (const interval of intervalsMs) {
    squares += (interval - mean) ** 2;
  }
  const z = (silentMs - mean) / Math.sqrt(squares / intervalsMs.length);
  // The logistic stand-in of Akka: cheap, and wrong in the tail.
  const odds = Math.exp(-z * (1.5976 + 0.070566 * z ** 2));
  return -Math.log10(odds / (1 + odds));
}
