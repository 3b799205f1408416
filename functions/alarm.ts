/** Lambda behind the queue of service alarms: brings each change of an alarm into the log, once. */
import { composeAlarm } from '../lib/aws/compose-alarm.ts';

export const handler = composeAlarm();
