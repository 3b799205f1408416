import { describe, expect, test } from 'vitest';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import {
  describeWindow,
  type MaintenanceWindow,
  nextEnd,
  standingWindows,
  windowOf,
} from '../../../lib/recovery/maintenance.ts';
import { atMs, EAST, T0, WEST } from '../../support/service-states.ts';

const HOUR_MS = 3_600_000;

function windowFor(site: string | null, untilMs: number): MaintenanceWindow {
  return { site, since: T0, until: atMs(untilMs), by: 'ann', reason: 'new disks' };
}

describe('maintenance windows', () => {
  const maintenance = [windowFor(EAST, HOUR_MS), windowFor(null, 2 * HOUR_MS)];

  test('hold their site, or every site, until they end', () => {
    expect(windowOf({ maintenance }, EAST, T0)?.until).toBe(atMs(2 * HOUR_MS));
    expect(windowOf({ maintenance }, WEST, T0)?.site).toBeNull();
    const own = { maintenance: [windowFor(EAST, HOUR_MS)] };
    expect(windowOf(own, WEST, T0)).toBeNull();
    expect(windowOf(own, EAST, atMs(HOUR_MS - 1))).not.toBeNull();
    expect(windowOf(own, EAST, atMs(HOUR_MS))).toBeNull();
  });

  test('are looked at when the next of them ends', () => {
    expect(nextEnd({ maintenance }, T0)).toBe(atMs(HOUR_MS));
    expect(nextEnd({ maintenance }, atMs(HOUR_MS))).toBe(atMs(2 * HOUR_MS));
    expect(nextEnd({ maintenance }, atMs(2 * HOUR_MS))).toBeNull();
    expect(nextEnd({}, T0)).toBeNull();
  });

  test('of a clock that ran a year ahead last no longer than any may', () => {
    const ahead = { maintenance: [windowFor(EAST, 365 * 24 * HOUR_MS)] };
    expect(standingWindows(ahead, T0)[0]?.until).toBe(atMs(RUN_LIMITS.maintenanceMsMax));
  });

  test('say for what, until when, by whom and why', () => {
    expect(describeWindow(windowFor(null, HOUR_MS))).toBe(
      'the whole service until 2026-11-23 10:40:00Z, by ann: new disks',
    );
  });
});
