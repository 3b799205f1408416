import { describe, expect, test } from 'vitest';
import { planFailures, REPAIR } from '../../../lib/simulation/whole/year.ts';

describe('the failures of many years', () => {
  test('come once in 720 h, at both sites, with bounded repairs, alike for one seed', () => {
    const failures = planFailures(1, 1000);
    expect(planFailures(1, 1000)).toEqual(failures);
    expect(Math.abs(failures.length - 12_175)).toBeLessThan(400);
    const first = failures.filter(({ place }) => place === 0).length;
    expect(Math.abs(first / failures.length - 0.5)).toBeLessThan(0.02);
    const repairs = failures.map(({ repairMs }) => repairMs);
    expect(Math.min(...repairs)).toBeGreaterThanOrEqual(REPAIR.msMin);
    expect(Math.max(...repairs)).toBeLessThanOrEqual(REPAIR.msMax);
  });
});
