import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { apportion } from '../../../lib/recovery/apportion.ts';
import type { Choice, DecisionCode } from '../../../lib/recovery/decision.ts';
import { stepMachine } from '../../../lib/recovery/machine.ts';
import { policyShares } from '../../../lib/recovery/rebalance.ts';
import {
  decideDrain,
  decideHome,
  decideReturn,
  decideWeights,
} from '../../../lib/recovery/rebalance-decision.ts';
import type { ServiceState, SiteState } from '../../../lib/recovery/state.ts';
import type { Traffic } from '../../../lib/recovery/traffic.ts';
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

const THIRD = 'us-east-2';
const MOMENT = { at: T0, index: logIndex(7) };
const DUE = { [EAST]: 50, [WEST]: 30, [THIRD]: 20 };
const policy = servicePolicy({
  strategy: 'active-active',
  safety: safetyPolicy({ holdDownMs: 60_000, automaticRunsPerDayMax: 3 }),
  sites: Object.entries(DUE).map(([site, weight]) => sitePolicy(site, { weight })),
});
const old = { opinionSince: atMs(-3_600_000) };
const healthy = siteState('healthy', old);

function shared(
  sites: { readonly [site: string]: SiteState },
  changes: Partial<ServiceState> = {},
): ServiceState {
  const all = { [EAST]: healthy, [WEST]: healthy, [THIRD]: healthy, ...sites };
  return serviceState({ policy, traffic: DUE, sites: all, ...changes });
}

const drain = (service: ServiceState) =>
  decideDrain(service, { trigger: 'automatic', overtakes: false }, MOMENT);
const back = (service: ServiceState) => decideReturn(service, MOMENT);
const weigh = (service: ServiceState, weights: Traffic) => decideWeights(service, weights, MOMENT);
const sharesOf = (choice: Choice) =>
  choice.kind === 'act' ? choice.wanted.traffic : choice.decision.code;

const failed = siteState('failed');
const alarmed = siteState('healthy', { alarms: [alarmOf('5xx')], ...old });
const westOut = { traffic: { [EAST]: 70, [THIRD]: 30 } };
const justBack = { [WEST]: siteState('healthy', { opinionSince: atMs(-1000) }) };

describe('taking a site out', () => {
  test('divides its share among those that are ready, by their weights', () => {
    expect(sharesOf(drain(shared({ [WEST]: failed })))).toEqual({ [EAST]: 71, [THIRD]: 29 });
    expect(sharesOf(drain(shared({ [EAST]: alarmed })))).toEqual({ [WEST]: 60, [THIRD]: 40 });
  });

  test('takes all out at once that should not serve', () => {
    const choice = drain(shared({ [WEST]: failed, [EAST]: alarmed }));
    expect(sharesOf(choice)).toEqual({ [THIRD]: 100 });
    expect(choice).toMatchObject({ wanted: { to: THIRD, mode: 'emergency', atOnce: true } });
  });

  test('leaves a site under suspicion what it has, and gives it no more', () => {
    const sites = { [WEST]: failed, [THIRD]: siteState('suspect') };
    expect(sharesOf(drain(shared(sites)))).toEqual({ [EAST]: 80, [THIRD]: 20 });
  });

  test('brings in a site without a share where nobody else is left', () => {
    const service = shared({ [EAST]: failed }, { traffic: { [EAST]: 100 } });
    expect(sharesOf(drain(service))).toEqual({ [WEST]: 60, [THIRD]: 40 });
  });

  test('never leaves nobody: where no other site is ready the shares stay', () => {
    const sites = { [EAST]: failed, [WEST]: failed, [THIRD]: siteState('suspect') };
    expect(sharesOf(drain(shared(sites)))).toBe('no-healthy-target');
  });

  test('is not held down, but asks the budget, the freeze and the acknowledgement', () => {
    const bad = { [WEST]: failed };
    expect(drain(shared(bad, { lastRunEndedAt: T0 })).kind).toBe('act');
    expect(sharesOf(drain(shared(bad, { automaticRunStarts: [T0, T0, T0] })))).toBe(
      'daily-budget-spent',
    );
    const freeze = { since: T0, until: atMs(1), by: 'ann', reason: 'no' };
    expect(sharesOf(drain(shared(bad, { freeze })))).toBe('frozen');
  });
});

describe('giving a site its share back', () => {
  test('waits until it has been well for the hold-down, and says when that is', () => {
    const choice = back(shared(justBack, westOut));
    expect(choice.decision.code).toBe('return-settling');
    expect(choice).toMatchObject({ reviewAt: atMs(59_000) });
    const later = { at: atMs(59_000), index: logIndex(8) };
    expect(sharesOf(decideReturn(shared(justBack, westOut), later))).toEqual(DUE);
  });

  test('counts an alarm that was cleared as trouble too', () => {
    const cleared = { ...alarmOf('5xx', 'ok'), at: atMs(-1000) };
    const service = shared(
      { [WEST]: siteState('healthy', { ...old, alarms: [cleared] }) },
      westOut,
    );
    expect(sharesOf(back(service))).toBe('return-settling');
  });

  test('goes by steps, to the site, one site at a time', () => {
    const choice = back(shared({}, { traffic: { [EAST]: 100 } }));
    expect(choice).toMatchObject({ wanted: { to: WEST, mode: 'graceful', atOnce: false } });
    expect(sharesOf(choice)).toEqual({ [EAST]: 63, [WEST]: 37 });
  });

  test('leaves one run of the budget for the next failure', () => {
    expect(back(shared({}, { ...westOut, automaticRunStarts: [T0] })).kind).toBe('act');
    const choice = back(shared({}, { ...westOut, automaticRunStarts: [T0, atMs(-1000)] }));
    expect(choice.decision.code).toBe('daily-budget-spent');
    expect(choice).toMatchObject({ reviewAt: atMs(86_400_000 - 1000) });
  });

  test('does not happen while the hold-down holds, or another site is in trouble', () => {
    expect(sharesOf(back(shared({}, { ...westOut, lastRunEndedAt: T0 })))).toBe('hold-down');
    expect(back(shared({ [EAST]: alarmed }, westOut)).kind).toBe('refuse');
  });

  test('leaves shares alone that a person set', () => {
    const weights = { [EAST]: 70, [THIRD]: 30 };
    expect(back(shared({}, { ...westOut, weights })).kind).toBe('refuse');
  });
});

const WEIGHTS: readonly (readonly [DecisionCode, Traffic, ServiceState])[] = [
  ['weights-authorised', { [EAST]: 40, [WEST]: 60 }, shared({})],
  ['weights-authorised', { [EAST]: 100, [WEST]: 0 }, shared({ [WEST]: failed })],
  ['weights-invalid', { [EAST]: 40, [WEST]: 50 }, shared({})],
  ['weights-invalid', { [EAST]: 120, [WEST]: -20 }, shared({})],
  ['weights-invalid', { [EAST]: 49.5, [WEST]: 50.5 }, shared({})],
  ['would-leave-none', { [EAST]: 0, [WEST]: 0, [THIRD]: 0 }, shared({})],
  ['would-leave-none', {}, shared({})],
  ['weights-unchanged', DUE, shared({})],
  ['unknown-site', { mars: 100 }, shared({})],
  ['target-not-healthy', { [EAST]: 60, [WEST]: 40 }, shared({ [WEST]: failed })],
  ['not-active-active', { [EAST]: 100 }, serviceState()],
  ['run-in-progress', { [EAST]: 100 }, shared({}, { phase: { kind: 'rebalancing', run: 'r' } })],
];

describe('shares that a person asks for', () => {
  test.each(WEIGHTS)('%s: %j', (code, weights, service) => {
    expect(weigh(service, weights).decision.code).toBe(code);
  });

  test('go home to those of the policy, without the sites that are not ready', () => {
    const asked = { force: false };
    const service = shared({ [WEST]: failed }, { traffic: { [EAST]: 100 }, weights: DUE });
    expect(sharesOf(decideHome(service, asked, MOMENT))).toEqual({ [EAST]: 71, [THIRD]: 29 });
    expect(sharesOf(decideHome(shared({}), asked, MOMENT))).toBe('weights-unchanged');
  });
});

describe('shares', () => {
  test('are whole, sum to the total, and favour the larger remainder, then the first', () => {
    const parts = (total: number, ...weights: number[]) =>
      apportion(
        total,
        weights.map((weight, place) => [`${place}`, weight]),
      ).map(([, part]) => part);
    expect(parts(100, 1, 1, 1)).toEqual([34, 33, 33]);
    expect(parts(30, 50, 20)).toEqual([21, 9]);
    expect(parts(7, 0, 0)).toEqual([4, 3]);
    expect(parts(5)).toEqual([]);
  });

  test('of a policy are parts of the whole, whatever its weights sum to', () => {
    const sites = [sitePolicy(EAST, { weight: 1 }), sitePolicy(WEST, { weight: 2 })];
    expect(policyShares({ ...policy, sites })).toEqual({ [EAST]: 33, [WEST]: 67 });
    const bare = [sitePolicy(EAST), sitePolicy(WEST)];
    expect(policyShares({ ...policy, sites: bare })).toEqual({ [EAST]: 100 });
  });
});

describe('a drain that is refused', () => {
  test('is not made up for by a failover of the others', () => {
    const window = { site: WEST, since: T0, until: atMs(1000), by: 'ann', reason: 'new disks' };
    const service = shared({ [WEST]: failed }, { maintenance: [window] });
    const moment = { ...MOMENT, term: term(1), requestedBy: 'tripoint', reason: 'automatic' };
    for (const phase of [{ kind: 'steady' }, { kind: 'practising' }] as const) {
      const step = stepMachine({ ...service, phase }, { kind: 'evidence-changed' }, moment);
      expect(step.started).toBeNull();
      expect(step.service.decision?.code).toBe('maintenance-window');
    }
  });
});
