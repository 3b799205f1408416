import { describe, expect, test } from 'vitest';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { createLogStory, steadyStory } from '../../support/log-story.ts';
import {
  EAST,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const checkout = servicePolicy();
const search = servicePolicy({ service: 'search', dnsName: 'search.example.test' });
const THIRD = 'us-east-2';
const BY = { by: 'ann', reason: 'a test' } as const;

describe('a new service', () => {
  test('begins at its primary with a run that writes its records', () => {
    const story = createLogStory();
    expect(story.configure(checkout)).toMatchObject({ kind: 'accepted', code: 'config-applied' });
    expect(story.service()).toMatchObject({
      phase: { kind: 'setting-up', run: 'checkout-1' },
      activeSite: EAST,
      epoch: { term: 1, index: 1 },
      analysis: { code: 'waiting-for-first-heartbeat' },
    });
    expect(story.run()).toMatchObject({ kind: 'setup', from: EAST, to: EAST, requestedBy: 'ann' });
  });

  test('is not failed over before its records stand, and is looked at as soon as they do', () => {
    const story = createLogStory();
    story.configure(checkout);
    story.say(WEST, 'healthy');
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({ phase: { kind: 'setting-up' }, activeSite: EAST });
    story.finishRuns();
    expect(story.state().runs.map(({ kind }) => kind)).toEqual(['setup', 'failover']);
    expect(story.service().activeSite).toBe(WEST);
  });

  test('whose setup failed is impaired until a person repeats it', () => {
    const story = createLogStory();
    story.configure(checkout);
    story.finishStep({ kind: 'failed', code: 'foreign-record' });
    expect(story.service().phase).toEqual({ kind: 'impaired', cause: 'run-failed' });
    const again = { kind: 'failover', service: 'checkout', to: EAST, force: true, ...BY } as const;
    expect(story.write(again).kind).toBe('accepted');
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });
});

describe('a changed configuration', () => {
  test('leaves alone what did not change', () => {
    const story = steadyStory(checkout);
    const { epoch, sites } = story.service();
    story.configure(checkout, search);
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, epoch, sites });
    expect(story.service('search').phase.kind).toBe('setting-up');
  });

  test.each([
    ['the name', { dnsName: 'pay.example.test' }],
    ['the TTL', { ttlSeconds: 30 }],
    ['the type', { recordType: 'CNAME' }],
    ['the address', { sites: [sitePolicy(EAST, { address: '192.0.2.99' }), sitePolicy(WEST)] }],
  ] as const)('writes the records anew when %s changes', (_, changes) => {
    const story = steadyStory(checkout);
    story.configure(servicePolicy(changes));
    expect(story.run()).toMatchObject({ kind: 'setup', to: EAST });
    expect(story.service().epoch.index).toBe(story.log().length);
  });

  test('writes nothing when only a standby moved: it has no record', () => {
    const story = steadyStory(checkout);
    const sites = [sitePolicy(EAST), sitePolicy(WEST, { address: '192.0.2.99' })];
    story.configure(servicePolicy({ sites }));
    expect(story.service().phase.kind).toBe('steady');
  });

  test('keeps what is known of a site that stays, and forgets one that goes', () => {
    const story = steadyStory(checkout);
    story.configure(servicePolicy({ sites: [EAST, THIRD].map((site) => sitePolicy(site)) }));
    expect(Object.keys(story.service().sites)).toEqual([EAST, THIRD]);
    expect(story.service().sites[EAST]?.opinion.state).toBe('healthy');
    expect(story.service().sites[THIRD]?.opinion.state).toBe('pending');
  });

  test('keeps the site that is active, whatever the new primary is', () => {
    const story = steadyStory(checkout);
    story.configure(servicePolicy({ primary: WEST }));
    expect(story.service()).toMatchObject({ activeSite: EAST, phase: { kind: 'steady' } });
  });

  test('is not applied twice', () => {
    const story = steadyStory(checkout);
    const { configHash } = story.state();
    const before = story.state();
    const again = {
      kind: 'configure',
      ...BY,
      configHash: configHash ?? '',
      policies: [checkout],
    } as const;
    expect(story.write(again)).toMatchObject({ kind: 'accepted', code: 'config-unchanged' });
    expect(story.state()).toBe(before);
  });

  test('that leaves a service out forgets it', () => {
    const story = steadyStory(checkout, search);
    story.configure(search);
    expect(Object.keys(story.state().services)).toEqual(['search']);
    const note = { kind: 'note', service: 'checkout', ...BY } as const;
    expect(story.write(note).code).toBe('unknown-service');
  });
});

describe('a configuration that would take the ground from under a service', () => {
  test('is refused as a whole when the active site is gone', () => {
    const story = steadyStory(checkout, search);
    const before = story.state();
    const without = servicePolicy({
      primary: WEST,
      sites: [WEST, THIRD].map((site) => sitePolicy(site)),
    });
    expect(story.configure(without, { ...search, ttlSeconds: 9 })).toMatchObject({
      kind: 'refused',
      code: 'active-site-removed',
    });
    expect(story.state()).toBe(before);
  });

  test('is refused while a run is open on the records it would change or forget', () => {
    const story = steadyStory(checkout, search);
    story.say(EAST, 'failed');
    expect(story.service().phase.kind).toBe('recovering');
    const before = story.state();
    expect(story.configure({ ...checkout, ttlSeconds: 9 }, search).code).toBe('run-in-progress');
    expect(story.configure(search).code).toBe('run-in-progress');
    expect(story.state()).toBe(before);
  });

  test.each<[string, Partial<ServicePolicy>]>([
    ['fencing', { fencing: 'lease' }],
    ['strategy', { strategy: 'pilot-light' }],
    [`site ${WEST}`, { sites: [EAST, THIRD].map((site) => sitePolicy(site)) }],
    [`site ${WEST}`, { sites: [sitePolicy(EAST), sitePolicy(WEST, { address: '192.0.2.77' })] }],
  ])('is refused while a run waits whose %s it would change', (what, change) => {
    const policy = servicePolicy({ safety: safetyPolicy({ approval: 'manual' }) });
    const story = steadyStory(policy);
    story.write({ kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY });
    const refused = { code: 'run-in-progress', sentence: expect.stringContaining(what) };
    expect(story.configure({ ...policy, ...change })).toMatchObject(refused);
    const sites = [...policy.sites, sitePolicy(THIRD)];
    expect(story.configure({ ...policy, automatic: false, sites }).code).toBe('config-applied');
    story.write({ kind: 'cancel-run', run: story.run().id, ...BY });
    expect(story.configure({ ...policy, ...change }).code).toBe('config-applied');
  });

  test('is refused while a drill is to bring the traffic home to a site that it leaves out', () => {
    const sites = [EAST, WEST, THIRD].map((site) => sitePolicy(site));
    const policy = servicePolicy({ sites });
    const story = steadyStory(policy);
    story.say(THIRD, 'healthy');
    const drill = { to: WEST, durationMs: 60_000, scheduled: false, ...BY } as const;
    story.write({ kind: 'drill', service: 'checkout', ...drill });
    while (story.service().phase.kind === 'drilling') {
      story.finishStep();
    }
    expect(story.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'practising' } });
    const without = { ...policy, primary: WEST, sites: sites.slice(1) };
    expect(story.configure(without).code).toBe('run-in-progress');
  });

  test('is taken while a run is open that it does not touch', () => {
    const story = steadyStory(checkout, search);
    story.say(EAST, 'failed');
    const { id } = story.run();
    const calmer = { ...checkout, objectives: { rtoMs: 60_000, rpoMs: 0 } };
    expect(story.configure(calmer, { ...search, ttlSeconds: 9 }).code).toBe('config-applied');
    expect(story.service()).toMatchObject({
      phase: { kind: 'recovering', run: id },
      policy: calmer,
    });
    expect(story.service('search').phase.kind).toBe('setting-up');
  });

  test('may remove the site that was left, after the run has ended', () => {
    const story = steadyStory(checkout);
    story.say(EAST, 'failed');
    story.finishRuns();
    const without = servicePolicy({
      primary: WEST,
      sites: [WEST, THIRD].map((site) => sitePolicy(site)),
    });
    expect(story.configure(without).code).toBe('config-applied');
    expect(story.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'steady' } });
  });
});
