import { describe, expect, test } from 'vitest';
import { BACKOFF_MS_MAX } from '../../../lib/agent/limits.ts';
import { logIndex } from '../../../lib/base/identifiers.ts';
import { RECOVERY_ARRIVALS } from '../../../lib/detection/limits.ts';
import {
  type Choice,
  DECISION_CODES,
  type DecisionCode,
  decideFailback,
  decideFailover,
  type SwitchRequest,
} from '../../../lib/recovery/decision.ts';
import { DRILL_END_CODES, DRILL_REFUSAL_CODES } from '../../../lib/recovery/drill.ts';
import type { Freeze } from '../../../lib/recovery/freeze.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { MaintenanceWindow } from '../../../lib/recovery/maintenance.ts';
import type { Override, OverrideRule } from '../../../lib/recovery/overrides.ts';
import type { AlarmPolicy, ReplicationPolicy } from '../../../lib/recovery/policy.ts';
import type { ServiceState, SiteState } from '../../../lib/recovery/state.ts';
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
  withOpinions,
} from '../../support/service-states.ts';

const MOMENT = { at: T0, index: logIndex(7) };
const AUTOMATIC: SwitchRequest = { trigger: 'automatic' };
const eastFailed = withOpinions({ [EAST]: 'failed', [WEST]: 'healthy' });

const manual = (
  to: string | null,
  force = false,
): Extract<SwitchRequest, { trigger: 'manual' }> => ({
  trigger: 'manual',
  to,
  force,
});
const failover = (service: ServiceState, request: SwitchRequest) =>
  decideFailover(service, request, MOMENT);
const failback = (service: ServiceState, force = false) =>
  decideFailback(service, { force }, MOMENT);

const windowFor = (site: string | null, untilMs = 1000): MaintenanceWindow => ({
  site,
  since: atMs(-60_000),
  until: atMs(untilMs),
  by: 'ann',
  reason: 'new disks',
});
const impairedByRun = { kind: 'impaired', cause: 'run-failed' } as const;
const recovering = { kind: 'recovering', run: 'checkout-3' } as const;
const damped = {
  ...servicePolicy(),
  safety: safetyPolicy({ holdDownMs: 60_000, automaticRunsPerDayMax: 1 }),
};

const freezeFor = (untilMs: number): Freeze => ({
  since: atMs(-60_000),
  until: atMs(untilMs),
  by: 'ann',
  reason: 'a change of provider',
});
const frozen = serviceState({ freeze: freezeFor(1000) });
const overrideFor = (rule: OverrideRule, untilMs = 1000): Override => ({
  rule,
  ...freezeFor(untilMs),
});
const unseen = {
  ...eastFailed,
  policy: servicePolicy({ safety: safetyPolicy({ acknowledgement: true }) }),
  acknowledgement: { run: 'checkout-3', since: atMs(-60_000) },
};

function lagging(lagMs: number | null): SiteState {
  const reading = { lagMs, writes: 12, measuredAt: atMs(-1000), risingMsPerMinute: null };
  const word = { ...reading, source: 'heartbeats', at: atMs(-1000), index: logIndex(3) } as const;
  return siteState('healthy', lagMs === null ? {} : { lags: [word] });
}

/** East failed, and west lacks so much of the data; five seconds may be lost. */
function behind(
  lagMs: number | null,
  overLimit: ReplicationPolicy['overLimit'] = 'block',
): ServiceState {
  const replication = { lagMsMax: 5000, overLimit, unknownLag: 'block', metric: null } as const;
  const sites = { [EAST]: siteState('failed'), [WEST]: lagging(lagMs) };
  return serviceState({ policy: servicePolicy({ replication }), sites });
}

/** East failed a minute ago; the others had failed too, and are healthy for so many milliseconds. */
function backTogether(healthyForMs: { readonly [site: string]: number }): ServiceState {
  const others = Object.entries(healthyForMs).map(([site, forMs]) => {
    const since = atMs(-forMs);
    const failedUntilIndex = logIndex(5);
    return [site, siteState('healthy', { opinionSince: since, failedUntilIndex })] as const;
  });
  const failed = siteState('failed', { opinionSince: atMs(-60_000), opinionIndex: logIndex(4) });
  const policy = servicePolicy({
    sites: [EAST, ...Object.keys(healthyForMs)].map((site) => sitePolicy(site)),
  });
  return serviceState({ policy, sites: { [EAST]: failed, ...Object.fromEntries(others) } });
}

const CASES: readonly (readonly [code: DecisionCode, when: string, choice: Choice])[] = [
  ['failover-authorised', 'the standby is healthy', failover(eastFailed, AUTOMATIC)],
  ['failover-authorised', 'a person asks', failover(serviceState(), manual(null))],
  ['failback-authorised', 'west is active', failback(serviceState({ activeSite: WEST }))],
  [
    'automatic-off',
    'the policy says so',
    failover({ ...eastFailed, policy: servicePolicy({ automatic: false }) }, AUTOMATIC),
  ],
  [
    'maintenance-window',
    'people work on the active site',
    failover({ ...eastFailed, maintenance: [windowFor(EAST)] }, AUTOMATIC),
  ],
  [
    'maintenance-window',
    'people work on the whole service',
    failover({ ...eastFailed, maintenance: [windowFor(null)] }, AUTOMATIC),
  ],
  [
    'no-healthy-target',
    'people work on the only other site',
    failover({ ...eastFailed, maintenance: [windowFor(WEST)] }, AUTOMATIC),
  ],
  [
    'failover-authorised',
    'the maintenance is over',
    failover({ ...eastFailed, maintenance: [windowFor(EAST, 0)] }, AUTOMATIC),
  ],
  ['run-in-progress', 'a run is open', failover({ ...eastFailed, phase: recovering }, AUTOMATIC)],
  [
    'run-in-progress',
    'a run is open and nobody forces it',
    failover({ ...eastFailed, phase: recovering }, manual(WEST)),
  ],
  ['run-in-progress', 'a failback is asked', failback(serviceState({ phase: recovering }))],
  [
    'hold-down',
    'the last run ended just now',
    failover({ ...eastFailed, lastRunEndedAt: atMs(-59_999) }, AUTOMATIC),
  ],
  [
    'daily-budget-spent',
    'the budget is used up',
    failover(
      { ...eastFailed, policy: damped, automaticRunStarts: [atMs(1 - RUN_LIMITS.dayMs)] },
      AUTOMATIC,
    ),
  ],
  [
    'target-settling',
    'the standby had failed with the active site, and is back only just now',
    failover(backTogether({ [WEST]: 7999 }), AUTOMATIC),
  ],
  [
    'failover-authorised',
    'the standby that had failed too is back for long enough',
    failover(backTogether({ [WEST]: 8000 }), AUTOMATIC),
  ],
  [
    'failover-authorised',
    'the standby that had failed too is what a person asks for',
    failover(backTogether({ [WEST]: 0 }), manual(null)),
  ],
  [
    'no-healthy-target',
    'nobody else is healthy',
    failover(withOpinions({ [EAST]: 'failed', [WEST]: 'degraded' }), AUTOMATIC),
  ],
  [
    'target-not-healthy',
    'the target is suspect',
    failover(withOpinions({ [EAST]: 'healthy', [WEST]: 'suspect' }), manual(WEST)),
  ],
  [
    'target-not-healthy',
    'an alarm stands against the target',
    failover(
      serviceState({
        sites: {
          [EAST]: siteState('healthy'),
          [WEST]: siteState('healthy', { alarms: [alarmOf('lag')] }),
        },
      }),
      manual(WEST),
    ),
  ],
  [
    'target-not-healthy',
    'the primary is not back',
    failback(withOpinions({ [EAST]: 'failed', [WEST]: 'healthy' }, { activeSite: WEST })),
  ],
  ['unknown-site', 'nobody knows it', failover(serviceState(), manual('mars'))],
  ['unknown-site', 'it is a word of the language', failover(serviceState(), manual('constructor'))],
  ['already-active', 'it is', failover(serviceState(), manual(EAST))],
  ['already-active', 'the primary serves', failback(serviceState())],
  [
    'frozen',
    'the service is frozen',
    failover({ ...eastFailed, freeze: freezeFor(1000) }, AUTOMATIC),
  ],
  ['frozen', 'a person asks and does not force', failover(frozen, manual(WEST))],
  ['frozen', 'a failback is asked', failback({ ...frozen, activeSite: WEST })],
  [
    'frozen',
    'everything is frozen',
    decideFailover(eastFailed, AUTOMATIC, { ...MOMENT, freeze: freezeFor(1000) }),
  ],
  [
    'failover-authorised',
    'the freeze is over',
    failover({ ...eastFailed, freeze: freezeFor(0) }, AUTOMATIC),
  ],
  [
    'failover-authorised',
    'a person forces it under a freeze',
    failover(frozen, manual(WEST, true)),
  ],
  ['acknowledgement-due', 'nobody has looked yet', failover(unseen, AUTOMATIC)],
  [
    'failover-authorised',
    'the acknowledgement is set aside',
    failover({ ...unseen, overrides: [overrideFor('acknowledgement')] }, AUTOMATIC),
  ],
  [
    'failover-authorised',
    'the policy does not ask for acknowledgement any more',
    failover({ ...unseen, policy: servicePolicy() }, AUTOMATIC),
  ],
  [
    'failover-authorised',
    'the hold-down is set aside',
    failover(
      { ...eastFailed, lastRunEndedAt: T0, overrides: [overrideFor('hold-down')] },
      AUTOMATIC,
    ),
  ],
  [
    'hold-down',
    'it was set aside until now',
    failover(
      { ...eastFailed, lastRunEndedAt: T0, overrides: [overrideFor('hold-down', 0)] },
      AUTOMATIC,
    ),
  ],
  [
    'failover-authorised',
    'the budget is set aside',
    failover(
      {
        ...eastFailed,
        policy: damped,
        automaticRunStarts: [T0],
        overrides: [overrideFor('daily-budget')],
      },
      AUTOMATIC,
    ),
  ],
  ['data-loss-over-limit', 'west is too far behind', failover(behind(5001), AUTOMATIC)],
  [
    'data-loss-over-limit',
    'a person asks and does not accept it',
    failover(behind(5001), manual(WEST, true)),
  ],
  ['failover-authorised', 'west is just near enough', failover(behind(5000), AUTOMATIC)],
  [
    'failover-authorised',
    'a person accepts the loss',
    failover(behind(5001), { ...manual(WEST), acceptedBy: 'ann' }),
  ],
  [
    'failover-authorised',
    'the gate is set aside',
    failover({ ...behind(5001), overrides: [overrideFor('data-loss')] }, AUTOMATIC),
  ],
  ['failover-authorised', 'the policy accepts it', failover(behind(5001, 'accept'), AUTOMATIC)],
  ['failover-authorised', 'the run waits for the data', failover(behind(5001, 'wait'), AUTOMATIC)],
  ['data-loss-unknown', 'nobody knows the lag', failover(behind(null), AUTOMATIC)],
];

describe('the data-loss gate', () => {
  test('says the loss in seconds and writes, and who accepted it', () => {
    const choice = failover(behind(5001), { ...manual(WEST), acceptedBy: 'ann' });
    expect(choice.decision.sentence).toContain('5.00 s of data (12 writes), accepted by ann');
    expect(choice).toMatchObject({
      wanted: { loss: { lagMs: 5001, writes: 12, measuredAt: atMs(-1000), acceptedBy: 'ann' } },
    });
    expect(failover(behind(5001), AUTOMATIC).decision.sentence).toContain('12 writes');
  });

  test('stays open where the plan waits for the data', () => {
    const back = { ...behind(5001), activeSite: WEST };
    const returning = { ...back, sites: { [EAST]: lagging(5001), [WEST]: siteState('healthy') } };
    expect(failback(returning).kind).toBe('act');
    const hurried = decideFailback(returning, { force: false, mode: 'emergency' }, MOMENT);
    expect(hurried.decision.code).toBe('data-loss-over-limit');
  });

  test('prefers a site that would lose less than the limit to one before it', () => {
    const { policy, sites } = behind(5001);
    const three = {
      ...policy,
      sites: [EAST, WEST, 'us-east-2'].map((site) => sitePolicy(site)),
    };
    const service = serviceState({
      policy: three,
      sites: { ...sites, 'us-east-2': lagging(4000) },
    });
    expect(failover(service, AUTOMATIC)).toMatchObject({ wanted: { to: 'us-east-2' } });
  });
});

describe('the mode of a run', () => {
  const modeAfter = (service: ServiceState, request: SwitchRequest) => {
    const choice = failover(service, request);
    return choice.kind === 'act' ? choice.wanted.mode : choice.decision.code;
  };
  const alarmed = serviceState({
    sites: {
      [EAST]: siteState('healthy', { alarms: [alarmOf('5xx')] }),
      [WEST]: siteState('healthy'),
    },
  });

  test('is an emergency where the active site is gone, and graceful while it answers', () => {
    expect(modeAfter(eastFailed, AUTOMATIC)).toBe('emergency');
    expect(modeAfter(eastFailed, manual(WEST))).toBe('emergency');
    expect(modeAfter(serviceState(), manual(WEST))).toBe('graceful');
    expect(modeAfter(alarmed, AUTOMATIC)).toBe('graceful');
  });

  test('is an emergency once a run failed by itself, and always what a person says', () => {
    expect(modeAfter({ ...alarmed, phase: impairedByRun }, AUTOMATIC)).toBe('emergency');
    expect(modeAfter(eastFailed, { ...manual(WEST), mode: 'graceful' })).toBe('graceful');
    expect(modeAfter(serviceState(), { ...manual(WEST), mode: 'emergency' })).toBe('emergency');
  });
});

describe('what an alarm without data counts as', () => {
  const missing = (missingData: AlarmPolicy['missingData'], lastKnown?: 'alarm' | 'ok') => {
    const alarm = { ...alarmOf('5xx', 'insufficient-data'), ...(lastKnown && { lastKnown }) };
    const alarms = { missingData, triggering: ['*'] };
    const sites = {
      [EAST]: siteState('failed'),
      [WEST]: siteState('healthy', { alarms: [alarm] }),
    };
    return failover(serviceState({ policy: servicePolicy({ alarms }), sites }), AUTOMATIC).kind;
  };

  test.each([
    ['ignore', 'alarm', 'act'],
    ['last-known', 'alarm', 'refuse'],
    ['last-known', 'ok', 'act'],
    ['last-known', undefined, 'act'],
    ['alarm', 'ok', 'refuse'],
  ] as const)('%s after %s: %s', (policy, lastKnown, kind) => {
    expect(missing(policy, lastKnown)).toBe(kind);
  });

  test('is nothing for an alarm that is only told', () => {
    const alarms = { missingData: 'alarm', triggering: ['5xx'] } as const;
    const sites = {
      [EAST]: siteState('failed'),
      [WEST]: siteState('healthy', { alarms: [alarmOf('disk')] }),
    };
    const service = serviceState({ policy: servicePolicy({ alarms }), sites });
    expect(failover(service, AUTOMATIC).kind).toBe('act');
  });
});

/** These have their cases in `rebalance.test.ts` and `drill-decision.test.ts`. */
const OF_SHARES: readonly DecisionCode[] = [
  'drain-authorised',
  'return-authorised',
  'return-settling',
  'weights-authorised',
  'weights-invalid',
  'weights-unchanged',
  'would-leave-none',
  'not-active-active',
];
const OF_DRILLS: readonly DecisionCode[] = [
  'drill-authorised',
  'drill-not-standing',
  ...DRILL_REFUSAL_CODES,
  ...DRILL_END_CODES,
];

describe('a decision', () => {
  test.each(CASES)('is %s when %s', (code, _, { kind, decision }) => {
    expect(decision.code).toBe(code);
    expect(kind).toBe(code.endsWith('-authorised') ? 'act' : 'refuse');
    expect(decision).toMatchObject({ kind, at: T0, index: 7 });
  });

  test('has a case here for each of its codes', () => {
    const told = [...CASES.map(([code]) => code), ...OF_SHARES, ...OF_DRILLS];
    expect([...new Set(told)].toSorted()).toEqual([...DECISION_CODES].toSorted());
  });

  test('prefers the sites in the order of the policy, and leaves out the active one', () => {
    const sites = [EAST, 'us-east-2', WEST].map((site) => sitePolicy(site));
    const opinions = { [EAST]: 'failed', 'us-east-2': 'suspect', [WEST]: 'healthy' } as const;
    const service = withOpinions(opinions, { policy: servicePolicy({ sites }) });
    expect(failover(service, AUTOMATIC)).toMatchObject({ kind: 'act', wanted: { to: WEST } });
    const reversed = { ...service, policy: servicePolicy({ sites: sites.toReversed() }) };
    expect(failover({ ...reversed, activeSite: WEST }, AUTOMATIC)).toMatchObject({
      kind: 'refuse',
      decision: { code: 'no-healthy-target' },
    });
  });

  test('waits only for a target that was failed while the active site was, not for one that was not', () => {
    const two = backTogether({ [WEST]: 1000, 'us-east-2': 9000 });
    expect(failover(two, AUTOMATIC)).toMatchObject({ kind: 'act', wanted: { to: 'us-east-2' } });
    const { [WEST]: west = siteState('healthy'), ...others } = backTogether({ [WEST]: 0 }).sites;
    const { failedUntilIndex: _, ...neverFailed } = west;
    for (const site of [neverFailed, { ...neverFailed, failedUntilIndex: logIndex(3) }]) {
      const service = serviceState({ sites: { ...others, [WEST]: site } });
      expect(failover(service, AUTOMATIC)).toMatchObject({ kind: 'act', wanted: { to: WEST } });
    }
  });

  test('gives agents as long to be heard again as they may take to try again', () => {
    expect(RUN_LIMITS.returnMsMax).toBeGreaterThanOrEqual(BACKOFF_MS_MAX);
    expect(RUN_LIMITS.returnIntervals).toBeGreaterThanOrEqual(RECOVERY_ARRIVALS);
  });

  test('gets past an open run, and writes the active site anew, only by force', () => {
    const open = failover({ ...eastFailed, phase: recovering }, manual(WEST, true));
    expect(open).toMatchObject({ kind: 'act', wanted: { to: WEST } });
    expect(failover(serviceState(), manual(EAST, true))).toMatchObject({
      kind: 'act',
      wanted: { to: EAST },
    });
  });

  test('goes to a sick site only when a person forces it, and says so', () => {
    const sick = withOpinions({ [EAST]: 'healthy', [WEST]: 'failed' });
    const choice = failover(sick, manual(WEST, true));
    expect(choice).toMatchObject({ kind: 'act', wanted: { to: WEST } });
    expect(choice.decision.sentence).toContain('failed');
  });

  test('repeats a switch to the active site after a run that failed', () => {
    const service = serviceState({ phase: impairedByRun });
    expect(failover(service, manual(EAST))).toMatchObject({ kind: 'act', wanted: { to: EAST } });
    expect(failback(service)).toMatchObject({ kind: 'act', wanted: { to: EAST } });
    const siteFailed = serviceState({ phase: { kind: 'impaired', cause: 'site-failed' } });
    expect(failover(siteFailed, manual(EAST)).decision.code).toBe('already-active');
  });

  test('holds a person down by nothing', () => {
    const service = { ...eastFailed, policy: damped, lastRunEndedAt: T0, automaticRunStarts: [T0] };
    expect(failover(service, manual(null)).kind).toBe('act');
    const worked = { ...service, maintenance: [windowFor(null), windowFor(EAST)] };
    expect(failover(worked, manual(null)).kind).toBe('act');
    expect(failover({ ...service, maintenance: [windowFor(WEST)] }, manual(WEST)).kind).toBe('act');
    const off = { ...service, policy: servicePolicy({ automatic: false }) };
    expect(failover(off, manual(WEST)).kind).toBe('act');
  });

  test('acts again at the very end of the hold-down', () => {
    const ended = { ...eastFailed, lastRunEndedAt: atMs(-60_000) };
    expect(failover(ended, AUTOMATIC).kind).toBe('act');
  });
});
