import { describe, expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { openSteps } from '../../../lib/recovery/run.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import {
  EAST,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const ANN = { by: 'ann', reason: 'the east is slow' } as const;
const BOB = { by: 'bob', reason: 'agreed' } as const;
const CALM = safetyPolicy({ holdDownMs: 0 });

const failover = (story: LogStory, service = 'checkout') =>
  story.write({ kind: 'failover', service, to: WEST, force: false, ...ANN });

const open = (story: LogStory) => openSteps(story.run()).map(({ name }) => name);

describe('an approval', () => {
  const waiting = () => {
    const story = steadyStory(servicePolicy({ safety: safetyPolicy({ approval: 'manual' }) }));
    failover(story);
    return story;
  };
  const said = (story: LogStory, by: { by: string; reason: string }, step = 'approve') =>
    story.write({ kind: 'approve', run: story.run().id, step, verdict: 'approve', ...by });

  test('by a second person lets the run go on, in the same entry', () => {
    const story = waiting();
    expect(story.service()).toMatchObject({ activeSite: EAST, phase: { kind: 'recovering' } });
    expect(said(story, BOB)).toMatchObject({ kind: 'accepted', code: 'approved' });
    expect(open(story)).toEqual(['switch']);
    const index = story.log().length;
    expect(story.service()).toMatchObject({ activeSite: WEST, epoch: { index } });
    expect(story.run().approvals).toMatchObject([{ step: 'approve', by: 'bob' }]);
  });

  test.each(['ann', 'Ann', ' ANN\t', 'ａｎｎ', 'a\u200bnn'])(
    'by the one who asked for the run is none, however the name is written: %j',
    (by) => {
      const story = waiting();
      const refused = { kind: 'refused', code: 'approver-asked-for-it' };
      expect(said(story, { ...ANN, by })).toMatchObject(refused);
      expect(story.service().activeSite).toBe(EAST);
    },
  );

  test('that is refused ends the run, and nothing has moved', () => {
    const story = waiting();
    const run = story.run().id;
    const no = { kind: 'approve', run, step: 'approve', verdict: 'reject', ...BOB } as const;
    expect(story.write(no)).toMatchObject({ kind: 'accepted', code: 'rejected' });
    expect(story.run().outcome).toMatchObject({ code: 'approve: approval-rejected' });
    expect(story.service()).toMatchObject({ activeSite: EAST, phase: { kind: 'steady' } });
  });

  test('is taken only where a step waits for one', () => {
    const story = waiting();
    const code = 'not-waiting-for-approval';
    expect(said(story, BOB, 'switch')).toMatchObject({ kind: 'refused', code });
    said(story, BOB);
    expect(said(story, BOB)).toMatchObject({ kind: 'refused', code });
    const unknown = { kind: 'approve', run: 'x', step: 'y', verdict: 'approve', ...BOB } as const;
    expect(story.write(unknown)).toMatchObject({ kind: 'refused', code: 'unknown-run' });
  });

  test('that never comes ends the run when its time is over', () => {
    const story = waiting();
    expect(story.waitReviewing(RUN_LIMITS.approvalTimeoutMs)).toBe(1);
    expect(story.run().outcome).toMatchObject({ code: 'approve: step-timed-out' });
    expect(story.service().activeSite).toBe(EAST);
  });

  test('is not asked for a run that comes by itself, unless all runs need one', () => {
    const story = steadyStory(servicePolicy({ safety: safetyPolicy({ approval: 'manual' }) }));
    story.say(EAST, 'failed');
    expect(open(story)).toEqual(['switch']);
    const strict = steadyStory(servicePolicy({ safety: safetyPolicy({ approval: 'all' }) }));
    strict.say(EAST, 'failed');
    expect(open(strict)).toEqual(['approve']);
  });

  const LIMIT = { lagMsMax: 5000, overLimit: 'block', unknownLag: 'block', metric: null } as const;
  const lags = (story: LogStory, lagMs: number) =>
    story.write({
      kind: 'lag',
      observer: regionId('us-east-1'),
      service: 'checkout',
      site: WEST,
      source: 'heartbeats',
      lagMs,
      writes: null,
      measuredAt: story.now(),
      risingMsPerMinute: null,
    });

  test('is refused while the run would lose more than when it was authorised, and allowed', () => {
    const safety = safetyPolicy({ approval: 'manual' });
    const story = steadyStory(servicePolicy({ safety, replication: LIMIT }));
    lags(story, 1000);
    expect(failover(story)).toMatchObject({ kind: 'accepted' });
    story.wait(60_000);
    lags(story, 600_000);
    expect(said(story, BOB)).toMatchObject({ kind: 'refused', code: 'data-loss-over-limit' });
    expect(story.service().activeSite).toBe(EAST);
    story.wait(60_000);
    lags(story, 2000);
    expect(said(story, BOB)).toMatchObject({ kind: 'accepted', code: 'approved' });
    expect(story.service().activeSite).toBe(WEST);
    expect(story.run().loss).toMatchObject({ lagMs: 2000, acceptedBy: null });
  });

  test('is not waited for once the site that failed serves again', () => {
    const story = steadyStory(servicePolicy({ safety: safetyPolicy({ approval: 'all' }) }));
    story.say(EAST, 'failed');
    expect(open(story)).toEqual(['approve']);
    story.say(EAST, 'healthy');
    expect(story.run().outcome).toMatchObject({ code: 'approve: site-recovered' });
    expect(story.service()).toMatchObject({ activeSite: EAST, phase: { kind: 'steady' } });
  });

  test('is waited for also where the site serves, if a person asked for the run', () => {
    const story = waiting();
    story.say(EAST, 'healthy');
    expect(open(story)).toEqual(['approve']);
  });
});

describe('to cancel a run', () => {
  const cancel = (story: LogStory, run = story.run().id) =>
    story.write({ kind: 'cancel-run', run, ...BOB });

  test('takes the traffic back, with a newer epoch', () => {
    const story = steadyStory();
    failover(story);
    const { epoch } = story.service();
    story.finishStep();
    expect(cancel(story)).toMatchObject({ kind: 'accepted', code: 'run-cancelled' });
    expect(open(story)).toEqual(['undo-switch']);
    const after = story.service();
    expect(after).toMatchObject({ activeSite: EAST, traffic: { [EAST]: 100 } });
    expect(after.epoch.index).toBeGreaterThan(epoch.index);
    expect(cancel(story)).toMatchObject({ kind: 'refused', code: 'run-reverting' });
    story.finishRuns();
    expect(story.run().outcome).toMatchObject({ kind: 'failed', code: 'cancelled' });
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
    expect(cancel(story)).toMatchObject({ kind: 'refused', code: 'run-not-open' });
  });

  test('comes too late where only its report is left: nothing is taken back', () => {
    const story = steadyStory();
    failover(story);
    while (!open(story).includes('report')) {
      story.finishStep();
    }
    const { epoch } = story.service();
    expect(cancel(story)).toMatchObject({ kind: 'refused', code: 'run-not-open' });
    expect(story.service()).toMatchObject({ activeSite: WEST, epoch });
    story.finishRuns();
    expect(story.run().outcome.kind).toBe('done');
    expect(story.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'steady' } });
  });

  test('leaves its report to be written', () => {
    const story = steadyStory();
    failover(story);
    cancel(story);
    story.finishRuns();
    expect(open(story)).toEqual(['report']);
  });
});

describe('a child plan', () => {
  const group = (child: string): ServicePolicy['plans'] => ({
    failover: {
      stages: [
        [planned('child', { kind: 'child-plan', service: child })],
        [planned('move', { kind: 'switch' })],
      ],
      onFailure: 'stop',
    },
    failback: null,
  });
  const family = (changes: Partial<ServicePolicy> = {}) =>
    steadyStory(
      servicePolicy({ safety: CALM, plans: group('orders') }),
      servicePolicy({
        service: 'orders',
        dnsName: 'orders.example.test',
        safety: CALM,
        ...changes,
      }),
    );
  const runOf = (story: LogStory, service: string) =>
    story.state().runs.findLast((run) => run.service === service);
  const finishChild = (story: LogStory) => {
    while (runOf(story, 'orders')?.outcome.kind === 'open') {
      story.finishStep();
    }
  };

  test('starts the other service in the same entry, and goes on when that has moved', () => {
    const story = family();
    failover(story);
    const [parent, child] = [runOf(story, 'checkout'), runOf(story, 'orders')];
    expect(child).toMatchObject({ kind: 'failover', to: WEST, parent: parent?.id });
    expect(child?.epoch).toEqual(parent?.epoch);
    expect(story.service().activeSite, 'its own turn has not come').toBe(EAST);
    finishChild(story);
    expect(story.service('orders').activeSite).toBe(WEST);
    expect(story.service().activeSite).toBe(WEST);
    expect(runOf(story, 'checkout')?.steps[0]?.progress).toMatchObject({
      kind: 'done',
      evidence: { run: child?.id },
    });
  });

  test('fails as the other run does', () => {
    const story = family();
    failover(story);
    const child = runOf(story, 'orders')?.id ?? '';
    story.write({ kind: 'cancel-run', run: child, ...BOB });
    while (runOf(story, 'orders')?.outcome.kind === 'open') {
      story.finishStep();
    }
    expect(runOf(story, 'checkout')?.outcome).toMatchObject({ code: 'child: child-run-failed' });
    expect(story.service().activeSite).toBe(EAST);
  });

  test('is refused by the rules of the other service, in their words', () => {
    const story = family();
    story.say(WEST, 'failed', { service: 'orders' });
    failover(story);
    expect(runOf(story, 'checkout')?.outcome).toMatchObject({
      kind: 'failed',
      code: 'child: target-not-healthy',
    });
  });

  test('has nothing to do where the other service is there already', () => {
    const story = family();
    failover(story, 'orders');
    finishChild(story);
    failover(story);
    expect(runOf(story, 'checkout')?.steps[0]?.progress).toMatchObject({
      kind: 'done',
      evidence: { already: WEST },
    });
  });

  test('never runs in a circle', () => {
    const story = family({ plans: group('checkout') });
    failover(story);
    expect(runOf(story, 'orders')?.outcome).toMatchObject({ code: 'child: child-plan-circular' });
    expect(runOf(story, 'checkout')?.outcome).toMatchObject({ code: 'child: child-run-failed' });
    expect(story.state().runs.filter(({ kind }) => kind === 'failover')).toHaveLength(2);
  });

  test('of a service that is not configured fails', () => {
    const story = steadyStory(servicePolicy({ safety: CALM, plans: group('nowhere') }));
    failover(story);
    expect(runOf(story, 'checkout')?.outcome).toMatchObject({ code: 'child: unknown-service' });
  });
});

describe('time', () => {
  test('passes for a run only by entries about its service', () => {
    const story = steadyStory(
      servicePolicy({ safety: safetyPolicy({ approval: 'all' }) }),
      servicePolicy({ service: 'orders', dnsName: 'orders.example.test' }),
    );
    failover(story);
    story.wait(2 * RUN_LIMITS.approvalTimeoutMs);
    story.write({ kind: 'note', service: 'orders', ...ANN });
    expect(story.run().outcome.kind).toBe('open');
    story.write({ kind: 'note', service: 'checkout', ...ANN });
    expect(story.run().outcome).toMatchObject({ code: 'approve: step-timed-out' });
  });

  test('of a failed target counts: the authority never goes to it', () => {
    const capacity = {
      resource: { kind: 'hook', url: 'http://a.test' },
      serving: 2,
      standby: 1,
    } as const;
    const sites = [EAST, WEST].map((site) => sitePolicy(site, { capacity }));
    const story = steadyStory(servicePolicy({ strategy: 'warm-standby', automatic: false, sites }));
    failover(story);
    story.wait(1000);
    story.say(WEST, 'failed');
    story.finishStep();
    expect(open(story), 'it may come back').toEqual(['wait-healthy']);
    story.waitReviewing(RUN_LIMITS.stepTimeoutMs);
    expect(story.run().reverting?.code).toBe('wait-healthy: step-timed-out');
    expect(story.service().activeSite).toBe(EAST);
  });
});
