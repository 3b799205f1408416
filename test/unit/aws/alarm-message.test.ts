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

const ARN = 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:';

/** As EventBridge sends the same change of the same alarm. */
const EVENT = {
  version: '0',
  id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
  'detail-type': 'CloudWatch Alarm State Change',
  source: 'aws.cloudwatch',
  account: '111122223333',
  time: '2026-11-23T10:00:00Z',
  region: 'us-east-1',
  resources: [MESSAGE.AlarmArn],
  detail: {
    alarmName: MESSAGE.AlarmName,
    configuration: {
      metrics: [
        {
          id: '30b6c6b2-a864-43a2-4877-c09a1afc3b87',
          metricStat: {
            metric: { namespace: 'AWS/ApplicationELB', name: 'HTTPCode_Target_5XX_Count' },
            period: 60,
            stat: 'Sum',
          },
          returnData: true,
        },
      ],
    },
    previousState: { value: 'OK', timestamp: '2026-11-23T09:56:40.987+0000', reason: '…' },
    state: {
      value: 'ALARM',
      timestamp: MESSAGE.StateChangeTime,
      reason: MESSAGE.NewStateReason,
      reasonData: '{"version":"1.0"}',
    },
  },
};

const COMPOSITE = 'tripoint/checkout/us-east-1/impact';
const CHILD = `${ARN}latency`;

/** A composite alarm has a rule and children in place of a metric. */
const COMPOSITE_MESSAGE = {
  AlarmName: COMPOSITE,
  AlarmDescription: null,
  AWSAccountId: '111122223333',
  NewStateValue: 'ALARM',
  NewStateReason: `${CHILD} transitioned to ALARM at Monday 23 November, 2026 10:00:00 UTC`,
  StateChangeTime: '2026-11-23T10:00:00.640+0000',
  Region: 'US East (N. Virginia)',
  AlarmArn: `${ARN}${COMPOSITE}`,
  OKActions: [],
  AlarmActions: [],
  InsufficientDataActions: [],
  OldStateValue: 'OK',
  AlarmRule: 'ALARM(latency) OR ALARM(errors)',
  TriggeringChildren: [
    { Arn: CHILD, State: { Value: 'ALARM', Timestamp: '2026-11-23T10:00:00.640+0000' } },
  ],
};

const COMPOSITE_EVENT = {
  ...EVENT,
  resources: [COMPOSITE_MESSAGE.AlarmArn],
  detail: {
    alarmName: COMPOSITE,
    configuration: {
      alarmRule: COMPOSITE_MESSAGE.AlarmRule,
      actionsSuppressor: 'working-on-it',
      actionsSuppressorWaitPeriod: 120,
      actionsSuppressorExtensionPeriod: 180,
    },
    previousState: { value: 'OK', timestamp: '2026-11-23T09:56:40.987+0000' },
    state: {
      value: 'ALARM',
      timestamp: COMPOSITE_MESSAGE.StateChangeTime,
      actionsSuppressedBy: 'WaitPeriod',
      actionsSuppressedReason: 'Actions suppressed by WaitPeriod',
    },
  },
};

const read = (message: object) => parseAlarmMessage(JSON.stringify(message), sha256);

describe('an event of EventBridge', () => {
  test.each([
    ['a metric alarm', EVENT, MESSAGE, '5xx-rate'],
    ['a composite alarm, suppressed or not', COMPOSITE_EVENT, COMPOSITE_MESSAGE, 'impact'],
  ])('about %s is the command, under the id, that SNS gives', (...row) => {
    const [, event, message, name] = row;
    expect(read(event)).toMatchObject({
      kind: 'command',
      command: { service: 'checkout', site: 'us-east-1', name, state: 'alarm' },
    });
    expect(read(event)).toEqual(read(message));
  });

  test.each([
    { source: 'custom.monitor' },
    { 'detail-type': 'CloudWatch Alarm Configuration Change' },
    { resources: [] },
    { resources: [MESSAGE.AlarmArn, CHILD] },
    { detail: { ...EVENT.detail, state: undefined } },
    { detail: { ...EVENT.detail, state: { ...EVENT.detail.state, timestamp: 'now' } } },
  ])('is refused when it says no change: %j', (change) => {
    expect(read({ ...EVENT, ...change })).toMatchObject({
      kind: 'refused',
      code: 'not-an-alarm',
    });
  });

  test('is refused, not taken for one of SNS, when it has the members of both', () => {
    const mixed = { ...MESSAGE, 'detail-type': 'Something Else' };
    expect(read(mixed)).toMatchObject({ kind: 'refused', code: 'not-an-alarm' });
  });
});

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
    expect(parseAlarmMessage(undefined, sha256)).toMatchObject({ code: 'not-json' });
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
