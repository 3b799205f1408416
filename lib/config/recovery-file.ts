/** From the valid file to the policy: what a service says about its recovery. */
import type { CapacityPolicy, DatabasePolicy, DrillPolicy } from '../recovery/plan.ts';
import type { ReplicationPolicy, ReturnPolicy, ServicePolicy } from '../recovery/policy.ts';
import type { ConfigurationFile } from './file-schema.ts';
import { notificationTargetOf, planPolicyOf } from './step-file.ts';

type ServiceBody = ConfigurationFile['services'][string];
type SiteBody = ServiceBody['sites'][string];

const HOLD_MS_DEFAULT = 300_000;
const RAMP = [10, 50, 100];
const EVERYTHING = ['*'];

type RecoveryPart = Pick<
  ServicePolicy,
  'fencing' | 'replication' | 'alarms' | 'returning' | 'database' | 'notify' | 'plans' | 'drill'
>;

export function recoveryOf(body: ServiceBody): RecoveryPart {
  const { failover, failback } = body.plans;
  return {
    fencing: body.fencing,
    replication: replicationOf(body.replication),
    alarms: {
      missingData: body.alarms.missingData,
      triggering: body.alarms.triggering ?? EVERYTHING,
    },
    returning: returningOf(body),
    database: body.database === undefined ? null : databaseOf(body.database, body.sites),
    notify: body.notify.map(notificationTargetOf),
    plans: {
      failover: failover === undefined ? null : planPolicyOf(failover),
      failback: failback === undefined ? null : planPolicyOf(failback),
    },
    drill: body.drill === undefined ? null : drillOf(body.drill),
  };
}

function replicationOf(body: ServiceBody['replication']): ReplicationPolicy {
  return {
    lagMsMax: body.maxLag ?? null,
    overLimit: body.overLimit ?? 'block',
    unknownLag: body.unknownLag ?? 'accept',
    metric: body.metric ?? null,
  };
}

export function returningOf({
  strategy,
  returning,
}: Pick<ServiceBody, 'strategy' | 'returning'>): ReturnPolicy {
  const percents = returning.percents ?? (strategy === 'active-active' ? RAMP : [100]);
  const usual = percents.length > 1 ? HOLD_MS_DEFAULT : 0;
  return { percents, holdMs: returning.hold ?? usual };
}

/** Where each site stands; one that does not say stands in the region of its name. */
interface SiteRegions {
  readonly [site: string]: { readonly region?: string | undefined };
}

function regionOf(sites: SiteRegions, site: string): string {
  return sites[site]?.region ?? site;
}

export function databaseOf(
  { kind, globalCluster = '', members }: NonNullable<ServiceBody['database']>,
  sites: SiteRegions,
): DatabasePolicy {
  const named = Object.entries(members).map(([site, member]) => {
    const region = member.region ?? regionOf(sites, site);
    return { site, region, cluster: member.cluster ?? '', instance: member.instance ?? '' };
  });
  return kind === 'aurora-global'
    ? {
        kind,
        globalCluster,
        members: Object.fromEntries(
          named.map(({ site, region, cluster }) => [site, { region, cluster }]),
        ),
      }
    : {
        kind,
        members: Object.fromEntries(
          named.map(({ site, region, instance }) => [site, { region, instance }]),
        ),
      };
}

function drillOf(body: NonNullable<ServiceBody['drill']>): DrillPolicy {
  const { cron, timezone = 'UTC', grace: graceMs } = body;
  return {
    schedule: cron === undefined ? null : { kind: 'cron', cron, timezone, graceMs, runMsMax: null },
    to: body.to,
    durationMs: body.duration,
    blockingAlarms: body.blockingAlarms ?? EVERYTHING,
    blockedDates: body.blockedDates,
  };
}

export function capacityOf(
  capacity: NonNullable<SiteBody['capacity']>,
  region: string,
): CapacityPolicy {
  const { serving, standby } = capacity;
  return { resource: resourceOf(capacity, capacity.region ?? region), serving, standby };
}

function resourceOf(
  { autoScalingGroup, ecsService, lambda, hook }: NonNullable<SiteBody['capacity']>,
  region: string,
): CapacityPolicy['resource'] {
  if (autoScalingGroup !== undefined) {
    return { kind: 'auto-scaling-group', region, group: autoScalingGroup };
  }
  if (ecsService !== undefined) {
    const [cluster = '', service = ''] = ecsService.split('/');
    return { kind: 'ecs-service', region, cluster, service };
  }
  if (lambda !== undefined) {
    const [functionName = '', qualifier = ''] = lambda.split(':');
    return { kind: 'lambda-concurrency', region, functionName, qualifier };
  }
  return { kind: 'hook', url: hook ?? '' };
}

/** Shares by site: as written, or equal ones; the first sites take what does not divide. */
export function weightsOf(
  strategy: string | undefined,
  written: readonly (number | undefined)[],
): readonly number[] {
  const isEqual = strategy === 'active-active' && written.every((weight) => weight === undefined);
  const count = Math.max(1, written.length);
  const share = Math.floor(100 / count);
  return written.map((weight, position) =>
    isEqual ? share + (position < 100 - share * count ? 1 : 0) : (weight ?? 0),
  );
}
