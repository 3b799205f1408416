import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRole } from '../../../lib/agent/role.ts';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { isSettled } from '../../../lib/recovery/doubt.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import { roleOf } from '../../../lib/recovery/traffic.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { FENCED, plots, SEED, stepsOf, type Told, tell } from '../../support/plots.ts';
import {
  EAST,
  OBSERVERS,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';

const HOUR_MS = 3_600_000;
const ANN = { by: 'ann', reason: 'a test' } as const;
const CALM = safetyPolicy({ holdDownMs: 0 });

function failedOver(policy: ServicePolicy): LogStory {
  const story = steadyStory(policy);
  story.wait(20_000);
  story.say(WEST, 'healthy');
  story.say(EAST, 'failed');
  return story;
}

function cancel(story: LogStory): void {
  story.write({ kind: 'cancel-run', run: story.run().id, ...ANN });
}

function nextHours(story: LogStory, hours: number): void {
  for (let hour = 0; hour < hours; hour += 1) {
    story.waitReviewing(HOUR_MS);
    story.say(WEST, 'healthy');
    story.say(EAST, 'failed');
  }
}

const ask = (story: LogStory, to: string | null) =>
  story.write({ kind: 'failover', service: 'checkout', to, force: false, ...ANN });

describe('a run that is stopped half-way', () => {
  test('while it fences leaves nobody active, says so, and is tried again after the hold-down', () => {
    const story = failedOver(servicePolicy({ fencing: 'lease' }));
    cancel(story);
    expect(story.service()).toMatchObject({
      granted: false,
      isTrafficInDoubt: true,
      phase: { kind: 'impaired', cause: 'run-failed' },
    });
    expect(story.service().reviewAt).toBeGreaterThan(story.now());
    nextHours(story, 2);
    expect(story.run()).toMatchObject({
      kind: 'failover',
      trigger: 'automatic',
      from: EAST,
      to: WEST,
    });
    story.finishRuns();
    expect(story.service()).toMatchObject({ granted: true, phase: { kind: 'steady' } });
    expect(roleOf(story.service(), WEST)).toBe('active');
  });

  test('while it fences can be repeated by a person at once, without naming the site too', () => {
    for (const to of [WEST, null]) {
      const story = failedOver(servicePolicy({ fencing: 'lease', automatic: true }));
      cancel(story);
      expect(ask(story, to)).toMatchObject({ kind: 'accepted', code: 'failover-authorised' });
      expect(story.run()).toMatchObject({ from: EAST, to: WEST });
    }
  });

  test('while its switch backs off leaves the traffic in doubt', () => {
    const story = failedOver(servicePolicy());
    story.finishStep({ kind: 'again', code: 'dns-did-not-answer' });
    cancel(story);
    expect(story.service()).toMatchObject({
      isTrafficInDoubt: true,
      phase: { kind: 'impaired', cause: 'run-failed' },
    });
    expect(ask(story, WEST).kind).toBe('accepted');
  });

  test('by a step beside a switch that backs off leaves the traffic in doubt', () => {
    const hook = planned('hook', { kind: 'webhook', url: 'https://h.test/', secretName: null });
    const stages = [[planned('switch', { kind: 'switch' }), hook]];
    const plans = { failover: { stages, onFailure: 'undo' }, failback: null } as const;
    const story = failedOver(servicePolicy({ plans, safety: CALM }));
    story.finishStep({ kind: 'again', code: 'dns-did-not-answer' }, 'switch');
    story.finishStep({ kind: 'failed', code: 'webhook-500' }, 'hook');
    expect(story.service()).toMatchObject({
      isTrafficInDoubt: true,
      phase: { kind: 'impaired', cause: 'run-failed' },
    });
  });
});

describe('a fence', () => {
  test('is not given up for a clock that is ahead, or because it takes longer than its time-out', () => {
    const story = failedOver(servicePolicy({ fencing: 'lease', safety: CALM }));
    const [worker] = OBSERVERS;
    const { id } = story.run();
    for (const aheadMs of [HOUR_MS, 2 * HOUR_MS]) {
      const step = story.run().steps.find(({ name }) => name === 'fence');
      const claim = { run: story.run().id, step: 'fence', attempt: (step?.attempt ?? 0) + 1 };
      const at = epochMillis(story.now() + aheadMs);
      story.write({ kind: 'claim-step', ...claim, worker: worker as never }, at);
      const result = { kind: 'waiting', code: 'lease-not-lapsed' } as const;
      story.write({ kind: 'finish-step', ...claim, result }, at);
    }
    expect(story.run()).toMatchObject({ id, outcome: { kind: 'open' } });
    story.finishRuns();
    expect(story.service()).toMatchObject({ granted: true, phase: { kind: 'steady' } });
  });

  test('that fails is tried again at once', () => {
    const story = failedOver(servicePolicy({ fencing: 'lease', safety: CALM }));
    const first = story.run().id;
    story.finishStep({ kind: 'failed', code: 'x' });
    expect(story.run().id).not.toBe(first);
    expect(story.run()).toMatchObject({ from: EAST, to: WEST, outcome: { kind: 'open' } });
  });

  test('that is done gives the role under an epoch of its own, which the target believes', () => {
    const database = { kind: 'aurora-global', cluster: 'orders' } as never;
    const story = failedOver(servicePolicy({ fencing: 'lease', safety: CALM, database }));
    const heard = () => ({
      role: roleOf(story.service(), WEST) as 'active' | 'standby',
      epoch: story.service().epoch,
    });
    const before = heard();
    story.finishStep({ kind: 'done', evidence: null }, 'fence');
    expect(story.run().steps.find(({ name }) => name === 'switch')?.openedAt).toBeNull();
    expect(before.role).toBe('standby');
    expect(decideRole([before, heard()])).toMatchObject({ role: 'active' });
  });

  test('of a repeated handover does not leave out the database', () => {
    const database = { kind: 'aurora-global', cluster: 'orders' } as never;
    const policy = servicePolicy({ fencing: 'lease', safety: CALM, database });
    const story = failedOver(policy);
    story.finishStep({ kind: 'failed', code: 'x' });
    expect(story.run().steps.map(({ name }) => name)).toContain('database');
  });
});

describe('a handover that was begun, and that nobody ended', () => {
  const byHand = { fencing: 'lease', automatic: false } as const;

  /** The run that fences is superseded by one that fails before its own fence. */
  function brokenOff(story: LogStory): void {
    expect(ask(story, WEST).kind).toBe('accepted');
    expect(story.service().granted).toBe(false);
    story.write({ kind: 'failback', service: 'checkout', force: true, ...ANN });
    expect(story.run().steps[0]?.name).toBe('wait-replication');
    story.finishStep({ kind: 'failed', code: 'x' });
  }

  test('is ended by the machine, also where failover is left to people', () => {
    const story = steadyStory(servicePolicy({ ...byHand, safety: CALM }));
    brokenOff(story);
    expect(story.run()).toMatchObject({ kind: 'failover', trigger: 'automatic', to: WEST });
    story.finishRuns();
    expect(story.service()).toMatchObject({ granted: true, phase: { kind: 'steady' } });
    expect(roleOf(story.service(), WEST)).toBe('active');
  });

  test('is tried again though nobody has acknowledged the last try, as often as the budget says', () => {
    const safety = safetyPolicy({ holdDownMs: 0, acknowledgement: true });
    const story = steadyStory(servicePolicy({ ...byHand, safety }));
    brokenOff(story);
    expect(story.service().acknowledgement).not.toBeNull();
    for (let tries = 0; story.run().outcome.kind === 'open'; tries += 1) {
      expect(tries).toBeLessThan(3);
      story.finishStep({ kind: 'failed', code: 'x' });
    }
    expect(story.service()).toMatchObject({
      granted: false,
      decision: { code: 'daily-budget-spent' },
    });
    expect(story.service().automaticRunStarts).toHaveLength(3);
    nextHours(story, 25);
    expect(story.run().outcome.kind).toBe('open');
  });

  test('waits for a person who froze the service, and for nobody else', () => {
    const story = steadyStory(servicePolicy({ ...byHand, safety: CALM }));
    expect(ask(story, WEST).kind).toBe('accepted');
    story.write({ kind: 'freeze', service: 'checkout', durationMs: HOUR_MS, ...ANN });
    story.write({ kind: 'failback', service: 'checkout', force: true, ...ANN });
    story.finishStep({ kind: 'failed', code: 'x' });
    expect(story.service()).toMatchObject({ granted: false, decision: { code: 'frozen' } });
    story.waitReviewing(HOUR_MS);
    expect(story.run()).toMatchObject({ kind: 'failover', trigger: 'automatic', to: WEST });
  });

  test('is no reason to move a service by itself where somebody is active', () => {
    const story = failedOver(servicePolicy(byHand));
    expect(story.state().runs.map(({ kind }) => kind)).not.toContain('failover');
    expect(story.service().decision?.code).toBe('automatic-off');
  });
});

test('shares that are in doubt are written anew when a person asks for the same ones', () => {
  const sites = [EAST, WEST].map((site) => sitePolicy(site, { weight: 50 }));
  const policy = servicePolicy({ strategy: 'active-active', automatic: false, sites });
  for (const asked of ['failback', 'set-weights'] as const) {
    const story = steadyStory(policy);
    const weights = { [EAST]: 50, [WEST]: 50 };
    const write = () =>
      asked === 'failback'
        ? story.write({ kind: asked, service: 'checkout', force: false, ...ANN })
        : story.write({ kind: asked, service: 'checkout', weights, ...ANN });
    expect(write().code).toBe('weights-unchanged');
    story.replace((state) => ({
      ...state,
      services: {
        ...state.services,
        checkout: {
          ...story.service(),
          isTrafficInDoubt: true,
          phase: { kind: 'impaired', cause: 'run-failed' },
        },
      },
    }));
    expect(write().kind, asked).toBe('accepted');
    story.finishRuns();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, isTrafficInDoubt: false });
  }
});

describe('a run that fails in the entry that authorised it', () => {
  const child = planned('child', { kind: 'child-plan', service: 'payments' });
  const stages = [[child], [planned('switch', { kind: 'switch' })]];
  const plans = { failover: { stages, onFailure: 'stop' }, failback: null } as const;
  const payments = servicePolicy({ service: 'payments', dnsName: 'p.test', automatic: false });

  test('is followed by no other there, and costs nothing of the budget', () => {
    const story = steadyStory(servicePolicy({ safety: CALM, plans }), payments);
    story.write({ kind: 'freeze', service: 'payments', durationMs: HOUR_MS, ...ANN });
    story.wait(20_000);
    story.say(EAST, 'failed', { service: 'payments' });
    story.say(EAST, 'failed');
    const ids = story.state().runs.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(story.service()).toMatchObject({
      automaticRunStarts: [],
      phase: { kind: 'impaired' },
      decision: { kind: 'refuse', code: 'hold-down' },
    });
    expect(story.service().reviewAt).toBeGreaterThan(story.now());
    story.waitReviewing(2 * HOUR_MS);
    expect(story.run().outcome.kind).toBe('open');
    story.finishRuns();
    expect(story.service()).toMatchObject({ activeSite: WEST, phase: { kind: 'steady' } });
  });
});

// ── Whatever way a run ends ──────────────────────────────────────────────────────────────────────

/** Answers that stand until evidence or a person changes them; all others bring a review along as they are given. */
const WAITING: ReadonlySet<string> = new Set([
  'no-healthy-target',
  'data-loss-over-limit',
  'data-loss-unknown',
]);

function isDue({ reviewAt, decision }: ServiceState): boolean {
  return reviewAt !== null || (decision?.kind === 'refuse' && WAITING.has(decision.code));
}

function checkService({ state, before }: Told, service: ServiceState): void {
  const { phase, granted, policy } = service;
  const open = state.runs.filter(
    (run) => run.service === policy.service && run.outcome.kind === 'open',
  );
  expect(open.map(({ id }) => id)).toEqual('run' in phase ? [phase.run] : []);
  if (phase.kind === 'steady' || phase.kind === 'practising') {
    expect(isSettled(service), phase.kind).toBe(true);
  }
  if (!granted && open.length === 0) {
    expect(phase).toEqual({ kind: 'impaired', cause: 'run-failed' });
    const was = before.services[policy.service];
    const isSpent = was !== undefined && ('run' in was.phase || was.reviewAt !== null);
    expect(!isSpent || isDue(service), 'nobody is active, and nobody tries again').toBe(true);
  }
}

function checkEntry(step: Told): void {
  const { command, before, result, state } = step;
  const ids = state.runs.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const service of Object.values(state.services)) {
    checkService(step, service);
  }
  if (result.code === 'already-active' && 'service' in command) {
    const asked = before.services[command.service ?? ''];
    expect(asked !== undefined && isSettled(asked)).toBe(true);
  }
}

test('nobody is active only while a run is open or a try is due, and doubt is never denied', () => {
  const steps = fc
    .sample(plots, { seed: SEED, numRuns: 60 })
    .flatMap(({ first, plot }) =>
      [first, FENCED].flatMap((policy) => [...stepsOf(tell(plot, [], policy))]),
    );
  steps.forEach(checkEntry);
  const services = steps.flatMap(({ state }) => Object.values(state.services));
  const abandoned = services.filter(({ granted, phase }) => !granted && !('run' in phase));
  expect(abandoned.length).toBeGreaterThan(0);
});
