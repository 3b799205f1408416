import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AlarmDelivery, deliverAlarms } from '../../../lib/aws/alarm-delivery.ts';
import { type CommandId, epochMillis, logIndex, term } from '../../../lib/base/identifiers.ts';
import { METRICS } from '../../../lib/config/names.ts';
import type { AlarmCommand } from '../../../lib/control/alarm-commands.ts';
import { raiseAlarm } from '../../../lib/control/alarm-intake.ts';
import type { CommandOutcome, StatusView } from '../../../lib/control/control-plane.ts';
import { reduce } from '../../../lib/control/machine.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { steadyStory } from '../../support/log-story.ts';
import { EAST, T0, WEST } from '../../support/service-states.ts';

type Fate = 'committed' | 'unknown' | 'rejected';

/** A plane over a real log, that may lose its quorum or its answers. */
function createWorld({ isReadable = true, fate = 'committed' as Fate } = {}) {
  let state: RecoveryState = steadyStory().state();
  let index = 1000;
  const clock = { now: T0 + 60_000 };
  const written: AlarmCommand[] = [];
  const events: string[] = [];
  const counted: string[] = [];
  const propose = (id: CommandId, command: AlarmCommand): CommandOutcome => {
    if (fate === 'unknown') {
      return { kind: 'unknown', id, hint: 'ask' };
    }
    if (fate === 'rejected') {
      return { kind: 'rejected', id, code: 'busy', hint: 'again' };
    }
    written.push(command);
    index += 1;
    const reduction = reduce(state, command, { index: logIndex(index), term: term(1) });
    state = reduction.state;
    const { result } = reduction;
    return { kind: 'committed', id, index: logIndex(7), term: term(1), result };
  };
  const plane: Parameters<typeof raiseAlarm>[0] = {
    lookUp: async () =>
      isReadable ? { kind: 'not-found' } : { kind: 'unknown', cause: 'no majority' },
    propose: async (id, command) => propose(id, command as AlarmCommand),
    status: () => ({ state }) as StatusView,
  };
  const delivery: AlarmDelivery = {
    lookUp: plane.lookUp,
    raise: (id, command) => raiseAlarm(plane, id, command),
    newest: new Map(),
    metrics: { count: (name) => counted.push(name) },
    clock: { wallNow: () => epochMillis(clock.now) },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    log: (level, event) => events.push(`${level} ${event}`),
  };
  const alarms = () => state.services['checkout']?.sites[EAST]?.alarms ?? [];
  return { plane, delivery, written, events, counted, clock, alarms };
}

let messages = 0;

function messageOf({ name = '5xx', site = EAST, state = 'ALARM', atMs = 0 } = {}) {
  messages += 1;
  const alarm = `tripoint/checkout/${site}/${name}`;
  return {
    messageId: `m-${messages}`,
    body: JSON.stringify({
      AlarmName: alarm,
      AlarmArn: `arn:aws:cloudwatch:us-east-1:111122223333:alarm:${alarm}`,
      NewStateValue: state,
      StateChangeTime: new Date(T0 + atMs).toISOString(),
    }),
  };
}

describe('a batch of alarms', () => {
  test('comes into the log', async () => {
    const { delivery, alarms, events } = createWorld();
    expect(await deliverAlarms({ Records: [messageOf()] }, delivery)).toEqual({
      batchItemFailures: [],
    });
    expect(alarms()).toMatchObject([{ name: '5xx', state: 'alarm' }]);
    expect(events).toEqual(['info alarm']);
  });

  test('writes nothing for what the log says already, or says newer', async () => {
    const { delivery, written } = createWorld();
    await deliverAlarms({ Records: [messageOf({ atMs: 500 })] }, delivery);
    const repeats = [messageOf({ atMs: 500 }), messageOf({ atMs: 100, state: 'OK', name: '5xx' })];
    for (const record of repeats) {
      expect(await deliverAlarms({ Records: [record] }, delivery)).toEqual({
        batchItemFailures: [],
      });
    }
    expect(written).toHaveLength(1);
  });

  test('counts only by what each alarm said last', async () => {
    const { delivery, alarms, written } = createWorld();
    const states = ['OK', 'ALARM', 'OK', 'ALARM'];
    const records = states.map((state, place) => messageOf({ state, atMs: 100 * place }));
    await deliverAlarms({ Records: records.reverse() }, delivery);
    expect(written).toHaveLength(1);
    expect(alarms()).toMatchObject([{ state: 'alarm' }]);
  });

  test.each<[string, Parameters<typeof createWorld>[0]]>([
    ['its fate is open', { fate: 'unknown' }],
    ['it was not taken', { fate: 'rejected' }],
  ])('comes again when %s', async (_case, world) => {
    const { delivery, events } = createWorld(world);
    const record = messageOf();
    expect(await deliverAlarms({ Records: [record] }, delivery)).toEqual({
      batchItemFailures: [{ itemIdentifier: record.messageId }],
    });
    expect(events).toEqual(['warn alarm']);
  });

  test('is not dropped for what a region without a quorum believes', async () => {
    const known = createWorld();
    await deliverAlarms({ Records: [messageOf()] }, known.delivery);
    const cutOff = createWorld({ isReadable: false });
    const plane = { ...cutOff.plane, status: known.plane.status };
    const blind: AlarmDelivery = {
      ...cutOff.delivery,
      raise: (id, command) => raiseAlarm(plane, id, command),
    };
    const record = messageOf();
    expect(await deliverAlarms({ Records: [record] }, blind)).toEqual({
      batchItemFailures: [{ itemIdentifier: record.messageId }],
    });
  });

  test('counts and drops a message that no delivery would make better', async () => {
    const { delivery, written, counted, events } = createWorld();
    const garbage = { messageId: 'x', body: '\u0000' };
    const nameless = { messageId: 'y', body: messageOf().body.replaceAll('tripoint/', 'other/') };
    expect(
      await deliverAlarms({ Records: [garbage, nameless, messageOf({ site: WEST })] }, delivery),
    ).toEqual({ batchItemFailures: [] });
    expect(counted).toEqual([METRICS.alarmsRefused, METRICS.alarmsRefused]);
    expect(events).toEqual(['warn alarm-refused', 'warn alarm-refused', 'info alarm']);
    expect(written).toHaveLength(1);
  });

  test.each([
    { size: 1, count: 1000, ends: 'ok' },
    { size: 1, count: 999, ends: 'alarm' },
    { size: 10, count: 995, ends: 'alarm' },
  ])('of a storm of $count in a minute, $size at a time, ends in the truth', async (storm) => {
    const { delivery, written, alarms, clock } = createWorld();
    let queue = Array.from({ length: storm.count }, (_, place) =>
      messageOf({ state: place % 2 === 0 ? 'ALARM' : 'OK', atMs: 60 * place }),
    );
    for (let rounds = 0; queue.length > 0 && rounds < 40; rounds += 1) {
      const left: string[] = [];
      for (let first = 0; first < queue.length; first += storm.size) {
        const batch = queue.slice(first, first + storm.size);
        const { batchItemFailures } = await deliverAlarms({ Records: batch }, delivery);
        left.push(...batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        clock.now += rounds === 0 ? 60 * storm.size : 1;
      }
      // Four changes at once, and one each half minute.
      expect(written.length).toBeLessThanOrEqual(6 + 2 * rounds);
      queue = queue.filter(({ messageId }) => left.includes(messageId));
      clock.now += 45_000;
    }
    expect(queue).toEqual([]);
    expect(alarms()).toMatchObject([{ state: storm.ends }]);
  });
});
