import { describe, expect, test } from 'vitest';
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { roleOf } from '../../../lib/recovery/traffic.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import {
  EAST,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const THIRD = 'us-east-2';
const HOUR_MS = 3_600_000;
const ANN = { by: 'ann', reason: 'a test' } as const;
const SITES = [EAST, WEST, THIRD].map((site) => sitePolicy(site));

function threeSites(policy: Partial<ServicePolicy> = {}): LogStory {
  return steadyStory(
    servicePolicy({
      fencing: 'lease',
      sites: SITES,
      safety: safetyPolicy({ holdDownMs: 0 }),
      ...policy,
    }),
  );
}

const failover = (story: LogStory, force: boolean) =>
  story.write({ kind: 'failover', service: 'checkout', to: WEST, force, ...ANN });

function drillToWest(story: LogStory): void {
  story.write({
    kind: 'drill',
    service: 'checkout',
    to: WEST,
    durationMs: 600_000,
    scheduled: false,
    ...ANN,
  });
  story.finishRuns();
}

describe('a run that somebody forced to a site that has failed', () => {
  test('goes on whatever another site says, and is overtaken by a new failure of its own', () => {
    const story = threeSites();
    story.say(WEST, 'failed');
    expect(failover(story, true).kind).toBe('accepted');
    const { id } = story.run();
    story.say(THIRD, 'healthy');
    expect(story.run()).toMatchObject({ id, outcome: { kind: 'open' } });
    story.finishStep();
    story.say(WEST, 'degraded');
    story.say(WEST, 'failed');
    expect(story.run()).toMatchObject({ trigger: 'automatic', from: WEST, to: EAST });
    expect(story.run().id).not.toBe(id);
  });

  test('home from a drill comes through, and the site is left only when it fails anew', () => {
    const story = threeSites();
    drillToWest(story);
    story.say(EAST, 'failed');
    const asked = { kind: 'drill-end', service: 'checkout', force: true, ...ANN } as const;
    expect(story.write(asked).kind).toBe('accepted');
    const { id } = story.run();
    story.say(THIRD, 'healthy');
    story.say(WEST, 'healthy');
    expect(story.run()).toMatchObject({ id, kind: 'drill-return', outcome: { kind: 'open' } });
    story.say(EAST, 'degraded');
    story.say(EAST, 'failed');
    expect(story.run().id).not.toBe(id);
  });
});

describe('a run that a person asked for', () => {
  test('whose site fails meanwhile is left to people where failover is', () => {
    const story = threeSites({ automatic: false });
    failover(story, false);
    const { id } = story.run();
    story.say(WEST, 'failed');
    story.waitReviewing(60_000);
    expect(story.run()).toMatchObject({ id, outcome: { kind: 'open' } });
  });

  test('whose site fails meanwhile is overtaken where the machine may', () => {
    const story = threeSites();
    failover(story, false);
    const { id } = story.run();
    story.say(WEST, 'failed');
    expect(story.run()).toMatchObject({ trigger: 'automatic' });
    expect(story.run().id).not.toBe(id);
  });
});

describe('the way home from a drill', () => {
  test('that failed before it moved anything is tried again', () => {
    const story = threeSites();
    drillToWest(story);
    story.waitReviewing(600_000);
    expect(story.run().kind).toBe('drill-return');
    const { id } = story.run();
    story.finishStep({ kind: 'failed', code: 'lag-unknown' });
    story.say(EAST, 'healthy');
    story.waitReviewing(600_000);
    expect(story.run().id).not.toBe(id);
    story.finishRuns();
    expect(story.service()).toMatchObject({
      activeSite: EAST,
      drill: null,
      phase: { kind: 'steady' },
    });
  });
});

test('a site that was told its role ahead of the traffic is told the next one under a newer epoch', () => {
  const ready = planned('ready', { kind: 'wait-healthy', site: 'target', forMs: 600_000 });
  const stages = [
    [planned('fence', { kind: 'fence' })],
    [ready],
    [planned('switch', { kind: 'switch' })],
  ];
  const plans = { failover: { stages, onFailure: 'stop' }, failback: null } as const;
  const story = threeSites({ automatic: false, plans });
  failover(story, false);
  story.finishStep({ kind: 'done', evidence: null }, 'fence');
  story.say(WEST, 'degraded');
  story.waitReviewing(HOUR_MS);
  expect(story.service().phase.kind).toBe('impaired');
  const told = story.service();
  expect([EAST, WEST].map((site) => roleOf(told, site))).toEqual(['standby', 'active']);
  const active = servicePolicy({
    strategy: 'active-active',
    sites: SITES.map((site) => ({ ...site, weight: 33 })),
  });
  story.say(WEST, 'healthy');
  expect(story.configure(active).kind).toBe('accepted');
  expect(story.service().epoch.index).toBeGreaterThan(told.epoch.index);
  for (let ramps = 0; ramps < 12; ramps += 1) {
    story.finishRuns();
    story.waitReviewing(120_000);
  }
  expect(new Set(SITES.map(({ site }) => roleOf(story.service(), site)))).toEqual(
    new Set(['active']),
  );
});
