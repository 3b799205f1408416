import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { performStep } from '../../../lib/control/effects.ts';
import { intentOf } from '../../../lib/control/step-effects/records.ts';
import { reportKeys } from '../../../lib/control/step-effects/report.ts';
import type { Run, Step, StepResult } from '../../../lib/recovery/run.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { createEffectWorld, effectContext } from '../../support/effect-ports.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import type { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import type { MemoryZone } from '../../support/memory-zone.ts';
import { EAST, servicePolicy, sitePolicy, T0, WEST } from '../../support/service-states.ts';

const NAME = 'checkout.example.test';
const [EAST_ADDRESS, WEST_ADDRESS] = ['192.0.2.11', '192.0.2.12'];
const WEST_PROBE = `http://${WEST}.example.test/health`;

interface Harness {
  readonly story: LogStory;
  readonly zone: MemoryZone;
  readonly store: MemorySnapshotStore;
  readonly perform: (name: string, run?: Run, state?: RecoveryState) => Promise<StepResult>;
}

function createHarness(story: LogStory = failedStory()): Harness {
  const clock = createManualClock(T0);
  const { zone, store, ports } = createEffectWorld(clock);
  return {
    story,
    zone,
    store,
    perform: async (name, run = story.run(), state = story.state()) => {
      let isOver = false;
      const step = stepOf(run, name);
      const context = { ...effectContext(story, WEST), state };
      const work = performStep(ports, { run, step }, context).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await clock.advance(100);
      }
      return work;
    },
  };
}

function stepOf({ steps }: Run, wanted: string): Step {
  const step = steps.find(({ name }) => name === wanted);
  if (step === undefined) {
    throw new Error(`no step ${wanted}`);
  }
  return step;
}

/** East failed, and the run to west is open. */
function failedStory(): LogStory {
  const story = steadyStory();
  story.say(EAST, 'failed');
  return story;
}

describe('the switch step', () => {
  test('makes the name resolve to the target, under the epoch of the run', async () => {
    const { perform, zone, story } = createHarness();
    expect(await perform('switch')).toEqual({
      kind: 'done',
      evidence: { changeId: 'change-1', changes: 2 },
    });
    expect(zone.addresses(NAME)).toEqual([WEST_ADDRESS]);
    expect(zone.fence(NAME)).toEqual({
      kind: 'fence',
      fence: { epoch: story.run().epoch, site: WEST, run: story.run().id },
    });
  });

  test('done twice changes the zone once', async () => {
    const { perform, zone } = createHarness();
    await perform('switch');
    expect(await perform('switch')).toEqual({
      kind: 'done',
      evidence: { changeId: null, changes: 0 },
    });
    expect(zone.applied).toHaveLength(1);
  });

  test('whose answer is lost finds its own change', async () => {
    const { perform, zone } = createHarness();
    zone.fault = 'answer-lost';
    expect(await perform('switch')).toMatchObject({ kind: 'done' });
    expect(zone.applied).toHaveLength(1);
  });

  test('of an old run ends against a newer fence', async () => {
    const { perform, zone, story } = createHarness();
    const old = story.run();
    const epoch = { term: term(9), index: logIndex(99) };
    const steps = old.steps.map((step) => ({ ...step, epoch }));
    const newer = { ...old, id: 'checkout-99', epoch, steps };
    await perform('switch', newer);
    expect(await perform('switch', old)).toEqual({
      kind: 'failed',
      code: 'superseded-by-newer-switch',
    });
    expect(zone.applied).toHaveLength(1);
  });

  test('tries again while the zone does not answer', async () => {
    const { perform, zone } = createHarness();
    zone.fault = 'away';
    expect(await perform('switch')).toEqual({ kind: 'again', code: 'dns-did-not-answer' });
  });

  test('lets another region try what the zone refuses to this one', async () => {
    const { perform, zone } = createHarness();
    zone.fault = 'refused';
    expect(await perform('switch')).toEqual({ kind: 'again', code: 'access-denied' });
  });

  test('gives up where the records themselves stand in the way', async () => {
    const { perform, zone } = createHarness();
    await perform('switch');
    zone.editByHand(NAME, '203.0.113.7');
    expect(await perform('switch')).toEqual({ kind: 'failed', code: 'changed-outside' });
    expect(zone.addresses(NAME)).toEqual(['203.0.113.7']);
  });

  test('gives up when the name lies outside the zone: no worker could write it', async () => {
    const story = steadyStory(servicePolicy({ dnsName: 'checkout.elsewhere.test' }));
    story.say(EAST, 'failed');
    expect(await createHarness(story).perform('switch')).toEqual({
      kind: 'failed',
      code: 'not-for-this-zone',
    });
  });

  test('gives up when the configuration names its service or site no more', async () => {
    const { perform, story } = createHarness();
    const gone = { kind: 'failed', code: 'service-or-site-gone' };
    expect(await perform('switch', { ...story.run(), to: 'constructor' })).toEqual(gone);
    expect(await perform('switch', { ...story.run(), service: 'toString' })).toEqual(gone);
  });
});

describe('the propagate step', () => {
  test('is done when the name resolves to the target and the change is everywhere', async () => {
    const { perform } = createHarness();
    await perform('switch');
    expect(await perform('propagate')).toEqual({
      kind: 'done',
      evidence: { resolved: [WEST_ADDRESS] },
    });
  });

  test('waits for the change that the switch step made', async () => {
    const { perform, zone, story } = createHarness();
    story.finishStep(await perform('switch'));
    zone.isInSync = false;
    expect(await perform('propagate')).toEqual({ kind: 'waiting', code: 'change-not-in-sync' });
    zone.isInSync = true;
    expect(await perform('propagate')).toMatchObject({ kind: 'done' });
  });

  test('is not done while the name resolves elsewhere, or to more than the target', async () => {
    const { perform, zone } = createHarness();
    zone.editByHand(NAME, EAST_ADDRESS);
    expect(await perform('propagate')).toEqual({ kind: 'again', code: 'name-not-switched-yet' });
  });
});

describe('the verify step', () => {
  test('asks the site as a client does', async () => {
    const { perform } = createHarness();
    expect(await perform('verify')).toEqual({
      kind: 'done',
      evidence: { status: 200, elapsedMs: 1 },
    });
  });

  test('gives a site that does not serve another try', async () => {
    const { perform, zone } = createHarness();
    zone.down.add(WEST_PROBE);
    expect(await perform('verify')).toEqual({ kind: 'again', code: 'target-not-serving' });
  });

  test('ends when the target failed after it was chosen', async () => {
    const { perform, zone, story } = createHarness();
    zone.down.add(WEST_PROBE);
    story.wait(5000);
    story.say(WEST, 'failed');
    expect(await perform('verify')).toEqual({ kind: 'failed', code: 'target-failed' });
    zone.down.clear();
    expect(await perform('verify'), 'a site that serves is not dead').toMatchObject({
      kind: 'done',
    });
  });

  test('gives a site that had failed before a person forced it its time to come up', async () => {
    const story = steadyStory();
    story.say(WEST, 'failed');
    story.wait(5000);
    const force = { to: WEST, force: true, by: 'ann', reason: 'it is starting' };
    story.write({ kind: 'failover', service: 'checkout', ...force });
    const { perform, zone } = createHarness(story);
    zone.down.add(WEST_PROBE);
    expect(await perform('verify')).toMatchObject({ kind: 'again' });
  });

  test('goes by the quorum where there is no URL to ask', async () => {
    const sites = [EAST, WEST].map((site) => sitePolicy(site, { probeUrl: null }));
    const story = steadyStory(servicePolicy({ sites }));
    story.say(EAST, 'failed');
    const { perform, zone } = createHarness(story);
    expect(await perform('verify')).toEqual({ kind: 'done', evidence: { opinion: 'healthy' } });
    story.say(WEST, 'suspect');
    expect(await perform('verify')).toEqual({ kind: 'again', code: 'target-not-healthy' });
    expect(zone.probes).toBe(0);
  });
});

describe('the report step', () => {
  test('writes the report for machines and for people', async () => {
    const { perform, store, story } = createHarness();
    const keys = reportKeys(story.run().id);
    expect(await perform('report')).toMatchObject({ evidence: { key: keys.json } });
    expect(JSON.parse(store.text(keys.json))).toMatchObject({ run: story.run().id, to: WEST });
    expect(store.text(keys.markdown)).toContain(`# Run ${story.run().id}`);
  });

  test('leaves a report that another attempt wrote as it is', async () => {
    const { perform, store, story } = createHarness();
    const { json } = reportKeys(story.run().id);
    await perform('report');
    const before = store.text(json);
    story.finishStep();
    expect(await perform('report')).toMatchObject({ kind: 'done' });
    expect(store.text(json)).toBe(before);
  });

  test('tries again while the store is away', async () => {
    const { perform, store } = createHarness();
    store.isAway = true;
    expect(await perform('report')).toEqual({ kind: 'again', code: 'report-not-stored' });
  });
});

test('an intent is for the target of the run, as the policy in force describes it', () => {
  const story = failedStory();
  expect(intentOf(story.run(), stepOf(story.run(), 'switch'), story.service())).toEqual({
    dnsName: NAME,
    recordType: 'A',
    ttlSeconds: 5,
    targets: [{ site: WEST, address: WEST_ADDRESS, weight: 100 }],
    epoch: story.run().epoch,
    run: story.run().id,
  });
});
