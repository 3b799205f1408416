/**
 * What each port does to the world, as the names of the calls that its adapters make. A tabletop
 * prints them; `test/unit/control/described-calls.test.ts` holds them against the adapters.
 */
import { urlOrigin } from '../base/url-origin.ts';
import type { DatabasePolicy, RunMode, ScalableResource } from '../recovery/plan.ts';
import type { Change, RecordSet } from '../recovery/switch-port.ts';

export interface DescribedCall {
  /** As its service calls it, e.g. `autoscaling:SetDesiredCapacity`. */
  readonly api: string;
  /** What it is about, and with what. */
  readonly detail: string;
  /** Whether it changes something; a tabletop makes none of these. */
  readonly changes: boolean;
  /** Of a change of records: one line each, with `-` or `+`. */
  readonly records?: readonly string[];
}

export function reads(api: string, detail: string): DescribedCall {
  return { api, detail, changes: false };
}

export function changes(api: string, detail: string): DescribedCall {
  return { api, detail, changes: true };
}

/** How the calls of a switch port are named where the port does not say. */
export const PLAIN_SWITCH_CALLS = {
  read: 'dns:read',
  change: 'dns:change',
  status: 'dns:status',
} as const;

export function recordLines(batch: readonly Change[]): readonly string[] {
  return batch.map(
    ({ action, recordSet }) => `${action === 'DELETE' ? '-' : '+'} ${recordText(recordSet)}`,
  );
}

function recordText({ name, type, ttlSeconds, values, weighted }: RecordSet): string {
  const share = weighted === undefined ? '' : ` (weight ${weighted.weight}, id ${weighted.id})`;
  return `${name}. ${ttlSeconds} IN ${type} ${values.join(' ')}${share}`;
}

export function capacityReads(resource: ScalableResource): readonly DescribedCall[] {
  const subject = resourceText(resource);
  switch (resource.kind) {
    case 'auto-scaling-group':
      return [reads('autoscaling:DescribeAutoScalingGroups', subject)];
    case 'ecs-service':
      return [
        reads('ecs:DescribeServices', subject),
        reads('application-autoscaling:DescribeScalableTargets', subject),
      ];
    case 'lambda-concurrency':
      return [reads('lambda:GetProvisionedConcurrencyConfig', subject)];
    case 'hook':
      return [reads('http:GET', subject)];
  }
}

/** @param from the size that was read; null = not known */
export function capacityChanges(
  resource: ScalableResource,
  { from, to }: { readonly from: number | null; readonly to: number },
): readonly DescribedCall[] {
  const size = `${resourceText(resource)}: ${from ?? '?'} → ${to}`;
  switch (resource.kind) {
    case 'auto-scaling-group':
      return [changes('autoscaling:SetDesiredCapacity', size)];
    case 'ecs-service':
      return [
        changes('application-autoscaling:RegisterScalableTarget', `${size} at least`),
        changes('ecs:UpdateService', size),
      ];
    case 'lambda-concurrency':
      return to === 0
        ? [changes('lambda:DeleteProvisionedConcurrencyConfig', size)]
        : [changes('lambda:PutProvisionedConcurrencyConfig', size)];
    case 'hook':
      return [changes('http:PUT', size)];
  }
}

export function resourceText(resource: ScalableResource): string {
  switch (resource.kind) {
    case 'auto-scaling-group':
      return `${resource.group} in ${resource.region}`;
    case 'ecs-service':
      return `${resource.cluster}/${resource.service} in ${resource.region}`;
    case 'lambda-concurrency':
      return `${resource.functionName}:${resource.qualifier} in ${resource.region}`;
    case 'hook':
      return urlOrigin(resource.url);
  }
}

export function databaseReads(database: DatabasePolicy): readonly DescribedCall[] {
  return database.kind === 'aurora-global'
    ? [reads('rds:DescribeGlobalClusters', database.globalCluster)]
    : Object.values(database.members).map(({ region, instance }) =>
        reads('rds:DescribeDBInstances', `${instance} in ${region}`),
      );
}

export function promotion(database: DatabasePolicy, to: string, mode: RunMode): DescribedCall {
  if (database.kind === 'rds-replica') {
    const instance = database.members[to]?.instance ?? '?';
    return changes('rds:PromoteReadReplica', `${instance}, for ${to}`);
  }
  const cluster = database.members[to]?.cluster ?? '?';
  return mode === 'graceful'
    ? changes('rds:SwitchoverGlobalCluster', `${database.globalCluster} to ${cluster}`)
    : changes(
        'rds:FailoverGlobalCluster',
        `${database.globalCluster} to ${cluster}, data may be lost`,
      );
}
