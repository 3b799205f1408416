import { describe, expect, it } from 'vitest';
import {
  SYNTHETIC_TRACES,
  syntheticTrace,
} from '../../../../lib/simulation/traces/synthetic-traces.ts';

function lostShare(name: (typeof SYNTHETIC_TRACES)[number]): number {
  const beats = syntheticTrace(name, 1).series.flatMap(({ arrivalsMs }) => [...arrivalsMs]);
  return beats.filter(Number.isNaN).length / beats.length;
}

describe('synthetic traces', () => {
  it('are the same for a seed and others for another', () => {
    const [first] = syntheticTrace('cold-starts', 1).series;
    expect(syntheticTrace('cold-starts', 1).series[0]?.arrivalsMs).toEqual(first?.arrivalsMs);
    expect(syntheticTrace('cold-starts', 2).series[0]?.arrivalsMs).not.toEqual(first?.arrivalsMs);
  });

  it('outlast the warm-up and send at their pace or slower', () => {
    for (const name of SYNTHETIC_TRACES) {
      const { series, intervalMs, transitMs } = syntheticTrace(name, 1);
      expect(series.length).toBeGreaterThan(5);
      expect(transitMs).toBeGreaterThanOrEqual(0);
      for (const { arrivalsMs } of series) {
        const last = arrivalsMs.findLast((ms) => !Number.isNaN(ms)) ?? 0;
        expect(arrivalsMs.length).toBeGreaterThan(600);
        expect(last / intervalMs).toBeGreaterThan(0.99 * (arrivalsMs.length - 20));
      }
    }
  });

  it('lose what their names say', () => {
    expect(lostShare('loss-0.5')).toBeCloseTo(0.005, 2);
    expect(lostShare('loss-2')).toBeCloseTo(0.02, 2);
    expect(lostShare('loss-10')).toBeCloseTo(0.1, 1);
    const burst = syntheticTrace('burst-of-1093', 1).series[0]?.arrivalsMs.slice(1500, 2593) ?? [];
    expect([...burst].every(Number.isNaN)).toBe(true);
    expect(burst).toHaveLength(1093);
  });

  it('hold one pause of a second on three of the shared hosts', () => {
    const longest = syntheticTrace('shared-hosts', 1).series.map(({ arrivalsMs }) =>
      arrivalsMs.reduce(
        (most, ms, k) => Math.max(most, k === 0 ? 0 : ms - (arrivalsMs[k - 1] ?? 0)),
        0,
      ),
    );
    expect(longest.filter((ms) => ms > 900)).toHaveLength(3);
  });
});
