import { describe, expect, test } from 'vitest';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { EAST, servicePolicy, sitePolicy, T0, WEST } from '../../support/service-states.ts';

const HOUR_MS = 3_600_000;
const BY = { by: 'ann', reason: 'new disks' } as const;

function start(story: LogStory, site: string | null, forMs: number = HOUR_MS) {
  const window = { service: 'checkout', site, durationMs: forMs, ...BY };
  return story.write({ kind: 'maintenance-start', ...window });
}

function end(story: LogStory, site: string | null) {
  return story.write({ kind: 'maintenance-end', service: 'checkout', site, ...BY });
}

function told(story: LogStory): readonly string[] {
  return story
    .state()
    .timeline.filter(({ kind }) => kind === 'maintenance')
    .map(({ sentence }) => sentence);
}

describe('a maintenance window', () => {
  test('holds an automatic failover back with a reason, while verdicts go on being recorded', () => {
    const story = steadyStory();
    expect(start(story, EAST)).toMatchObject({ kind: 'accepted', code: 'maintenance-started' });
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      activeSite: EAST,
      analysis: { code: 'active-site-failed' },
      decision: { kind: 'refuse', code: 'maintenance-window' },
      reviewAt: story.now() + HOUR_MS,
    });
    expect(story.service().decision?.sentence).toContain('by ann: new disks');
  });

  test('ends by itself: a review finds it over, tells it, and fails over what is still down', () => {
    const story = steadyStory();
    start(story, null);
    story.say(EAST, 'failed');
    story.say(WEST, 'healthy');
    expect(story.waitReviewing(HOUR_MS - 1)).toBe(0);
    expect(story.waitReviewing(1)).toBe(1);
    expect(story.run()).toMatchObject({ kind: 'failover', to: WEST, trigger: 'automatic' });
    expect(story.service().maintenance).toEqual([]);
    expect(told(story)).toEqual([
      'maintenance of the whole service until 2026-11-23 10:40:00Z, by ann: new disks',
      'maintenance of the whole service is over (begun by ann)',
    ]);
  });

  test('is reviewed once when nothing is wrong at its end, and never again', () => {
    const story = steadyStory();
    start(story, EAST);
    start(story, null, 2 * HOUR_MS);
    expect(story.waitReviewing(24 * HOUR_MS)).toBe(2);
    expect(story.service()).toMatchObject({ reviewAt: null, maintenance: [] });
  });

  test('ended by a person lets in the same entry go on what it held back', () => {
    const story = steadyStory();
    start(story, EAST);
    story.say(EAST, 'failed');
    expect(end(story, EAST)).toMatchObject({ kind: 'accepted', code: 'maintenance-ended' });
    expect(story.run()).toMatchObject({ to: WEST, trigger: 'automatic', requestedBy: 'tripoint' });
    expect(end(story, EAST)).toMatchObject({ kind: 'refused', code: 'no-maintenance' });
  });

  test('started again for the same site takes the place of the first', () => {
    const story = steadyStory();
    start(story, EAST, HOUR_MS);
    start(story, EAST, 2 * HOUR_MS);
    expect(story.service().maintenance).toHaveLength(1);
    expect(story.service().maintenance?.[0]?.until).toBe(story.now() + 2 * HOUR_MS);
  });

  test('of a standby keeps automatic traffic away from it', () => {
    const story = steadyStory();
    start(story, WEST);
    story.say(EAST, 'failed');
    expect(story.service().decision?.code).toBe('no-healthy-target');
    story.waitReviewing(HOUR_MS);
    expect(story.run()).toMatchObject({ kind: 'failover', to: WEST });
  });

  test('does not hold a person', () => {
    const story = steadyStory();
    start(story, null);
    const request = { service: 'checkout', to: WEST, force: false, ...BY };
    expect(story.write({ kind: 'failover', ...request })).toMatchObject({ kind: 'accepted' });
  });

  test('outlives a run: its end is looked at all the same', () => {
    const story = steadyStory();
    start(story, null);
    story.write({ kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY });
    story.finishRuns();
    expect(story.service().reviewAt).toBe(T0 + HOUR_MS);
  });

  test('is refused for what nobody knows, for the past, and for longer than a week', () => {
    const story = steadyStory();
    expect(start(story, 'mars')).toMatchObject({ code: 'unknown-site' });
    expect(end(story, 'constructor')).toMatchObject({ code: 'unknown-site' });
    for (const durationMs of [0, -1, Number.NaN, 7 * 24 * HOUR_MS + 1]) {
      expect(start(story, EAST, durationMs)).toMatchObject({ code: 'maintenance-duration' });
    }
    expect(start(story, EAST, 7 * 24 * HOUR_MS)).toMatchObject({ kind: 'accepted' });
  });

  test('goes with the site that a new configuration leaves out', () => {
    const sites = [EAST, WEST, 'us-east-2'].map((site) => sitePolicy(site));
    const story = steadyStory(servicePolicy({ sites }));
    start(story, 'us-east-2');
    start(story, WEST);
    story.configure(servicePolicy());
    expect(story.service().maintenance?.map(({ site }) => site)).toEqual([WEST]);
  });
});

describe('a site that leaves on purpose', () => {
  const left = { code: 'deregistered' } as const;

  test('while active is failed over like one that failed, and the run says why', () => {
    const story = steadyStory();
    story.say(EAST, 'pending', left);
    expect(story.run()).toMatchObject({
      kind: 'failover',
      trigger: 'automatic',
      to: WEST,
      analysis: 'active-site-deregistered',
    });
  });

  test('is not believed on the word of one region', () => {
    const story = steadyStory();
    story.say(EAST, 'pending', { ...left, by: story.state().observers.slice(0, 1) });
    expect(story.service().analysis.code).toBe('all-sites-healthy');
    expect(story.state().runs.filter(({ kind }) => kind === 'failover')).toEqual([]);
  });

  test('as a standby starts nothing, is no target, and is back with its next beats', () => {
    const story = steadyStory();
    story.say(WEST, 'pending', left);
    expect(story.service()).toMatchObject({
      phase: { kind: 'steady' },
      analysis: { code: 'standby-not-ready' },
      decision: null,
    });
    story.say(EAST, 'failed');
    expect(story.service().decision?.code).toBe('no-healthy-target');
    story.say(WEST, 'healthy');
    expect(story.run()).toMatchObject({ kind: 'failover', to: WEST });
  });
});

describe('a site that is degraded', () => {
  test.each(['reports-failing', 'probe-failing', 'callers-report-trouble'] as const)(
    'by %s is told, and never failed over by itself',
    (code) => {
      const story = steadyStory();
      story.say(EAST, 'degraded', { code });
      expect(story.service()).toMatchObject({
        phase: { kind: 'steady' },
        analysis: { code: 'active-site-degraded' },
        decision: null,
      });
      expect(story.state().timeline.at(-1)).toMatchObject({ kind: 'opinion' });
    },
  );
});
