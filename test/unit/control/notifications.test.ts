/** People are told by the leading region: once where all is well, again where an answer was lost. */
import { describe, expect, test } from 'vitest';
import { epochMillis, type LogIndex } from '../../../lib/base/identifiers.ts';
import type { CommandResult, ControlCommand } from '../../../lib/control/commands.ts';
import { CONTROL_LIMITS } from '../../../lib/control/limits.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { dueNotices } from '../../../lib/control/notices.ts';
import { Notifier } from '../../../lib/control/notifications.ts';
import type { ActionOutcome } from '../../../lib/recovery/action-ports.ts';
import type { NotificationTarget } from '../../../lib/recovery/plan.ts';
import type { RecoveryState, TimelineEvent } from '../../../lib/recovery/state.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { OBSERVERS, servicePolicy } from '../../support/service-states.ts';

const PAGER: NotificationTarget = { kind: 'sns', topicArn: 'arn:aws:sns:us-west-2:1:pager' };
const CHAT: NotificationTarget = { kind: 'webhook', url: 'https://chat.test/x', secretName: null };
const DONE: ActionOutcome = { kind: 'done', evidence: null };
const LOST: ActionOutcome = { kind: 'unknown', cause: 'no answer' };
const START = epochMillis(1_800_000_000_000);

/** A service of which the timeline tells these kinds, one entry each, from entry 10 on. */
function stateOf(...kinds: readonly string[]): RecoveryState {
  const policy = servicePolicy({ notify: [PAGER, CHAT] });
  const base = { index: 1 as LogIndex, term: 1 as never };
  const empty = createControlMachine(OBSERVERS).initial;
  const configure = { kind: 'configure', configHash: 'h', policies: [policy] } as const;
  const { state } = reduce(empty, { ...configure, by: 'ann', reason: 'x', at: START }, base);
  const timeline = kinds.map(
    (kind, place): TimelineEvent => ({
      index: (10 + place) as LogIndex,
      at: START,
      service: policy.service,
      kind,
      sentence: `${kind} happened`,
    }),
  );
  return { ...state, timeline };
}

function worldOf(state: RecoveryState, answer: (target: NotificationTarget) => ActionOutcome) {
  const world = { state, leads: true, tokens: [] as string[], proposed: [] as ControlCommand[] };
  const clock = createManualClock(START);
  const notifier = new Notifier({
    clusterId: 'cluster',
    port: {
      notify: async (target, _notice, token) => {
        world.tokens.push(`${target.kind} ${token}`);
        return answer(target);
      },
    },
    state: () => world.state,
    isLeading: () => world.leads,
    propose: async (command): Promise<CommandResult> => {
      world.proposed.push(command);
      const { state: next, result } = reduce(world.state, command, {
        index: 99 as LogIndex,
        term: 1 as never,
      });
      world.state = next;
      return result;
    },
    clock,
    log: () => undefined,
  });
  return { world, clock, notifier };
}

describe('what is told', () => {
  test('is each kind of event that a person must hear of, to each target, under one token', () => {
    const state = stateOf('run-started', 'opinion', 'run-failed');
    const due = dueNotices(state, { now: START, clusterId: 'cluster' });
    expect(due.map(({ target, token }) => `${target.kind} ${token}`)).toEqual([
      'sns cluster/10/checkout/run-started',
      'webhook cluster/10/checkout/run-started',
      'sns cluster/12/checkout/run-failed',
      'webhook cluster/12/checkout/run-failed',
    ]);
    expect(due[0]?.notice).toMatchObject({
      subject: 'Tripoint: checkout: a run begins',
      sentence: 'run-started happened',
    });
  });

  test('is a refusal only while a failed site stands unrecovered', () => {
    const state = stateOf('refuse');
    const at = { now: START, clusterId: 'cluster' };
    expect(dueNotices(state, at)).toEqual([]);
    const { checkout } = state.services;
    const impaired = { ...checkout, phase: { kind: 'impaired', cause: 'site-failed' } } as const;
    const services = { checkout: impaired } as RecoveryState['services'];
    expect(dueNotices({ ...state, services }, at)).toHaveLength(2);
  });

  test('is nothing that is older than an hour, and never a part of one entry', () => {
    const state = stateOf('run-done');
    const later = epochMillis(START + CONTROL_LIMITS.noticeAgeMsMax + 1);
    expect(dueNotices(state, { now: later, clusterId: 'c' })).toEqual([]);
    const many = stateOf(...Array.from({ length: 30 }, () => 'run-done'));
    const due = dueNotices(many, { now: START, clusterId: 'c' });
    expect(due).toHaveLength(CONTROL_LIMITS.noticesPerPassMax);
    const one = {
      ...many,
      timeline: many.timeline.map((event) => ({ ...event, index: 10 as LogIndex })),
    };
    expect(dueNotices(one, { now: START, clusterId: 'c' })).toHaveLength(60);
  });
});

describe('the notifier', () => {
  test('tells each target once, and has the log remember how far', async () => {
    const { world, notifier } = worldOf(stateOf('run-started', 'run-done'), () => DONE);
    await notifier.work();
    await notifier.work();
    expect(world.tokens).toHaveLength(4);
    expect(world.proposed).toMatchObject([{ kind: 'notified', through: 11, failed: [] }]);
    expect(world.state.notifiedThrough).toBe(11);
  });

  test('says nothing where another region leads; that one tells again what may be lost', async () => {
    const { world, notifier } = worldOf(stateOf('run-done'), () => DONE);
    world.leads = false;
    await notifier.work();
    expect(world.tokens).toEqual([]);
    const other = worldOf(world.state, () => DONE);
    await other.notifier.work();
    world.leads = true;
    await notifier.work();
    expect(world.tokens).toEqual(other.world.tokens);
  });

  test('asks a target again that does not answer, ever more rarely, then gives it up', async () => {
    const { world, clock, notifier } = worldOf(stateOf('run-failed'), ({ kind }) =>
      kind === 'sns' ? DONE : LOST,
    );
    for (let second = 0; second < 120; second += 1) {
      await notifier.work();
      await clock.advance(1000);
    }
    const sent = world.tokens.filter((token) => token.startsWith('sns'));
    const tried = world.tokens.filter((token) => token.startsWith('webhook'));
    expect([sent.length, tried.length]).toEqual([1, CONTROL_LIMITS.noticeAttemptsMax]);
    expect(world.proposed).toMatchObject([
      { through: 10, failed: ['entry 10: Tripoint: checkout: a run failed'] },
    ]);
    expect(world.state.timeline.at(-1)).toMatchObject({ kind: 'notice-given-up' });
  });

  test('does not let a target that refuses keep the others waiting', async () => {
    const { world, notifier } = worldOf(stateOf('run-started', 'run-done'), ({ kind }) =>
      kind === 'sns' ? { kind: 'refused', code: 'not-permitted', detail: 'no' } : DONE,
    );
    await notifier.work();
    expect(world.tokens).toHaveLength(4);
    expect(world.state.notifiedThrough).toBe(11);
  });
});
