/**
 * The way in for service alarms: a topic, the function behind it, and a queue for what got stuck.
 *
 * Any alarm of the account may point at the topic. Messages that the function could not bring into
 * the log are delivered again, and end in the queue.
 */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { AlarmTopic } from './alarm-topic.ts';

export interface AlarmIntakeProps {
  readonly clusterId: string;
  readonly target: IFunction;
  readonly deadLetters: IQueue;
}

/** An alarm that is six hours old says nothing of how the site is now. */
const EVENT_AGE_HOURS_MAX = 6;
/** The most that Lambda offers: after one minute, and after two more. */
const RETRIES_MAX = 2;

export class AlarmIntake extends Construct {
  readonly topic: AlarmTopic;

  constructor(scope: Construct, id: string, { clusterId, target, deadLetters }: AlarmIntakeProps) {
    super(scope, id);
    this.topic = new AlarmTopic(this, 'Topic', {
      topicName: `${clusterId}-service-alarms`,
      displayName: `Tripoint ${clusterId}: alarms about services`,
    });
    this.topic.addSubscription(new LambdaSubscription(target, { deadLetterQueue: deadLetters }));
    target.configureAsyncInvoke({
      maxEventAge: Duration.hours(EVENT_AGE_HOURS_MAX),
      retryAttempts: RETRIES_MAX,
      onFailure: new SqsDestination(deadLetters),
    });
  }
}
