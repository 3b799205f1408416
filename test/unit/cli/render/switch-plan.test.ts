import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { planSwitch, renderSwitchPlan } from '../../../../lib/cli/render/switch-plan.ts';
import { runJson, serviceJson } from '../fixtures.ts';

const ACCEPTED = {
  dryRun: true,
  wouldBe: 'accepted',
  code: 'failover-authorised',
  sentence: 'to us-west-2, which is healthy',
  plan: runJson(0, { before: { 'us-east-1': 100 }, traffic: { 'us-west-2': 100 } }),
} as const;

describe('planSwitch', () => {
  test('names every record that changes, the fence, the TTL and the loss', () => {
    const sentence = 'losing up to 1.20 s of data';
    const loss = { lagMs: 1200, writes: null, measuredAt: null, acceptedBy: null, sentence };
    const decision = { ...ACCEPTED, plan: { ...ACCEPTED.plan, loss } };
    const plan = planSwitch('failover', serviceJson(), { asked: null, decision });
    expect(renderSwitchPlan(plan, PLAIN)).toEqual([
      'failover of checkout: us-east-1 → us-west-2',
      '  ● would be accepted: failover-authorised: to us-west-2, which is healthy',
      '  - checkout.example.test. 1 IN A 127.0.0.11',
      '  + checkout.example.test. 1 IN A 127.0.0.12',
      '  - _tripoint.checkout.example.test. TXT term=3 index=40 site=us-east-1',
      '  + _tripoint.checkout.example.test. TXT term≥3 index>40 site=us-west-2',
      '  clients may keep the old answer for 1 s (TTL)',
      '  traffic us-east-1 100 % → us-west-2 100 %',
      '  losing up to 1.20 s of data; objective (RPO) 5.00 s',
      '  emergency run, in this order:',
      '     1. switch',
      '     2. propagate',
      '     3. verify',
      '     4. report (may fail)',
    ]);
  });

  test('changes no record when there is nowhere to go', () => {
    const decision = {
      ...ACCEPTED,
      wouldBe: 'refused',
      code: 'no-healthy-target',
      sentence: 'none',
      plan: null,
    } as const;
    const plan = planSwitch('failover', serviceJson(), { asked: null, decision });
    expect(plan).toMatchObject({ records: [], fence: null, decision: { accepted: false } });
    expect(renderSwitchPlan(plan, PLAIN)).toEqual([
      'failover of checkout: us-east-1 → ?',
      '  ✖ would be refused: no-healthy-target: none',
    ]);
  });

  test('changes no record when the target is active already', () => {
    const run = runJson(0, { to: 'us-east-1', before: { 'us-east-1': 100 } });
    const same = { ...ACCEPTED, plan: { ...run, traffic: run.before } };
    const plan = planSwitch('failback', serviceJson(), { asked: 'us-east-1', decision: same });
    expect(plan.records).toEqual([]);
  });

  test('of shares names the site of the run, and claims no record that it does not know', () => {
    const shares = { before: { 'us-east-1': 50, 'us-west-2': 50 }, traffic: { 'us-west-2': 100 } };
    const decision = { ...ACCEPTED, plan: runJson(0, shares) };
    const plan = planSwitch('failover', serviceJson(), { asked: null, decision });
    expect(plan).toMatchObject({ to: 'us-west-2', records: [], fence: null });
    expect(renderSwitchPlan(plan, PLAIN)).toContain(
      '  traffic us-east-1 50 %, us-west-2 50 % → us-west-2 100 %',
    );
  });
});
