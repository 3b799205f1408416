import { describe, expect, test } from 'vitest';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import { steadyStory } from '../../support/log-story.ts';
import {
  EAST,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const BY = { by: 'ann', reason: 'a test' } as const;
const ASKED = { service: 'checkout', ...BY } as const;
const lively = safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 9 });
const kindsOf = (story: ReturnType<typeof steadyStory>) =>
  story.state().timeline.map(({ kind }) => kind);

describe('a freeze', () => {
  test('holds an automatic run back until its time, and then lets it go by itself', () => {
    const story = steadyStory(servicePolicy({ safety: lively }));
    story.write({ kind: 'freeze', durationMs: 60_000, ...ASKED });
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired' },
      decision: { code: 'frozen' },
      reviewAt: story.now() + 60_000,
    });
    story.wait(60_000);
    story.write({ kind: 'review', service: 'checkout' });
    expect(story.run()).toMatchObject({ kind: 'failover', trigger: 'automatic', to: WEST });
    expect(kindsOf(story)).toContain('freeze-expired');
    expect(story.service().freeze).toBeNull();
  });

  test('of everything holds every service back, and tells its end once', () => {
    const search = servicePolicy({ service: 'search', dnsName: 'search.test', safety: lively });
    const story = steadyStory(servicePolicy({ safety: lively }), search);
    story.write({ kind: 'freeze', service: null, durationMs: 60_000, ...BY });
    story.say(EAST, 'failed');
    story.say(EAST, 'failed', { service: 'search' });
    for (const name of ['checkout', 'search']) {
      expect(story.service(name).decision?.code).toBe('frozen');
    }
    story.waitReviewing(61_000);
    const started = story.state().runs.filter(({ kind }) => kind === 'failover');
    expect(started.map(({ service }) => service).toSorted()).toEqual(['checkout', 'search']);
    expect(kindsOf(story).filter((kind) => kind === 'freeze-expired')).toHaveLength(1);
    expect(story.state().freeze).toBeNull();
  });

  test('is passed by force only, and ends when a person says so', () => {
    const story = steadyStory(servicePolicy({ safety: lively }));
    story.write({ kind: 'freeze', durationMs: 60_000, ...ASKED });
    const asked = { kind: 'failover', to: WEST, ...ASKED } as const;
    expect(story.write({ ...asked, force: false })).toMatchObject({ code: 'frozen' });
    const drill = { kind: 'drill', to: null, durationMs: null, scheduled: false } as const;
    expect(story.write({ ...drill, ...ASKED })).toMatchObject({ code: 'drill-frozen' });
    expect(story.write({ ...asked, force: true })).toMatchObject({ kind: 'accepted' });
    story.finishRuns();
    expect(story.write({ kind: 'unfreeze', ...ASKED })).toMatchObject({ code: 'unfrozen' });
    expect(story.write({ kind: 'unfreeze', ...ASKED })).toMatchObject({ code: 'not-frozen' });
  });

  test('lasts no longer than it may', () => {
    const story = steadyStory();
    for (const durationMs of [0, RUN_LIMITS.freezeMsMax + 1]) {
      const answer = story.write({ kind: 'freeze', durationMs, ...ASKED });
      expect(answer).toMatchObject({ kind: 'refused', code: 'freeze-duration' });
    }
  });
});

describe('an override', () => {
  test('lets one run through that its rule held back, expires by review, and says so', () => {
    const story = steadyStory(servicePolicy({ safety: safetyPolicy({ holdDownMs: 600_000 }) }));
    story.say(EAST, 'failed');
    story.finishRuns();
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    expect(story.service().decision?.code).toBe('hold-down');
    const set = { kind: 'override', rule: 'hold-down', durationMs: 30_000, ...ASKED } as const;
    expect(story.write(set)).toMatchObject({ code: 'override-started' });
    expect(story.run()).toMatchObject({ to: EAST, trigger: 'automatic', requestedBy: 'tripoint' });
    story.finishRuns();
    expect(story.waitReviewing(31_000)).toBeLessThan(10);
    expect(story.service().overrides).toEqual([]);
    expect(kindsOf(story)).toContain('override-expired');
  });

  test('is replaced, ended, and refused when it would last too long', () => {
    const story = steadyStory();
    const set = { kind: 'override', rule: 'approval', ...ASKED } as const;
    const tooLong = RUN_LIMITS.overrideMsMax + 1;
    expect(story.write({ ...set, durationMs: tooLong })).toMatchObject({
      code: 'override-duration',
    });
    story.write({ ...set, durationMs: 1000 });
    story.write({ ...set, durationMs: 5000 });
    expect(story.service().overrides).toMatchObject([{ until: story.now() + 5000, by: 'ann' }]);
    const end = { kind: 'override-end', rule: 'approval', ...ASKED } as const;
    expect(story.write(end)).toMatchObject({ code: 'override-ended' });
    expect(story.write(end)).toMatchObject({ code: 'no-override' });
  });
});

describe('an acknowledgement', () => {
  test('is due after an automatic run, holds the next one back, and lets it go', () => {
    const safety = { ...lively, acknowledgement: true };
    const story = steadyStory(servicePolicy({ safety }));
    expect(story.write({ kind: 'acknowledge', ...ASKED })).toMatchObject({
      code: 'nothing-to-acknowledge',
    });
    story.say(EAST, 'failed');
    story.finishRuns();
    expect(kindsOf(story)).toContain('acknowledgement-due');
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    expect(story.service().decision?.code).toBe('acknowledgement-due');
    expect(story.write({ kind: 'acknowledge', ...ASKED })).toMatchObject({ code: 'acknowledged' });
    expect(story.run()).toMatchObject({ to: EAST, trigger: 'automatic' });
  });
});

describe('a drill', () => {
  test('goes there, stays for its time, and comes home without anybody', () => {
    const story = steadyStory();
    const drill = { kind: 'drill', to: null, durationMs: 20_000, scheduled: false } as const;
    expect(story.write({ ...drill, ...ASKED })).toMatchObject({ code: 'drill-authorised' });
    expect(story.service()).toMatchObject({ phase: { kind: 'drilling' } });
    story.finishRuns();
    expect(story.service()).toMatchObject({
      phase: { kind: 'practising' },
      activeSite: WEST,
      drill: { homeSite: EAST, revertAt: story.now() + 20_000 },
    });
    story.waitReviewing(20_000);
    expect(story.run()).toMatchObject({ kind: 'drill-return', to: EAST, trigger: 'automatic' });
    story.finishRuns();
    expect(story.service()).toMatchObject({
      phase: { kind: 'steady' },
      activeSite: EAST,
      drill: null,
      lastRunEndedAt: null,
      automaticRunStarts: [],
    });
  });

  test('that failed on its way goes home at once', () => {
    const story = steadyStory();
    const drill = { kind: 'drill', to: WEST, durationMs: 20_000, scheduled: false } as const;
    story.write({ ...drill, ...ASKED });
    story.finishStep();
    story.finishStep({ kind: 'failed', code: 'name-not-switched-yet' });
    story.finishRuns();
    story.waitReviewing(2000);
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });

  test('gives way to the real thing: the home fails while the traffic is away', () => {
    const story = steadyStory();
    const drill = { kind: 'drill', to: WEST, durationMs: 20_000, scheduled: false } as const;
    story.write({ ...drill, ...ASKED });
    story.finishRuns();
    story.say(EAST, 'failed');
    story.waitReviewing(21_000);
    expect(story.service()).toMatchObject({ phase: { kind: 'practising' }, activeSite: WEST });
    story.say(EAST, 'healthy');
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });
});

describe('shares', () => {
  const weights = { [EAST]: 50, [WEST]: 50 };
  const shared = servicePolicy({
    strategy: 'active-active',
    safety: safetyPolicy({ holdDownMs: 30_000, automaticRunsPerDayMax: 4 }),
    sites: [EAST, WEST].map((site) => sitePolicy(site, { weight: 50 })),
  });

  test('leave a site that fails, and come back when it has been well for the hold-down', () => {
    const story = steadyStory(shared);
    story.say(WEST, 'failed');
    expect(story.service().traffic).toEqual({ [EAST]: 100 });
    story.finishRuns();
    story.say(WEST, 'healthy');
    expect(story.service()).toMatchObject({
      phase: { kind: 'steady' },
      analysis: { code: 'site-out-of-rotation' },
      decision: { code: 'hold-down' },
    });
    story.waitReviewing(31_000);
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, traffic: weights });
  });

  test('that a person set stand, also when a site they left out is well', () => {
    const story = steadyStory(shared);
    story.write({ kind: 'set-weights', weights: { [EAST]: 100 }, ...ASKED });
    story.finishRuns();
    story.wait(86_400_000);
    story.say(WEST, 'healthy');
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, traffic: { [EAST]: 100 } });
    story.write({ kind: 'failback', force: false, ...ASKED });
    story.finishRuns();
    expect(story.service()).toMatchObject({ traffic: weights, weights: null });
  });

  test('become those of one site when the strategy does', () => {
    const story = steadyStory(shared);
    story.configure({ ...shared, strategy: 'failover' });
    story.finishRuns();
    expect(story.service()).toMatchObject({ activeSite: EAST, traffic: { [EAST]: 100 } });
  });
});

describe('traffic in doubt', () => {
  const forced = (to: string) => ({ kind: 'failover', to, force: true, ...ASKED }) as const;

  test('is what a run leaves that is superseded half-way, until one comes through', () => {
    const story = steadyStory(servicePolicy({ safety: { ...lively, approval: 'manual' } }));
    const approve = { kind: 'approve', verdict: 'approve', by: 'bob', reason: 'seen' } as const;
    story.write(forced(WEST));
    story.write({ ...approve, run: story.run().id, step: 'approve' });
    expect(story.service()).toMatchObject({ activeSite: WEST });
    story.write(forced(EAST));
    expect(story.service().isTrafficInDoubt).toBe(true);
    story.write({ ...approve, verdict: 'reject', run: story.run().id, step: 'approve' });
    expect(story.service().phase).toEqual({ kind: 'impaired', cause: 'run-failed' });
    story.write(forced(EAST));
    story.write({ ...approve, run: story.run().id, step: 'approve' });
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, isTrafficInDoubt: false });
  });

  test('is not what a run leaves that nobody approved', () => {
    const story = steadyStory(servicePolicy({ safety: { ...lively, approval: 'manual' } }));
    story.write({ ...forced(WEST), force: false });
    const run = story.run().id;
    const reject = { kind: 'approve', verdict: 'reject', by: 'bob', reason: 'not now' } as const;
    story.write({ ...reject, run, step: 'approve' });
    expect(story.service()).toMatchObject({
      phase: { kind: 'steady' },
      activeSite: EAST,
      lastRunEndedAt: story.now(),
    });
  });
});
