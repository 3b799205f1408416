/**
 * A schedule that invokes one function, with a role that may do exactly that.
 *
 * The scheduler delivers at least once and knows nothing of what the function makes of it, so what
 * it invokes must bear being invoked twice. The low-level resource on purpose: the high-level target
 * would also grant every version and alias of the function (`arn:*`).
 */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';

export interface MinuteScheduleProps {
  readonly name: string;
  readonly target: IFunction;
  /** A whole number of minutes. */
  readonly periodMs: number;
}

const MINUTE_MS = 60_000;

export class MinuteSchedule extends Construct {
  constructor(scope: Construct, id: string, props: MinuteScheduleProps) {
    super(scope, id);
    const minutes = props.periodMs / MINUTE_MS;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        // Without it, a schedule of a stranger could use this role through the service.
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Lets the schedule ${props.name} invoke its function`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [props.target.functionArn],
      }),
    );
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: props.name,
      scheduleExpression: minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.target.functionArn,
        roleArn: role.roleArn,
        // No dead letters: the next one comes by itself, and an old one is worth nothing. A schedule
        // that delivers nothing at all is what `controller-stopped` and `snapshot-missing` are for.
        retryPolicy: { maximumEventAgeInSeconds: MINUTE_MS / 1000, maximumRetryAttempts: 1 },
      },
    });
    // A new schedule fires at once, and the role must let it by then.
    schedule.node.addDependency(role);
  }
}
