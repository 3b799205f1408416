import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { dueDrills } from '../../../lib/control/drills.ts';
import { compareEpochs } from '../../../lib/recovery/fence.ts';
import type { DrillPolicy } from '../../../lib/recovery/plan.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { EAST, servicePolicy, WEST } from '../../support/service-states.ts';

const WEEKLY: DrillPolicy = {
  schedule: {
    kind: 'cron',
    cron: '0 10 * * 1',
    timezone: 'UTC',
    graceMs: 3_600_000,
    runMsMax: null,
  },
  to: WEST,
  durationMs: 600_000,
  blockingAlarms: ['*'],
  blockedDates: ['2026-12-28'],
};
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
/** 09:40 on a Monday is when stories begin: the first drill is due twenty minutes later. */
const FIRST_MS = 20 * 60_000;

function story(drill: DrillPolicy = WEEKLY): LogStory {
  return steadyStory(servicePolicy({ drill }));
}

function due(told: LogStory) {
  return dueDrills(told.state(), told.now());
}

/** What the log makes of the drill that is due. */
function hold(told: LogStory) {
  const [drill] = due(told);
  return drill === undefined ? null : told.write(drill.command);
}

describe('the calendar of drills', () => {
  test('asks for nothing before its instant, and once at it', () => {
    const told = story();
    told.wait(FIRST_MS - 1);
    expect(due(told)).toEqual([]);
    told.wait(1);
    expect(due(told).map(({ id, command }) => [id, command.occurrence])).toEqual([
      [`drill:checkout:${told.now()}`, told.now()],
    ]);
    expect(hold(told)).toMatchObject({ kind: 'accepted', code: 'drill-authorised' });
    expect(due(told)).toEqual([]);
  });

  test('gives two leaders the same command under the same id, and the log takes one', () => {
    const told = story();
    told.wait(FIRST_MS);
    const [first] = due(told);
    told.wait(1500);
    const [second] = due(told);
    expect(second?.id).toBe(first?.id);
    expect({ ...second?.command, at: 0 }).toEqual({ ...first?.command, at: 0 });
    expect(first && told.write(first.command)).toMatchObject({ kind: 'accepted' });
    // A copy whose id was forgotten is refused by the state.
    expect(second && told.write(second.command)).toMatchObject({ code: 'drill-already-held' });
    expect(told.state().runs.filter(({ kind }) => kind === 'drill')).toHaveLength(1);
  });

  test('makes good what nobody asked for in time, within the grace', () => {
    const told = story();
    told.wait(FIRST_MS + HOUR_MS);
    expect(due(told)).toHaveLength(1);
    told.wait(1);
    expect(due(told)).toEqual([]);
  });

  test('that is new or changed does not make good what was before it', () => {
    const told = story();
    told.wait(FIRST_MS + 60_000);
    hold(told);
    told.finishRuns();
    const schedule = {
      ...WEEKLY.schedule,
      kind: 'cron',
      cron: '0 9 * * 1',
    } as DrillPolicy['schedule'];
    told.configure(servicePolicy({ drill: { ...WEEKLY, schedule } }));
    expect(due(told)).toEqual([]);
  });

  test.each<readonly [string, string, (told: LogStory) => void]>([
    ['on a blocked date', 'drill-date-blocked', (told) => told.wait(5 * WEEK_MS)],
    [
      'while an alarm stands',
      'drill-alarm-stands',
      (told) =>
        told.write({
          kind: 'alarm',
          service: 'checkout',
          site: WEST,
          name: 'disk',
          state: 'alarm',
        }),
    ],
    [
      'in maintenance',
      'drill-in-maintenance',
      (told) =>
        told.write({
          ...{ kind: 'maintenance-start', service: 'checkout', site: null, durationMs: HOUR_MS },
          ...{ by: 'ann', reason: 'disks' },
        }),
    ],
    [
      'in a freeze of all services',
      'drill-frozen',
      (told) =>
        told.write({
          kind: 'freeze',
          service: null,
          durationMs: HOUR_MS,
          by: 'ann',
          reason: 'sale',
        }),
    ],
    ['without a healthy standby', 'drill-unprotected', (told) => told.say(WEST, 'failed')],
  ])('is refused %s, and not asked again', (_, code, happen) => {
    const told = story();
    told.wait(FIRST_MS);
    happen(told);
    expect(hold(told)).toMatchObject({ kind: 'refused', code });
    expect(told.service().activeSite).toBe(EAST);
    expect(due(told)).toEqual([]);
  });
});

describe('a drill', () => {
  test('goes home by itself when its time is up, whoever began it', () => {
    const told = story();
    told.wait(FIRST_MS);
    hold(told);
    told.finishRuns();
    expect(told.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'practising' } });
    told.elect();
    told.waitReviewing(WEEKLY.durationMs);
    expect(told.run()).toMatchObject({ kind: 'drill-return', to: EAST });
    expect(told.run().reason).toMatch(/^drill-time-is-up/);
    told.finishRuns();
    expect(told.service()).toMatchObject({
      activeSite: EAST,
      drill: null,
      phase: { kind: 'steady' },
    });
  });

  test.each<readonly [string, string, (told: LogStory) => void]>([
    [
      'a blocking alarm fires',
      'drill-ended-by-alarm',
      (told) =>
        told.write({ kind: 'alarm', service: 'checkout', site: WEST, name: 'cpu', state: 'alarm' }),
    ],
    ['its site gets sick', 'drill-site-sick', (told) => told.say(WEST, 'degraded')],
  ])('ends early when %s', (_, code, happen) => {
    const told = story({ ...WEEKLY, blockingAlarms: ['*'] });
    told.wait(FIRST_MS);
    hold(told);
    told.finishRuns();
    const before = told.state().runs.length;
    happen(told);
    expect(told.state().runs.length).toBe(before + 1);
    expect(told.run().reason).toContain(code);
  });

  test('is no longer than a drill may be, and no shorter', () => {
    const told = story();
    told.write({
      ...{ kind: 'drill', service: 'checkout', to: WEST, durationMs: 1, scheduled: false },
      ...{ by: 'ann', reason: 'practice' },
    });
    told.finishRuns();
    const revertAt = told.service().drill?.revertAt ?? epochMillis(0);
    expect(revertAt - told.now()).toBe(1000);
  });

  test('goes to a home that has failed only where a person insists, and older entries do not', () => {
    const told = story();
    told.wait(FIRST_MS);
    hold(told);
    told.finishRuns();
    told.say(EAST, 'failed');
    const end = { kind: 'drill-end', service: 'checkout', by: 'ann', reason: 'enough' } as const;
    for (const gentle of [end, { ...end, force: false }]) {
      expect(told.write(gentle)).toMatchObject({ kind: 'refused', code: 'target-not-healthy' });
    }
    const before = told.service().epoch;
    // Without a brake the service leaves the failed site again by itself.
    told.write({ ...end, kind: 'freeze', durationMs: HOUR_MS });
    expect(told.write({ ...end, force: true })).toMatchObject({ code: 'drill-ended-by-person' });
    told.finishRuns();
    expect(told.service()).toMatchObject({
      activeSite: EAST,
      traffic: { [EAST]: 100 },
      drill: null,
    });
    expect(compareEpochs(told.service().epoch, before)).toBe(1);
  });
});
