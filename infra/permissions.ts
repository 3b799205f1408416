/**
 * What each function may do: exact actions on exact resources, as policy statements.
 *
 * The tables and buckets of the other regions are named, not looked up, so a region's permissions
 * stand while another region is gone. `docs/operating/deploy.md` explains each action; a test holds
 * this file against the SDK commands that `lib/aws` sends.
 */
import type { Acknowledgment } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { bucketName, TIMER_PARTITION, tableNames } from '../lib/config/names.ts';
import { fenceName } from '../lib/recovery/fence.ts';
import type { Settings } from './settings.ts';

/** AWS partition of every region here; a cluster does not span two. */
const PARTITION = 'aws';

/** Every function reads and writes the registers of all regions: it lends them its CPU. */
export function registerStatements(settings: Settings): PolicyStatement[] {
  const { account, regions, clusterId } = settings;
  const table = tableNames(clusterId).consensus;
  return [
    allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:DeleteItem'],
      regions.map((region) => tableArn({ account, region, table })),
    ),
  ];
}

/** Arrival windows and timers of this region only. Nothing deletes a window, so nothing may. */
export function healthStatements(settings: Settings, region: string): PolicyStatement[] {
  const table = tableNames(settings.clusterId).health;
  const healthArn = tableArn({ account: settings.account, region, table });
  return [
    allow(
      ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      [healthArn],
    ),
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['dynamodb:DeleteItem'],
      resources: [healthArn],
      conditions: {
        'ForAllValues:StringEquals': { [LEADING_KEYS]: [TIMER_PARTITION] },
        Null: { [LEADING_KEYS]: 'false' },
      },
    }),
  ];
}

/** Condition key: partition keys of the items that a request is about. */
const LEADING_KEYS = 'dynamodb:LeadingKeys';

/** Reading back what any region stored: reports, archived log, snapshots. */
export function bucketReadStatements(settings: Settings): PolicyStatement[] {
  return [
    allow(['s3:GetObject'], bucketArns(settings).map(objectsOf)),
    // Without it an object that is absent is answered with 403, which says nothing.
    allow(['s3:ListBucket'], bucketArns(settings)),
  ];
}

/** No `s3:DeleteObject`: a function that goes wrong cannot take a copy away. */
export function bucketWriteStatements(settings: Settings): PolicyStatement[] {
  return [allow(['s3:PutObject'], bucketArns(settings).map(objectsOf))];
}

/**
 * The switch: DELETE and CREATE of the service names and their fences, nothing else in the zone.
 *
 * UPSERT is not allowed, so no mistake in this code can overwrite a record that it did not read.
 * `ForAllValues` is true of an absent key, so `Null` demands that each key is there.
 */
export function switchStatements(settings: Settings): PolicyStatement[] {
  const { hostedZoneId, services, dynamicDns } = settings;
  if (dynamicDns !== null) {
    // A name server of one's own asks for a key, not for rights of AWS.
    return [];
  }
  const names = services.flatMap(({ dnsName }) => [dnsName, fenceName(dnsName)]);
  const zone = `arn:${PARTITION}:route53:::hostedzone/${hostedZoneId}`;
  return [
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [zone],
      conditions: {
        'ForAllValues:StringEquals': {
          [RECORD_KEYS.names]: names,
          [RECORD_KEYS.types]: ['A', 'AAAA', 'CNAME', 'TXT'],
          [RECORD_KEYS.actions]: ['CREATE', 'DELETE'],
        },
        Null: {
          [RECORD_KEYS.names]: 'false',
          [RECORD_KEYS.types]: 'false',
          [RECORD_KEYS.actions]: 'false',
        },
      },
    }),
    allow(['route53:ListResourceRecordSets'], [zone]),
    // A change has no ARN before it is made.
    allow(['route53:GetChange'], [CHANGES_ARN]),
  ];
}

/** Condition keys of `ChangeResourceRecordSets`. Names: lower case, no trailing dot. */
const RECORD_KEYS = {
  names: 'route53:ChangeResourceRecordSetsNormalizedRecordNames',
  types: 'route53:ChangeResourceRecordSetsRecordTypes',
  actions: 'route53:ChangeResourceRecordSetsActions',
} as const;

const CHANGES_ARN = `arn:${PARTITION}:route53:::change/*`;

/** Every wildcard that stands here and in `action-permissions.ts`, with the reason why it must. */
const WILDCARD_REASONS: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  {
    pattern: /^\*$/,
    reason: 'These describe calls take no resource; they read capacities and change nothing.',
  },
  {
    pattern: /:autoScalingGroup:\*:autoScalingGroupName\/[^*]+$/,
    reason: 'The ARN of a group holds an id that AWS makes up; the name after it is exact.',
  },
  {
    pattern: /:scalable-target\/\*$/,
    reason: 'AWS makes the id of a scalable target up; conditions bound its kind and its tags.',
  },
  {
    pattern: /:change\/\*$/,
    reason:
      'Route 53 gives a change its id when it takes it; GetChange reads a status and no data.',
  },
  {
    pattern: /^arn:aws:s3:::[^*]+\/\*$/,
    reason: 'Objects are named when they are written; the bucket holds nothing but them.',
  },
];

/** The acknowledgements of cdk-nag for exactly the wildcards of these statements. */
export function wildcardAcknowledgements(statements: readonly PolicyStatement[]): Acknowledgment[] {
  const wildcards = statements
    .flatMap(({ resources }) => resources)
    .filter((resource) => resource.includes('*'));
  return [...new Set(wildcards)].flatMap((resource) => {
    const known = WILDCARD_REASONS.find(({ pattern }) => pattern.test(resource));
    const id = `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`;
    return known === undefined ? [] : [{ id, reason: known.reason }];
  });
}

function bucketArns({ clusterId, account, regions }: Settings): string[] {
  return regions.map((region) => `arn:${PARTITION}:s3:::${bucketName(clusterId, account, region)}`);
}

function objectsOf(bucketArn: string): string {
  return `${bucketArn}/*`;
}

function tableArn(place: { account: string; region: string; table: string }): string {
  return `arn:${PARTITION}:dynamodb:${place.region}:${place.account}:table/${place.table}`;
}

function allow(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources });
}
