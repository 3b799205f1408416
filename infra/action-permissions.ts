/**
 * What the controller may do to the resources that plans act on: exact actions on exactly these.
 *
 * A deployment whose file names no group, no database, no topic gets none of these statements. Some
 * describe calls take no resource at all, and an Auto Scaling group's ARN holds an id that nobody
 * chooses: these wildcards stand in `permissions.ts` with their reasons. `docs/operating/deploy.md` explains
 * each action.
 */
import { SecretValue } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { QUOTAS } from '../lib/config/quotas.ts';
import type { DatabasePolicy, ScalableResource, TableReference } from '../lib/recovery/plan.ts';
import type { Settings } from './settings.ts';

const PARTITION = 'aws';
/** As `lib/aws/actions/ecs-service.ts` writes it; the only tag that may be set or taken away. */
const MINIMUM_TAG = 'tripoint:minimum-before';

export function actionStatements(settings: Settings): PolicyStatement[] {
  const { acted, account } = settings;
  return [
    ...acted.scalable.flatMap((resource) => scalingStatements(account, resource)),
    ...acted.databases.flatMap((database) => databaseStatements(account, database)),
    ...statement(
      ['lambda:InvokeFunction'],
      acted.functions.map(({ region, functionName }) => functionArn(account, region, functionName)),
    ),
    ...statement(['sns:Publish', 'sns:GetTopicAttributes'], acted.topics),
    ...statement(['servicequotas:GetServiceQuota'], quotaArns(settings)),
    // Metrics have no ARN.
    ...statement(['cloudwatch:GetMetricData'], acted.hasLagMetrics ? ['*'] : []),
    ...statement(
      ['dynamodb:DescribeTable', 'dynamodb:Scan'],
      [...acted.copied, ...acted.restored].map((table) => tableArn(account, table)),
    ),
    ...statement(
      ['dynamodb:CreateTable', 'dynamodb:BatchWriteItem'],
      acted.restored.map((table) => tableArn(account, table)),
    ),
  ];
}

/** Of each kind of resource that plans make larger, in the regions where it runs: for the readiness check. */
function quotaArns({ acted, account }: Settings): string[] {
  const scaled = acted.scalable.flatMap((resource) =>
    resource.kind === 'hook' ? [] : [{ region: resource.region, quota: QUOTAS[resource.kind] }],
  );
  const held = acted.databases.flatMap(({ members }) =>
    Object.values(members).map(({ region }) => ({ region, quota: QUOTAS.database })),
  );
  const arns = [...scaled, ...held].map(
    ({ region, quota: { serviceCode, quotaCode } }) =>
      `arn:${PARTITION}:servicequotas:${region}:${account}:${serviceCode}/${quotaCode}`,
  );
  return [...new Set(arns)];
}

/**
 * The keys of webhooks, by the name that the file gives them: Secrets Manager holds each as
 * `<cluster>/<name>` in every control region. CloudFormation resolves the reference when it deploys: the key
 * stands in no template, and no call for it is made during a recovery.
 */
export function secretEnvironment({ clusterId, acted }: Settings): {
  readonly [name: string]: string;
} {
  return Object.fromEntries(
    acted.secretNames.map((name) => [
      name,
      SecretValue.secretsManager(`${clusterId}/${name}`).unsafeUnwrap(),
    ]),
  );
}

function scalingStatements(account: string, resource: ScalableResource): PolicyStatement[] {
  switch (resource.kind) {
    case 'auto-scaling-group': {
      const { region, group } = resource;
      const arn = `arn:${PARTITION}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${group}`;
      return [
        ...statement(['autoscaling:DescribeAutoScalingGroups'], ['*']),
        ...statement(['autoscaling:SetDesiredCapacity'], [arn]),
      ];
    }
    case 'ecs-service':
      return serviceStatements(account, resource);
    case 'lambda-concurrency': {
      const { region, functionName, qualifier } = resource;
      return statement(
        [
          'lambda:GetProvisionedConcurrencyConfig',
          'lambda:PutProvisionedConcurrencyConfig',
          'lambda:DeleteProvisionedConcurrencyConfig',
        ],
        [`${functionArn(account, region, functionName)}:${qualifier}`],
      );
    }
    case 'hook':
      return [];
  }
}

function serviceStatements(
  account: string,
  { region, cluster, service }: Extract<ScalableResource, { kind: 'ecs-service' }>,
): PolicyStatement[] {
  const name = (text: string) => text.split('/').at(-1) ?? text;
  const place = `${region}:${account}`;
  const targets = `arn:${PARTITION}:application-autoscaling:${place}:scalable-target/*`;
  return [
    ...statement(
      ['ecs:DescribeServices', 'ecs:UpdateService'],
      [`arn:${PARTITION}:ecs:${place}:service/${name(cluster)}/${name(service)}`],
    ),
    ...statement(['application-autoscaling:DescribeScalableTargets'], ['*']),
    ...statement(['application-autoscaling:ListTagsForResource'], [targets]),
    conditional(['application-autoscaling:RegisterScalableTarget'], targets, {
      StringEquals: {
        'application-autoscaling:service-namespace': 'ecs',
        'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
      },
    }),
    conditional(
      ['application-autoscaling:TagResource', 'application-autoscaling:UntagResource'],
      targets,
      {
        'ForAllValues:StringEquals': { 'aws:TagKeys': [MINIMUM_TAG] },
        Null: { 'aws:TagKeys': 'false' },
      },
    ),
  ];
}

function databaseStatements(account: string, database: DatabasePolicy): PolicyStatement[] {
  if (database.kind === 'aurora-global') {
    const whole = `arn:${PARTITION}:rds::${account}:global-cluster:${database.globalCluster}`;
    const clusters = Object.values(database.members).map(({ cluster }) => cluster);
    return [
      ...statement(['rds:DescribeGlobalClusters'], [whole]),
      ...statement(
        ['rds:SwitchoverGlobalCluster', 'rds:FailoverGlobalCluster'],
        [whole, ...clusters],
      ),
    ];
  }
  const instances = Object.values(database.members).map(
    ({ region, instance }) => `arn:${PARTITION}:rds:${region}:${account}:db:${instance}`,
  );
  return statement(['rds:DescribeDBInstances', 'rds:PromoteReadReplica'], instances);
}

/** A function may be named by its ARN already. */
function functionArn(account: string, region: string, functionName: string): string {
  return functionName.startsWith('arn:')
    ? functionName
    : `arn:${PARTITION}:lambda:${region}:${account}:function:${functionName}`;
}

function tableArn(account: string, { region, table }: TableReference): string {
  return `arn:${PARTITION}:dynamodb:${region}:${account}:table/${table}`;
}

/** None where there is no resource: IAM takes no empty list. */
function statement(actions: string[], resources: readonly string[]): PolicyStatement[] {
  return resources.length === 0
    ? []
    : [new PolicyStatement({ effect: Effect.ALLOW, actions, resources: [...resources] })];
}

function conditional(
  actions: string[],
  resource: string,
  conditions: { readonly [operator: string]: { readonly [key: string]: string | string[] } },
): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources: [resource], conditions });
}
