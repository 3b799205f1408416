import { describe, expect, test } from 'vitest';
import { epochMillis, type RegionId } from '../../../lib/base/identifiers.ts';
import type { SiteRecord } from '../../../lib/control/health-store.ts';
import { judgeSite } from '../../../lib/control/site-judgement.ts';
import { changedWatch, ruledBy } from '../../../lib/control/watch-change.ts';
import type { WatchedSite } from '../../../lib/control/watched-sites.ts';
import { jobAfter } from '../../../lib/detection/job.ts';
import type { SchedulePolicy } from '../../../lib/recovery/policy.ts';
import { atMs, OBSERVERS, T0 } from '../../support/service-states.ts';
import { siteRecord } from '../../support/site-records.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const detectionOf = (intervalMs: number) => ({
  intervalMs,
  suspectPhi: 8,
  failPhi: 16,
  silenceMsMax: 12 * intervalMs,
});
const rulesOf = (intervalMs: number, schedule: SchedulePolicy | null = null) => ({
  detection: detectionOf(intervalMs),
  schedule,
});
const every = (everyMs: number): SchedulePolicy => ({
  kind: 'every',
  everyMs,
  graceMs: MINUTE_MS,
  runMsMax: null,
});

describe('a change of what a site is watched by', () => {
  test('is kept with its instant and the rules of before, and stays while nothing changes', () => {
    const change = { before: rulesOf(30_000), after: rulesOf(1000) };
    const kept = changedWatch(undefined, change, T0);
    expect(kept).toEqual({ watchChange: { at: T0, before: detectionOf(30_000) } });
    const same = { before: rulesOf(1000), after: rulesOf(1000) };
    expect(changedWatch(kept.watchChange, same, atMs(5000))).toEqual(kept);
    expect(changedWatch(undefined, same, atMs(5000))).toEqual({});
  });

  test('soon after another one keeps the gentlest rules that a site may still follow', () => {
    const first = changedWatch(undefined, { before: rulesOf(30_000), after: rulesOf(10_000) }, T0);
    const second = { before: rulesOf(10_000), after: rulesOf(1000) };
    const soon = changedWatch(first.watchChange, second, atMs(20_000));
    expect(soon.watchChange?.before).toEqual(detectionOf(30_000));
    const later = changedWatch(first.watchChange, second, atMs(HOUR_MS));
    expect(later.watchChange?.before).toEqual(detectionOf(10_000));
  });

  test('counts for a job only if it is of its schedule', () => {
    const [old, next] = [rulesOf(1000, every(HOUR_MS)), rulesOf(5000, every(HOUR_MS))];
    expect(changedWatch(undefined, { before: old, after: next }, T0)).toEqual({});
    const { watchChange } = changedWatch(
      undefined,
      { before: old, after: rulesOf(1000, every(MINUTE_MS)) },
      T0,
    );
    expect(watchChange?.at).toBe(T0);
  });

  test('leaves the gentler rules in force until a beat came by the new ones', () => {
    const change = { at: T0, before: detectionOf(30_000) };
    expect(ruledBy(detectionOf(1000), change, atMs(4999))).toEqual(detectionOf(30_000));
    expect(ruledBy(detectionOf(1000), change, atMs(5000))).toEqual(detectionOf(1000));
    expect(ruledBy(detectionOf(60_000), change, T0)).toEqual(detectionOf(60_000));
  });
});

describe('a site of a monitor whose rules changed', () => {
  const watched = (schedule: SchedulePolicy | null): WatchedSite => ({
    service: 'nightly',
    site: 'backup',
    ...rulesOf(1000, schedule),
    tokenHashes: [],
    verdicts: {},
    warnings: {},
    lagRules: null,
    lags: [],
    watchChange: { at: atMs(50 * MINUTE_MS), before: detectionOf(1000) },
  });
  const success = { kind: 'success', exitCode: null, message: null } as const;
  const record: SiteRecord = siteRecord({
    job: jobAfter(null, success, T0),
    window: { ...siteRecord().window, lastArrivalAt: T0 },
  });
  const codeAt = (site: WatchedSite, minute: number) => {
    const [region] = OBSERVERS as readonly [RegionId];
    const now = atMs(minute * MINUTE_MS);
    const since = epochMillis(T0 - HOUR_MS);
    // To a job it does not matter that two errors of the table have just moved the baseline.
    const watch = {
      baselineAt: site.schedule === null ? since : now,
      presentSince: since,
      gap: null,
    };
    const self = { ...watch, evaluatedAt: now, score: 0, alone: 0, doubt: null };
    return judgeSite(site, record, { region, self, now }).verdict.code;
  };

  test('missed no run that the old schedule did not ask for', () => {
    const often = watched(every(10 * MINUTE_MS));
    expect(codeAt(often, 51)).toBe('not-watched-long-enough');
    expect(codeAt(often, 62)).toBe('run-missed');
  });

  test('was lawfully silent while it was a job', () => {
    const beating = watched(null);
    expect(codeAt(beating, 50.1)).toBe('not-watched-long-enough');
    expect(codeAt(beating, 50.4)).toBe('phi-over-fail');
  });
});
