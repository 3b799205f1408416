import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import { openSteps } from '../../../lib/recovery/run.ts';
import { roleOf } from '../../../lib/recovery/traffic.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import {
  EAST,
  OBSERVERS,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

/** One region's clock is five hours off; the others are right. */
const HOURS_5 = 5 * 3_600_000;
const BY = { by: 'ann', reason: 'a test' } as const;
const CALM = safetyPolicy({ holdDownMs: 0 });

/** Does the first open step, and records it by a clock that is so wrong. */
function workBy(story: LogStory, skewMs: number): void {
  const run = story.run();
  const [step] = openSteps(run);
  const claim = { run: run.id, step: step?.name ?? '', attempt: (step?.attempt ?? 0) + 1 };
  const [worker = EAST as never] = OBSERVERS;
  story.write({ kind: 'claim-step', ...claim, worker });
  const result = { kind: 'done', evidence: null } as const;
  const at = epochMillis(story.now() + skewMs);
  story.write({ kind: 'finish-step', ...claim, result }, at);
}

/** A failover to west that a person must approve; something happens to west before that. */
function approved(skewMs: number, befalls: (story: LogStory) => void): LogStory {
  const story = steadyStory(servicePolicy({ safety: { ...CALM, approval: 'all' } }));
  const asked = { kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY } as const;
  story.write(asked, epochMillis(story.now() + skewMs));
  story.wait(20_000);
  befalls(story);
  const answer = { step: 'approve', verdict: 'approve', by: 'bob', reason: 'seen' } as const;
  story.write({ kind: 'approve', run: story.run().id, ...answer });
  return story;
}

const alarmed = (story: LogStory) => {
  story.write({ kind: 'alarm', service: 'checkout', site: WEST, name: '5xx', state: 'alarm' });
};
const failed = (story: LogStory) => {
  story.say(WEST, 'failed');
};
const nothing = () => undefined;

describe.each([0, HOURS_5, -HOURS_5])('a run that a clock %i ms ahead authorised', (skewMs) => {
  test('does not go to a site against which an alarm rings since', () => {
    const story = approved(skewMs, alarmed);
    expect(roleOf(story.service(), WEST)).toBe('standby');
    expect(story.run().outcome.kind).toBe('failed');
    expect(story.service().phase.kind).toBe('steady');
  });

  test('does not go to a site that failed since', () => {
    const story = approved(skewMs, failed);
    expect(roleOf(story.service(), WEST)).toBe('standby');
  });

  test('goes where nothing happened since', () => {
    const story = approved(skewMs, nothing);
    expect(roleOf(story.service(), WEST)).toBe('active');
  });
});

/** How many minutes pass, in which nothing is heard, until it is so; at most 20. */
function minutesUntil(story: LogStory, isSo: () => boolean): number {
  let minutes = 0;
  for (; minutes < 20 && !isSo(); minutes += 1) {
    story.waitReviewing(60_000);
  }
  return minutes;
}

describe('what a clock five hours ahead began, though nothing is heard meanwhile,', () => {
  test('is over in time: a drill', () => {
    const story = steadyStory(servicePolicy({ safety: CALM }));
    const drill = { service: 'checkout', to: WEST, durationMs: 60_000, scheduled: false, ...BY };
    story.write({ kind: 'drill', ...drill });
    while (story.service().phase.kind === 'drilling') {
      workBy(story, HOURS_5);
    }
    const isOver = () => story.service().phase.kind !== 'practising';
    expect(minutesUntil(story, isOver)).toBeLessThanOrEqual(3);
    expect(story.run().kind).toBe('drill-return');
  });

  test('is over in time: a hold', () => {
    const returning = { percents: [10, 100], holdMs: 60_000 };
    const story = steadyStory(servicePolicy({ safety: CALM, returning }));
    story.write({ kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY });
    story.finishRuns();
    story.write({ kind: 'failback', service: 'checkout', force: false, ...BY });
    const holds = () => openSteps(story.run()).some(({ action }) => action.kind === 'hold');
    while (!holds()) {
      workBy(story, HOURS_5);
    }
    expect(minutesUntil(story, () => !holds())).toBeLessThanOrEqual(3);
    const hold = story.run().steps.find(({ action }) => action.kind === 'hold');
    expect(hold?.progress.kind).toBe('done');
    expect(hold?.openedAt).toBeGreaterThan(story.now());
  });

  test('is over in time: a rule that was set aside', () => {
    const story = steadyStory();
    const override = { service: 'checkout', rule: 'hold-down', durationMs: 60_000, ...BY } as const;
    story.write({ kind: 'override', ...override }, epochMillis(story.now() + HOURS_5));
    const isOver = () => story.service().overrides.length === 0;
    expect(minutesUntil(story, isOver)).toBeLessThanOrEqual(3);
  });

  test('is over in time: the wait for a healthy site, and for its share', () => {
    const sites = [sitePolicy(EAST, { weight: 50 }), sitePolicy(WEST, { weight: 50 })];
    const story = steadyStory(servicePolicy({ strategy: 'active-active', safety: CALM, sites }));
    story.say(EAST, 'failed');
    story.finishRuns();
    const lag = { service: 'checkout', site: EAST, replicationLagMs: null } as const;
    const verdict = Object.values(story.service().sites[WEST]?.verdicts ?? {})[0]?.verdict;
    for (const [place, observer] of OBSERVERS.entries()) {
      const at = epochMillis(story.now() + (place === 1 ? HOURS_5 : 0));
      story.write({ kind: 'verdict', observer, ...lag, verdict: verdict as never }, at);
    }
    const isOver = () => 'run' in story.service().phase;
    expect(minutesUntil(story, isOver)).toBeLessThanOrEqual(3);
  });
});

test('a run that fails in the entry that authorises it leaves no phase without a run', () => {
  const hold = planned('hold', { kind: 'hold', forMs: 1000 });
  const stages = [[hold], [planned('switch', { kind: 'switch' })]];
  const plans = { failover: { stages, onFailure: 'stop' }, failback: null } as const;
  const story = steadyStory(servicePolicy({ safety: CALM, plans }));
  alarmed(story);
  story.write({ kind: 'failover', service: 'checkout', to: WEST, force: true, ...BY });
  expect(story.run().outcome).toMatchObject({ kind: 'failed', code: 'hold: target-alarm' });
  expect(story.service().phase.kind).toBe('steady');
});

test('a freeze is released by no lagging clock', () => {
  const story = steadyStory();
  story.write({ kind: 'freeze', service: 'checkout', durationMs: 60_000, ...BY });
  story.write({ kind: 'review', service: 'checkout' }, epochMillis(story.now() - HOURS_5));
  story.write({ kind: 'review', service: 'checkout' });
  expect(story.service().freeze).not.toBeNull();
});

test('a small disagreement of clocks makes the leader write nothing', () => {
  const story = steadyStory();
  const before = story.log().length;
  story.write({ kind: 'alarm', service: 'checkout', site: WEST, name: 'x', state: 'ok' });
  story.say(WEST, 'suspect');
  expect(story.waitReviewing(1000)).toBe(0);
  expect(story.log().length).toBeGreaterThan(before);
});
