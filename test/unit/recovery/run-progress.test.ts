import { describe, expect, test } from 'vitest';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { PlannedStep, PlanPolicy } from '../../../lib/recovery/plan.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import type { Opening } from '../../../lib/recovery/run-opening.ts';
import { handRun, outlineOf } from '../../support/runs.ts';
import {
  alarmOf,
  atMs,
  EAST,
  servicePolicy,
  serviceState,
  siteState,
  T0,
  WEST,
} from '../../support/service-states.ts';

const HOLD_MS = 60_000;
const TO_EAST: Partial<Opening> = {
  kind: 'failback',
  mode: 'graceful',
  trigger: 'manual',
  to: EAST,
  traffic: { [EAST]: 100 },
};

const atWest = (changes: Partial<ServicePolicy> = {}) =>
  serviceState({ activeSite: WEST, policy: servicePolicy(changes) });

const stepwise = () => {
  const run = handRun(TO_EAST, atWest({ returning: { percents: [10, 100], holdMs: HOLD_MS } }));
  run.finish();
  return run;
};

const ownPlan = (onFailure: PlanPolicy['onFailure'], ...stages: readonly PlannedStep[][]) =>
  serviceState({
    policy: servicePolicy({ plans: { failover: { stages, onFailure }, failback: null } }),
  });

describe('the authority', () => {
  test('stays with the old site while the new one is prepared', () => {
    const { service, edit, run, step } = handRun({ approval: true });
    expect(service()).toMatchObject({ activeSite: EAST, traffic: { [EAST]: 100 } });
    const approval = {
      step: 'approve',
      by: 'bob',
      verdict: 'approve',
      reason: 'go',
      at: T0,
    } as const;
    edit({ approvals: [approval] });
    expect(service()).toMatchObject({
      activeSite: WEST,
      traffic: { [WEST]: 100 },
      epoch: step('switch').epoch,
    });
    expect(step('switch').epoch).not.toEqual(run().epoch);
  });

  test('is with nobody while the old lease may hold', () => {
    const { service, finish, open } = handRun(
      {},
      serviceState({ policy: servicePolicy({ fencing: 'lease' }) }),
    );
    expect(open()).toEqual(['fence']);
    expect(service()).toMatchObject({ activeSite: WEST, granted: false, traffic: { [EAST]: 100 } });
    finish();
    expect(service()).toMatchObject({ activeSite: WEST, granted: true });
  });

  test('follows no small share: the writer moves with the whole of the traffic', () => {
    const { service, finish, wait, open } = stepwise();
    expect(open()).toEqual(['weights-10']);
    expect(service()).toMatchObject({ activeSite: WEST, traffic: { [EAST]: 10, [WEST]: 90 } });
    finish();
    finish();
    expect(open()).toEqual(['hold-10']);
    wait(HOLD_MS);
    expect(open()).toEqual(['switch']);
    expect(service()).toMatchObject({ activeSite: EAST, traffic: { [EAST]: 100 } });
  });
});

describe('a hold', () => {
  const holding = () => {
    const run = stepwise();
    run.finish();
    run.finish();
    return run;
  };

  test('passes when its time is over', () => {
    const { wait, step, open } = holding();
    wait(HOLD_MS - 1);
    expect(open()).toEqual(['hold-10']);
    wait(1);
    expect(step('hold-10').progress).toMatchObject({ kind: 'done', at: atMs(HOLD_MS) });
  });

  test.each([
    ['an alarm', siteState('healthy', { alarms: [alarmOf('5xx')] }), 'target-alarm'],
    ['a verdict', siteState('failed'), 'target-failed'],
    ['trouble that it reports', siteState('degraded'), 'target-failed'],
  ])('is aborted by %s against the target, and the shares go back', (_, site, code) => {
    const { change, service, run, open, finish, finishAll } = holding();
    change({ sites: { ...service().sites, [EAST]: site } });
    expect(run().reverting).toEqual({ code: `hold-10: ${code}`, at: T0 });
    expect(open()).toEqual(['undo-weights-10']);
    expect(service()).toMatchObject({ activeSite: WEST, traffic: { [WEST]: 100 } });
    finish();
    expect(run().outcome.kind).toBe('open');
    finishAll();
    expect(run().outcome).toEqual({ kind: 'failed', at: T0, code: `hold-10: ${code}` });
    expect(outlineOf(run())).toContain('(switch)');
  });

  test('is not aborted by a suspicion, nor by what stands against the other site', () => {
    const { change, service, open } = holding();
    change({ sites: { ...service().sites, [EAST]: siteState('suspect') } });
    change({ sites: { ...service().sites, [WEST]: siteState('failed') } });
    expect(open()).toEqual(['hold-10']);
  });
});

describe('taking back', () => {
  test('is done newest first, through a fence where the target may hold a lease', () => {
    const leased = serviceState({ policy: servicePolicy({ fencing: 'lease' }) });
    const { finish, service, open, run } = handRun({ mode: 'graceful' }, leased);
    finish();
    finish();
    finish();
    finish({ kind: 'failed', code: 'target-failed' });
    expect(open()).toEqual(['undo-switch-fence']);
    expect(service()).toMatchObject({ activeSite: EAST, granted: false });
    finish();
    expect(service()).toMatchObject({ activeSite: EAST, granted: true });
    expect(open()).toEqual(['undo-switch']);
    expect(service().traffic).toEqual({ [EAST]: 100 });
    expect(
      run()
        .steps.filter(({ isUndo }) => isUndo)
        .map(({ name }) => name),
    ).toEqual(['undo-switch-fence', 'undo-switch', 'undo-switch-seen']);
  });

  test('of a fence that is not over gives the role back to the one who had it', () => {
    const leased = serviceState({ policy: servicePolicy({ fencing: 'lease' }) });
    const { cancel, service, open } = handRun({}, leased);
    cancel();
    expect(open()).toEqual(['undo-fence']);
    expect(service()).toMatchObject({ activeSite: EAST, granted: true });
  });

  test('moves no traffic to a site that failed meanwhile', () => {
    const { finish, service, change, run, open } = handRun({ mode: 'graceful' });
    finish();
    change({ sites: { ...service().sites, [EAST]: siteState('failed') } });
    finish({ kind: 'failed', code: 'x' });
    expect(service()).toMatchObject({ activeSite: WEST, traffic: { [WEST]: 100 } });
    expect(outlineOf(run())).toContain('(undo-switch) → (undo-switch-seen)');
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'propagate: x' });
    expect(open()).toEqual(['report']);
  });

  test('stops where a database was promoted', () => {
    const service = ownPlan(
      'undo',
      [planned('move', { kind: 'switch' })],
      [planned('promote', { kind: 'database' })],
    );
    const { finish, run, service: after } = handRun({ mode: 'graceful' }, service);
    for (let step = 0; step < 3; step += 1) {
      finish();
    }
    finish({ kind: 'failed', code: 'x' });
    expect(run().steps.some(({ isUndo }) => isUndo)).toBe(false);
    expect(run().outcome.kind).toBe('failed');
    expect(after().activeSite).toBe(WEST);
  });

  test('ends at once where a run that is cancelled has done nothing yet', () => {
    const { cancel, run, service, open } = handRun({ approval: true });
    cancel();
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'cancelled' });
    expect(service().activeSite).toBe(EAST);
    expect(open()).toEqual(['report']);
  });

  test('goes on when a step of it fails, and the run keeps its first reason', () => {
    const { cancel, finish, run, open } = handRun();
    cancel();
    finish({ kind: 'failed', code: 'foreign-record' });
    expect(run().reverting?.code).toBe('cancelled');
    while (open().length > 0 && run().outcome.kind === 'open') {
      finish();
    }
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'cancelled' });
  });
});

describe('steps of one stage', () => {
  const parallel = (onFailure: PlanPolicy['onFailure'] = 'stop') =>
    ownPlan(
      onFailure,
      [
        planned('left', { kind: 'webhook', url: 'http://a.test', secretName: null }),
        planned('right', { kind: 'webhook', url: 'http://b.test', secretName: null }),
      ],
      [planned('move', { kind: 'switch' })],
    );

  test('are open together, and the next stage when all have ended', () => {
    const { open, finish } = handRun({}, parallel());
    expect(open()).toEqual(['left', 'right']);
    finish(undefined, 'right');
    expect(open()).toEqual(['left']);
    finish(undefined, 'left');
    expect(open()).toEqual(['move']);
  });

  test('are stopped together: the result of the other counts no more', () => {
    const { claim, finish, step } = handRun({}, parallel());
    claim('right');
    finish({ kind: 'failed', code: 'receiver-refused' }, 'left');
    expect(step('right').progress).toMatchObject({ kind: 'failed', code: 'run-stopped' });
    expect(() => finish(undefined, 'right')).toThrow('run-not-open');
  });
});

describe('a step', () => {
  const conditional = (changes: Partial<PlannedStep>) =>
    ownPlan(
      'stop',
      [planned('first', { kind: 'webhook', url: 'http://a.test', secretName: null }, changes)],
      [planned('move', { kind: 'switch' })],
    );

  test('that is for the other mode is skipped', () => {
    const { open, step } = handRun({ mode: 'emergency' }, conditional({ mode: 'graceful' }));
    expect(open()).toEqual(['move']);
    expect(step('first').progress).toMatchObject({ kind: 'skipped', code: 'not-in-this-mode' });
  });

  test.each([
    ['source-failed', 'first'],
    ['source-alive', 'move'],
    ['target-healthy', 'first'],
  ] as const)('whose precondition is %s is looked at when it is opened', (when, expected) => {
    const service = conditional({ when });
    const sites = { ...service.sites, [EAST]: siteState('failed') };
    expect(handRun({}, { ...service, sites }).open()).toEqual([expected]);
  });

  test('of which nobody must do anything times out by a look at its time', () => {
    const { wait, run } = handRun({ approval: true });
    wait(RUN_LIMITS.approvalTimeoutMs);
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'approve: step-timed-out' });
  });
});

describe('waiting for health', () => {
  const service = ownPlan(
    'stop',
    [planned('up', { kind: 'wait-healthy', site: 'target', forMs: 5000 })],
    [planned('move', { kind: 'switch' })],
  );

  test('ends when the site has been healthy for so long', () => {
    const { open, wait } = handRun({}, service);
    expect(open()).toEqual(['up']);
    wait(4999);
    expect(open()).toEqual(['up']);
    wait(1);
    expect(open()).toEqual(['move']);
  });

  test('begins anew when the site fails in between', () => {
    const { change, wait, open } = handRun({}, service);
    wait(3000);
    change({ sites: { [EAST]: siteState('healthy'), [WEST]: siteState('failed') } });
    wait(3000);
    change({
      sites: {
        [EAST]: siteState('healthy'),
        [WEST]: siteState('healthy', { opinionSince: atMs(6000) }),
      },
    });
    wait(4999);
    expect(open()).toEqual(['up']);
    wait(1);
    expect(open()).toEqual(['move']);
  });
});
