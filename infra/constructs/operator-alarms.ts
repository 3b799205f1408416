/** The alarms of the catalogue, and the topic through which they reach people. */
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmCatalogue } from '../alarm-catalogue.ts';
import type { Settings } from '../settings.ts';
import { AlarmTopic } from './alarm-topic.ts';

export interface OperatorAlarmsProps {
  readonly settings: Settings;
  readonly deadLetterQueue: string;
}

export class OperatorAlarms extends Construct {
  readonly topic: AlarmTopic;

  constructor(scope: Construct, id: string, { settings, deadLetterQueue }: OperatorAlarmsProps) {
    super(scope, id);
    const { clusterId, operatorEmail, runbook } = settings;
    this.topic = new AlarmTopic(this, 'Topic', {
      topicName: `${clusterId}-operators`,
      displayName: `Tripoint ${clusterId}: alarms about Tripoint itself`,
    });
    if (operatorEmail !== null) {
      this.topic.addSubscription(new EmailSubscription(operatorEmail));
    }
    const action = new SnsAction(this.topic);
    for (const definition of alarmCatalogue({ clusterId, deadLetterQueue })) {
      const alarm = new Alarm(this, definition.id, {
        alarmName: `${clusterId}-${definition.id}`,
        alarmDescription: `${definition.sentence} Runbook: ${runbook}#${definition.id}`,
        metric: definition.metric,
        comparisonOperator: definition.comparison,
        threshold: definition.threshold,
        evaluationPeriods: definition.periods,
        datapointsToAlarm: definition.periodsBeyond,
        treatMissingData: definition.missingData,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }
}
