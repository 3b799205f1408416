/**
 * The way in for service alarms: a topic, the function behind it, and a queue for what got stuck.
 *
 * Anyone in the account may point an alarm at the topic; only CloudWatch may publish to it. Messages
 * that the function could not bring into the log are delivered again, and end in the queue.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface AlarmIntakeProps {
  readonly clusterId: string;
  readonly target: IFunction;
  readonly deadLetters: IQueue;
}

export class AlarmIntake extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: AlarmIntakeProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      topicName: `${props.clusterId}-service-alarms`,
      displayName: `Tripoint ${props.clusterId}: alarms about services`,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudWatchAlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    this.topic.addSubscription(
      new LambdaSubscription(props.target, { deadLetterQueue: props.deadLetters }),
    );
  }
}

/** An alarm that is six hours old says nothing of how the site is now. */
export const ALARM_EVENT_AGE_MAX: Duration = Duration.hours(6);
