/**
 * Brings the alarm messages of one batch of the queue into the log.
 *
 * Of each alarm only its latest message counts: what it said in between has been taken back. A refused
 * message is counted and dropped: the same text would be refused again. Whatever is not known to be in
 * the log, and an alarm that changes too often to be taken now, stays in the queue, which brings it
 * again; after many times it goes to the dead-letter queue, where an alarm stands. The id that a
 * message computes to makes all of this safe (`alarm-message.ts`).
 */
import type { Clock } from '../base/clock.ts';
import type { CommandId, EpochMillis } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { METRICS } from '../config/names.ts';
import type { AlarmCommand } from '../control/alarm-commands.ts';
import type { AlarmOutcome } from '../control/alarm-intake.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import { type AlarmMessage, parseAlarmMessage } from './alarm-message.ts';
import type { LambdaMetrics } from './lambda-metrics.ts';

/** The part of an SQS event that matters here. The body is what SNS or EventBridge sent, as it was; a hand may forget it. */
export interface AlarmEvent {
  readonly Records: readonly { readonly messageId: string; readonly body?: string }[];
}

/** Messages that are to be brought again. */
export interface AlarmFailures {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

export interface AlarmDelivery {
  readonly lookUp: ControlPlane['lookUp'];
  /** `raiseAlarm` of the region's plane. */
  readonly raise: (id: CommandId, command: AlarmCommand) => Promise<AlarmOutcome>;
  readonly metrics: Pick<LambdaMetrics, 'count'>;
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly sha256: Sha256;
  readonly log: LogEvent;
  /** Newest change of each alarm that this process was brought, least recently brought first. */
  readonly newest: Map<string, EpochMillis>;
}

type Raised = Extract<AlarmMessage, { readonly kind: 'command' }> & { readonly messageId: string };

export async function deliverAlarms(
  event: AlarmEvent,
  delivery: AlarmDelivery,
): Promise<AlarmFailures> {
  const raised = event.Records.flatMap(({ messageId, body }): readonly Raised[] => {
    const message = parseAlarmMessage(body, delivery.sha256);
    if (message.kind === 'refused') {
      delivery.metrics.count(METRICS.alarmsRefused);
      delivery.log('warn', 'alarm-refused', { code: message.code, detail: message.detail });
      return [];
    }
    return [{ ...message, messageId }];
  });
  const latest = latestOfEach(raised).filter((message) => isNewest(message, delivery.newest));
  const [first] = latest;
  if (first === undefined) {
    return { batchItemFailures: [] };
  }
  // A function that starts cold, or was frozen for hours, has caught up before its command says how much of the
  // log it knows.
  await delivery.lookUp(first.id);
  const outcomes = await Promise.all(latest.map((message) => deliver(message, delivery)));
  const failed = outcomes.flatMap((isDone, place) => (isDone ? [] : (latest[place] ?? [])));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** Of one alarm the message that changed it last. */
function latestOfEach(raised: readonly Raised[]): readonly Raised[] {
  const byAlarm = new Map<string, Raised>();
  for (const message of raised.toSorted((a, b) => changeOf(a) - changeOf(b))) {
    const { service, site, name } = message.command;
    byAlarm.set(`${service}/${site}/${name}`, message);
  }
  return [...byAlarm.values()];
}

/**
 * Whether this process was brought nothing newer of the alarm. What was newer is in the log, or still in the
 * queue, so the older word has nothing to say; without this a storm would be worked off a change at a time.
 */
function isNewest(message: Raised, newest: Map<string, EpochMillis>): boolean {
  const { service, site, name } = message.command;
  const key = `${service}/${site}/${name}`;
  const changedAt = changeOf(message);
  const known = newest.get(key);
  newest.delete(key);
  newest.set(key, known === undefined || changedAt > known ? changedAt : known);
  const [oldest] = newest.keys();
  if (newest.size > ALARMS_REMEMBERED_MAX && oldest !== undefined) {
    newest.delete(oldest);
  }
  return known === undefined || changedAt >= known;
}

const ALARMS_REMEMBERED_MAX = 10_000;

function changeOf({ command: { at, changedAt = at } }: Raised): EpochMillis {
  return changedAt;
}

/** Whether nothing more is to do for this message. */
async function deliver(
  { id, command }: Raised,
  { raise, clock, log }: AlarmDelivery,
): Promise<boolean> {
  const { service, site, name, state } = command;
  // When it is brought, not when it changed: how often it may is counted from then on.
  const outcome = await raise(id, { ...command, at: clock.wallNow() });
  const isDone = outcome.kind === 'committed' || outcome.kind === 'nothing-new';
  log(isDone ? 'info' : 'warn', 'alarm', { id, service, site, name, state, ...saidOf(outcome) });
  return isDone;
}

function saidOf(outcome: AlarmOutcome): { readonly outcome: string; readonly why: string | null } {
  switch (outcome.kind) {
    case 'committed':
    case 'nothing-new':
      return { outcome: outcome.result.code, why: null };
    case 'later':
      return { outcome: 'alarm-damped', why: outcome.sentence };
    default:
      return { outcome: outcome.kind, why: outcome.hint };
  }
}
