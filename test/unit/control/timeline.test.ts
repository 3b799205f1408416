import { describe, expect, test } from 'vitest';
import { runStarted } from '../../../lib/control/timeline.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { Traffic } from '../../../lib/recovery/traffic.ts';
import { steadyStory } from '../../support/log-story.ts';
import { handRun } from '../../support/runs.ts';
import { EAST, servicePolicy, WEST } from '../../support/service-states.ts';

const kindsOf = (story: ReturnType<typeof steadyStory>, from: number) =>
  story
    .state()
    .timeline.slice(from)
    .map(({ kind }) => kind);

describe('the timeline', () => {
  test('tells a failover in the order in which it happened', () => {
    const story = steadyStory();
    const before = story.state().timeline.length;
    story.say(EAST, 'failed');
    story.finishRuns();
    expect(kindsOf(story, before)).toEqual([
      'opinion',
      'act',
      'unprotected',
      'run-started',
      'run-done',
    ]);
    const sentences = story
      .state()
      .timeline.slice(before)
      .map(({ sentence }) => sentence);
    expect(sentences.join('\n')).toContain(`${EAST} → ${WEST}`);
  });

  test('tells the shares of a run that leaves several sites with traffic', () => {
    const shared = { ...handRun().run(), kind: 'rebalance', from: 'a', to: 'b' } as const;
    const sentenceOf = (before: Traffic, traffic: Traffic) =>
      runStarted({ ...shared, before, traffic }).sentence;
    const three = { a: 50, b: 30, c: 20 };
    const drained = 'a 50 %, b 30 %, c 20 % → b 60 %, c 40 %;';
    expect(sentenceOf(three, { b: 60, c: 40 })).toContain(drained);
    expect(sentenceOf({ a: 50, b: 50 }, { b: 100 })).toContain(': a 50 %, b 50 % → b 100 %;');
    expect(sentenceOf(three, three)).toContain('): a 50 %, b 30 %, c 20 %;');
    expect(sentenceOf({ a: 100 }, { b: 100 })).toContain('): a → b;');
  });

  test('tells in a run that nothing stands by behind its target, and not that it has nowhere to go', () => {
    const story = steadyStory();
    const before = story.state().timeline.length;
    story.say(EAST, 'failed');
    story.finishRuns();
    const { state } = story;
    const told = () =>
      state()
        .timeline.slice(before)
        .filter((one) => one.kind === 'unprotected');
    expect(told().map(({ sentence }) => sentence)).toEqual([
      `after run ${story.run().id} nothing stands by behind ${WEST}`,
    ]);
    story.say(EAST, 'healthy');
    story.say(EAST, 'failed');
    expect(told().at(-1)?.sentence).toBe(`no other site could take the traffic of ${WEST}`);
    expect(told()).toHaveLength(2);
  });

  test('tells a refusal once, however often it is repeated', () => {
    const story = steadyStory(servicePolicy({ automatic: false }));
    story.say(EAST, 'failed');
    const before = story.state().timeline.length;
    for (let round = 0; round < 5; round += 1) {
      story.wait(1000);
      story.say(EAST, 'failed');
    }
    expect(kindsOf(story, before)).toEqual([]);
  });

  test('tells an exception of a run that is done', () => {
    const story = steadyStory();
    story.say(EAST, 'failed');
    for (let step = 0; step < 3; step += 1) {
      story.finishStep();
    }
    story.finishStep({ kind: 'failed', code: 'report-not-stored' });
    expect(story.state().timeline.at(-1)).toMatchObject({
      kind: 'run-done',
      sentence: `run ${story.run().id} is done, but report: report-not-stored`,
    });
  });

  test('keeps the newest events only', () => {
    const story = steadyStory();
    for (let note = 0; note < RUN_LIMITS.timelineEventsMax + 30; note += 1) {
      story.write({ kind: 'note', service: 'checkout', by: 'ann', reason: `${note}` });
    }
    const { timeline } = story.state();
    expect(timeline).toHaveLength(RUN_LIMITS.timelineEventsMax);
    expect(timeline[0]?.sentence).toBe('ann: 30');
  });
});

describe('the runs that are kept', () => {
  test('are the newest, and every open one', () => {
    const policies = ['a', 'b'].map((service) =>
      servicePolicy({ service, dnsName: `${service}.example.test`, automatic: false }),
    );
    const story = steadyStory(...policies);
    const move = (service: string, to: string) =>
      story.write({ kind: 'failover', service, to, force: true, by: 'ann', reason: 'a test' });
    move('a', WEST);
    const { id: open } = story.run();
    for (let round = 0; round < RUN_LIMITS.runsKeptMax + 10; round += 1) {
      move('b', round % 2 === 0 ? WEST : EAST);
      for (let step = 0; step < 4; step += 1) {
        story.finishStep();
      }
    }
    const { runs } = story.state();
    expect(runs).toHaveLength(RUN_LIMITS.runsKeptMax);
    expect(runs[0]).toMatchObject({ id: open, outcome: { kind: 'open' } });
    expect(runs.at(-1)?.service).toBe('b');
  });
});
