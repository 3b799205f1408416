/** The main path over three control regions as they are, but for what they run on. */
import { describe, expect, test } from 'vitest';
import { type RegionId, regionId } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import { CONTROL_LIMITS } from '../../../lib/control/limits.ts';
import { recoveryTimes } from '../../../lib/recovery/report.ts';
import type { Run } from '../../../lib/recovery/run.ts';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import { EAST, servicePolicy, WEST } from '../../support/service-states.ts';
import { REGIONS, ThreeRegions } from './three-regions.ts';

const NAME = 'checkout.example.test';
const [EAST_ADDRESS, WEST_ADDRESS] = ['192.0.2.11', '192.0.2.12'];
const WEST_PROBE = `http://${WEST}.example.test/health`;
const BY = { by: 'ann', reason: 'a test' } as const;

const checkout = (regions: ThreeRegions): ServiceState => {
  const service = regions.anyPlane.status().state.services['checkout'];
  if (service === undefined) {
    throw new Error('checkout is not configured');
  }
  return service;
};
const runsOf = (regions: ThreeRegions): readonly Run[] =>
  regions.anyPlane.status().state.runs.filter(({ kind }) => kind !== 'setup');
const isServing = (regions: ThreeRegions, site: string) => () =>
  checkout(regions).phase.kind === 'steady' && checkout(regions).activeSite === site;
const isSwitchedTo = (regions: ThreeRegions, address: string) => () =>
  regions.zone.addresses(NAME).join() === address;

/** `checkout` serves from east, and both sites have been heard for a while. */
async function serving(policy: Partial<ReturnType<typeof servicePolicy>> = {}) {
  const regions = await ThreeRegions.start();
  const at = regions.clock.wallNow();
  const policies = [servicePolicy(policy)];
  await regions.commit({ kind: 'configure', at, ...BY, configHash: 'one', policies });
  regions.beating.add(EAST).add(WEST);
  await regions.pass(25_000);
  expect(checkout(regions)).toMatchObject({
    phase: { kind: 'steady' },
    activeSite: EAST,
    analysis: { code: 'all-sites-healthy' },
  });
  expect(regions.zone.addresses(NAME)).toEqual([EAST_ADDRESS]);
  return regions;
}

const failback = (regions: ThreeRegions): ControlCommand => ({
  kind: 'failback',
  service: 'checkout',
  at: regions.clock.wallNow(),
  force: false,
  ...BY,
});

function note(regions: ThreeRegions, reason: string): ControlCommand {
  return { kind: 'note', service: 'checkout', at: regions.clock.wallNow(), by: 'ann', reason };
}

function others(...regions: readonly (RegionId | null)[]): readonly RegionId[] {
  return REGIONS.filter((region) => !regions.includes(region));
}

test('the log comes to be led from a region without an active site, and stays there for long', async () => {
  const regions = await serving();
  const handedTo = (): readonly RegionId[] =>
    regions.logged
      .filter(({ event }) => event === 'leadership-handed-over')
      .map(({ region }) => region);
  const isAtRest = () => regions.leader !== EAST;
  expect(await regions.handOver(regionId(EAST))).toBe(true);
  await regions.pass(3000);
  expect(regions.leader).toBe(EAST);
  const hadHanded = handedTo().length;
  await regions.until(isAtRest, 320_000);
  expect(handedTo().slice(hadHanded)).toEqual([EAST]);
  expect(regions.leader).toBe('us-east-2');
  const { term } = regions.anyPlane.status().position;
  await regions.pass(60_000);
  expect(regions.anyPlane.status().position).toMatchObject({ leader: 'us-east-2', term });
});

describe('a site dies', () => {
  test('the name moves, the report says where the time went, and nothing moves back by itself', async () => {
    const regions = await serving();
    await regions.until(() => checkout(regions).readiness !== null, 60_000);
    const indexBefore = regions.anyPlane.status().position.appliedIndex;
    await regions.pass(30_000);
    expect(regions.anyPlane.status().position.appliedIndex, 'a quiet fleet writes nothing').toBe(
      indexBefore,
    );

    regions.beating.delete(EAST);
    const switchedMs = await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 20_000);
    expect(switchedMs).toBeLessThanOrEqual(13_000);
    await regions.until(isServing(regions, WEST), 10_000);

    const [run, ...more] = runsOf(regions);
    expect(more).toEqual([]);
    expect(run).toMatchObject({ trigger: 'automatic', from: EAST, to: WEST });
    const report = await regions.anyPlane.report(run?.id ?? '');
    const { rto, rpo, steps } = JSON.parse(report?.json ?? '{}');
    const { totalMs, ...stages } = rto.actual;
    expect(Object.values<number>(stages).reduce((sum, stage) => sum + stage, 0)).toBe(totalMs);
    expect(rto.met).toBe(true);
    expect(stages.detectMs).toBeGreaterThan(2000);
    expect(stages.decideMs).toBeLessThan(2000);
    expect(rpo.actualMs).toBe(40);
    expect(steps).toMatchObject([{ state: 'done' }, { state: 'done' }, { state: 'done' }]);
    expect(run && recoveryTimes(run)?.totalMs).toBe(totalMs);

    regions.beating.add(EAST);
    await regions.pass(120_000);
    expect(checkout(regions)).toMatchObject({ activeSite: WEST, phase: { kind: 'steady' } });
    expect(runsOf(regions)).toHaveLength(1);

    expect(await regions.commit(failback(regions))).toMatchObject({ code: 'failback-authorised' });
    await regions.until(isServing(regions, EAST), 10_000);
    expect(regions.zone.addresses(NAME)).toEqual([EAST_ADDRESS]);
    expect(regions.zone.switches()).toHaveLength(3);
    expect(regions.zone.fence(NAME)).toMatchObject({ fence: { site: EAST } });
  });

  test('only the standby: nothing moves, and it is said', async () => {
    const regions = await serving();
    regions.beating.delete(WEST);
    await regions.pass(40_000);
    expect(checkout(regions)).toMatchObject({
      activeSite: EAST,
      phase: { kind: 'steady' },
      analysis: { code: 'standby-not-ready' },
    });
    expect(runsOf(regions)).toEqual([]);
  });

  test('both: the service waits, and goes to the standby when that returns first', async () => {
    const regions = await serving();
    regions.beating.clear();
    await regions.until(() => checkout(regions).analysis.code === 'all-sites-failed', 30_000);
    expect(regions.zone.addresses(NAME)).toEqual([EAST_ADDRESS]);
    regions.beating.add(WEST);
    await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 20_000);
    await regions.until(isServing(regions, WEST), 10_000);
  });

  test('and the target does not serve until later: the run waits for it', async () => {
    const regions = await serving();
    regions.zone.down.add(WEST_PROBE);
    regions.beating.delete(EAST);
    await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 20_000);
    await regions.pass(20_000);
    expect(checkout(regions).phase.kind).toBe('recovering');
    regions.zone.down.clear();
    await regions.until(isServing(regions, WEST), 40_000);
    expect(runsOf(regions)).toHaveLength(1);
  });
});

describe('a region dies', () => {
  test('and the site in it: the other two fail over, once', async () => {
    const regions = await serving();
    const [dead] = REGIONS as readonly [RegionId];
    expect(dead).toBe(EAST);
    regions.kill(dead);
    regions.beating.delete(EAST);
    await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 20_000);
    await regions.until(isServing(regions, WEST), 20_000);
    expect(runsOf(regions)).toHaveLength(1);
  });

  test.each([
    ['leads', (regions: ThreeRegions) => regions.leader],
    ['does the run', () => REGIONS[2] ?? null],
  ])('the one that %s, in the middle of the run: it is finished, once', async (_, choose) => {
    const regions = await serving();
    regions.zone.down.add(WEST_PROBE);
    regions.beating.delete(EAST);
    await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 20_000);
    const victim = choose(regions) as RegionId;
    regions.kill(victim);
    regions.zone.down.clear();
    await regions.until(isServing(regions, WEST), 40_000);
    const [run, ...more] = runsOf(regions);
    expect(more).toEqual([]);
    expect(run?.outcome).toMatchObject({ kind: 'done' });
    expect(regions.zone.switches()).toHaveLength(2);

    regions.boot(victim);
    await regions.pass(10_000);
    const positions = REGIONS.map((region) => regions.plane(region).status().position);
    expect(new Set(positions.map(({ chain }) => chain)).size).toBe(1);
  });

  test('by silence, so that every call to it waits: detection is not late for it', async () => {
    const regions = await serving();
    regions.cutOff(REGIONS[1] as RegionId);
    await regions.pass(15_000);
    regions.beating.delete(EAST);
    const switchedMs = await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 60_000);
    expect(switchedMs).toBeLessThanOrEqual(16_000);
    const { sites } = checkout(regions);
    expect(sites[EAST]?.opinion.code).toBe('majority-failed');
  });
});

describe('regions lose the way to a site that lives', () => {
  const cutWays = (regions: ThreeRegions, ...from: readonly (RegionId | undefined)[]) => {
    for (const region of from) {
      regions.cutWays.add(`${EAST} ${region}`);
    }
  };

  test('one of them: nothing moves, and however long it lasts it writes no entries', async () => {
    const regions = await serving();
    cutWays(regions, REGIONS[0]);
    await regions.pass(20_000);
    const { appliedIndex } = regions.anyPlane.status().position;
    await regions.pass(120_000);
    expect(regions.anyPlane.status().position.appliedIndex).toBe(appliedIndex);
    expect(checkout(regions)).toMatchObject({ activeSite: EAST, phase: { kind: 'steady' } });
  });

  test.each([0, 60_000])(
    'two of them, %i ms apart: the third one refutes them, and nothing moves',
    async (apartMs) => {
      const regions = await serving();
      cutWays(regions, REGIONS[0]);
      await regions.pass(apartMs);
      cutWays(regions, REGIONS[1]);
      await regions.pass(60_000);
      expect(checkout(regions)).toMatchObject({
        activeSite: EAST,
        sites: { [EAST]: { opinion: { code: 'accusations-refuted' } } },
      });
      expect(runsOf(regions)).toEqual([]);

      cutWays(regions, REGIONS[2]);
      await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 30_000);
    },
  );
});

test('a region that hears a site says so as soon as the others accuse it, not at its next tick', async () => {
  const regions = await serving();
  const [first, second, third] = REGIONS as readonly [RegionId, RegionId, RegionId];
  for (let place = 0; place < 3; place += 1) {
    const before = regions.anyPlane.status().position.appliedIndex;
    regions.cutWays.add(`${EAST} ${first}`).add(`${EAST} ${second}`);
    await regions.pass(20_000 + 137 * place);
    regions.cutWays.clear();
    await regions.pass(20_000);
    const page = await regions.anyPlane.readLog(before, 200);
    const verdicts =
      page.kind === 'page' ? page.entries.flatMap(({ body }) => verdictIn(body)) : [];
    const accusers = verdicts.filter(({ observer }) => observer !== third);
    const accusedAt = accusers.find(({ observer }) => observer !== accusers[0]?.observer)?.at ?? 0;
    const proof = verdicts.find(({ observer, at }) => observer === third && at >= accusedAt);
    expect(proof?.verdict.state).toBe('healthy');
    expect((proof?.at ?? Infinity) - accusedAt).toBeLessThanOrEqual(500);
  }
});

function verdictIn(body: JsonValue): readonly Extract<ControlCommand, { kind: 'verdict' }>[] {
  const command = body as unknown as ControlCommand | null;
  return command?.kind === 'verdict' && command.site === EAST ? [command] : [];
}

describe('two regions die', () => {
  test('nothing switches and nothing is acknowledged, but routing and heartbeats are answered', async () => {
    const regions = await serving();
    const left = REGIONS[0] as RegionId;
    for (const region of others(left)) {
      regions.kill(region);
    }
    const plane = regions.plane(left);
    await regions.pass(5000);
    regions.beating.delete(EAST);
    const sentAt = regions.clock.wallNow();
    const outcomes = [
      await regions.propose(left, note(regions, 'hello')),
      await regions.propose(left, failback(regions)),
    ];
    expect(outcomes.map(({ kind }) => kind).filter((kind) => kind === 'committed')).toEqual([]);
    expect(regions.clock.wallNow() - sentAt).toBeLessThan(30_000);

    await regions.pass(60_000);
    expect(regions.zone.addresses(NAME)).toEqual([EAST_ADDRESS]);
    expect(plane.routing('checkout', EAST)).toBe('active');
    expect(plane.routing('checkout', WEST)).toBe('standby');
    expect(await regions.beatAt(left, WEST)).toMatchObject({ kind: 'accepted', role: 'standby' });
    expect(plane.status().position).toMatchObject({ quorum: false });
    const east = plane.status().observations.find(({ site }) => site === EAST);
    expect(east?.phi, 'it still sees for itself').toBeGreaterThan(16);

    for (const region of others(left)) {
      regions.boot(region);
    }
    await regions.until(isSwitchedTo(regions, WEST_ADDRESS), 60_000);
    await regions.until(isServing(regions, WEST), 30_000);
    expect(runsOf(regions)).toHaveLength(1);
  });
});

describe('a log that grows', () => {
  test('is compacted and archived under load, and no command is refused for it', async () => {
    const regions = await serving();
    const [region] = REGIONS as readonly [RegionId];
    for (let burst = 0; burst < 40; burst += 1) {
      const sent = Array.from({ length: 17 }, (_, place) =>
        note(regions, `${burst}.${place} ${'x'.repeat(450)}`),
      );
      const outcomes = await Promise.all(sent.map((command) => regions.propose(region, command)));
      expect(outcomes.every(({ kind }) => kind === 'committed')).toBe(true);
      const sizes = REGIONS.map((each) => regions.logBytes(each));
      expect(Math.max(...sizes)).toBeLessThan(CONTROL_LIMITS.unarchivedLogBytesMax);
    }
    expect(regions.logged.filter(({ event }) => event === 'log-compacted').length).toBeGreaterThan(
      3,
    );
    const { appliedIndex } = regions.anyPlane.status().position;
    const page = await regions.anyPlane.readLog(0 as never, 5);
    expect(page).toMatchObject({ kind: 'page', entries: [{ index: 1 }, {}, {}, {}, { index: 5 }] });
    expect(appliedIndex).toBeGreaterThan(680);
  });

  test('goes on when no archive takes it: a store that is away does not stop recovery', async () => {
    const regions = await serving();
    const [region] = REGIONS as readonly [RegionId];
    for (const each of REGIONS) {
      regions.store(each).isAway = true;
    }
    for (let burst = 0; burst < 40; burst += 1) {
      const sent = Array.from({ length: 17 }, (_, place) =>
        note(regions, `${burst}.${place} ${'x'.repeat(450)}`),
      );
      const outcomes = await Promise.all(sent.map((command) => regions.propose(region, command)));
      expect(outcomes.every(({ kind }) => kind === 'committed')).toBe(true);
    }
    expect(regions.logged.some(({ event }) => event === 'archive-behind')).toBe(true);
    expect(regions.logged.some(({ event }) => event === 'snapshot-failed')).toBe(true);
    for (const each of REGIONS) {
      regions.store(each).isAway = false;
    }
    await regions.pass(5000);
    const page = await regions.anyPlane.readLog(0 as never, 3);
    expect(page, 'what was applied was kept until the store was back').toMatchObject({
      kind: 'page',
      entries: [{ index: 1 }, { index: 2 }, { index: 3 }],
    });
  });
});
