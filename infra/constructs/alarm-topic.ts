/**
 * A topic that CloudWatch alarms of this account may publish to, over TLS, and nothing else may.
 *
 * A topic with any policy of its own loses the default one, which lets the account publish; then an
 * alarm changes its state and nobody hears of it. So the right to publish is always written out.
 */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export class AlarmTopic extends Topic {
  constructor(
    scope: Construct,
    id: string,
    props: { readonly topicName: string; readonly displayName: string },
  ) {
    super(scope, id, { ...props, enforceSSL: true });
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudWatchAlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}
