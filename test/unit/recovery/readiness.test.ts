import { describe, expect, test } from 'vitest';
import type { CapacityPolicy } from '../../../lib/recovery/plan.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { judgeFacts, type ReadinessFacts } from '../../../lib/recovery/readiness-facts.ts';
import { judgePlans } from '../../../lib/recovery/readiness-plans.ts';
import type { RecordSet } from '../../../lib/recovery/switch-port.ts';
import {
  committed,
  EAST,
  servicePolicy,
  serviceState,
  sitePolicy,
  siteState,
  T0,
  verdictOf,
  WEST,
} from '../../support/service-states.ts';

const ADDRESS: RecordSet = {
  name: 'checkout.example.test',
  type: 'A',
  ttlSeconds: 5,
  values: ['192.0.2.11'],
};
const FENCE: RecordSet = {
  name: '_tripoint.checkout.example.test',
  type: 'TXT',
  ttlSeconds: 5,
  values: [`v=tp1 term=1 index=2 site=${EAST} run=checkout-2`],
};
const SOUND: ReadinessFacts = {
  records: { kind: 'read', recordSets: [ADDRESS, FENCE], foreign: [] },
  sharing: 'weighted',
  capacities: [],
  database: null,
  probes: [],
};
const GROUP: CapacityPolicy = {
  resource: { kind: 'auto-scaling-group', region: WEST, group: 'web' },
  serving: 6,
  standby: 2,
};
const WARM = serviceState({
  policy: servicePolicy({ sites: [sitePolicy(EAST), sitePolicy(WEST, { capacity: GROUP })] }),
});

function withRecords(...recordSets: readonly RecordSet[]): ReadinessFacts {
  return { ...SOUND, records: { kind: 'read', recordSets, foreign: [] } };
}

function withCapacity(desired: number, ready: number, max: number | null): ReadinessFacts {
  return {
    ...SOUND,
    capacities: [{ site: WEST, reading: { kind: 'read', capacity: { desired, ready, max } } }],
  };
}

function codes(facts: ReadinessFacts, service = serviceState()): readonly string[] {
  return judgeFacts(service, facts).map(({ code, severity }) => `${severity} ${code}`);
}

describe('what was found of the records', () => {
  test('is nothing where they are as the log says', () => {
    expect(codes(SOUND)).toEqual([]);
  });

  test.each<readonly [string, ReadinessFacts, readonly string[]]>([
    [
      'another address',
      withRecords({ ...ADDRESS, values: ['192.0.2.99'] }, FENCE),
      ['failing records-changed-outside'],
    ],
    ['none', withRecords(FENCE), ['failing records-changed-outside']],
    ['another TTL', withRecords({ ...ADDRESS, ttlSeconds: 300 }, FENCE), ['warning ttl-differs']],
    ['no fence', withRecords(ADDRESS), ['warning records-not-ours']],
    [
      'a fence that nobody can read',
      withRecords(ADDRESS, { ...FENCE, values: ['v=tp9'] }),
      ['failing records-not-ours'],
    ],
    [
      'the fence of a newer log',
      withRecords(ADDRESS, {
        ...FENCE,
        values: [`v=tp1 term=9 index=2 site=${EAST} run=checkout-2`],
      }),
      ['failing records-changed-outside'],
    ],
    [
      'no right to look',
      { ...SOUND, records: { kind: 'refused', code: 'x', detail: 'no' } },
      ['failing permission-missing'],
    ],
    [
      'no answer',
      { ...SOUND, records: { kind: 'unknown', cause: 'late' } },
      ['warning records-unreadable'],
    ],
    ['a run at work on them', { ...SOUND, records: null }, []],
  ])('%s', (_, facts, expected) => {
    expect(codes(facts)).toEqual(expected);
  });
});

describe('what was found of a standby', () => {
  test.each<readonly [string, ReadinessFacts, readonly string[]]>([
    ['large enough', withCapacity(2, 2, 6), []],
    ['smaller than it should be', withCapacity(2, 1, 6), ['failing standby-below-capacity']],
    ['that may not grow to full size', withCapacity(2, 2, 5), ['failing capacity-above-limit']],
    [
      'that is not there',
      {
        ...SOUND,
        capacities: [
          { site: WEST, reading: { kind: 'refused', code: 'resource-absent', detail: 'no' } },
        ],
      },
      ['failing resource-missing'],
    ],
    [
      'that may not be looked at',
      {
        ...SOUND,
        capacities: [
          { site: WEST, reading: { kind: 'refused', code: 'not-permitted', detail: 'no' } },
        ],
      },
      ['failing permission-missing'],
    ],
    [
      'with a certificate that clients refuse',
      {
        ...SOUND,
        probes: [{ site: WEST, url: 'https://x', code: 'certificate-invalid', detail: 'expired' }],
      },
      ['failing certificate-invalid'],
    ],
  ])('%s', (_, facts, expected) => {
    expect(codes(facts, WARM)).toEqual(expected);
  });

  test('whose probe carries a token is named by where the probe goes, and not by the token', () => {
    const url = 'https://ann:pw@x.example.test:8443/health?token=s3cret';
    const probes = [{ site: WEST, url, code: 'http-status', detail: 'no' }] as const;
    const text = JSON.stringify(judgeFacts(WARM, { ...SOUND, probes }));
    expect(text).toContain('https://x.example.test:8443');
    expect(text).not.toMatch(/s3cret|pw@|\/health/);
  });

  test('that was never heard, while nobody could take over', () => {
    const sites = { [EAST]: siteState('healthy'), [WEST]: siteState('pending') };
    expect(codes(SOUND, serviceState({ sites, unprotectedSince: T0 }))).toEqual([
      'failing site-unheard',
      'failing unprotected',
    ]);
  });

  test.each([
    [3, []],
    [2, ['warning site-heard-by-few']],
    [1, ['failing site-heard-by-few']],
  ])('that %i of 3 regions have heard', (heardBy, expected) => {
    const heard = committed(verdictOf('healthy'));
    const unheard = committed(verdictOf('pending'));
    const verdicts = {
      'us-east-1': heard,
      'us-east-2': heardBy >= 2 ? heard : unheard,
      'us-west-2': heardBy >= 3 ? heard : unheard,
    };
    const sites = { [EAST]: siteState('healthy', { verdicts }), [WEST]: siteState('healthy') };
    expect(codes(SOUND, serviceState({ sites }))).toEqual(expected);
  });

  test('whose database has its writer elsewhere, or a member that does not replicate', () => {
    const policy = servicePolicy({
      database: {
        kind: 'rds-replica',
        members: {
          [EAST]: { region: EAST, instance: 'a' },
          [WEST]: { region: WEST, instance: 'b' },
        },
      },
    });
    const members = { [WEST]: { isWriter: true, status: 'available' } };
    expect(
      codes({ ...SOUND, database: { kind: 'read', members } }, serviceState({ policy })),
    ).toEqual(['failing database-not-replicating', 'failing database-writer-elsewhere']);
  });
});

describe('what a plan says by itself', () => {
  const judged = (changes: Partial<ServicePolicy>, sharing: 'weighted' | 'even' = 'weighted') =>
    judgePlans(serviceState({ policy: servicePolicy(changes) }), {
      sharing,
      services: ['checkout'],
      leaseMs: 5000,
    }).map(({ code, severity }) => `${severity} ${code}`);
  const own = (...steps: readonly Parameters<typeof planned>[]): Partial<ServicePolicy> => ({
    plans: {
      failover: { stages: steps.map((step) => [planned(...step)]), onFailure: 'stop' },
      failback: null,
    },
  });

  test.each<readonly [string, Partial<ServicePolicy>, readonly string[]]>([
    ['nothing of the usual ones', {}, []],
    [
      'that it never switches',
      own(['tell', { kind: 'webhook', url: 'https://x', secretName: null }]),
      ['failing plan-without-switch'],
    ],
    [
      'that it waits longer than the objective',
      own(['wait', { kind: 'hold', forMs: 60_000 }], ['switch', { kind: 'switch' }]),
      ['warning plan-slower-than-objective'],
    ],
    [
      'that it starts the plan of nobody',
      own(['child', { kind: 'child-plan', service: 'carts' }], ['switch', { kind: 'switch' }]),
      ['failing child-plan-unknown'],
    ],
    [
      'that an automatic run waits for a person',
      own(['ask', { kind: 'approve', sentence: 'go?' }], ['switch', { kind: 'switch' }]),
      ['warning approval-holds-automatic-run'],
    ],
    [
      'that resolvers keep its answers too long',
      { ttlSeconds: 60 },
      ['warning ttl-above-objective'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(judged(changes)).toEqual(expected);
  });

  test('that its server knows no weights', () => {
    const stepwise = { returning: { percents: [10, 100], holdMs: 1000 } };
    expect(judged(stepwise, 'even')).toEqual(['failing weights-unsupported']);
    expect(judged(stepwise)).toEqual([]);
  });
});
