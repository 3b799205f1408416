/**
 * The way in for service alarms: a topic and a rule, one queue behind both, the function behind it, and
 * another queue for what got stuck.
 *
 * Any alarm of the account may point at the topic. The rule hears every alarm whose name begins with
 * `tripoint/`, also those that other accounts and regions forward to this account's event bus, so an
 * alarm needs no action of its own. The queue brings again what could not be brought into the log, and
 * an alarm that comes and goes until it has settled.
 */
import { Duration } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { Subscription, SubscriptionProtocol } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ALARM_QUEUE } from '../../lib/config/schedules.ts';
import { AlarmTopic } from './alarm-topic.ts';

export interface AlarmIntakeProps {
  readonly clusterId: string;
  readonly target: IFunction;
  readonly deadLetters: IQueue;
}

/** An alarm that is six hours old says nothing of how the site is now. */
const EVENT_AGE_HOURS_MAX = 6;
/** More at a time would have to be waited for. */
const BATCH_MESSAGES = 10;

export class AlarmIntake extends Construct {
  readonly topic: AlarmTopic;

  constructor(scope: Construct, id: string, { clusterId, target, deadLetters }: AlarmIntakeProps) {
    super(scope, id);
    this.topic = new AlarmTopic(this, 'Topic', {
      topicName: `${clusterId}-service-alarms`,
      displayName: `Tripoint ${clusterId}: alarms about services`,
    });
    const queue = new Queue(this, 'Queue', {
      queueName: `${clusterId}-service-alarms`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.hours(EVENT_AGE_HOURS_MAX),
      visibilityTimeout: Duration.millis(ALARM_QUEUE.againMs),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: ALARM_QUEUE.receivesMax },
    });
    this.#hearTopic(queue, deadLetters);
    this.#hearEvents(queue, { clusterId, deadLetters });
    queue.grantConsumeMessages(target);
    new EventSourceMapping(this, 'Source', {
      target,
      eventSourceArn: queue.queueArn,
      batchSize: BATCH_MESSAGES,
      reportBatchItemFailures: true,
    });
  }

  /** Low-level resources here and below: the others put the name of the region into their own names. */
  #hearTopic(queue: Queue, deadLetterQueue: IQueue): void {
    const { topicArn } = this.topic;
    new Subscription(this, 'Subscription', {
      topic: this.topic,
      protocol: SubscriptionProtocol.SQS,
      endpoint: queue.queueArn,
      rawMessageDelivery: true,
      deadLetterQueue,
    });
    letSend([queue, deadLetterQueue], { service: 'sns.amazonaws.com', sourceArn: topicArn });
  }

  #hearEvents(
    queue: Queue,
    { clusterId, deadLetters }: Pick<AlarmIntakeProps, 'clusterId' | 'deadLetters'>,
  ): void {
    const rule = new CfnRule(this, 'Rule', {
      name: `${clusterId}-service-alarms`,
      description: 'Changes of all alarms that are named tripoint/<service>/<site>/<name>',
      eventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { alarmName: [{ prefix: 'tripoint/' }] },
      },
      targets: [
        {
          id: 'queue',
          arn: queue.queueArn,
          deadLetterConfig: { arn: deadLetters.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: EVENT_AGE_HOURS_MAX * 3600 },
        },
      ],
    });
    letSend([queue, deadLetters], { service: 'events.amazonaws.com', sourceArn: rule.attrArn });
  }
}

function letSend(
  queues: readonly IQueue[],
  { service, sourceArn }: { readonly service: string; readonly sourceArn: string },
): void {
  for (const queue of queues) {
    queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': sourceArn } },
      }),
    );
  }
}
