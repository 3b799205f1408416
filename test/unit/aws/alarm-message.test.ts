import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAlarmMessage } from '../../../lib/aws/alarm-message.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

/** As CloudWatch sends it, with the members that nobody here reads. */
const MESSAGE = {
  AlarmName: 'tripoint/checkout/us-east-1/5xx-rate',
  AlarmDescription: null,
  AWSAccountId: '111122223333',
  AlarmConfigurationUpdatedTimestamp: '2026-11-20T08:00:00.000+0000',
  NewStateValue: 'ALARM',
  NewStateReason: 'Threshold Crossed: 3 datapoints were greater than the threshold (5.0).',
  StateChangeTime: '2026-11-23T10:00:00.123+0000',
  Region: 'US East (N. Virginia)',
  AlarmArn: 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:tripoint/checkout/us-east-1/5xx-rate',
  OldStateValue: 'OK',
  OKActions: [],
  AlarmActions: ['arn:aws:sns:us-east-1:111122223333:tripoint-service-alarms'],
  InsufficientDataActions: [],
  Trigger: { MetricName: '5xx', Period: 60 },
};

function parse(change: { readonly [key: string]: unknown } = {}) {
  return parseAlarmMessage(JSON.stringify({ ...MESSAGE, ...change }), sha256);
}

function idOf(change: { readonly [key: string]: unknown } = {}): string | null {
  const message = parse(change);
  return message.kind === 'command' ? message.id : null;
}

describe('parseAlarmMessage', () => {
  test('makes a command of an alarm that is named after a site', () => {
    expect(parse()).toMatchObject({
      kind: 'command',
      command: {
        kind: 'alarm',
        service: 'checkout',
        site: 'us-east-1',
        name: '5xx-rate',
        state: 'alarm',
        at: Date.UTC(2026, 10, 23, 10, 0, 0, 123),
      },
    });
  });

  test.each([
    ['ALARM', 'alarm'],
    ['OK', 'ok'],
    ['INSUFFICIENT_DATA', 'insufficient-data'],
  ])('reads the state %s as %s', (NewStateValue, state) => {
    expect(parse({ NewStateValue })).toMatchObject({ kind: 'command', command: { state } });
  });

  test('gives a redelivery the same id, and any other change another one', () => {
    const id = idOf();
    expect(id).toMatch(/^alarm-[0-9a-f]{64}$/);
    expect(idOf({ NewStateReason: 'worded otherwise', Region: 'us-east-1' })).toBe(id);
    const others = [
      idOf({ StateChangeTime: '2026-11-23T10:00:00.124+0000' }),
      idOf({ NewStateValue: 'OK' }),
      idOf({ AlarmArn: `${MESSAGE.AlarmArn}-2` }),
    ];
    expect(new Set([id, ...others]).size).toBe(4);
  });

  test.each([
    ['2026-11-23T10:00:00.123+0000', 123],
    ['2026-11-23T10:00:00.123Z', 123],
    ['2026-11-23T12:00:00.123+02:00', 123],
    ['2026-11-23T10:00:00Z', 0],
  ])('reads the instant %s', (StateChangeTime, milliseconds) => {
    const at = Date.UTC(2026, 10, 23, 10, 0, 0, milliseconds);
    expect(parse({ StateChangeTime })).toMatchObject({ command: { at } });
  });

  test.each([
    ['disk-full'],
    ['tripoint/checkout/us-east-1'],
    ['tripoint/checkout/us-east-1/'],
    ['tripoint/Checkout/us-east-1/x'],
    ['tripoint//us-east-1/x'],
    ['other/checkout/us-east-1/x'],
    ['tripoint/checkout/us-east-1/with space'],
  ])('refuses the name %j, which is about no site', (AlarmName) => {
    expect(parse({ AlarmName })).toMatchObject({ kind: 'refused', code: 'no-site' });
  });

  test.each([
    { AlarmArn: undefined },
    { AlarmArn: 'not an arn' },
    { NewStateValue: 'PANIC' },
    { StateChangeTime: 'yesterday' },
    { StateChangeTime: '2026-13-45T99:00:00.000+0000' },
    { StateChangeTime: 1_795_428_000 },
    { AlarmName: 7 },
  ])('refuses what CloudWatch does not send: %j', (change) => {
    expect(parse(change)).toMatchObject({ kind: 'refused', code: 'not-an-alarm' });
  });

  test('refuses text that is not JSON, and JSON that is not an object', () => {
    expect(parseAlarmMessage('{', sha256)).toMatchObject({ code: 'not-json' });
    for (const text of ['null', '[]', '"x"', '3', '{}']) {
      expect(parseAlarmMessage(text, sha256)).toMatchObject({ code: 'not-an-alarm' });
    }
  });

  test('never throws, and never tells more than 300 characters of what it refused', () => {
    const damaged = fc
      .tuple(fc.constantFrom(...Object.keys(MESSAGE)), fc.jsonValue())
      .map(([key, value]) => JSON.stringify({ ...MESSAGE, [key]: value }));
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 2000 }), fc.json(), damaged), (text) => {
        const message = parseAlarmMessage(text, sha256);
        return message.kind === 'command' || message.detail.length <= 300;
      }),
      { seed: 20_261_123, numRuns: 500 },
    );
  });
});
