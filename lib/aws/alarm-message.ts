/**
 * What a CloudWatch alarm says about a site: a message of SNS or EventBridge in, a command out.
 *
 * The name of the alarm carries the site: `tripoint/<service>/<site>/<name>`. A name, not the
 * description, because every tool can set it, it is unique within an account and region, and it
 * shows in the console which alarms Tripoint hears. The command id is computed from the alarm's ARN,
 * the state and the instant of its change: both deliver at least once, and the queue repeats, but the
 * log keeps one entry per id.
 *
 * Parsing is total. Whatever arrives is a command or a refusal with a reason; nothing is thrown, for
 * a message that throws would be delivered again and again.
 *
 * Source: CloudWatch user guide, "Alarm events and notifications" and "Alarm events and EventBridge".
 */
import { z } from 'zod';
import { type CommandId, commandId, type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { AlarmCommand } from '../control/alarm-commands.ts';

export type AlarmRefusalCode =
  | 'not-json'
  /** JSON, but not what CloudWatch sends when an alarm changes its state. */
  | 'not-an-alarm'
  /** An alarm whose name is not `tripoint/<service>/<site>/<name>`. */
  | 'no-site';

export type AlarmMessage =
  | { readonly kind: 'command'; readonly id: CommandId; readonly command: AlarmCommand }
  | { readonly kind: 'refused'; readonly code: AlarmRefusalCode; readonly detail: string };

/** Services and sites as `lib/config` names them; the alarm's own name is freer. */
const ALARM_NAME_PATTERN: RegExp =
  /^tripoint\/([a-z][a-z0-9-]{0,62})\/([a-z][a-z0-9-]{0,62})\/([\x21-\x7e]{1,100})$/;

/** `2026-11-23T09:54:00.123+0000`: the offset lacks the colon that ISO 8601 wants in this form. */
const TIMESTAMP_PATTERN: RegExp =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(?:Z|([+-]\d{2}):?(\d{2}))$/;

const STATES = {
  ALARM: 'alarm',
  OK: 'ok',
  INSUFFICIENT_DATA: 'insufficient-data',
} as const;

const alarmName = z.string().min(1).max(255);
const alarmArn = z.string().startsWith('arn:').max(1600);
const alarmState = z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']);
const timestamp = z.string().regex(TIMESTAMP_PATTERN);

interface Change {
  readonly name: string;
  readonly arn: string;
  readonly state: z.infer<typeof alarmState>;
  readonly timestamp: string;
}

/** Other members are ignored: CloudWatch adds some from time to time. */
const notification = z
  .object({
    AlarmName: alarmName,
    AlarmArn: alarmArn,
    NewStateValue: alarmState,
    StateChangeTime: timestamp,
  })
  .transform(
    (message): Change => ({
      name: message.AlarmName,
      arn: message.AlarmArn,
      state: message.NewStateValue,
      timestamp: message.StateChangeTime,
    }),
  );

const event = z
  .object({
    source: z.literal('aws.cloudwatch'),
    'detail-type': z.literal('CloudWatch Alarm State Change'),
    resources: z.tuple([alarmArn]),
    detail: z.object({ alarmName, state: z.object({ value: alarmState, timestamp }) }),
  })
  .transform(
    ({ resources: [arn], detail }): Change => ({
      name: detail.alarmName,
      arn,
      state: detail.state.value,
      timestamp: detail.state.timestamp,
    }),
  );

/**
 * Reads what CloudWatch says when an alarm, also a composite one, changes its state: an SNS
 * notification or an EventBridge event. Total; one change gives one command and one id by both ways.
 */
export function parseAlarmMessage(text: string | undefined, sha256: Sha256): AlarmMessage {
  if (typeof text !== 'string') {
    return refused('not-json', 'the record has no body');
  }
  const body = parseJson(text);
  if (body === undefined) {
    return refused('not-json', text);
  }
  const change = (isEvent(body) ? event : notification).safeParse(body);
  if (!change.success) {
    return refused('not-an-alarm', z.prettifyError(change.error));
  }
  const { name: alarm, arn, state, timestamp: changedAt } = change.data;
  const at = parseTimestamp(changedAt);
  if (at === null) {
    return refused('not-an-alarm', `no such instant: ${changedAt}`);
  }
  const match = ALARM_NAME_PATTERN.exec(alarm);
  if (match === null) {
    return refused('no-site', `${alarm} is not tripoint/<service>/<site>/<name>`);
  }
  const [, service = '', site = '', name = ''] = match;
  return {
    kind: 'command',
    id: commandId(`alarm-${sha256(`${arn}\n${state}\n${at}`)}`),
    command: { kind: 'alarm', at, changedAt: at, service, site, name, state: STATES[state] },
  };
}

function isEvent(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'detail-type' in body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Whatever is wrong with the text, the caller is told what it was.
    void error;
    return undefined;
  }
}

function parseTimestamp(text: string): EpochMillis | null {
  const [, local = '', hours = '+00', minutes = '00'] = TIMESTAMP_PATTERN.exec(text) ?? [];
  const instant = Date.parse(`${local}${hours}:${minutes}`);
  return Number.isNaN(instant) ? null : epochMillis(instant);
}

function refused(code: AlarmRefusalCode, detail: string): AlarmMessage {
  return { kind: 'refused', code, detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
}

const DETAIL_CHARACTERS_MAX = 300;
