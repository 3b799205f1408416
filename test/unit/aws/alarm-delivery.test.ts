import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AlarmDelivery, deliverAlarms } from '../../../lib/aws/alarm-delivery.ts';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { METRICS } from '../../../lib/config/names.ts';
import type { CommandLookup, CommandOutcome } from '../../../lib/control/control-plane.ts';

const RESULT = { kind: 'accepted', code: 'alarm-noted', sentence: 'noted' } as const;
const COMMITTED = { kind: 'committed', index: logIndex(7), term: term(1), result: RESULT } as const;

interface World {
  readonly lookUp: CommandLookup;
  readonly propose: (id: Parameters<AlarmDelivery['plane']['propose']>[0]) => CommandOutcome;
}

/** A plane that answers as told, and remembers what it was asked. */
function delivery(world: World) {
  const asked: string[] = [];
  const events: string[] = [];
  const counted: string[] = [];
  const parts: AlarmDelivery = {
    plane: {
      lookUp: async (id) => {
        asked.push(`look up ${id.slice(0, 8)}`);
        return world.lookUp;
      },
      propose: async (id, command) => {
        asked.push(`propose ${command.kind}`);
        return world.propose(id);
      },
    },
    metrics: { count: (name) => counted.push(name) },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    log: (level, event) => events.push(`${level} ${event}`),
  };
  return { parts, asked, events, counted };
}

function messageOf(name: string) {
  return {
    Sns: {
      Message: JSON.stringify({
        AlarmName: name,
        AlarmArn: `arn:aws:cloudwatch:us-east-1:111122223333:alarm:${name}`,
        NewStateValue: 'ALARM',
        StateChangeTime: '2026-11-23T10:00:00.123+0000',
      }),
    },
  };
}

const EVENT = { Records: [messageOf('tripoint/checkout/us-east-1/5xx')] };

describe('deliverAlarms', () => {
  test('asks whether the alarm is in the log before it proposes it', async () => {
    const { parts, asked, events } = delivery({
      lookUp: { kind: 'not-found' },
      propose: (id) => ({ ...COMMITTED, id }),
    });
    await deliverAlarms(EVENT, parts);
    expect(asked).toEqual(
      ['look up alarm-', 'propose alarm'].map((line) => expect.stringContaining(line)),
    );
    expect(events).toEqual(['info alarm']);
  });

  test('writes nothing for a message that was delivered before', async () => {
    const { parts, asked } = delivery({
      lookUp: { kind: 'committed', index: COMMITTED.index, result: RESULT },
      propose: (id) => ({ ...COMMITTED, id }),
    });
    await deliverAlarms(EVENT, parts);
    expect(asked).toHaveLength(1);
  });

  test.each<[string, World]>([
    [
      'no quorum answers',
      {
        lookUp: { kind: 'unknown', cause: 'no majority' },
        propose: (id) => ({ ...COMMITTED, id }),
      },
    ],
    [
      'its fate is open',
      { lookUp: { kind: 'not-found' }, propose: (id) => ({ kind: 'unknown', id, hint: 'ask' }) },
    ],
    [
      'it was not taken',
      {
        lookUp: { kind: 'not-found' },
        propose: (id) => ({ kind: 'rejected', id, code: 'busy', hint: 'again' }),
      },
    ],
  ])('throws when %s, so that Lambda delivers it again', async (_case, world) => {
    const { parts, events } = delivery(world);
    await expect(deliverAlarms(EVENT, parts)).rejects.toMatchObject({
      code: 'alarm-not-delivered',
      retryable: true,
    });
    expect(events).toEqual(['warn alarm']);
  });

  test('counts and drops a message that no delivery would make better', async () => {
    const { parts, asked, counted, events } = delivery({
      lookUp: { kind: 'not-found' },
      propose: (id) => ({ ...COMMITTED, id }),
    });
    const garbage = { Sns: { Message: '\u0000' } };
    await deliverAlarms({ Records: [garbage, messageOf('disk-full')] }, parts);
    expect(asked).toEqual([]);
    expect(counted).toEqual([METRICS.alarmsRefused, METRICS.alarmsRefused]);
    expect(events).toEqual(['warn alarm-refused', 'warn alarm-refused']);
  });

  test('brings in the good messages of an event beside a bad one', async () => {
    const { parts, asked } = delivery({
      lookUp: { kind: 'not-found' },
      propose: (id) => ({ ...COMMITTED, id }),
    });
    const second = messageOf('tripoint/checkout/us-west-2/5xx');
    await deliverAlarms({ Records: [messageOf('x'), ...EVENT.Records, second] }, parts);
    expect(asked.filter((line) => line.startsWith('propose'))).toHaveLength(2);
  });
});
