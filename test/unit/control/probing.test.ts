import { describe, expect, test } from 'vitest';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from '../../../lib/control/limits.ts';
import { Prober } from '../../../lib/control/probing.ts';
import { type ProbePolicy, probeTarget } from '../../../lib/recovery/probe-policy.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { memoryProbes } from '../../support/memory-probes.ts';
import { httpPolicy } from '../../support/probe-policies.ts';
import {
  EAST,
  OBSERVERS,
  servicePolicy,
  serviceState,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

function policyOf(name: string, changes: Partial<ProbePolicy> = {}): ProbePolicy {
  return { ...httpPolicy(`http://${name}.test/`), ...changes } as ProbePolicy;
}

/** A configuration in which each site has these probes. */
function stateOf(probes: { readonly [site: string]: readonly ProbePolicy[] }): RecoveryState {
  const sites = Object.entries(probes).map(([site, list]) => sitePolicy(site, { probes: list }));
  return {
    observers: OBSERVERS,
    freeze: null,
    configHash: JSON.stringify(probes),
    services: { checkout: serviceState({ policy: servicePolicy({ sites }) }) },
    monitors: {},
    runs: [],
    timeline: [],
  };
}

function scene(state: RecoveryState) {
  const clock = createManualClock();
  const world = memoryProbes(clock);
  const changes: string[] = [];
  const prober = new Prober({
    port: world.port,
    clock,
    random: seededRandom(7),
    onChange: ({ site }) => changes.push(site),
  });
  /** As the loop of the region does it. */
  const run = async (durationMs: number, latest = state) => {
    const until = clock.monotonicNow() + durationMs;
    while (clock.monotonicNow() < until) {
      prober.round(latest);
      await clock.advance(Math.min(prober.pauseMs(), until - clock.monotonicNow()));
    }
  };
  const findingOf = (site: string) => prober.findingOf('checkout', site, clock.wallNow());
  return { clock, world, changes, prober, run, findingOf };
}

const ONE = stateOf({ [EAST]: [policyOf('east')], [WEST]: [] });

describe('the prober', () => {
  test('asks each site within its first ten seconds, and then at its interval', async () => {
    const { world, run, findingOf } = scene(ONE);
    await run(CONTROL_TIMINGS.firstProbeMsMax + 1);
    expect(world.asked.length).toBeGreaterThanOrEqual(1);
    expect(findingOf(EAST)).toMatchObject({ state: 'passing' });
    await run(100_000);
    expect(world.asked.length).toBeGreaterThanOrEqual(9);
    expect(world.asked.length).toBeLessThanOrEqual(13);
  });

  test('leaves a site without probes alone, and knows nothing of it', async () => {
    const { world, run, findingOf, prober } = scene(stateOf({ [EAST]: [], [WEST]: [] }));
    await run(60_000);
    expect([world.asked, findingOf(EAST), prober.pauseMs()]).toEqual([[], null, 1000]);
  });

  test('spreads a fleet over its interval instead of asking all at once', async () => {
    const probes = Array.from({ length: 100 }, (_, place) => policyOf(`site-${place}`));
    const { world, run } = scene(
      stateOf({ [EAST]: probes.slice(0, 50), [WEST]: probes.slice(50) }),
    );
    await run(30_000);
    const perSecond = new Map<number, number>();
    for (const { at } of world.asked) {
      const second = Math.floor(at / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    expect(world.asked.length).toBeGreaterThanOrEqual(280);
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(25);
  });

  test('tells each change of a finding once', async () => {
    const { world, run, changes, findingOf } = scene(ONE);
    await run(30_000);
    world.set(probeTarget(policyOf('east')), 'refuses');
    await run(30_000);
    expect(findingOf(EAST)).toMatchObject({ state: 'failing', code: 'connection-refused' });
    world.set(probeTarget(policyOf('east')), 'serves');
    await run(30_000);
    expect(findingOf(EAST)).toMatchObject({ state: 'passing' });
    // Passes, fails once, fails for good, passes for good.
    expect(changes).toEqual([EAST, EAST, EAST, EAST]);
  });

  test('never has more probes under way than its bulkhead has slots, and asks all the same', async () => {
    const many = Array.from({ length: 2 * CONTROL_LIMITS.probesAtOnceMax }, (_, place) =>
      policyOf(`site-${place}`),
    );
    const { world, run } = scene(stateOf({ [EAST]: many, [WEST]: [policyOf('west')] }));
    for (const policy of many) {
      world.set(probeTarget(policy), 'hangs');
    }
    await run(60_000);
    expect(world.underWay().most).toBe(CONTROL_LIMITS.probesAtOnceMax);
    expect(new Set(world.asked.map(({ target }) => target)).size).toBe(many.length + 1);
  });

  test('does not ask one target again while it is being asked', async () => {
    const { world, run, prober } = scene(ONE);
    world.set(probeTarget(policyOf('east')), 'hangs');
    await run(CONTROL_TIMINGS.firstProbeMsMax);
    for (let calls = 0; calls < 5; calls += 1) {
      prober.probeNow('checkout', EAST);
    }
    await run(10);
    expect(world.underWay().most).toBe(1);
  });

  test('keeps what it knows of a probe that stays, and forgets one that goes', async () => {
    const { world, run, findingOf, clock } = scene(ONE);
    await run(20_000);
    const both = stateOf({ [EAST]: [policyOf('east')], [WEST]: [policyOf('west')] });
    await run(1, both);
    expect(findingOf(EAST)).toMatchObject({ state: 'passing' });
    expect(findingOf(WEST)).toMatchObject({ state: 'inconclusive', code: 'not-probed' });
    const changed = stateOf({ [EAST]: [policyOf('east', { fall: 9 })], [WEST]: [] });
    await run(1, changed);
    expect([findingOf(EAST)?.state, findingOf(WEST)]).toEqual(['inconclusive', null]);
    const asked = world.asked.length;
    await clock.advance(60_000);
    expect(world.asked).toHaveLength(asked);
  });
});

describe('on suspicion', () => {
  test('a site is asked at once, and in quick succession until its finding is settled', async () => {
    const { clock, world, run, prober, findingOf } = scene(ONE);
    await run(20_000);
    const [before, startedAt] = [world.asked.length, clock.wallNow()];
    world.set(probeTarget(policyOf('east')), 'refuses');
    prober.probeNow('checkout', EAST);
    await run(1500);
    expect(findingOf(EAST)).toMatchObject({ state: 'failing', code: 'connection-refused' });
    expect(world.asked.slice(before).map(({ at }) => at - startedAt)).toEqual([0, 500, 1000]);
  });

  test('a site that serves is asked often enough to keep its finding fresh, and no more', async () => {
    const { clock, world, run, prober, findingOf } = scene(ONE);
    await run(20_000);
    const before = world.asked.length;
    for (let rounds = 0; rounds < 20; rounds += 1) {
      prober.probeNow('checkout', EAST);
      await run(1000);
      expect(clock.wallNow() - (findingOf(EAST)?.checkedAt ?? 0)).toBeLessThanOrEqual(3500);
    }
    expect(world.asked.length - before).toBeLessThanOrEqual(8);
  });

  test('a process whose loop does not run asks nobody', async () => {
    const { clock, world, prober, run } = scene(ONE);
    await run(20_000);
    await prober.stop();
    const before = world.asked.length;
    prober.probeNow('checkout', EAST);
    await clock.advance(10_000);
    expect(world.asked).toHaveLength(before);
  });

  test('a probe that this observer cannot make stays at the calm pace', async () => {
    const { world, run, prober, findingOf } = scene(ONE);
    world.set(probeTarget(policyOf('east')), 'unknown-here');
    await run(1);
    prober.probeNow('checkout', EAST);
    await run(10_000);
    expect(world.asked.length).toBeLessThanOrEqual(6);
    expect(findingOf(EAST)).toMatchObject({ state: 'inconclusive', code: 'not-probed' });
  });
});

test('stopping ends what is under way, counts none of it, and a new round goes on', async () => {
  const { clock, world, run, prober, findingOf } = scene(ONE);
  world.set(probeTarget(policyOf('east')), 'hangs');
  await run(CONTROL_TIMINGS.firstProbeMsMax);
  while (world.underWay().now === 0) {
    await run(100);
  }
  await prober.stop();
  expect(world.underWay().now).toBe(0);
  expect(clock.sleeperCount()).toBe(0);
  const before = findingOf(EAST);
  world.set(probeTarget(policyOf('east')), 'serves');
  await run(20_000);
  expect(before).toMatchObject({ state: 'inconclusive' });
  expect(findingOf(EAST)).toMatchObject({ state: 'passing' });
});
