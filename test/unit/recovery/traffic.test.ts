import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leadOf, roleOf, shareOf, withShare } from '../../../lib/recovery/traffic.ts';
import {
  EAST,
  servicePolicy,
  serviceState,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const THIRD = 'us-east-2';
const SITES = [EAST, WEST, THIRD];
const shared = servicePolicy({
  strategy: 'active-active',
  sites: SITES.map((site, place) => sitePolicy(site, { weight: [50, 50, 0][place] ?? 0 })),
});

describe('the share of a site', () => {
  test.each([
    [{ [EAST]: 100 }, 10, { [EAST]: 90, [WEST]: 10 }],
    [{ [EAST]: 100 }, 0, { [EAST]: 100 }],
    [{ [EAST]: 100 }, 100, { [WEST]: 100 }],
    [{ [EAST]: 60, [THIRD]: 40 }, 50, { [EAST]: 30, [THIRD]: 20, [WEST]: 50 }],
    [{ [WEST]: 100 }, 40, { [EAST]: 60, [WEST]: 40 }],
  ])(
    'of %o becomes %i per cent, and the others divide the rest as before',
    (before, percent, after) => {
      expect(withShare(before, { site: WEST, percent, otherwise: EAST })).toEqual(after);
    },
  );

  test('is exact, and the sum stays whole, whatever stood before', () => {
    const shares = fc
      .tuple(fc.nat(100), fc.nat(100))
      .map(([a, b]) => [Math.min(a, b), Math.abs(a - b), 100 - Math.max(a, b)]);
    fc.assert(
      fc.property(shares, fc.nat(100), (values, percent) => {
        const before = Object.fromEntries(SITES.map((site, place) => [site, values[place] ?? 0]));
        const after = withShare(before, { site: WEST, percent, otherwise: EAST });
        expect(shareOf(after, WEST)).toBe(percent);
        expect(Object.values(after).reduce((sum, share) => sum + share, 0)).toBe(100);
        expect(Object.values(after).every((share) => Number.isInteger(share) && share > 0)).toBe(
          true,
        );
      }),
      { seed: 7 },
    );
  });
});

describe('the role of a site', () => {
  test('is active at one site, though another has a share', () => {
    const service = serviceState({ traffic: { [EAST]: 90, [WEST]: 10 } });
    expect([EAST, WEST].map((site) => roleOf(service, site))).toEqual(['active', 'standby']);
  });

  test('is active at every site with a share where all of them serve', () => {
    const service = serviceState({ policy: shared, traffic: { [EAST]: 90, [WEST]: 10 } });
    expect(SITES.map((site) => roleOf(service, site))).toEqual(['active', 'active', 'standby']);
  });

  test('is active at none while an authority is withdrawn and may not have lapsed', () => {
    const service = serviceState({ granted: false, activeSite: WEST });
    expect([EAST, WEST].map((site) => roleOf(service, site))).toEqual(['standby', 'standby']);
  });
});

test('the lead is the largest share, of equals the first in the policy', () => {
  expect(leadOf(shared, { [WEST]: 50, [EAST]: 50 })).toBe(EAST);
  expect(leadOf(shared, { [WEST]: 51, [EAST]: 49 })).toBe(WEST);
  expect(leadOf(shared, {})).toBeNull();
});
