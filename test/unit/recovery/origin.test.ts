import { describe, expect, test } from 'vitest';
import type { AnalysisCode } from '../../../lib/recovery/analysis.ts';
import { originOf } from '../../../lib/recovery/origin.ts';
import type { AlarmPolicy } from '../../../lib/recovery/policy.ts';
import type { SiteState } from '../../../lib/recovery/state.ts';
import {
  alarmOf,
  atMs,
  committed,
  EAST,
  serviceState,
  siteState,
  verdictOf,
} from '../../support/service-states.ts';

const HOUR_MS = 3_600_000;

function failedAt(offsetMs: number, lastArrivalMs: number, replicationLagMs: number | null = null) {
  const verdict = verdictOf('failed', {
    judgedAt: atMs(offsetMs),
    lastArrivalAt: atMs(lastArrivalMs),
  });
  return committed(verdict, { replicationLagMs });
}

function healthyAt(offsetMs: number, replicationLagMs: number | null = null) {
  return committed(verdictOf('healthy', { judgedAt: atMs(offsetMs) }), { replicationLagMs });
}

function originFor(code: AnalysisCode, site: SiteState) {
  return originOf(serviceState({ analysis: { code, sentence: '' }, sites: { [EAST]: site } }));
}

describe('the origin of a run', () => {
  test('is the last beat that anyone heard, and the first failed verdict after it', () => {
    const verdicts = {
      a: failedAt(9000, 0),
      b: failedAt(8600, 40),
      c: committed(verdictOf('suspect', { judgedAt: atMs(7000), lastArrivalAt: atMs(-500) })),
    };
    expect(originFor('active-site-failed', siteState('failed', { verdicts }))).toEqual({
      lastBeatAt: atMs(40),
      firstFailedVerdictAt: atMs(8600),
    });
  });

  test('does not count an observer that was cut off hours before the site failed', () => {
    const verdicts = { a: failedAt(-3 * HOUR_MS, -3 * HOUR_MS - 9000), b: failedAt(9000, 0) };
    expect(originFor('all-sites-failed', siteState('failed', { verdicts }))).toMatchObject({
      lastBeatAt: atMs(0),
      firstFailedVerdictAt: atMs(9000),
    });
  });

  test('of a site that left is the beat that said so, and when the first observer told of it', () => {
    const left = { code: 'deregistered', lastArrivalAt: atMs(100) } as const;
    const verdicts = {
      a: committed(verdictOf('pending', { ...left, judgedAt: atMs(900) })),
      b: committed(verdictOf('pending', { ...left, judgedAt: atMs(400) })),
      c: failedAt(9000, 0),
    };
    expect(originFor('active-site-deregistered', siteState('pending', { verdicts }))).toMatchObject(
      {
        lastBeatAt: atMs(100),
        firstFailedVerdictAt: atMs(400),
      },
    );
  });

  test('of a site that gave up its role is when the first observer told of it', () => {
    const fenced = (offsetMs: number) =>
      committed(verdictOf('degraded', { code: 'gave-up-role', judgedAt: atMs(offsetMs) }));
    const site = siteState('degraded', { verdicts: { a: fenced(900), b: fenced(400) } });
    expect(originFor('active-site-fenced', site)).toMatchObject({
      lastBeatAt: null,
      firstFailedVerdictAt: atMs(400),
    });
  });

  test('of an alarm is the alarm: the beats of a site that still beats say nothing', () => {
    const site = siteState('healthy', {
      verdicts: { a: healthyAt(-5 * HOUR_MS) },
      alarms: [
        { ...alarmOf('5xx'), at: atMs(300) },
        { ...alarmOf('lag'), at: atMs(100) },
        alarmOf('x', 'ok'),
      ],
    });
    expect(originFor('active-site-alarm', site)).toMatchObject({
      lastBeatAt: null,
      firstFailedVerdictAt: atMs(100),
    });
  });

  test('of an alarm is the first that counts by the policy, with or without data', () => {
    const site = siteState('healthy', {
      alarms: [
        { ...alarmOf('only-told'), at: atMs(100) },
        { ...alarmOf('5xx', 'insufficient-data'), at: atMs(200) },
        { ...alarmOf('lag'), at: atMs(300) },
      ],
    });
    const service = serviceState({
      analysis: { code: 'active-site-alarm', sentence: '' },
      sites: { [EAST]: site },
    });
    const firstBy = (missingData: AlarmPolicy['missingData']) =>
      originOf({
        ...service,
        policy: { ...service.policy, alarms: { missingData, triggering: ['5xx', 'lag'] } },
      }).firstFailedVerdictAt;
    expect(firstBy('alarm')).toBe(atMs(200));
    expect(firstBy('ignore')).toBe(atMs(300));
  });

  test('of a planned switch has no failure', () => {
    const site = siteState('healthy', { verdicts: { a: healthyAt(0, 120) } });
    expect(originFor('all-sites-healthy', site)).toEqual({
      lastBeatAt: null,
      firstFailedVerdictAt: null,
    });
  });

  test('takes the lag that came with the newest beat, not the largest ever', () => {
    const verdicts = {
      a: failedAt(9000, -HOUR_MS, 60_000),
      b: failedAt(9000, 0, 150),
      c: failedAt(9000, 10, null),
    };
    expect(originFor('active-site-failed', siteState('failed', { verdicts }))).toMatchObject({});
  });

  test('of a site that nobody ever heard is empty', () => {
    expect(originOf(serviceState({ sites: {} }))).toEqual({
      lastBeatAt: null,
      firstFailedVerdictAt: null,
    });
  });
});
