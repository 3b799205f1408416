import { describe, expect, it } from 'vitest';
import { fuzzDetection } from '../../fuzz/detection.ts';
import { longRun } from '../../fuzz/long-run.ts';

describe('detection under fuzz', () => {
  it('keeps its promises in 60,000 cases (`npm run fuzz:detection` makes ten million)', () => {
    const { violation, outcomes } = fuzzDetection(60_000, 2026);
    expect(violation).toBeNull();
    // Every kind of outcome is really met, the rarest many times.
    const kinds = ['started', 'recorded', 'batched', 'restarted', 'duplicate', 'refused'];
    expect(Object.keys(outcomes).toSorted()).toEqual(kinds.toSorted());
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
  });

  it('has exact sums and orders after 300,000 beats of one window', () => {
    expect(longRun(300_000, 2026)).toEqual({ beats: 300_000, differences: 0 });
  });
});
