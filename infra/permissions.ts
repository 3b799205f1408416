/**
 * What each function may do: exact actions on exact resources, as policy statements.
 *
 * The tables and buckets of the other regions are named, not looked up, so a region's permissions
 * stand while another region is gone. `docs/operating/deploy.md` explains each action; a test holds
 * this file against the SDK commands that `lib/aws` sends.
 */
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { bucketName, tableNames } from '../lib/config/names.ts';
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

/** Arrival windows of this region only. Nothing deletes them, so nothing may. */
export function healthStatements(settings: Settings, region: string): PolicyStatement[] {
  const table = tableNames(settings.clusterId).health;
  return [
    allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      [tableArn({ account: settings.account, region, table })],
    ),
  ];
}

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
export function switchStatements({ hostedZoneId, services }: Settings): PolicyStatement[] {
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

export const CHANGES_ARN = `arn:${PARTITION}:route53:::change/*`;

export function bucketArns({ clusterId, account, regions }: Settings): string[] {
  return regions.map((region) => `arn:${PARTITION}:s3:::${bucketName(clusterId, account, region)}`);
}

export function objectsOf(bucketArn: string): string {
  return `${bucketArn}/*`;
}

function tableArn(place: { account: string; region: string; table: string }): string {
  return `arn:${PARTITION}:dynamodb:${place.region}:${place.account}:table/${place.table}`;
}

function allow(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources });
}
