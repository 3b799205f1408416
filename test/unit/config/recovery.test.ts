/** What a file says about recovery: read into policies, and refused with the place of the mistake. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfiguration } from '../../../lib/config/parse.ts';
import { policiesSchema, policySchema } from '../../../lib/config/schema.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';

const WARM = readFileSync('docs/examples/warm-standby.yaml', 'utf8');
const SHARED = readFileSync('docs/examples/active-active.yaml', 'utf8');
const LIGHT = readFileSync('docs/examples/pilot-light.yaml', 'utf8');

function policiesOf(text: string): readonly ServicePolicy[] {
  const parsed = parseConfiguration(text, {});
  return parsed.kind === 'valid' ? parsed.policies : [];
}

/** `path: message` of each problem, relative to the only service. */
function problemsOf(text: string): readonly string[] {
  const parsed = parseConfiguration(text, {});
  const problems = parsed.kind === 'invalid' ? parsed.problems : [];
  expect(problems.every(({ line, fix }) => line > 1 && fix !== '')).toBe(true);
  return problems.map(
    ({ path, message }) => `${path.replace(/^services\.\w+\.?/, '')}: ${message}`,
  );
}

/** As the parser of YAML gives it: a file is changed in places that its type would forbid. */
type Body = ReturnType<typeof parse>;

function changed(text: string, change: (service: Body) => void): string {
  const file = parse(text) as { services: { [name: string]: Body } };
  change(Object.values(file.services)[0]);
  return stringify(file);
}

describe('a service that says how it recovers', () => {
  test('becomes a policy in the units of the domain', () => {
    const [policy] = policiesOf(WARM);
    expect(policy).toMatchObject({
      strategy: 'warm-standby',
      fencing: 'lease',
      safety: { acknowledgement: true, approval: 'manual' },
      replication: { lagMsMax: 5000, overLimit: 'block', metric: { unit: 'milliseconds' } },
      alarms: { missingData: 'last-known', triggering: ['orders-errors', 'orders-latency'] },
      returning: { percents: [100], holdMs: 0 },
      notify: [{ kind: 'sns' }, { kind: 'webhook', secretName: 'CHAT_SECRET' }],
      drill: { to: 'us-west-2', durationMs: 1_800_000, schedule: { graceMs: 3_600_000 } },
    });
    expect(policy?.database).toEqual({
      kind: 'aurora-global',
      globalCluster: 'orders',
      members: {
        'us-east-1': {
          region: 'us-east-1',
          cluster: 'arn:aws:rds:us-east-1:111122223333:cluster:orders-east',
        },
        'us-west-2': {
          region: 'us-west-2',
          cluster: 'arn:aws:rds:us-west-2:111122223333:cluster:orders-west',
        },
      },
    });
    expect(policy?.sites[1]?.capacity).toEqual({
      resource: { kind: 'ecs-service', region: 'us-west-2', cluster: 'shop', service: 'orders' },
      serving: 12,
      standby: 2,
    });
  });

  test.each([WARM, SHARED, LIGHT])('passes the strict schema of the API, example %#', (text) => {
    const policies = policiesOf(text);
    expect(policies).toHaveLength(1);
    expect(policiesSchema.safeParse(policies).error).toBeUndefined();
  });

  test('gives sites without a weight equal shares that come to 100', () => {
    const text = changed(SHARED, ({ sites }) => {
      for (const site of Object.values<Body>(sites)) {
        delete site.weight;
      }
    });
    expect(policiesOf(text)[0]?.sites.map(({ weight }) => weight)).toEqual([34, 33, 33]);
  });

  test('comes back by a ramp where several sites serve, and at once where one does', () => {
    const plain = changed(SHARED, (service) => delete service.returning);
    expect(policiesOf(plain)[0]?.returning).toEqual({ percents: [10, 50, 100], holdMs: 300_000 });
    expect(policiesOf(LIGHT)[0]?.returning).toEqual({ percents: [100], holdMs: 0 });
  });

  test('with a plan gives each step a name, and only essential ones fail the run', () => {
    const text = changed(LIGHT, ({ plans }) => {
      plans.failback = {
        steps: [
          { do: 'webhook', url: 'https://a.example.com', essential: false },
          { do: 'webhook', url: 'https://b.example.com', name: 'webhook-2' },
          { do: 'webhook', url: 'https://c.example.com' },
          { do: 'wait-replication', maxLag: '2s' },
          { do: 'weights', percent: 100, attempts: 7, timeout: '90s' },
        ],
      };
    });
    const noLease = changed(text, (body) => {
      body.fencing = 'none';
      body.plans.failover.steps = body.plans.failover.steps.filter(
        (step: Body) => step.do !== 'fence',
      );
    });
    const steps = policiesOf(noLease)[0]?.plans.failback?.stages.flat();
    expect(steps?.map(({ name, essential }) => [name, essential])).toEqual([
      ['webhook', false],
      ['webhook-2', true],
      ['webhook-3', true],
      ['wait-replication', true],
      ['weights', true],
    ]);
    expect(steps?.at(-1)).toMatchObject({
      action: { kind: 'weights', targetPercent: 100 },
      attemptsMax: 7,
      timeoutMs: 90_000,
    });
  });
});

const stepAt = (plans: Body, place: number) => plans.failover.steps[place];

const MISTAKES: readonly (readonly [string, string, (service: Body) => void])[] = [
  ['sites: the weights come to 90, not to 100', SHARED, (s) => (s.sites['eu-west-1'].weight = 10)],
  [
    'sites: one site alone serves',
    SHARED,
    (s) => {
      s.sites['us-east-1'].weight = 100;
      s.sites['us-west-2'].weight = 0;
      s.sites['eu-west-1'].weight = 0;
    },
  ],
  [
    'sites.us-west-2.weight: belongs to active-active',
    WARM,
    (s) => (s.sites['us-west-2'].weight = 5),
  ],
  [
    'fencing: lease means one active site at any time; active-active has several',
    changed(SHARED, (s) => delete s.returning),
    (s) => {
      s.fencing = 'lease';
      s.returning = { percents: [100] };
    },
  ],
  [
    'returning.percents: with fencing: lease two sites never serve at once, so there are no steps',
    WARM,
    (s) => (s.returning = { percents: [10, 100] }),
  ],
  ['returning.percents: does not rise to 100', SHARED, (s) => (s.returning.percents = [50, 10])],
  [
    'returning.hold: shares that nobody watches prove nothing',
    SHARED,
    (s) => (s.returning.hold = '0s'),
  ],
  [
    'sites.us-west-2.capacity: warm-standby needs to know what grows here',
    WARM,
    (s) => delete s.sites['us-west-2'].capacity,
  ],
  [
    'sites.us-west-2.capacity: runs nothing while it stands by',
    WARM,
    (s) => (s.sites['us-west-2'].capacity.standby = 0),
  ],
  [
    'sites.us-west-2.capacity: runs something while it stands by',
    LIGHT,
    (s) => (s.sites['us-west-2'].capacity.standby = 1),
  ],
  [
    'sites.us-west-2.capacity: is larger standing by than serving',
    WARM,
    (s) => (s.sites['us-west-2'].capacity.serving = 1),
  ],
  [
    'sites.us-west-2.capacity: has one of autoScalingGroup, ecsService, lambda, hook',
    WARM,
    (s) => (s.sites['us-west-2'].capacity.hook = 'https://a.example.com'),
  ],
  [
    'database.members: us-west-2 has no member',
    WARM,
    (s) => delete s.database.members['us-west-2'],
  ],
  [
    'database.members.eu-west-1: is not a site of this service',
    WARM,
    (s) => (s.database.members['eu-west-1'] = { cluster: 'arn' }),
  ],
  ['database: aurora-global needs globalCluster', WARM, (s) => delete s.database.globalCluster],
  ['drill.to: is where the traffic is already', WARM, (s) => (s.drill.to = 'us-east-1')],
  ['drill.to: is not a site of this service', WARM, (s) => (s.drill.to = 'mars')],
  [
    'drill.blockedDates[0]: must be a day such as 2026-12-24',
    WARM,
    (s) => (s.drill.blockedDates = ['2026-02-30']),
  ],
  [
    'replication.overLimit: needs maxLag: there is no gate',
    WARM,
    (s) => (s.replication = { overLimit: 'wait' }),
  ],
  [
    'notify[0]: has either topic or url',
    WARM,
    (s) => (s.notify = [{ secret: 'A', topic: undefined }]),
  ],
  [
    'notify[1].url: must be an http or https URL',
    WARM,
    (s) => (s.notify[1].url = 'https://u:p@a.b/'),
  ],
  [
    'plans.failover: active-active changes shares, by its own plan',
    SHARED,
    (s) => (s.plans = { failover: { steps: [{ do: 'switch' }] } }),
  ],
  [
    'plans.failover: moves all of the traffic never in graceful runs',
    LIGHT,
    (s) => (stepAt(s.plans, 5).mode = 'emergency'),
  ],
  [
    'plans.failover: moves all of the traffic 2 times in graceful runs',
    LIGHT,
    (s) => (stepAt(s.plans, 4).do = 'switch'),
  ],
  [
    'plans.failover.steps[5]: is what moves the traffic, and could be left out',
    LIGHT,
    (s) => (stepAt(s.plans, 5).when = 'source-alive'),
  ],
  [
    'plans.failover.steps[3]: looks at traffic that has not moved yet',
    LIGHT,
    (s) => (s.plans.failover.steps[3] = { do: 'verify', name: 'early' }),
  ],
  [
    'plans.failover.steps[1].parallel[0]: us-west-2 says nothing of what could be scaled there',
    LIGHT,
    (s) => {
      s.strategy = 'failover';
      delete s.sites['us-west-2'].capacity;
    },
  ],
  [
    'plans.failover.steps[1].parallel[0]: mars is not a site of this service',
    LIGHT,
    (s) => (stepAt(s.plans, 1).parallel[0].site = 'mars'),
  ],
  [
    'plans.failover.steps[1].parallel[1].url: means nothing for a step of kind lambda; remove it',
    LIGHT,
    (s) => (stepAt(s.plans, 1).parallel[1].url = 'https://a.example.com'),
  ],
  [
    'plans.failover.steps[1].parallel[1]: a step of kind lambda needs region',
    LIGHT,
    (s) => delete stepAt(s.plans, 1).parallel[1].region,
  ],
  [
    'plans.failover.steps[1].parallel[1]: step light stands twice',
    LIGHT,
    (s) => (stepAt(s.plans, 1).parallel[1].name = 'light'),
  ],
  [
    'plans.failover.steps[2]: would be over its timeout before it is done',
    LIGHT,
    (s) => (stepAt(s.plans, 2).for = '5m'),
  ],
  [
    'plans.failover.steps[3]: without leases there is nothing to wait for',
    LIGHT,
    (s) => (s.fencing = 'none'),
  ],
  [
    'plans.failover.steps[3]: could be left out',
    LIGHT,
    (s) => (stepAt(s.plans, 3).when = 'source-alive'),
  ],
  [
    'plans.failover.steps[6]: comes after traffic has moved',
    LIGHT,
    (s) => s.plans.failover.steps.splice(6, 0, { do: 'fence', name: 'late' }),
  ],
  ['plans.failover.steps[4]: there is no database', LIGHT, (s) => delete s.database],
  [
    'plans.failover.steps[3]: with fencing: lease two sites never serve at once',
    LIGHT,
    (s) => (s.plans.failover.steps[3] = { do: 'weights', percent: 10 }),
  ],
  [
    'plans.failover.steps[0]: there is no service stock',
    LIGHT,
    (s) => (s.plans.failover.steps[0] = { do: 'child-plan', service: 'stock' }),
  ],
  [
    'plans.failover.steps[0]: payments waits for payments itself',
    LIGHT,
    (s) => (s.plans.failover.steps[0] = { do: 'child-plan', service: 'payments' }),
  ],
  [
    'plans.failover.steps[0]: has neither do nor parallel',
    LIGHT,
    (s) => (s.plans.failover.steps[0] = {}),
  ],
  [
    'plans.failover.steps[8]: is not the last step, alone',
    LIGHT,
    (s) => s.plans.failover.steps.splice(8, 0, { do: 'report' }),
  ],
];

describe('a mistake is refused at its place:', () => {
  const of = (text: string, change: (service: Body) => void) => problemsOf(changed(text, change));
  test.each(MISTAKES)('%s', (problem, text, change) => {
    expect(of(text, change)).toContain(problem);
  });

  test('services that wait for each other in a circle', () => {
    const file = parse(LIGHT);
    const first = file.services.payments;
    file.services.stock = structuredClone(first);
    file.services.stock.dns.name = 'stock.example.com';
    first.plans.failover.steps[0] = { do: 'child-plan', service: 'stock' };
    file.services.stock.plans.failover.steps[0] = { do: 'child-plan', service: 'payments' };
    expect(problemsOf(stringify(file))).toEqual([
      'plans.failover.steps[0]: stock waits for payments itself',
      'plans.failover.steps[0]: payments waits for stock itself',
    ]);
  });

  test('a plan that would fill the log', () => {
    const text = changed(LIGHT, ({ plans }) => {
      const parallel = Array.from({ length: 10 }, (_, place) => ({
        do: 'webhook',
        url: `https://${place}.example.com`,
      }));
      plans.failover.steps.unshift(...Array.from({ length: 4 }, () => ({ parallel })));
    });
    expect(problemsOf(text)).toEqual(['plans.failover: 50 steps; allowed are 40']);
  });
});

describe('the strict schema of the API', () => {
  test('refuses what the file refuses, at the place in the policy', () => {
    const [policy] = policiesOf(LIGHT);
    const stages = policy?.plans.failover?.stages.map((stage) =>
      stage.filter(({ action }) => action.kind !== 'switch'),
    );
    const without = {
      ...policy,
      plans: {
        failback: null,
        failover: { onFailure: 'stop', stages: stages?.filter((stage) => stage.length > 0) },
      },
    };
    const { error } = policySchema.safeParse(without);
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([
      'plans.failover',
      'plans.failover',
      'plans.failover.stages.5.0',
      'plans.failover.stages.6.0',
    ]);
  });

  test('knows of one policy alone nothing about other services', () => {
    const text = changed(LIGHT, ({ plans }) =>
      plans.failover.steps.unshift({ do: 'approve', name: 'really', sentence: 'Really?' }),
    );
    const [policy] = policiesOf(text);
    const stages = policy?.plans.failover?.stages.map((stage) =>
      stage.map((planned) =>
        planned.name === 'really'
          ? { ...planned, action: { kind: 'child-plan', service: 'stock' } }
          : planned,
      ),
    );
    const child = {
      ...policy,
      plans: { failback: null, failover: { onFailure: 'stop', stages } },
    };
    expect(policySchema.safeParse(child).error).toBeUndefined();
    expect(policiesSchema.safeParse([child]).error?.issues).toHaveLength(1);
  });
});
