/** Path A of the simulated world: what the health checks make of three regions that answer. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../lib/simulation/random.ts';
import { RoutingChecks } from '../../../lib/simulation/whole/routing-checks.ts';
import { World } from '../../../lib/simulation/world.ts';

const REGIONS = ['one', 'two', 'three'];
const MINUTE_MS = 60_000;

function pathA(seed = 1) {
  const world = new World();
  const saying = new Set<string>();
  const routing = new RoutingChecks(world, seededRandom(seed), {
    ...{ regions: REGIONS, primary: 'east', secondary: 'west' },
    isActive: (region, site) => site === 'west' && saying.has(region),
  });
  const isAt = (site: string) =>
    Array.from({ length: 24 }, (_, server) => routing.answerOf(server)).every((at) => at === site);
  const pass = (forMs: number, isDone = () => false) =>
    world.run({ until: world.now + forMs, check: () => undefined, isDone });
  /** Until every name server answers with the site, in milliseconds. */
  const turn = async (site: string) => {
    const since = world.now;
    expect(await pass(MINUTE_MS, () => isAt(site))).toBe(true);
    return world.now - since;
  };
  return { saying, isAt, pass, turn };
}

describe('path A', () => {
  test('turns in seconds, because a fifth of the checkers is enough, and back after nearly all', async () => {
    for (const seed of [1, 2, 3]) {
      const { saying, pass, turn } = pathA(seed);
      await pass(MINUTE_MS);
      saying.add('one').add('two').add('three');
      const away = await turn('west');
      await pass(MINUTE_MS);
      saying.clear();
      const back = await turn('east');
      expect(away).toBeLessThan(7000);
      expect(back).toBeGreaterThan(away);
      expect(back).toBeLessThan(13_000);
    }
  });

  test('follows two of three regions; one that is gone or wrong is outvoted', async () => {
    const { saying, isAt, pass, turn } = pathA();
    saying.add('one');
    await pass(MINUTE_MS);
    expect(isAt('east')).toBe(true);
    saying.add('two');
    await turn('west');
    saying.add('three');
    await pass(MINUTE_MS);
    saying.delete('one');
    await pass(MINUTE_MS);
    expect(isAt('west')).toBe(true);
  });

  test('stays at the primary while nobody answers, and falls back to it when two are lost', async () => {
    const { saying, isAt, pass, turn } = pathA();
    await pass(MINUTE_MS);
    expect(isAt('east')).toBe(true);
    saying.add('one').add('two').add('three');
    await turn('west');
    saying.delete('one');
    saying.delete('two');
    await turn('east');
  });
});
