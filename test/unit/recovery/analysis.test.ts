import { describe, expect, test } from 'vitest';
import type { OpinionState } from '../../../lib/detection/opinion.ts';
import { ANALYSIS_CODES, analyse, isReady } from '../../../lib/recovery/analysis.ts';
import type { Finding } from '../../../lib/recovery/readiness.ts';
import type { Readiness, ServiceState, SiteState } from '../../../lib/recovery/state.ts';
import {
  alarmOf,
  EAST,
  servicePolicy,
  serviceState,
  sitePolicy,
  siteState,
  siteThatLeft,
  T0,
  WEST,
} from '../../support/service-states.ts';

function codeOf(active: SiteState, ...standbys: readonly SiteState[]): string {
  const sites = Object.fromEntries([
    [EAST, active],
    ...standbys.map((site, place) => [`standby-${place}`, site]),
  ]);
  return analyse(situation(sites)).code;
}

function situation(
  sites: ServiceState['sites'],
  changes: Partial<ServiceState> = {},
): ServiceState {
  const policy = servicePolicy({ sites: Object.keys(sites).map((site) => sitePolicy(site)) });
  return serviceState({ policy, sites, ...changes });
}

const readiness = (severity: Finding['severity']): Readiness => ({
  at: T0,
  findings: [{ code: 'quota-too-small', severity, subject: WEST, sentence: 'no', fix: 'raise it' }],
});
const healthy = { [EAST]: siteState('healthy'), [WEST]: siteState('healthy') };
const halves = servicePolicy({
  strategy: 'active-active',
  sites: [sitePolicy(EAST, { weight: 50 }), sitePolicy(WEST, { weight: 50 })],
});
const bothServe = { policy: halves, traffic: { [EAST]: 50, [WEST]: 50 } };

const trouble = siteState('degraded');
const fenced: SiteState = {
  ...trouble,
  opinion: { ...trouble.opinion, code: 'gave-up-role' },
};
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
  ['active-site-fenced', fenced, siteState('healthy')],
  ['active-site-fenced', fenced, fenced],
  ['standby-not-ready', siteState('healthy'), fenced],
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
    const elsewhere = ['site-out-of-rotation', 'plan-not-ready'];
    expect([...new Set([...CASES.map(([code]) => code), ...elsewhere])].toSorted()).toEqual(
      [...ANALYSIS_CODES].toSorted(),
    );
  });

  test.each(['ok', 'insufficient-data'] as const)('does not count an alarm that is %s', (state) => {
    const quiet = siteState('healthy', { alarms: [alarmOf('5xx', state)] });
    expect(codeOf(quiet, siteState('healthy'))).toBe('all-sites-healthy');
  });

  test('takes an active site that is not among the sites for one that was never heard', () => {
    const sites = { [WEST]: siteState('healthy') };
    expect(analyse(situation(sites, { activeSite: 'constructor' })).code).toBe(
      'waiting-for-first-heartbeat',
    );
  });

  test('names in its sentence what is wrong', () => {
    const sites = { [EAST]: alarmed, [WEST]: siteState('healthy') };
    expect(analyse(situation(sites)).sentence).toContain('5xx');
  });
});

describe('analysis of a service whose sites all serve', () => {
  test('finds the one that failed, whichever has the larger share', () => {
    const sites = { [EAST]: siteState('healthy'), [WEST]: siteState('failed') };
    const found = analyse(serviceState({ ...bothServe, sites }));
    expect(found).toMatchObject({ code: 'active-site-failed' });
    expect(found.sentence).toContain(WEST);
  });

  test('says nothing of a site that failed and gets no traffic, but that it gets none', () => {
    const sites = { [EAST]: siteState('healthy'), [WEST]: siteState('failed') };
    const drained = { ...bothServe, traffic: { [EAST]: 100 } };
    expect(analyse(serviceState({ ...drained, sites })).code).toBe('standby-not-ready');
    expect(analyse(serviceState({ ...drained, sites: healthy })).code).toBe('site-out-of-rotation');
  });

  test('finds nothing wrong while each has its share', () => {
    expect(analyse(serviceState({ ...bothServe, sites: healthy })).code).toBe('all-sites-healthy');
  });
});

describe('a look at the plans', () => {
  test('is told where a run would trip, and not where it only might', () => {
    const found = (severity: Finding['severity']) =>
      analyse(serviceState({ readiness: readiness(severity) })).code;
    expect(found('failing')).toBe('plan-not-ready');
    expect(found('warning')).toBe('all-sites-healthy');
  });

  test('is silent beside anything worse', () => {
    const sites = { [EAST]: siteState('healthy'), [WEST]: siteState('failed') };
    const service = serviceState({ sites, readiness: readiness('failing') });
    expect(analyse(service).code).toBe('standby-not-ready');
  });
});

describe('readiness for traffic', () => {
  const states: readonly OpinionState[] = ['pending', 'suspect', 'failed', 'degraded', 'unknown'];

  test.each(states)('is not there when the quorum says %s', (state) => {
    expect(isReady(situation({ [EAST]: siteState(state) }), EAST)).toBe(false);
  });

  test('needs health and no standing alarm', () => {
    expect(isReady(situation({ [EAST]: siteState('healthy') }), EAST)).toBe(true);
    expect(isReady(situation({ [EAST]: alarmed }), EAST)).toBe(false);
    expect(isReady(situation({}), EAST)).toBe(false);
  });
});
