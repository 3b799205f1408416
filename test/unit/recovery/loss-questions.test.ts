import { describe, expect, test } from 'vitest';
import { logIndex } from '../../../lib/base/identifiers.ts';
import { gateBefore } from '../../../lib/recovery/loss-questions.ts';
import type { DatabasePolicy, PlannedStep, StepAction } from '../../../lib/recovery/plan.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import { planOf } from '../../../lib/recovery/plans.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import {
  EAST,
  servicePolicy,
  serviceState,
  siteState,
  T0,
  WEST,
} from '../../support/service-states.ts';

const behind = siteState('healthy', {
  lags: [
    {
      lagMs: 600_000,
      writes: 9000,
      measuredAt: T0,
      risingMsPerMinute: null,
      source: 'heartbeats',
      at: T0,
      index: logIndex(3),
    },
  ],
});
const limit = { lagMsMax: 5000, overLimit: 'block', unknownLag: 'block', metric: null } as const;
const waits = { ...limit, overLimit: 'wait' } as const;
const AURORA: DatabasePolicy = { kind: 'aurora-global', globalCluster: 'shop', members: {} };
const RDS: DatabasePolicy = { kind: 'rds-replica', members: {} };

type Case = readonly [string, Partial<ServicePolicy>, Question?];
function named([where, policy, question = {}]: Case) {
  return { where, policy, question };
}

type Question = Partial<Pick<Parameters<typeof gateBefore>[1], 'kind' | 'mode' | 'acceptedBy'>>;

function own(...steps: readonly PlannedStep[]) {
  return { stages: steps.map((step) => [step]), onFailure: 'stop' } as const;
}

function wait(lagMsMax: number, more: Partial<PlannedStep> = {}): PlannedStep {
  return { ...planned('own-wait', { kind: 'wait-replication', lagMsMax }), ...more };
}

const SWITCH = planned('own-switch', { kind: 'switch' });
const PROMOTE = planned('own-database', { kind: 'database' });

function stateOf(policy: Partial<ServicePolicy>) {
  const sites = { [EAST]: siteState('healthy'), [WEST]: behind };
  return serviceState({ policy: servicePolicy({ replication: limit, ...policy }), sites });
}

function ask(policy: Partial<ServicePolicy>, question: Question = {}) {
  const asked = { kind: 'failover', mode: 'graceful', acceptedBy: null, ...question } as const;
  return gateBefore(stateOf(policy), { ...asked, to: WEST, at: T0 });
}

describe('the gate before a run to a site that is ten minutes behind', () => {
  const OPEN: readonly Case[] = [
    ['a global cluster is switched over', { database: AURORA }],
    ['the way home waits by default', {}, { kind: 'failback' }],
    ['the policy waits', { replication: waits }],
    [
      'the policy waits on the way home too',
      { replication: waits },
      { kind: 'failback', mode: 'emergency' },
    ],
    ['an own plan waits', { plans: { failover: own(wait(5000), SWITCH), failback: null } }],
    ['a person accepts it', {}, { acceptedBy: 'ann' }],
    ['several sites write', { strategy: 'active-active' }],
  ];
  test.each(OPEN.map(named))('is open where $where', ({ policy, question }) => {
    expect(ask(policy, question).kind).toBe('open');
  });

  const home = (failback: ServicePolicy['plans']['failback']) => ({
    plans: { failover: null, failback },
  });
  const away = (failover: ServicePolicy['plans']['failover']) => ({
    plans: { failover, failback: null },
  });
  const CLOSED: readonly Case[] = [
    ['nothing carries the data', {}],
    ['a replica is promoted as it is', { database: RDS }],
    ['a global cluster is failed over', { database: AURORA }, { mode: 'emergency' }],
    ['an own plan leaves the switchover out', { database: AURORA, ...away(own(SWITCH)) }],
    ['an own plan switches over too late', { database: AURORA, ...away(own(SWITCH, PROMOTE)) }],
    [
      'the switchover may fail',
      { database: AURORA, ...away(own({ ...PROMOTE, essential: false }, SWITCH)) },
    ],
    ['a practice leaves the database alone', { database: AURORA }, { kind: 'drill' }],
    ['an own way home does not wait', home(own(SWITCH)), { kind: 'failback' }],
    [
      'an own way home waits for less than all',
      home(own(wait(900_000), SWITCH)),
      { kind: 'failback' },
    ],
    ['an own plan waits in another mode', away(own(wait(0, { mode: 'emergency' }), SWITCH))],
    ['an own plan waits after the traffic moved', away(own(SWITCH, wait(0)))],
    ['an own plan waits on a condition', away(own(wait(0, { when: 'source-alive' }), SWITCH))],
    ['the way home is an emergency', {}, { kind: 'failback', mode: 'emergency' }],
  ];
  test.each(CLOSED.map(named))('is closed where $where', ({ policy, question }) => {
    expect(ask(policy, question)).toMatchObject({ kind: 'closed', code: 'data-loss-over-limit' });
  });
});

describe('a policy that waits', () => {
  const SKIPPED: readonly (readonly [string, PlannedStep])[] = [
    ['for another mode', wait(0, { mode: 'graceful' })],
    ['on a condition', wait(0, { when: 'source-alive' })],
    ['in vain', wait(0, { essential: false })],
    ['for less', wait(6000)],
  ];
  const planWith = (steps: readonly PlannedStep[], acceptedBy: string | null = null) => {
    const policy = servicePolicy({
      replication: waits,
      plans: { failover: own(...steps), failback: null },
    });
    const { stages } = planOf({
      policy,
      kind: 'failover',
      mode: 'emergency',
      from: EAST,
      to: WEST,
      before: { [EAST]: 100 },
      traffic: { [WEST]: 100 },
      granted: true,
      approval: false,
      atOnce: true,
      loss: { lagMs: 600_000, writes: null, measuredAt: T0, acceptedBy },
    });
    return stages.flat().map(({ action }): StepAction => action);
  };
  const gate = { kind: 'wait-replication', lagMsMax: 5000 };

  test.each(SKIPPED)('does so too where an own step waits %s', (_, step) => {
    const actions = planWith([step, SWITCH]);
    const place = actions.findIndex((action) => JSON.stringify(action) === JSON.stringify(gate));
    expect(place).toBeGreaterThan(0);
    expect(place).toBeLessThan(actions.findIndex(({ kind }) => kind === 'switch'));
  });

  test('does not add a wait to one that is sure, nor for a loss that somebody accepted', () => {
    expect(planWith([wait(4000), SWITCH])).not.toContainEqual(gate);
    expect(planWith([SWITCH], 'ann')).not.toContainEqual(gate);
  });
});
