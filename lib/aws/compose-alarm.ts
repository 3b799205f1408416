/** The alarm function: CloudWatch alarms, through SNS, into the log. */
import type { SNSEvent } from 'aws-lambda';
import { deliverAlarms } from './alarm-delivery.ts';
import { type Composition, composeRegion } from './compose.ts';

export type AlarmHandler = (event: SNSEvent) => Promise<void>;

export function composeAlarm(composition: Composition = composeRegion()): AlarmHandler {
  const { region, metrics, sha256, log } = composition;
  const delivery = { plane: region.plane, metrics, sha256, log };
  return (event) => deliverAlarms(event, delivery);
}
