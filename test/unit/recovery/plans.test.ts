import { describe, expect, test } from 'vitest';
import type { PlannedStep, StepAction } from '../../../lib/recovery/plan.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import { type PlanRequest, planOf } from '../../../lib/recovery/plans.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { EAST, servicePolicy, sitePolicy, WEST } from '../../support/service-states.ts';

const HOOK = { kind: 'hook', url: 'http://127.0.0.1/scale' } as const;
const CAPACITY = { resource: HOOK, serving: 6, standby: 1 };
const SIZED = [EAST, WEST].map((site) => sitePolicy(site, { capacity: CAPACITY }));
const DATABASE = {
  kind: 'rds-replica',
  members: { [EAST]: { region: EAST, instance: 'a' }, [WEST]: { region: WEST, instance: 'b' } },
} as const;
const STEPWISE = { percents: [1, 10, 50, 100], holdMs: 60_000 };

function request(policy: Partial<ServicePolicy>, changes: Partial<PlanRequest> = {}): PlanRequest {
  return {
    policy: servicePolicy(policy),
    kind: 'failover',
    mode: 'emergency',
    from: EAST,
    to: WEST,
    before: { [EAST]: 100 },
    traffic: { [WEST]: 100 },
    granted: true,
    approval: false,
    atOnce: false,
    loss: null,
    ...changes,
  };
}

const outline = (of: PlanRequest): string =>
  planOf(of)
    .stages.map((stage) => stage.map(({ name }) => name).join(' | '))
    .join(' → ');

const stepOf = (of: PlanRequest, wanted: string): PlannedStep | undefined =>
  planOf(of)
    .stages.flat()
    .find(({ name }) => name === wanted);

const back: Partial<PlanRequest> = {
  kind: 'failback',
  mode: 'graceful',
  from: WEST,
  to: EAST,
  before: { [WEST]: 100 },
  traffic: { [EAST]: 100 },
};

describe('the plan of the strategy', () => {
  test.each<[string, Partial<ServicePolicy>, Partial<PlanRequest>, string]>([
    ['hot standby', {}, {}, 'switch → propagate → verify → report'],
    [
      'a second name that follows health checks is looked at too',
      { dataPlaneName: 'a.example.test' },
      {},
      'switch → propagate | data-plane → verify → report',
    ],
    [
      'but not where every site serves',
      { dataPlaneName: 'a.example.test', strategy: 'active-active' },
      {},
      'switch → propagate → verify → report',
    ],
    [
      'with all that a policy can ask for, in the order of safety',
      {
        strategy: 'warm-standby',
        sites: SIZED,
        fencing: 'lease',
        database: DATABASE,
        replication: { lagMsMax: 5000, overLimit: 'wait', unknownLag: 'block', metric: null },
      },
      { approval: true },
      'approve → scale-target → wait-healthy → wait-replication → fence → database → switch → propagate → verify → report',
    ],
    [
      'warm standby',
      { strategy: 'warm-standby', sites: SIZED },
      {},
      'scale-target → wait-healthy → switch → propagate → verify → report',
    ],
    [
      'a failback stepwise, and the standby shrinks again',
      { strategy: 'pilot-light', sites: SIZED, returning: STEPWISE },
      back,
      [
        'scale-target → wait-healthy → wait-replication',
        'weights-1 → propagate-1 → hold-1',
        'weights-10 → propagate-10 → hold-10',
        'weights-50 → propagate-50 → hold-50',
        'switch → propagate → verify → scale-source → report',
      ].join(' → '),
    ],
    [
      'a failback at once',
      { returning: STEPWISE },
      { ...back, atOnce: true },
      'wait-replication → switch → propagate → verify → report',
    ],
    [
      'an emergency waits for no data and takes no small steps',
      { returning: STEPWISE },
      { ...back, mode: 'emergency' },
      'switch → propagate → verify → report',
    ],
    [
      'a practice promotes no database',
      { database: DATABASE },
      { kind: 'drill', mode: 'graceful' },
      'switch → propagate → verify → report',
    ],
    [
      'the way home from a practice takes no small steps',
      { returning: STEPWISE, database: DATABASE },
      { ...back, kind: 'drill-return' },
      'wait-replication → switch → propagate → verify → report',
    ],
    ['setup', { fencing: 'lease' }, { kind: 'setup', from: WEST }, 'switch → propagate'],
    [
      'setup after an unfinished fence',
      { fencing: 'lease' },
      { kind: 'setup', from: WEST, granted: false },
      'fence → switch → propagate',
    ],
    [
      'a site of an active-active service drops out at once',
      { strategy: 'active-active', returning: STEPWISE },
      {
        kind: 'rebalance',
        before: { [EAST]: 50, [WEST]: 50 },
        traffic: { [WEST]: 100 },
      },
      'switch → propagate → verify → report',
    ],
    [
      'and comes back by its ramp, in parts of its own share',
      { strategy: 'active-active', returning: { percents: [10, 50, 100], holdMs: 1000 } },
      {
        ...back,
        kind: 'rebalance',
        traffic: { [EAST]: 50, [WEST]: 50 },
      },
      'weights-5 → propagate-5 → hold-5 → weights-25 → propagate-25 → hold-25 → switch → propagate → verify → report',
    ],
  ])('%s', (...[, policy, changes, expected]) => {
    expect(outline(request(policy, changes))).toBe(expected);
  });

  test('goes back where a graceful run fails, and stays where an emergency does', () => {
    expect(planOf(request({}, { mode: 'graceful' })).onFailure).toBe('undo');
    expect(planOf(request({})).onFailure).toBe('stop');
    const undo = { kind: 'weights', targetPercent: 0 };
    expect(stepOf(request({}), 'switch')?.undo).toEqual(undo);
  });

  test('does without capacity in an emergency where the standby serves at any size', () => {
    const warm = { strategy: 'warm-standby', sites: SIZED } as const;
    expect(stepOf(request(warm), 'scale-target')?.essential).toBe(false);
    expect(stepOf(request(warm, { mode: 'graceful' }), 'scale-target')?.essential).toBe(true);
    const pilot = { ...warm, strategy: 'pilot-light' } as const;
    expect(stepOf(request(pilot), 'scale-target')?.essential).toBe(true);
  });

  test('tells the one who approves what may be lost', () => {
    const loss = { lagMs: 4250, writes: 17, measuredAt: null, acceptedBy: null };
    expect(stepOf(request({}, { approval: true, loss }), 'approve')?.action).toMatchObject({
      sentence: `failover from ${EAST} to ${WEST}, losing up to 4.25 s of data (17 writes)`,
    });
  });

  test('tells the one who approves a way home that waits for the data what it waits for', () => {
    const loss = { lagMs: 99_000, writes: null, measuredAt: null, acceptedBy: null };
    const home = { kind: 'failback', mode: 'graceful', approval: true, loss } as const;
    expect(stepOf(request({}, home), 'approve')?.action).toMatchObject({
      sentence: expect.stringMatching(
        /the run waits for a lag of at most 5\.00 s; now it is 1 min 39 s$/,
      ),
    });
  });
});

describe('the plan of the owner', () => {
  const own = (...stages: readonly (readonly [string, StepAction])[][]) => ({
    plans: {
      failover: {
        stages: stages.map((stage) => stage.map(([name, action]) => planned(name, action))),
        onFailure: 'undo' as const,
      },
      failback: null,
    },
  });

  test('is given what no plan may lack', () => {
    const policy = own(
      [['prepare', { kind: 'scale', site: 'target', to: 'serving' }]],
      [
        ['a', { kind: 'notify', target: { kind: 'sns', topicArn: 'arn' }, sentence: 'x' }],
        ['move', { kind: 'switch' }],
      ],
    );
    expect(outline(request({ ...policy, fencing: 'lease' }, { approval: true }))).toBe(
      'approve → prepare → fence → a | move → propagate → verify → report',
    );
  });

  test('keeps what it says itself', () => {
    const policy = own(
      [['stop-writes', { kind: 'fence' }]],
      [['move', { kind: 'routing' }]],
      [['look', { kind: 'verify' }]],
      [['write', { kind: 'report' }]],
    );
    expect(outline(request({ ...policy, fencing: 'lease' }))).toBe(
      'stop-writes → move → look → write',
    );
  });

  test.each<[string, Parameters<typeof planned>[2], boolean]>([
    ['that may be left out', { when: 'source-alive' }, false],
    ['of one mode', { mode: 'graceful' }, false],
    ['that may fail', { essential: false }, false],
    ['after the traffic has moved', {}, true],
  ])('is given a fence and an approval beside its own %s', (_what, changes, isLate) => {
    const mine = [
      [planned('stop-writes', { kind: 'fence' }, changes)],
      [planned('ask', { kind: 'approve', sentence: 'now?' }, changes)],
    ];
    const move = [planned('move', { kind: 'switch' })];
    const stages = isLate ? [move, ...mine] : [...mine, move];
    const plans = { failover: { stages, onFailure: 'stop' as const }, failback: null };
    const text = outline(request({ fencing: 'lease', plans }, { approval: true }));
    expect(text).toMatch(/^approve → .*fence → move → /);
  });

  test('goes back to where the traffic was, unless it says otherwise', () => {
    const policy = own([['move', { kind: 'switch' }]], [['grow', { kind: 'database' }]]);
    expect(stepOf(request(policy), 'move')?.undo).toEqual({ kind: 'weights', targetPercent: 0 });
    expect(stepOf(request(policy), 'grow')?.undo).toBeNull();
  });
});
