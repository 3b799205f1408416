import { describe, expect, test } from 'vitest';
import { joinYears, liveYears } from '../../../lib/simulation/whole/year.ts';
import { servicePolicy } from '../../support/service-states.ts';

describe('two region failures', () => {
  test('two that overlap leave nobody who serves, and that is counted', async () => {
    const order = {
      seed: 3,
      policy: servicePolicy(),
      failures: [
        { afterMs: 1, place: 0, repairMs: 300_000 },
        { afterMs: 120_000, place: 1, repairMs: 90_000 },
      ],
      quietHours: 0,
    } as const;
    const result = await liveYears(order, () => undefined);
    expect(result).toMatchObject({ failures: 2, doubleFailures: 1, violations: [] });
    expect(result.failedSeconds.b).toBeGreaterThan(90);
    expect(joinYears([result, result]).failedSeconds.b).toBeCloseTo(2 * result.failedSeconds.b);
  });
});
