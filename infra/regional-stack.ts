/**
 * Everything Tripoint has in one control region. Made once for each region, equal but for its name.
 *
 * Nothing in it refers to another stack: what it must know of the other regions are names that are
 * computed (`lib/config/names.ts`). So it deploys, updates and works while any other region is gone.
 */
import { CfnOutput, Duration, Fn, SecretValue, Stack, type StackProps } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { bucketName, ENVIRONMENT, tableNames } from '../lib/config/names.ts';
import {
  ALARM_TIMEOUT_MS,
  API_TIMEOUT_MS,
  CONTROLLER_SCHEDULE,
  SNAPSHOT_SCHEDULE,
} from '../lib/config/schedules.ts';
import { actionStatements, secretEnvironment } from './action-permissions.ts';
import { AlarmIntake } from './constructs/alarm-intake.ts';
import { ControlFunction, type ControlFunctionProps } from './constructs/control-function.ts';
import { MinuteSchedule } from './constructs/minute-schedule.ts';
import { OperatorAlarms } from './constructs/operator-alarms.ts';
import { SnapshotBucket } from './constructs/snapshot-bucket.ts';
import { StateTables } from './constructs/state-tables.ts';
import {
  bucketReadStatements,
  bucketWriteStatements,
  healthStatements,
  registerStatements,
  switchStatements,
} from './permissions.ts';
import type { Settings } from './settings.ts';

export interface RegionalStackProps extends StackProps {
  readonly settings: Settings;
  readonly region: string;
}

/** Names of outputs that the global stack and people read. */
export const OUTPUTS = {
  apiUrl: 'ApiUrl',
  apiHost: 'ApiHost',
  serviceAlarmTopic: 'ServiceAlarmTopicArn',
  operatorTopic: 'OperatorTopicArn',
} as const;

export function regionalStackName(clusterId: string, region: string): string {
  return `${clusterId}-${region}`;
}

/** Bounds what a flood of requests can cost, and what it can take from other functions. */
const API_CONCURRENCY_MAX = 100;
/** A second controller would do no harm, only work. */
const CONTROLLER_CONCURRENCY_MAX = 1;
const UNDELIVERED_KEPT_DAYS = 14;

export class RegionalStack extends Stack {
  constructor(scope: Construct, id: string, props: RegionalStackProps) {
    super(scope, id, props);
    const { settings, region } = props;
    new StateTables(this, 'Tables', settings);
    new SnapshotBucket(this, 'Snapshots', { settings, region });
    const functions = new ControlFunctions(this, settings, region);
    const { clusterId } = settings;

    const url = functions.api.lambda.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });

    new MinuteSchedule(this, 'ControllerSchedule', {
      name: `${clusterId}-controller`,
      target: functions.controller.lambda,
      periodMs: CONTROLLER_SCHEDULE.periodMs,
    });
    // A tick that comes too late is dropped, one that failed is not repeated: the next is due.
    functions.controller.lambda.configureAsyncInvoke({
      maxEventAge: Duration.millis(CONTROLLER_SCHEDULE.periodMs),
      retryAttempts: 0,
    });
    new MinuteSchedule(this, 'SnapshotSchedule', {
      name: `${clusterId}-snapshot`,
      target: functions.snapshot.lambda,
      periodMs: SNAPSHOT_SCHEDULE.periodMs,
    });
    functions.snapshot.lambda.configureAsyncInvoke({
      maxEventAge: Duration.millis(SNAPSHOT_SCHEDULE.periodMs),
      retryAttempts: 2,
    });

    const undelivered = new Queue(this, 'Undelivered', {
      queueName: `${clusterId}-undelivered`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(UNDELIVERED_KEPT_DAYS),
    });
    const intake = new AlarmIntake(this, 'AlarmIntake', {
      clusterId,
      target: functions.alarm.lambda,
      deadLetters: undelivered,
    });
    const alarms = new OperatorAlarms(this, 'Alarms', {
      settings,
      deadLetterQueue: `${clusterId}-undelivered`,
    });

    new CfnOutput(this, OUTPUTS.apiUrl, { value: url.url });
    // https://<host>/
    new CfnOutput(this, OUTPUTS.apiHost, { value: Fn.select(2, Fn.split('/', url.url)) });
    new CfnOutput(this, OUTPUTS.serviceAlarmTopic, { value: intake.topic.topicArn });
    new CfnOutput(this, OUTPUTS.operatorTopic, { value: alarms.topic.topicArn });
  }
}

/** The four functions, each with what it needs and no more. */
class ControlFunctions {
  readonly api: ControlFunction;
  readonly controller: ControlFunction;
  readonly snapshot: ControlFunction;
  readonly alarm: ControlFunction;

  constructor(scope: Construct, settings: Settings, region: string) {
    const { clusterId, reserveConcurrency } = settings;
    const common = { clusterId, environment: functionEnvironment(settings), concurrencyMax: null };
    const make = (id: string, props: Omit<ControlFunctionProps, keyof typeof common>) =>
      new ControlFunction(scope, id, { ...common, ...props });
    this.api = new ControlFunction(scope, 'Api', {
      ...common,
      role: 'api',
      description: 'Takes heartbeats and commands, answers status and routing',
      memoryMegabytes: 512,
      timeoutMs: API_TIMEOUT_MS,
      concurrencyMax: reserveConcurrency ? API_CONCURRENCY_MAX : null,
      statements: [
        ...registerStatements(settings),
        ...healthStatements(settings, region),
        ...bucketReadStatements(settings),
      ],
    });
    this.controller = new ControlFunction(scope, 'Controller', {
      ...common,
      environment: {
        ...secretEnvironment(settings),
        ...common.environment,
        ...switchEnvironment(settings),
      },
      role: 'controller',
      description: 'Detects, decides and acts, each second',
      memoryMegabytes: 256,
      timeoutMs: CONTROLLER_SCHEDULE.timeoutMs,
      concurrencyMax: reserveConcurrency ? CONTROLLER_CONCURRENCY_MAX : null,
      statements: [
        ...registerStatements(settings),
        ...healthStatements(settings, region),
        ...bucketReadStatements(settings),
        ...bucketWriteStatements(settings),
        ...switchStatements(settings),
        ...actionStatements(settings),
      ],
    });
    this.snapshot = make('Snapshot', {
      role: 'snapshot',
      description: 'Stores a snapshot of the state',
      memoryMegabytes: 512,
      timeoutMs: SNAPSHOT_SCHEDULE.timeoutMs,
      statements: [
        ...registerStatements(settings),
        ...bucketReadStatements(settings),
        ...bucketWriteStatements(settings),
      ],
    });
    this.alarm = make('Alarm', {
      role: 'alarm',
      description: 'Brings CloudWatch alarms into the log',
      memoryMegabytes: 256,
      timeoutMs: ALARM_TIMEOUT_MS,
      statements: registerStatements(settings),
    });
  }
}

/**
 * What the one function that switches knows beside. The secret of the key is a reference that
 * CloudFormation resolves when it deploys: it stands in no template, and no call for it is made
 * during a recovery.
 */
function switchEnvironment({ dynamicDns, dataPlaneNames }: Settings): {
  readonly [name: string]: string;
} {
  const names = Object.entries(dataPlaneNames).map(([service, name]) => `${service}=${name}`);
  return {
    ...(names.length === 0 ? {} : { [ENVIRONMENT.dataPlaneNames]: names.join(',') }),
    ...(dynamicDns === null
      ? {}
      : {
          [ENVIRONMENT.switch]: 'rfc2136',
          [ENVIRONMENT.dnsServer]: dynamicDns.server,
          [ENVIRONMENT.dnsZone]: dynamicDns.zone,
          [ENVIRONMENT.tsigKeyName]: dynamicDns.keyName,
          [ENVIRONMENT.tsigAlgorithm]: dynamicDns.algorithm,
          [ENVIRONMENT.tsigSecret]: SecretValue.secretsManager(
            dynamicDns.secretName,
          ).unsafeUnwrap(),
        }),
  };
}

/** The same for all functions and all regions; the region itself is told by Lambda. */
export function functionEnvironment(settings: Settings): { readonly [name: string]: string } {
  const { clusterId, account, regions, founders } = settings;
  const tables = tableNames(clusterId);
  const buckets = regions.map((region) => `${region}=${bucketName(clusterId, account, region)}`);
  return {
    [ENVIRONMENT.clusterId]: clusterId,
    [ENVIRONMENT.regions]: regions.join(','),
    ...(founders.length === 0 ? {} : { [ENVIRONMENT.founders]: founders.join(',') }),
    [ENVIRONMENT.consensusTable]: tables.consensus,
    [ENVIRONMENT.healthTable]: tables.health,
    [ENVIRONMENT.buckets]: buckets.join(','),
    ...(settings.dynamicDns === null
      ? { [ENVIRONMENT.hostedZoneId]: settings.hostedZoneId }
      : { [ENVIRONMENT.switch]: 'none' }),
    [ENVIRONMENT.nameServers]: settings.nameServers.join(','),
    [ENVIRONMENT.operatorTokenHash]: settings.operatorTokenSha256,
    [ENVIRONMENT.logLevel]: settings.logLevel,
  };
}
