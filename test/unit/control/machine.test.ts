import { describe, expect, test } from 'vitest';
import { logIndex, regionId, term } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import { createLogStory, steadyStory } from '../../support/log-story.ts';
import {
  atMs,
  EAST,
  OBSERVERS,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  T0,
  WEST,
} from '../../support/service-states.ts';

const [A = regionId('a'), B = regionId('b'), C = regionId('c')] = OBSERVERS;
const BY = { by: 'ann', reason: 'a test' } as const;
const automaticOff = servicePolicy({ automatic: false });

describe('verdicts', () => {
  test('the entry that completes a majority authorises the run, and is its epoch', () => {
    const story = steadyStory();
    story.say(EAST, 'failed', { by: [A] });
    expect(story.service().phase.kind).toBe('steady');
    story.say(EAST, 'failed', { by: [B] });
    const index = story.log().length;
    expect(story.service()).toMatchObject({
      phase: { kind: 'recovering', run: `checkout-${index}` },
      activeSite: WEST,
      epoch: { term: 1, index },
      decision: { kind: 'act', code: 'failover-authorised' },
    });
    expect(story.run()).toMatchObject({ trigger: 'automatic', requestedBy: 'tripoint' });
  });

  test.each(['unknown', 'suspect', 'degraded', 'pending'] as const)('%s is not down', (state) => {
    const story = steadyStory();
    story.say(EAST, state);
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });

  test('an observer that abstains does not lower the bar', () => {
    const story = steadyStory();
    story.say(EAST, 'unknown', { by: [A, B] });
    story.say(EAST, 'failed', { by: [C] });
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });

  test('fresh proof of life refutes the accusers', () => {
    const story = steadyStory();
    story.wait(20_000);
    story.say(EAST, 'failed', { by: [A], lastArrivalAt: atMs(5000), lastSequence: 5 });
    story.say(EAST, 'healthy', { by: [C], lastSequence: 20 });
    story.say(EAST, 'failed', { by: [B], lastArrivalAt: atMs(5000), lastSequence: 5 });
    expect(story.service()).toMatchObject({
      phase: { kind: 'steady' },
      sites: { [EAST]: { opinion: { code: 'accusations-refuted' } } },
    });
  });

  test.each([12_000, 3_600_000])(
    'a region that died with "healthy" as its last word refutes only for a while, though silence may last %i ms',
    (silenceMsMax) => {
      const { detection } = servicePolicy();
      const story = steadyStory(servicePolicy({ detection: { ...detection, silenceMsMax } }));
      story.say(EAST, 'healthy', { by: [C], lastSequence: 20 });
      story.wait(9000);
      story.say(EAST, 'failed', { by: [A, B], lastArrivalAt: atMs(0), lastSequence: 19 });
      expect(story.service().phase.kind).toBe('steady');
      const { reviewAt } = story.service();
      expect(reviewAt).toBe(atMs(12_001));
      story.wait(3000);
      story.write({ kind: 'review', service: 'checkout' });
      expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, reviewAt });
      story.wait(1);
      story.write({ kind: 'review', service: 'checkout' });
      expect(story.service().phase.kind).toBe('recovering');
      expect(story.service().reviewAt ?? Infinity).toBeGreaterThan(story.now());
    },
  );

  test('of what nobody knows change nothing', () => {
    const story = steadyStory();
    const before = story.state();
    const verdict = { kind: 'verdict', replicationLagMs: null } as const;
    const failed = { verdict: story.service().sites[EAST]?.verdicts[A]?.verdict };
    if (failed.verdict === undefined) {
      throw new Error('east was not heard');
    }
    const { verdict: said } = failed;
    const codes = [
      story.write({ ...verdict, verdict: said, observer: A, service: 'toString', site: EAST }),
      story.write({ ...verdict, verdict: said, observer: A, service: 'checkout', site: 'valueOf' }),
      story.write({
        ...verdict,
        verdict: said,
        observer: regionId('mars-1'),
        service: 'checkout',
        site: EAST,
      }),
    ].map((result) => [result.kind, result.code]);
    expect(codes).toEqual([
      ['refused', 'unknown-service'],
      ['refused', 'unknown-site'],
      ['refused', 'unknown-observer'],
    ]);
    expect(story.state()).toBe(before);
  });

  test('of a region called like a word of the language are counted like any other', () => {
    const observers = ['constructor', 'valueof', 'tostring'].map(regionId);
    const machine = createControlMachine(observers);
    const body = { kind: 'configure', at: T0, ...BY, configHash: 'x', policies: [servicePolicy()] };
    const applied = machine.apply(
      machine.initial,
      { id: 'a' as never, basis: logIndex(0), body: body as unknown as JsonValue },
      { index: logIndex(1), term: term(1) },
    );
    const again = reduce(
      applied.state,
      { kind: 'review', service: 'checkout', at: T0 },
      { index: logIndex(2), term: term(1) },
    );
    expect(again.result.code).toBe('reviewed');
  });
});

describe('alarms', () => {
  const alarm = (name: string, state: 'alarm' | 'ok' | 'insufficient-data', site: string = EAST) =>
    ({ kind: 'alarm', service: 'checkout', site, name, state }) as const;

  test('against the active site start a failover', () => {
    const story = steadyStory();
    story.write(alarm('5xx', 'alarm'));
    expect(story.run()).toMatchObject({ to: WEST, analysis: 'active-site-alarm' });
  });

  test('without data start nothing: unknown is not down', () => {
    const story = steadyStory();
    story.write(alarm('5xx', 'insufficient-data'));
    expect(story.service().phase.kind).toBe('steady');
  });

  test('against the standby keep traffic away from it, and clearing them lets it come', () => {
    const story = steadyStory();
    story.write(alarm('lag', 'alarm', WEST));
    expect(story.service().analysis.code).toBe('standby-not-ready');
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired' },
      decision: { code: 'no-healthy-target' },
    });
    story.write(alarm('lag', 'ok', WEST));
    expect(story.service().phase.kind).toBe('recovering');
  });

  test('that say the same again change nothing, not even the timeline', () => {
    const story = steadyStory(automaticOff);
    story.write(alarm('5xx', 'alarm'));
    const before = story.state();
    story.wait(60_000);
    expect(story.write(alarm('5xx', 'alarm')).kind).toBe('accepted');
    expect(story.state()).toBe(before);
  });

  test('that stand are not pushed out by others that come and go', () => {
    const story = steadyStory(automaticOff);
    story.write(alarm('standing', 'alarm'));
    for (let count = 0; count < 3 * RUN_LIMITS.alarmsPerSiteMax; count += 1) {
      story.write(alarm(`passing-${count}`, 'ok'));
    }
    const alarms = story.service().sites[EAST]?.alarms ?? [];
    expect(alarms).toHaveLength(RUN_LIMITS.alarmsPerSiteMax);
    expect(alarms[0]).toMatchObject({ name: 'standing', state: 'alarm' });
    expect(story.service().phase).toMatchObject({ kind: 'impaired' });
  });

  test('are bounded even if all of them stand', () => {
    const story = steadyStory(automaticOff);
    for (let count = 0; count < 2 * RUN_LIMITS.alarmsPerSiteMax; count += 1) {
      story.write(alarm(`a-${count}`, 'alarm'));
    }
    expect(story.service().sites[EAST]?.alarms).toHaveLength(RUN_LIMITS.alarmsPerSiteMax);
  });

  test('of an unknown site are refused', () => {
    const story = steadyStory();
    expect(story.write(alarm('x', 'alarm', 'mars')).code).toBe('unknown-site');
  });
});

describe('requests', () => {
  const failover = (to: string | null, force = false) =>
    ({ kind: 'failover', service: 'checkout', to, force, ...BY }) as const;
  const failback = { kind: 'failback', service: 'checkout', force: false, ...BY } as const;

  test('are answered with the run they start', () => {
    const story = steadyStory();
    const result = story.write(failover(null));
    expect(result).toMatchObject({ kind: 'accepted', run: story.run().id });
    expect(story.run()).toMatchObject({ trigger: 'manual', requestedBy: 'ann', reason: 'a test' });
  });

  test('are refused with the reason of the decision, also while a run is open', () => {
    const story = steadyStory();
    expect(story.write(failover('mars'))).toMatchObject({ kind: 'refused', code: 'unknown-site' });
    expect(story.write(failback)).toMatchObject({ kind: 'refused', code: 'already-active' });
    story.write(failover(WEST));
    expect(story.write(failback)).toMatchObject({ kind: 'refused', code: 'run-in-progress' });
    expect(story.write(failover(WEST))).toMatchObject({ code: 'run-in-progress' });
    expect(story.service().activeSite).toBe(WEST);
  });

  test('supersede an open run by force: the old one ends, the new one has the newer epoch', () => {
    const story = steadyStory();
    story.write(failover(WEST));
    const old = story.run();
    const result = story.write(failover(EAST, true));
    expect(result).toMatchObject({ kind: 'accepted', run: story.run().id });
    expect(story.service().activeSite).toBe(EAST);
    expect(story.run().epoch.index).toBeGreaterThan(old.epoch.index);
    const ended = story.state().runs.find(({ id }) => id === old.id);
    expect(ended?.outcome).toMatchObject({ kind: 'failed', code: 'superseded-by-newer-run' });
    expect(story.state().timeline.slice(-2)).toMatchObject([
      { kind: 'run-failed' },
      { kind: 'run-started' },
    ]);
  });

  test('forced while a run is open leave that run to nobody: its worker is turned away', () => {
    const story = steadyStory();
    story.write(failover(WEST));
    const claim = { run: story.run().id, step: 'switch', attempt: 1 } as const;
    story.write({ kind: 'claim-step', ...claim, worker: A });
    story.write(failover(EAST, true));
    const result = { kind: 'done', evidence: null } as const;
    expect(story.write({ kind: 'finish-step', ...claim, result })).toMatchObject({
      kind: 'refused',
      code: 'run-not-open',
    });
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });

  test('are decided on what the evidence says now, not when it came in', () => {
    const story = steadyStory(automaticOff);
    story.say(WEST, 'suspect', { by: [A], lastArrivalAt: atMs(-6000), lastSequence: 1 });
    story.say(WEST, 'unknown', { by: [B] });
    story.say(WEST, 'healthy', { by: [C], lastArrivalAt: atMs(0), lastSequence: 9 });
    expect(story.service().sites[WEST]?.opinion.code).toBe('heard-by-minority');
    story.wait(12_001);
    expect(story.write(failover(WEST))).toMatchObject({
      kind: 'refused',
      code: 'target-not-healthy',
    });
  });

  test('failback goes to the primary, and only when asked', () => {
    const story = steadyStory(
      servicePolicy({ safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 9 }) }),
    );
    story.say(EAST, 'failed');
    story.finishRuns();
    story.say(EAST, 'healthy');
    story.wait(86_400_000);
    story.write({ kind: 'review', service: 'checkout' });
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: WEST });
    expect(story.write(failback)).toMatchObject({ kind: 'accepted', code: 'failback-authorised' });
    expect(story.service()).toMatchObject({ phase: { kind: 'returning' }, activeSite: WEST });
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
  });

  test('a note stands on the timeline', () => {
    const story = steadyStory();
    story.write({ kind: 'note', service: 'checkout', by: 'ann', reason: 'I am here' });
    expect(story.state().timeline.at(-1)).toMatchObject({
      kind: 'note',
      sentence: 'ann: I am here',
    });
  });
});

describe('the end of a run', () => {
  test('is not waited for when it goes to a site that failed meanwhile', () => {
    const sites = [EAST, WEST, 'us-east-2'].map((site) => sitePolicy(site));
    const safety = safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 9 });
    const story = steadyStory(servicePolicy({ sites, safety }));
    story.say(EAST, 'failed');
    story.say(WEST, 'failed');
    expect(story.state().runs.at(-2)).toMatchObject({
      to: WEST,
      outcome: { kind: 'failed', code: 'superseded-by-newer-run' },
    });
    expect(story.run()).toMatchObject({ from: WEST, to: 'us-east-2', trigger: 'automatic' });
    expect(story.service().phase.kind).toBe('recovering');
  });

  test('that failed leaves the service impaired until a new run', () => {
    const story = steadyStory();
    story.say(EAST, 'failed');
    story.finishStep({ kind: 'failed', code: 'foreign-record' });
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired', cause: 'run-failed' },
      activeSite: WEST,
    });
    story.say(EAST, 'healthy');
    story.wait(86_400_000);
    story.write({ kind: 'review', service: 'checkout' });
    expect(story.service().phase).toMatchObject({ kind: 'impaired', cause: 'run-failed' });
    const again = { kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY } as const;
    expect(story.write(again)).toMatchObject({ kind: 'accepted' });
    story.finishRuns();
    expect(story.service().phase.kind).toBe('steady');
  });

  test('comes also when every worker dies over a step', () => {
    const story = steadyStory();
    story.say(EAST, 'failed');
    const { id } = story.run();
    const claim = (attempt: number) =>
      story.write({ kind: 'claim-step', run: id, step: 'switch', attempt, worker: A });
    for (let attempt = 1; attempt <= RUN_LIMITS.attemptsMax; attempt += 1) {
      expect(claim(attempt).kind).toBe('accepted');
    }
    expect(claim(RUN_LIMITS.attemptsMax + 1)).toMatchObject({ code: 'workers-lost' });
    expect(story.run().outcome).toMatchObject({ kind: 'failed', code: 'switch: workers-lost' });
    expect(story.service().phase).toMatchObject({ kind: 'impaired', cause: 'run-failed' });
    expect(story.state().timeline.some(({ kind }) => kind === 'run-failed')).toBe(true);
  });

  test('is told on the timeline, and so is a step that does not work out', () => {
    const story = steadyStory();
    story.say(EAST, 'failed');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      story.finishStep({ kind: 'again', code: 'dns-did-not-answer' });
    }
    const told = story.state().timeline.filter(({ kind }) => kind === 'step-again');
    expect(told.map(({ sentence }) => /attempt (\d+) of 30/.exec(sentence)?.[1])).toEqual([
      '1',
      '2',
      '4',
    ]);
    story.finishRuns();
    expect(story.state().timeline.at(-1)).toMatchObject({ kind: 'run-done' });
  });

  test('cannot be brought about for a run or a claim that nobody made', () => {
    const story = steadyStory();
    story.say(EAST, 'failed');
    const before = story.state();
    const finish = { kind: 'finish-step', step: 'switch', attempt: 1 } as const;
    const result = { kind: 'failed', code: 'x' } as const;
    expect(story.write({ ...finish, run: 'checkout-999', result })).toMatchObject({
      code: 'unknown-run',
    });
    expect(story.write({ ...finish, run: story.run().id, result })).toMatchObject({
      code: 'claim-superseded',
    });
    const claim = { kind: 'claim-step', worker: A, step: 'switch', attempt: 1 } as const;
    expect(story.write({ ...claim, run: 'x' }).code).toBe('unknown-run');
    expect(story.write({ ...claim, attempt: 2, run: story.run().id }).code).toBe('claimed');
    expect(story.state()).toBe(before);
  });
});

describe('damping', () => {
  const safety = safetyPolicy({ holdDownMs: 60_000, automaticRunsPerDayMax: 2 });

  test('a hold-down delays the next automatic run, and a review starts it', () => {
    const story = steadyStory(servicePolicy({ safety }));
    story.say(EAST, 'failed');
    story.finishRuns();
    const endedAt = story.now();
    story.wait(10_000);
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired', cause: 'site-failed' },
      decision: { code: 'hold-down' },
    });
    expect(story.waitReviewing(49_999)).toBeLessThan(3);
    expect(story.service().reviewAt).toBe(endedAt + 60_000);
    story.waitReviewing(1);
    expect(story.run()).toMatchObject({
      from: WEST,
      to: EAST,
      trigger: 'automatic',
      authorisedAt: endedAt + 60_000,
    });
  });

  test('a run that failed holds nothing down: the next site is tried at once, within the budget', () => {
    const story = steadyStory(servicePolicy({ safety }));
    story.say(EAST, 'failed');
    story.say(EAST, 'healthy');
    story.finishStep({ kind: 'failed', code: 'not-serving' });
    story.say(WEST, 'failed');
    expect(story.run()).toMatchObject({ from: WEST, to: EAST, trigger: 'automatic' });
    story.say(WEST, 'healthy');
    story.finishStep({ kind: 'failed', code: 'not-serving' });
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired', cause: 'run-failed' },
      decision: { code: 'daily-budget-spent' },
    });
  });

  test('a budget that a new policy made smaller is not reviewed for ever', () => {
    const loose = servicePolicy({
      safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 3 }),
    });
    const story = steadyStory(loose);
    for (const [failed, healthy] of [
      [EAST, WEST],
      [WEST, EAST],
      [EAST, WEST],
    ] as const) {
      story.say(healthy, 'healthy');
      story.say(failed, 'failed');
      story.finishRuns();
      story.wait(3_600_000);
    }
    story.configure({
      ...loose,
      safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 1 }),
    });
    story.wait(86_400_000 - 7_200_000);
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    expect(story.service().decision?.code).toBe('daily-budget-spent');
    expect(story.waitReviewing(600_000)).toBeLessThan(3);
    expect(story.service().reviewAt).toBeGreaterThan(story.now());
    story.waitReviewing(7_200_000);
    expect(story.run()).toMatchObject({ to: EAST, trigger: 'automatic' });
  });

  test('an automatic failover that the old policy refused starts when the new one allows it', () => {
    const story = steadyStory(automaticOff);
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      phase: { kind: 'impaired' },
      decision: { code: 'automatic-off' },
      reviewAt: null,
    });
    story.configure(servicePolicy({ automatic: true }));
    expect(story.run()).toMatchObject({ to: WEST, trigger: 'automatic', requestedBy: 'tripoint' });
  });

  test('one clock that ran a year ahead does not end automatic recovery', () => {
    const story = steadyStory(servicePolicy({ safety }));
    story.say(EAST, 'failed');
    const yearAhead = atMs(365 * 86_400_000);
    for (let step = 0; step < 4; step += 1) {
      const { id, steps } = story.run();
      const name = steps[step]?.name ?? 'switch';
      const claim = { run: id, step: name, attempt: 1 } as const;
      story.write({ kind: 'claim-step', ...claim, worker: A });
      story.write(
        { kind: 'finish-step', ...claim, result: { kind: 'done', evidence: null } },
        yearAhead,
      );
    }
    expect(story.service().lastRunEndedAt).toBe(yearAhead);
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    expect(story.service().decision?.code).toBe('hold-down');
    story.wait(60_000);
    story.write({ kind: 'review', service: 'checkout' });
    expect(story.run()).toMatchObject({ to: EAST, trigger: 'automatic' });
  });
});

describe('outages that come and go', () => {
  test('all sites fail: the service waits, and goes to the first that returns and stays', () => {
    const story = steadyStory();
    story.say(WEST, 'failed');
    story.say(EAST, 'failed');
    expect(story.service()).toMatchObject({
      analysis: { code: 'all-sites-failed' },
      decision: { code: 'no-healthy-target' },
      phase: { kind: 'impaired' },
      activeSite: EAST,
    });
    story.wait(3_600_000);
    story.say(WEST, 'suspect');
    expect(story.service().phase.kind).toBe('impaired');
    story.say(WEST, 'healthy');
    expect(story.service().decision?.code).toBe('target-settling');
    story.waitReviewing(7000);
    expect(story.service().decision?.code).toBe('target-settling');
    expect(story.waitReviewing(1000)).toBeLessThan(3);
    expect(story.run()).toMatchObject({ to: WEST, trigger: 'automatic' });
  });

  test('the active site returns: the service is steady again where it was', () => {
    const story = steadyStory(automaticOff);
    story.say(EAST, 'failed');
    story.say(EAST, 'suspect');
    expect(story.service().phase.kind).toBe('impaired');
    story.say(EAST, 'healthy');
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
    expect(story.state().runs.filter(({ kind }) => kind !== 'setup')).toEqual([]);
  });

  test('a flapping active site is moved away from once, then the hold-down keeps it there', () => {
    const story = steadyStory();
    for (let round = 0; round < 10; round += 1) {
      story.say(EAST, 'failed');
      story.finishRuns();
      story.say(EAST, 'healthy');
      story.wait(3000);
    }
    expect(story.state().runs.filter(({ kind }) => kind === 'failover')).toHaveLength(1);
    expect(story.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'steady' } });
  });
});

test('a state without services refuses by name', () => {
  const story = createLogStory();
  expect(story.write({ kind: 'note', service: 'checkout', ...BY })).toEqual({
    kind: 'refused',
    code: 'unknown-service',
    sentence: 'no service checkout; known: none',
  });
});
