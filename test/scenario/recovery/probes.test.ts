/** What probes and callers add to heartbeats, over three control regions as they are. */
import { describe, expect, test } from 'vitest';
import { probeTarget } from '../../../lib/recovery/probe-policy.ts';
import { httpPolicy } from '../../support/probe-policies.ts';
import { EAST, servicePolicy, sitePolicy, WEST } from '../../support/service-states.ts';
import { REGIONS, ThreeRegions } from './three-regions.ts';

const EAST_PROBE = httpPolicy(`http://${EAST}.example.test/health`);
const SITES = [sitePolicy(EAST, { probes: [EAST_PROBE] }), sitePolicy(WEST)];

/** Both sites beat, east answers its probes; nothing is automatic, so that verdicts stand. */
async function watching(sites = SITES): Promise<ThreeRegions> {
  const regions = await ThreeRegions.start();
  const policies = [servicePolicy({ automatic: false, sites })];
  const at = regions.clock.wallNow();
  await regions.commit({
    ...{ kind: 'configure', by: 'ann', reason: 'a test' },
    ...{ at, configHash: 'one', policies },
  });
  regions.beating.add(EAST).add(WEST);
  await regions.pass(30_000);
  expect(opinionOf(regions, EAST)).toMatchObject({ state: 'healthy' });
  return regions;
}

function opinionOf(regions: ThreeRegions, site: string) {
  return regions.anyPlane.status().state.services['checkout']?.sites[site]?.opinion;
}

function verdictsOf(regions: ThreeRegions, site: string) {
  const { verdicts = {} } = regions.anyPlane.status().state.services['checkout']?.sites[site] ?? {};
  return Object.values(verdicts).map(({ verdict }) => verdict);
}

function warningsOf(regions: ThreeRegions): readonly (string | null)[] {
  const { warnings = {} } = regions.anyPlane.status().state.services['checkout']?.sites[EAST] ?? {};
  return Object.values(warnings).map(({ warning }) => warning.code);
}

function codesOf(regions: ThreeRegions, site: string): readonly string[] {
  return [...new Set(verdictsOf(regions, site).map(({ code }) => code))];
}

const isState = (regions: ThreeRegions, state: string) => () =>
  opinionOf(regions, EAST)?.state === state;

describe('a site that beats', () => {
  test('and whose probe fails is degraded, and healthy again when it passes', async () => {
    const regions = await watching();
    regions.probes.set(probeTarget(EAST_PROBE), 'hangs');
    await regions.until(isState(regions, 'degraded'), 40_000);
    await regions.pass(5000);
    expect(codesOf(regions, EAST)).toEqual(['probe-failing']);
    expect(verdictsOf(regions, EAST)[0]?.sentence).toContain(probeTarget(EAST_PROBE));
    const index = regions.anyPlane.status().position.appliedIndex;
    await regions.pass(60_000);
    expect(regions.anyPlane.status().position.appliedIndex, 'and costs nothing more').toBe(index);
    regions.probes.set(probeTarget(EAST_PROBE), 'serves');
    await regions.until(isState(regions, 'healthy'), 20_000);
  });

  test('is not degraded by one failed probe, nor by one that could not be made', async () => {
    const regions = await watching();
    const index = regions.anyPlane.status().position.appliedIndex;
    regions.probes.set(probeTarget(EAST_PROBE), 'unknown-here');
    await regions.pass(60_000);
    expect(isState(regions, 'healthy')()).toBe(true);
    expect(regions.anyPlane.status().position.appliedIndex).toBe(index);
  });

  test('and whose certificate expires soon stays healthy, with one warning until it is renewed', async () => {
    const regions = await watching();
    regions.probes.set(probeTarget(EAST_PROBE), 'expires-soon');
    await regions.until(() => warningsOf(regions).length === REGIONS.length, 40_000);
    expect(new Set(warningsOf(regions))).toEqual(new Set(['certificate-expires-soon']));
    const index = regions.anyPlane.status().position.appliedIndex;
    await regions.pass(60_000);
    expect(regions.anyPlane.status().position.appliedIndex, 'told once').toBe(index);
    expect(isState(regions, 'healthy')()).toBe(true);
    regions.probes.set(probeTarget(EAST_PROBE), 'unknown-here');
    await regions.pass(60_000);
    expect(warningsOf(regions), 'not knowing is no renewal').toHaveLength(REGIONS.length);
    regions.probes.set(probeTarget(EAST_PROBE), 'serves');
    await regions.until(() => warningsOf(regions).length === 0, 40_000);
    const told = regions.anyPlane.status().state.timeline.filter(({ kind }) => kind === 'warning');
    expect(told).toHaveLength(2);
  });

  test('and of which callers complain is degraded until they stop', async () => {
    const regions = await watching();
    for (let slots = 0; slots < 3; slots += 1) {
      await report(regions, 'failing');
      await regions.pass(10_000);
    }
    await regions.until(isState(regions, 'degraded'), 10_000);
    expect(codesOf(regions, EAST)).toContain('callers-report-trouble');
    await regions.until(isState(regions, 'healthy'), 100_000);
  });
});

describe('a site that is silent', () => {
  test('and whose port refuses fails sooner than one of which nothing else is known', async () => {
    const known = await watching();
    known.probes.set(probeTarget(EAST_PROBE), 'refuses');
    known.beating.delete(EAST);
    const refusedMs = await known.until(isState(known, 'failed'), 20_000);
    expect(codesOf(known, EAST)).toContain('silent-and-refused');
    const unknown = await watching([sitePolicy(EAST), sitePolicy(WEST)]);
    unknown.beating.delete(EAST);
    const silentMs = await unknown.until(isState(unknown, 'failed'), 20_000);
    expect(refusedMs).toBeLessThan(silentMs);
  });

  test('and serves is held at suspect, and fails when it stops serving', async () => {
    const regions = await watching();
    regions.beating.delete(EAST);
    await regions.pass(60_000);
    expect(opinionOf(regions, EAST)).toMatchObject({ state: 'suspect' });
    expect(codesOf(regions, EAST)).toContain('silent-but-serving');
    regions.probes.set(probeTarget(EAST_PROBE), 'refuses');
    await regions.until(isState(regions, 'failed'), 20_000);
  });
});

/** Each region's API takes what its callers say. */
async function report(regions: ThreeRegions, outcome: 'ok' | 'failing'): Promise<void> {
  const receivedAt = regions.clock.wallNow();
  for (const region of REGIONS) {
    const taken = await regions
      .plane(region)
      .reportCalls({ service: 'checkout', site: EAST }, { outcome, count: 20, receivedAt });
    expect(taken.kind).toBe('stored');
  }
}
