/**
 * Every alarm of a control region: what it measures, when it fires, what missing data means.
 *
 * An alarm is here only if a person can do something about it: `docs/runbook.md` has one section for
 * each, under the alarm's id, and a test holds the two together. Alarms go to the operators' topic,
 * never to the topic that services report to.
 */
import { Duration } from 'aws-cdk-lib';
import {
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import {
  type FunctionRole,
  functionName,
  loggedErrorsMetric,
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
  METRICS,
  tableNames,
} from '../lib/config/names.ts';
import { SNAPSHOT_SCHEDULE } from '../lib/config/schedules.ts';

export interface AlarmDefinition {
  /** Also the section of the runbook. */
  readonly id: string;
  /** What it means for the services that are protected, as one sentence. */
  readonly sentence: string;
  readonly metric: IMetric;
  readonly comparison: ComparisonOperator;
  readonly threshold: number;
  /** Periods looked at, and how many of them must be beyond the threshold. */
  readonly periods: number;
  readonly periodsBeyond: number;
  readonly missingData: TreatMissingData;
}

const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD: AT_LEAST, LESS_THAN_THRESHOLD: BELOW } =
  ComparisonOperator;
const { BREACHING, NOT_BREACHING, IGNORE } = TreatMissingData;
const MINUTE = Duration.minutes(1);

export interface AlarmScope {
  readonly clusterId: string;
  readonly deadLetterQueue: string;
}

export function alarmCatalogue(scope: AlarmScope): readonly AlarmDefinition[] {
  return [...functionAlarms(scope), ...controlAlarms(scope), ...storeAlarms(scope)];
}

function functionAlarms({ clusterId }: AlarmScope): readonly AlarmDefinition[] {
  const lambda = (role: FunctionRole, metricName: string) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { FunctionName: functionName(clusterId, role) },
      statistic: 'Sum',
      period: MINUTE,
    });
  const faults = (role: FunctionRole) => crashesAndLoggedErrors(clusterId, role);
  return [
    {
      id: 'controller-stopped',
      sentence: 'This region neither detects nor acts: its controller was not invoked.',
      metric: lambda('controller', 'Invocations'),
      comparison: BELOW,
      threshold: 1,
      periods: 3,
      periodsBeyond: 3,
      missingData: BREACHING,
    },
    {
      id: 'controller-errors',
      sentence: 'The controller of this region crashes or logs errors: detection may have gaps.',
      metric: faults('controller'),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 5,
      periodsBeyond: 3,
      missingData: NOT_BREACHING,
    },
    {
      id: 'api-errors',
      sentence:
        'The API of this region fails: heartbeats may be lost, routing answers may be wrong.',
      // Not `Url5xxCount`: a routing answer of 503 says "standby", and checkers ask for it all day.
      metric: faults('api'),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 5,
      periodsBeyond: 3,
      missingData: NOT_BREACHING,
    },
    {
      id: 'api-throttled',
      sentence: 'The API of this region turns requests away: heartbeats are being lost.',
      metric: lambda('api', 'Throttles'),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 5,
      periodsBeyond: 3,
      missingData: NOT_BREACHING,
    },
  ];
}

/** Invocations that crashed or ran out of time, and errors that the function logged. */
function crashesAndLoggedErrors(clusterId: string, role: FunctionRole): IMetric {
  const sum = { statistic: 'Sum', period: MINUTE };
  return new MathExpression({
    expression: 'FILL(crashed, 0) + FILL(logged, 0)',
    label: `${role}: crashes and logged errors`,
    period: MINUTE,
    usingMetrics: {
      crashed: new Metric({
        ...sum,
        namespace: 'AWS/Lambda',
        metricName: 'Errors',
        dimensionsMap: { FunctionName: functionName(clusterId, role) },
      }),
      logged: new Metric({
        ...sum,
        namespace: METRIC_NAMESPACE,
        metricName: loggedErrorsMetric(role),
        dimensionsMap: { [METRIC_DIMENSION]: clusterId },
      }),
    },
  });
}

function controlAlarms({ clusterId }: AlarmScope): readonly AlarmDefinition[] {
  const own = (metricName: string, statistic: string, period: Duration) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSION]: clusterId },
      statistic,
      period,
    });
  const snapshotPeriod = Duration.millis(SNAPSHOT_SCHEDULE.periodMs);
  return [
    {
      id: 'quorum-lost',
      sentence: 'Nothing can be committed: no failover will start, by itself or by hand.',
      metric: own(METRICS.quorum, 'Minimum', MINUTE),
      comparison: BELOW,
      threshold: 1,
      periods: 3,
      periodsBeyond: 3,
      // No controller, no datum: `controller-stopped` says that already.
      missingData: IGNORE,
    },
    {
      id: 'snapshot-missing',
      sentence: 'The snapshot function of this region did not end well for three hours.',
      metric: own(METRICS.snapshotsStored, 'Sum', snapshotPeriod),
      comparison: BELOW,
      threshold: 1,
      periods: 3,
      periodsBeyond: 3,
      missingData: BREACHING,
    },
    {
      id: 'early-warning',
      sentence:
        'A site beats in time but shows a sign of a failure to come. Nothing is done about it by itself.',
      metric: own(METRICS.earlyWarnings, 'Maximum', Duration.minutes(5)),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 1,
      periodsBeyond: 1,
      missingData: NOT_BREACHING,
    },
    {
      id: 'rpo-at-risk',
      sentence:
        'The replication lag of a standby is above the RPO of its service, or will be within ten minutes.',
      metric: own(METRICS.rposAtRisk, 'Maximum', Duration.minutes(5)),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 1,
      periodsBeyond: 1,
      missingData: NOT_BREACHING,
    },
    {
      id: 'alarm-refused',
      sentence:
        'A service alarm was dropped, because its name does not say which site it is about.',
      metric: own(METRICS.alarmsRefused, 'Sum', Duration.minutes(5)),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 1,
      periodsBeyond: 1,
      missingData: NOT_BREACHING,
    },
  ];
}

function storeAlarms({ clusterId, deadLetterQueue }: AlarmScope): readonly AlarmDefinition[] {
  const table = (tableName: string, metricName: string) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: tableName },
      statistic: 'Sum',
      period: MINUTE,
    });
  const { consensus, health } = tableNames(clusterId);
  const throttled = {
    comparison: AT_LEAST,
    threshold: 10,
    periods: 5,
    periodsBeyond: 3,
    missingData: NOT_BREACHING,
  } as const;
  return [
    {
      id: 'register-throttled',
      sentence: 'The register of this region is throttled: commands are slow or time out.',
      metric: table(consensus, 'WriteThrottleEvents'),
      ...throttled,
    },
    {
      id: 'heartbeats-throttled',
      sentence: 'The health table is throttled: heartbeats are lost, sites may seem silent.',
      metric: table(health, 'WriteThrottleEvents'),
      ...throttled,
    },
    {
      id: 'alarm-undelivered',
      sentence: 'An event waits in the dead-letter queue: a service alarm may not be in the log.',
      metric: new Metric({
        namespace: 'AWS/SQS',
        metricName: 'ApproximateNumberOfMessagesVisible',
        dimensionsMap: { QueueName: deadLetterQueue },
        statistic: 'Maximum',
        period: MINUTE,
      }),
      comparison: AT_LEAST,
      threshold: 1,
      periods: 1,
      periodsBeyond: 1,
      // An empty queue that nobody touches sends no data after six hours.
      missingData: NOT_BREACHING,
    },
  ];
}
