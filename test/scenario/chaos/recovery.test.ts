/** Chaos: cascading failures, jitter, an orchestrated recovery with a copy of its data. */
import { describe, expect, test } from 'vitest';
import type { PlannedStep, PlanPolicy, StepAction } from '../../../lib/recovery/plan.ts';
import { safetyPolicy } from '../../support/service-states.ts';
import { logOf, play } from './play.ts';

describe('cascading failures', () => {
  test('stop after three automatic runs, and then wait for a person', async () => {
    const safety = safetyPolicy({ holdDownMs: 10_000, automaticRunsPerDayMax: 3 });
    const result = await play('cascade', { changes: { safety } });
    expect(result.violations).toEqual([]);
    expect(result.runs.filter(({ kind }) => kind === 'failover')).toHaveLength(3);
    expect(result.decisions['daily-budget-spent']).toBeGreaterThan(0);
  });

  test('a flapping site is left once and not returned to', async () => {
    const result = await play('flapping');
    expect(result.violations).toEqual([]);
    expect(result.runs.filter(({ kind }) => kind === 'failover').length).toBeLessThanOrEqual(1);
  });
});

describe('the detector', () => {
  test('accuses nobody in half an hour of beats with 30 % jitter', async () => {
    const result = await play('jitter');
    expect(result.violations).toEqual([]);
    expect(result.runs).toEqual([]);
    expect(logOf(result).filter((line) => / is (suspect|failed)/.test(line))).toEqual([]);
    expect(result.requests.failed).toBe(0);
  });
});

const TABLE = { region: 'us-west-2', table: 'orders' };
const COPY = { region: 'us-west-2', table: 'orders-restored' };

function step(name: string, action: StepAction): PlannedStep {
  return {
    name,
    action,
    essential: true,
    timeoutMs: 300_000,
    attemptsMax: 30,
    mode: 'both',
    when: null,
    undo: null,
  };
}

/** Copies the data, proves that the copy can be had back, and then moves the traffic. */
const WITH_A_COPY: PlanPolicy = {
  onFailure: 'stop',
  stages: [
    [step('copy', { kind: 'snapshot', source: TABLE })],
    [step('have-back', { kind: 'restore', source: TABLE, into: COPY })],
    [step('switch', { kind: 'switch' })],
    [step('propagate', { kind: 'propagate' })],
    [step('verify', { kind: 'verify' })],
    [step('report', { kind: 'report' })],
  ],
};

describe('an orchestrated recovery', () => {
  test('moves the service within 28 s and loses less than 4.2 s of data, path B', async () => {
    const result = await play('region-loss');
    expect(result.violations).toEqual([]);
    expect(result.stages?.rtoMs).toBeLessThan(28_000);
    expect(result.loss.rpoMs).toBeLessThan(4200);
    const { rto, rpo } = result.objectives;
    expect(rto.met).toBe((result.stages?.rtoMs ?? Infinity) <= rto.objectiveMs);
    expect(rpo.met).toBe((result.loss.rpoMs ?? Infinity) <= rpo.objectiveMs);
  });

  test('copies a table and has it back before it moves the traffic', async () => {
    const result = await play('region-loss', {
      changes: { plans: { failover: WITH_A_COPY, failback: null } },
    });
    expect(result.violations).toEqual([]);
    expect(result.runs).toEqual([expect.objectContaining({ kind: 'failover', outcome: 'done' })]);
    expect(result.effects).toEqual([
      expect.objectContaining({ kind: 'snapshot', subject: 'us-west-2/orders' }),
      expect.objectContaining({ kind: 'restore', subject: 'us-west-2/orders-restored' }),
    ]);
    expect(result.stages?.rtoMs).toBeLessThan(40_000);
  });

  test('a lost control plane of DNS does not stop path A', async () => {
    const result = await play('control-plane-outage', { path: 'a' });
    expect(result.violations).toEqual([]);
    expect(result.stages?.clientsServedMs).toBeLessThan(20_000);
  });
});
