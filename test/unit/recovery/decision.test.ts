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
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { MaintenanceWindow } from '../../../lib/recovery/maintenance.ts';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import {
  alarmOf,
  atMs,
  EAST,
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

const manual = (to: string | null, force = false): SwitchRequest => ({
  trigger: 'manual',
  to,
  force,
});
const failover = (service: ServiceState, request: SwitchRequest) =>
  decideFailover(service, request, MOMENT);
const failback = (service: ServiceState, force = false) => decideFailback(service, force, MOMENT);

const windowFor = (site: string | null, untilMs = 1000): MaintenanceWindow => ({
  site,
  since: atMs(-60_000),
  until: atMs(untilMs),
  by: 'ann',
  reason: 'new disks',
});
const impairedByRun = { kind: 'impaired', cause: 'run-failed' } as const;
const recovering = { kind: 'recovering', run: 'checkout-3' } as const;
const damped = { ...servicePolicy(), safety: { holdDownMs: 60_000, automaticRunsPerDayMax: 1 } };

/** East failed a minute ago; the others had failed too, and are healthy for so many milliseconds. */
function backTogether(healthyForMs: { readonly [site: string]: number }): ServiceState {
  const others = Object.entries(healthyForMs).map(([site, forMs]) => {
    const since = atMs(-forMs);
    return [site, siteState('healthy', { opinionSince: since, failedUntil: since })] as const;
  });
  const failed = siteState('failed', { opinionSince: atMs(-60_000) });
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
];

describe('a decision', () => {
  test.each(CASES)('is %s when %s', (code, _, { kind, decision }) => {
    expect(decision.code).toBe(code);
    expect(kind).toBe(code.endsWith('-authorised') ? 'act' : 'refuse');
    expect(decision).toMatchObject({ kind, at: T0, index: 7 });
  });

  test('has a case here for each of its codes', () => {
    expect([...new Set(CASES.map(([code]) => code))].toSorted()).toEqual(
      [...DECISION_CODES].toSorted(),
    );
  });

  test('prefers the sites in the order of the policy, and leaves out the active one', () => {
    const sites = [EAST, 'us-east-2', WEST].map((site) => sitePolicy(site));
    const opinions = { [EAST]: 'failed', 'us-east-2': 'suspect', [WEST]: 'healthy' } as const;
    const service = withOpinions(opinions, { policy: servicePolicy({ sites }) });
    expect(failover(service, AUTOMATIC)).toMatchObject({ kind: 'act', to: WEST });
    const reversed = { ...service, policy: servicePolicy({ sites: sites.toReversed() }) };
    expect(failover({ ...reversed, activeSite: WEST }, AUTOMATIC)).toMatchObject({
      kind: 'refuse',
      decision: { code: 'no-healthy-target' },
    });
  });

  test('waits only for a target that was failed while the active site was, not for one that was not', () => {
    const two = backTogether({ [WEST]: 1000, 'us-east-2': 9000 });
    expect(failover(two, AUTOMATIC)).toMatchObject({ kind: 'act', to: 'us-east-2' });
    const { [WEST]: west = siteState('healthy'), ...others } = backTogether({ [WEST]: 0 }).sites;
    const { failedUntil: _, ...neverFailed } = west;
    for (const site of [neverFailed, { ...neverFailed, failedUntil: atMs(-60_000) }]) {
      const service = serviceState({ sites: { ...others, [WEST]: site } });
      expect(failover(service, AUTOMATIC)).toMatchObject({ kind: 'act', to: WEST });
    }
  });

  test('gives agents as long to be heard again as they may take to try again', () => {
    expect(RUN_LIMITS.returnMsMax).toBeGreaterThanOrEqual(BACKOFF_MS_MAX);
    expect(RUN_LIMITS.returnIntervals).toBeGreaterThanOrEqual(RECOVERY_ARRIVALS);
  });

  test('gets past an open run, and writes the active site anew, only by force', () => {
    const open = failover({ ...eastFailed, phase: recovering }, manual(WEST, true));
    expect(open).toMatchObject({ kind: 'act', to: WEST });
    expect(failover(serviceState(), manual(EAST, true))).toMatchObject({ kind: 'act', to: EAST });
  });

  test('goes to a sick site only when a person forces it, and says so', () => {
    const sick = withOpinions({ [EAST]: 'healthy', [WEST]: 'failed' });
    const choice = failover(sick, manual(WEST, true));
    expect(choice).toMatchObject({ kind: 'act', to: WEST });
    expect(choice.decision.sentence).toContain('failed');
  });

  test('repeats a switch to the active site after a run that failed', () => {
    const service = serviceState({ phase: impairedByRun });
    expect(failover(service, manual(EAST))).toMatchObject({ kind: 'act', to: EAST });
    expect(failback(service)).toMatchObject({ kind: 'act', to: EAST });
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
