/** Which region should lead the log, by where the active sites are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RegionId, regionId } from '../../../lib/base/identifiers.ts';
import { heirOf } from '../../../lib/control/leader-placement.ts';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import {
  EAST,
  OBSERVERS,
  servicePolicy,
  serviceState,
  WEST,
} from '../../support/service-states.ts';

const WITNESS = regionId('us-east-2');
const [east, west] = [regionId(EAST), regionId(WEST)];

function activeAt(...sites: readonly string[]): { readonly [service: string]: ServiceState } {
  return Object.fromEntries(
    sites.map((site, place) => {
      const service = `service-${place}`;
      const changes = { policy: servicePolicy({ service }), activeSite: site };
      return [service, serviceState({ ...changes, traffic: { [site]: 100 } })];
    }),
  );
}

const heirs = (own: RegionId) => OBSERVERS.filter((region) => region !== own);

test('the region without a site leads, rather than the one that would fail over to itself', () => {
  expect(heirOf(activeAt(EAST), east, heirs(east))).toBe(WITNESS);
  expect(heirOf(activeAt(WEST), west, heirs(west))).toBe(WITNESS);
});

test('a leader that no other region is better than stays, though others are as good', () => {
  expect(heirOf(activeAt(EAST), WITNESS, heirs(WITNESS))).toBeNull();
  expect(heirOf(activeAt(EAST), west, heirs(west))).toBeNull();
  expect(heirOf({}, east, heirs(east))).toBeNull();
});

test('only a region that could lead at once is chosen, and none is better than none', () => {
  expect(heirOf(activeAt(EAST), east, [west])).toBe(west);
  expect(heirOf(activeAt(EAST), east, [])).toBeNull();
  expect(heirOf(activeAt(EAST, WEST), east, [west])).toBeNull();
});

test('while nobody is active no region is worse than another', () => {
  const [name, service] = Object.entries(activeAt(EAST))[0] ?? [];
  const services = { [String(name)]: { ...(service as ServiceState), granted: false } };
  expect(heirOf(services, east, heirs(east))).toBeNull();
});

test('whatever is active where, the leadership comes to rest in one move, in any order of regions', () => {
  const sites = fc.array(fc.constantFrom(EAST, WEST), { maxLength: 6 });
  fc.assert(
    fc.property(sites, fc.constantFrom(...OBSERVERS), (active, own) => {
      const services = activeAt(...active);
      const heir = heirOf(services, own, heirs(own));
      expect(heirOf(services, own, heirs(own).toReversed())).toBe(heir);
      expect(heir === null ? null : heirOf(services, heir, heirs(heir))).toBeNull();
      const isHome = active.some((site) => site === own);
      expect(heir !== null).toBe(isHome);
    }),
    { seed: 7, numRuns: 60 },
  );
});
