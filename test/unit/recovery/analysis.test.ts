import { describe, expect, test } from 'vitest';
import type { OpinionState } from '../../../lib/detection/opinion.ts';
import { ANALYSIS_CODES, analyse, isReady } from '../../../lib/recovery/analysis.ts';
import type { SiteState } from '../../../lib/recovery/state.ts';
import { alarmOf, EAST, siteState, siteThatLeft, WEST } from '../../support/service-states.ts';

function codeOf(active: SiteState, ...standbys: readonly SiteState[]): string {
  const sites = Object.fromEntries([
    [EAST, active],
    ...standbys.map((site, place) => [`standby-${place}`, site]),
  ]);
  return analyse({ service: 'checkout', activeSite: EAST, sites }).code;
}

const alarmed = siteState('healthy', { alarms: [alarmOf('5xx')] });

const CASES: readonly (readonly [code: string, ...sites: [SiteState, ...SiteState[]]])[] = [
  ['all-sites-healthy', siteState('healthy'), siteState('healthy')],
  ['all-sites-healthy', siteState('healthy'), siteState('failed'), siteState('healthy')],
  ['waiting-for-first-heartbeat', siteState('pending'), siteState('healthy')],
  ['active-site-suspect', siteState('suspect'), siteState('healthy')],
  ['active-site-degraded', siteState('degraded'), siteState('healthy')],
  ['active-site-unknown', siteState('unknown'), siteState('healthy')],
  ['active-site-alarm', alarmed, siteState('healthy')],
  ['active-site-alarm', siteState('unknown', { alarms: [alarmOf('5xx')] }), siteState('failed')],
  ['active-site-deregistered', siteThatLeft(), siteState('healthy')],
  ['active-site-deregistered', siteThatLeft(), siteState('failed')],
  ['active-site-deregistered', siteThatLeft({ alarms: [alarmOf('5xx')] }), siteState('healthy')],
  ['active-site-failed', siteState('failed'), siteState('healthy')],
  ['active-site-failed', siteState('failed'), siteState('unknown')],
  ['active-site-failed', siteState('failed', { alarms: [alarmOf('5xx')] }), siteState('healthy')],
  ['standby-not-ready', siteState('healthy'), siteState('failed')],
  ['standby-not-ready', siteState('healthy'), siteState('degraded')],
  ['standby-not-ready', siteState('healthy'), alarmed],
  ['standby-not-ready', siteState('healthy'), siteThatLeft()],
  ['all-sites-failed', siteState('failed'), siteState('failed'), siteState('failed')],
  ['all-sites-failed', siteState('failed'), siteThatLeft()],
];

describe('analysis', () => {
  test.each(CASES.map(([code, ...sites]) => ({ code, sites })))('$code', ({ code, sites }) => {
    expect(codeOf(...sites)).toBe(code);
  });

  test('has a case here for each of its codes', () => {
    expect([...new Set(CASES.map(([code]) => code))].toSorted()).toEqual(
      [...ANALYSIS_CODES].toSorted(),
    );
  });

  test.each(['ok', 'insufficient-data'] as const)('does not count an alarm that is %s', (state) => {
    const quiet = siteState('healthy', { alarms: [alarmOf('5xx', state)] });
    expect(codeOf(quiet, siteState('healthy'))).toBe('all-sites-healthy');
  });

  test('takes an active site that is not among the sites for one that was never heard', () => {
    const sites = { [WEST]: siteState('healthy') };
    expect(analyse({ service: 'checkout', activeSite: 'constructor', sites }).code).toBe(
      'waiting-for-first-heartbeat',
    );
  });

  test('names in its sentence what is wrong', () => {
    const sites = { [EAST]: alarmed, [WEST]: siteState('healthy') };
    expect(analyse({ service: 'checkout', activeSite: EAST, sites }).sentence).toContain('5xx');
  });
});

describe('readiness for traffic', () => {
  const states: readonly OpinionState[] = ['pending', 'suspect', 'failed', 'degraded', 'unknown'];

  test.each(states)('is not there when the quorum says %s', (state) => {
    expect(isReady(siteState(state))).toBe(false);
  });

  test('needs health and no standing alarm', () => {
    expect(isReady(siteState('healthy'))).toBe(true);
    expect(isReady(alarmed)).toBe(false);
    expect(isReady(undefined)).toBe(false);
  });
});
