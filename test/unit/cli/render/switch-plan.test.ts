import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import {
  planSwitch,
  preferredTarget,
  renderSwitchPlan,
} from '../../../../lib/cli/render/switch-plan.ts';
import { STANDBY, serviceJson, siteJson } from '../fixtures.ts';

const ACCEPTED = {
  dryRun: true,
  wouldBe: 'accepted',
  code: 'failover-authorised',
  sentence: 'to us-west-2, which is healthy',
} as const;

describe('planSwitch', () => {
  test('names every record that changes, the fence, the TTL and the lag', () => {
    const observation = { ...siteJson().observation, replicationLagMs: 1200 } as NonNullable<
      ReturnType<typeof siteJson>['observation']
    >;
    const service = serviceJson({ sites: [siteJson({ observation }), STANDBY] });
    const plan = planSwitch('failover', service, { to: 'us-west-2', decision: ACCEPTED });
    expect(renderSwitchPlan(plan, PLAIN)).toEqual([
      'failover of checkout: us-east-1 → us-west-2',
      '  ● would be accepted: failover-authorised: to us-west-2, which is healthy',
      '  - checkout.example.test. 1 IN A 127.0.0.11',
      '  + checkout.example.test. 1 IN A 127.0.0.12',
      '  - _tripoint.checkout.example.test. TXT term=3 index=40 site=us-east-1',
      '  + _tripoint.checkout.example.test. TXT term≥3 index>40 site=us-west-2',
      '  clients may keep the old answer for 1 s (TTL)',
      '  replication lag 1.20 s, objective (RPO) 5.00 s',
    ]);
  });

  test('changes no record when there is nowhere to go', () => {
    const decision = {
      ...ACCEPTED,
      wouldBe: 'refused',
      code: 'no-healthy-target',
      sentence: 'none',
    } as const;
    const plan = planSwitch('failover', serviceJson(), { to: null, decision });
    expect(plan).toMatchObject({ records: [], fence: null, decision: { accepted: false } });
    expect(renderSwitchPlan(plan, PLAIN)).toEqual([
      'failover of checkout: us-east-1 → ?',
      '  ✖ would be refused: no-healthy-target: none',
    ]);
  });

  test('changes no record when the target is active already', () => {
    const plan = planSwitch('failback', serviceJson(), { to: 'us-east-1', decision: ACCEPTED });
    expect(plan.records).toEqual([]);
  });
});

describe('preferredTarget', () => {
  const failed = { ...STANDBY, opinion: { ...STANDBY.opinion, state: 'failed' as const } };
  const alarmed = { ...STANDBY, alarms: [{ name: 'cpu', state: 'alarm' as const, at: '' }] };
  const third = { ...STANDBY, site: 'eu-west-1' };

  test.each([
    ['us-west-2', [siteJson(), STANDBY, third]],
    ['eu-west-1', [siteJson(), failed, third]],
    ['eu-west-1', [siteJson(), alarmed, third]],
    [null, [siteJson(), failed]],
  ])('is %s: the first healthy standby without an alarm', (target, sites) => {
    expect(preferredTarget(serviceJson({ sites }))).toBe(target);
  });
});
