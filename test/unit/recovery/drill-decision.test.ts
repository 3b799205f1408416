import { describe, expect, test } from 'vitest';
import { logIndex } from '../../../lib/base/identifiers.ts';
import type { DecisionCode } from '../../../lib/recovery/decision.ts';
import { decideDrill, decideDrillReturn } from '../../../lib/recovery/drill-decision.ts';
import type { ServiceState, StandingDrill } from '../../../lib/recovery/state.ts';
import {
  alarmOf,
  atMs,
  EAST,
  safetyPolicy,
  servicePolicy,
  serviceState,
  sitePolicy,
  siteState,
  T0,
  WEST,
} from '../../support/service-states.ts';

const MOMENT = { at: T0, index: logIndex(7) };
const until = { since: atMs(-1000), until: atMs(1000), by: 'ann', reason: 'a test' };
const ask = { to: null, durationMs: 5000, occurrence: null };
const drill = (service: ServiceState, request = {}) =>
  decideDrill(service, { ...ask, ...request }, MOMENT).decision.code;
const alarmed = siteState('healthy', { alarms: [alarmOf('5xx')] });
const healthy = siteState('healthy');
const calendar = {
  schedule: null,
  to: WEST,
  durationMs: 5000,
  blockingAlarms: ['*'],
  blockedDates: ['2026-11-23'],
};
const lagging = siteState('healthy', {
  lags: [
    {
      lagMs: 9000,
      writes: 3,
      measuredAt: T0,
      risingMsPerMinute: null,
      source: 'heartbeats',
      at: T0,
      index: logIndex(3),
    },
  ],
});
const gated = servicePolicy({
  replication: { lagMsMax: 5000, overLimit: 'accept', unknownLag: 'block', metric: null },
});
const gateShut = { ...gated, replication: { ...gated.replication, overLimit: 'block' } } as const;
const unseen = {
  policy: servicePolicy({ safety: safetyPolicy({ acknowledgement: true }) }),
  acknowledgement: { run: 'checkout-3', since: T0 },
};

const REFUSALS: readonly (readonly [DecisionCode, string, ServiceState, object?])[] = [
  ['drill-authorised', 'nothing speaks against it', serviceState()],
  [
    'drill-not-steady',
    'the service is impaired',
    serviceState({ phase: { kind: 'impaired', cause: 'site-failed' } }),
  ],
  ['drill-not-steady', 'a run is open', serviceState({ phase: { kind: 'recovering', run: 'r' } })],
  ['drill-frozen', 'the service is frozen', serviceState({ freeze: until })],
  [
    'drill-in-maintenance',
    'people work on it',
    serviceState({ maintenance: [{ site: WEST, ...until }] }),
  ],
  [
    'drill-date-blocked',
    'the day is blocked',
    serviceState({ policy: servicePolicy({ drill: calendar }) }),
  ],
  [
    'drill-alarm-stands',
    'an alarm rings',
    serviceState({ sites: { [EAST]: healthy, [WEST]: alarmed } }),
  ],
  ['drill-unprotected', 'nobody could take it back', serviceState({ unprotectedSince: T0 })],
  [
    'drill-without-target',
    'the target is not healthy',
    serviceState({ sites: { [EAST]: healthy, [WEST]: siteState('suspect') } }),
    { to: WEST },
  ],
  [
    'drill-already-held',
    'the calendar asks twice',
    serviceState({ drillOccurrence: T0 }),
    { occurrence: T0 },
  ],
  ['acknowledgement-due', 'nobody has looked at the last run', serviceState(unseen)],
  [
    'data-loss-over-limit',
    'west is behind',
    serviceState({ policy: gateShut, sites: { [EAST]: healthy, [WEST]: lagging } }),
  ],
  ['data-loss-unknown', 'nobody knows the lag', serviceState({ policy: gateShut })],
];

const standing: StandingDrill = {
  run: 'checkout-3',
  site: WEST,
  home: { [EAST]: 100 },
  homeSite: EAST,
  revertAt: atMs(1000),
  durationMs: 5000,
  failedReturns: 0,
};
const practising = (changes: Partial<ServiceState> = {}) =>
  serviceState({
    phase: { kind: 'practising' },
    activeSite: WEST,
    traffic: { [WEST]: 100 },
    drill: standing,
    ...changes,
  });
const asked = { force: false };
const home = (service: ServiceState, isAsked = false) =>
  decideDrillReturn(service, isAsked ? asked : null, MOMENT).decision.code;
const sites = (east: typeof healthy, west: typeof healthy) => ({ [EAST]: east, [WEST]: west });

const RETURNS: readonly (readonly [DecisionCode, string, ServiceState, boolean?])[] = [
  ['drill-not-standing', 'there is none', serviceState(), true],
  ['drill-not-standing', 'its time is not up', practising()],
  ['drill-time-is-up', 'it is', practising({ drill: { ...standing, revertAt: T0 } })],
  ['drill-ended-by-person', 'a person says so', practising(), true],
  ['drill-ended-by-alarm', 'an alarm rings', practising({ sites: sites(healthy, alarmed) })],
  ['drill-site-sick', 'the site fails', practising({ sites: sites(healthy, siteState('failed')) })],
  [
    'target-not-healthy',
    'the home is not ready',
    practising({ sites: sites(siteState('failed'), healthy) }),
    true,
  ],
  ['drill-ended-by-person', 'a person says so in a freeze', practising({ freeze: until }), true],
  [
    'drill-time-is-up',
    'it is, in a freeze',
    practising({ freeze: until, drill: { ...standing, revertAt: T0 } }),
  ],
];

describe('a drill', () => {
  const cases = REFUSALS.map(([code, when, service, request]) => ({
    code,
    when,
    service,
    request,
  }));

  test.each(cases)('is $code when $when', ({ code, service, request }) => {
    expect(drill(service, request)).toBe(code);
  });

  test.each([
    ['ignore', 'alarm', false],
    ['last-known', 'alarm', true],
    ['last-known', 'ok', false],
    ['alarm', 'ok', true],
  ] as const)(
    'takes an alarm without data by the rule %s that failovers have (before: %s)',
    (...row) => {
      const [missingData, lastKnown, isBlocking] = row;
      const silent = siteState('healthy', {
        alarms: [{ ...alarmOf('5xx'), state: 'insufficient-data', lastKnown }],
      });
      // Of no name that would start a failover: the names of a drill are its own.
      const policy = servicePolicy({ alarms: { missingData, triggering: [] } });
      const all = sites(silent, healthy);
      expect(drill(serviceState({ policy, sites: all }))).toBe(
        isBlocking ? 'drill-alarm-stands' : 'drill-authorised',
      );
      expect(home(practising({ policy, sites: all }))).toBe(
        isBlocking ? 'drill-ended-by-alarm' : 'drill-not-standing',
      );
    },
  );

  test('is not held back by the kill switch of a day ago', () => {
    const freeze = { ...until, until: T0 };
    expect(decideDrill(serviceState(), ask, { ...MOMENT, freeze }).kind).toBe('act');
    const thrown = decideDrill(serviceState(), ask, { ...MOMENT, freeze: until });
    expect(thrown.decision.code).toBe('drill-frozen');
  });
});

describe('the way home', () => {
  const cases = RETURNS.map(([code, when, service, isAsked]) => ({ code, when, service, isAsked }));

  test.each(cases)('is $code when $when', ({ code, service, isAsked }) => {
    expect(home(service, isAsked)).toBe(code);
  });

  test('asks neither budget nor hold-down, and restores what was', () => {
    const spent = { lastRunEndedAt: T0, automaticRunStarts: [T0, T0, T0] };
    const service = practising({ ...spent, drill: { ...standing, revertAt: T0 } });
    expect(decideDrillReturn(service, null, MOMENT)).toMatchObject({
      kind: 'act',
      wanted: { to: EAST, traffic: { [EAST]: 100 }, mode: 'graceful' },
    });
  });

  test.each([
    ['failed', siteState('failed')],
    ['healthy', alarmed],
  ] as const)('leads to a home that is %s where a person insists, by name', (state, east) => {
    const service = practising({ sites: sites(east, healthy) });
    expect(home(service, true)).toBe('target-not-healthy');
    const choice = decideDrillReturn(service, { force: true }, MOMENT);
    expect(choice).toMatchObject({
      kind: 'act',
      wanted: { to: EAST, traffic: { [EAST]: 100 }, mode: 'graceful' },
      decision: { code: 'drill-ended-by-person' },
    });
    expect(choice.decision.sentence).toContain(`${EAST} (${state}, forced)`);
  });

  test('gives nothing to another site that is sick, whoever insists on the home', () => {
    const shared = { ...standing, home: { [EAST]: 50, [WEST]: 50 }, site: 'third' };
    const policy = servicePolicy({
      strategy: 'active-active',
      sites: [EAST, WEST, 'third'].map((site) => sitePolicy(site, { weight: 33 })),
    });
    const failed = siteState('failed');
    const traffic = (third: typeof healthy) => {
      const service = practising({
        policy,
        drill: shared,
        sites: { ...sites(failed, failed), third },
      });
      const choice = decideDrillReturn(service, { force: true }, MOMENT);
      return choice.kind === 'act' ? choice.wanted.traffic : choice.decision.code;
    };
    expect(traffic(healthy)).toEqual({ [EAST]: 50, third: 50 });
    expect(traffic(failed)).toBe('target-not-healthy');
  });
});
