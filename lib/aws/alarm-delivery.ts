/**
 * Brings the alarm messages of one SNS event into the log.
 *
 * A refused message is counted and dropped: the same text would be refused again. Anything that is
 * not known to be in the log throws, and so does the invocation: Lambda then delivers the event
 * again, up to the limits of its queue, and puts it into the dead-letter queue after that. The id
 * that a message computes to makes all of this safe (`alarm-message.ts`).
 */
import { AppError } from '../base/errors.ts';
import type { CommandId } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { METRICS } from '../config/names.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import { type AlarmCommand, type AlarmMessage, parseAlarmMessage } from './alarm-message.ts';
import type { LambdaMetrics } from './lambda-metrics.ts';

/** The part of an SNS event that matters here. */
export interface AlarmEvent {
  readonly Records: readonly { readonly Sns: { readonly Message: string } }[];
}

export interface AlarmDelivery {
  readonly plane: Pick<ControlPlane, 'propose' | 'lookUp'>;
  readonly metrics: Pick<LambdaMetrics, 'count'>;
  readonly sha256: Sha256;
  readonly log: LogEvent;
}

/** @throws AppError `alarm-not-delivered` unless every command of the event is in the log. */
export async function deliverAlarms(event: AlarmEvent, delivery: AlarmDelivery): Promise<void> {
  const messages = event.Records.map(({ Sns }) => parseAlarmMessage(Sns.Message, delivery.sha256));
  const outcomes = await Promise.all(messages.map((message) => deliver(message, delivery)));
  const open = outcomes.filter((outcome) => outcome !== null);
  if (open.length > 0) {
    throw new AppError(
      `${open.length} of ${messages.length} alarms are not known to be in the log`,
      {
        code: 'alarm-not-delivered',
        hint: 'Delivered again by itself; see the runbook, section alarm-undelivered, when it recurs.',
        retryable: true,
        cause: open,
      },
    );
  }
}

/** Null = nothing more to do for this message; else why it is not known to be in the log. */
async function deliver(
  message: AlarmMessage,
  { plane, metrics, log }: AlarmDelivery,
): Promise<string | null> {
  if (message.kind === 'refused') {
    metrics.count(METRICS.alarmsRefused);
    log('warn', 'alarm-refused', { code: message.code, detail: message.detail });
    return null;
  }
  const { id, command } = message;
  const { service, site, name, state } = command;
  const outcome = await bringIn(id, command, plane);
  log(outcome.why === null ? 'info' : 'warn', 'alarm', {
    ...{ id, service, site, name, state },
    ...outcome,
  });
  return outcome.why;
}

interface Delivered {
  readonly outcome: string;
  readonly why: string | null;
}

/**
 * Asks before it proposes. The question reads a majority, so a function that starts cold has caught
 * up before its command says how much of the log it knows; and a message that was delivered before
 * writes nothing.
 */
async function bringIn(
  id: CommandId,
  command: AlarmCommand,
  plane: AlarmDelivery['plane'],
): Promise<Delivered> {
  const before = await plane.lookUp(id);
  switch (before.kind) {
    case 'committed':
      return { outcome: 'delivered-before', why: null };
    case 'unknown':
      return { outcome: 'no-quorum', why: before.cause };
    case 'not-found': {
      const after = await plane.propose(id, command);
      return after.kind === 'committed'
        ? { outcome: after.result.code, why: null }
        : { outcome: after.kind, why: after.hint };
    }
  }
}
