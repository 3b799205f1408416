/** The alarm function: CloudWatch alarms, through a queue, into the log. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { raiseAlarm } from '../control/alarm-intake.ts';
import { type AlarmDelivery, deliverAlarms } from './alarm-delivery.ts';
import { type Composition, composeRegion } from './compose.ts';

export type AlarmHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

export function composeAlarm(composition: Composition = composeRegion()): AlarmHandler {
  const { region, metrics, clock, sha256, log } = composition;
  const newest: AlarmDelivery['newest'] = new Map();
  const { plane } = region;
  const delivery: AlarmDelivery = {
    lookUp: plane.lookUp,
    raise: (id, command) => raiseAlarm(plane, id, command),
    ...{ metrics, clock, sha256, log, newest },
  };
  return (event) => deliverAlarms(event, delivery);
}
