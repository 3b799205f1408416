/**
 * Moves the writer of an Aurora global database to another region.
 *
 * Graceful is a switchover: Aurora waits until the target has everything, and nothing is lost; it needs
 * the writer's region, and is asked there. Emergency is a failover with data loss allowed, asked in the
 * target's region, because the writer's may be gone. Either is looked for before it is asked for: a
 * database that already moves to the target is waited for, one that moves elsewhere is not disturbed.
 * (RDS API: DescribeGlobalClusters, SwitchoverGlobalCluster, FailoverGlobalCluster.)
 */
import {
  DescribeGlobalClustersCommand,
  FailoverGlobalClusterCommand,
  type GlobalCluster,
  type RDSClient,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import type { Clock } from '../../base/clock.ts';
import type { ActionOutcome, DatabaseReading, Promotion } from '../../recovery/action-ports.ts';
import type { DatabasePolicy } from '../../recovery/plan.ts';
import { classifyActionFailure, classifyReadFailure, refused } from './errors.ts';
import { HELD_UP, lateCheck } from './late-check.ts';

export type DatabaseClient = Pick<RDSClient, 'send'>;
export type DatabaseClientOf = (region: string) => DatabaseClient;
/** What a promotion needs; the clock tells whether it comes too late. */
export interface PromotionOptions {
  readonly clientOf: DatabaseClientOf;
  readonly clock: Pick<Clock, 'monotonicNow'>;
}

type AuroraPolicy = Extract<DatabasePolicy, { readonly kind: 'aurora-global' }>;

/** From the regions in turn, until one answers: any of them knows the whole. */
export async function readAurora(
  clientOf: DatabaseClientOf,
  database: AuroraPolicy,
): Promise<DatabaseReading> {
  const regions = [...new Set(Object.values(database.members).map(({ region }) => region))];
  let failure: DatabaseReading = { kind: 'unknown', cause: 'the database has no members' };
  for (const region of regions) {
    try {
      const found = await describe(clientOf(region), database.globalCluster);
      return found === null
        ? absent(database)
        : { kind: 'read', members: membersOf(found, database) };
    } catch (thrown) {
      failure = classifyReadFailure(thrown, subjectOf(database));
    }
  }
  return failure;
}

export async function promoteAurora(
  { clientOf, clock }: PromotionOptions,
  database: AuroraPolicy,
  { to, mode }: Promotion,
): Promise<ActionOutcome> {
  const isLate = lateCheck(clock);
  const target = Object.hasOwn(database.members, to) ? database.members[to] : undefined;
  if (target === undefined) {
    return refused('not-a-member', `${subjectOf(database)} has no member at ${to}`);
  }
  try {
    const found = await describe(clientOf(target.region), database.globalCluster);
    if (found === null) {
      return absent(database);
    }
    const settled = settledOutcome(found, database, target.cluster);
    if (settled !== null) {
      return settled;
    }
    if (isLate()) {
      return HELD_UP;
    }
    const place = {
      GlobalClusterIdentifier: database.globalCluster,
      TargetDbClusterIdentifier: target.cluster,
    };
    if (mode === 'graceful') {
      const writerRegion = regionOf(writerOf(found) ?? '') ?? target.region;
      await clientOf(writerRegion).send(new SwitchoverGlobalClusterCommand(place));
    } else {
      const command = new FailoverGlobalClusterCommand({ ...place, AllowDataLoss: true });
      await clientOf(target.region).send(command);
    }
    return moving(database, { to: target.cluster, status: 'requested' });
  } catch (thrown) {
    const isMoving = thrown instanceof Error && thrown.name.startsWith('InvalidGlobalClusterState');
    // It moves already, or does something else for a while: the next look tells.
    return isMoving
      ? moving(database, { to: target.cluster, status: thrown.name })
      : classifyActionFailure(thrown, subjectOf(database));
  }
}

/** What can be said without asking for a change; null = it must be asked for. */
function settledOutcome(
  found: GlobalCluster,
  database: AuroraPolicy,
  target: string,
): ActionOutcome | null {
  const { Status: status = 'unknown', FailoverState: failover } = found;
  const isMember = found.GlobalClusterMembers?.some(({ DBClusterArn }) => DBClusterArn === target);
  if (isMember !== true) {
    return refused('not-a-member', `${target} is no member of ${subjectOf(database)}`);
  }
  const goal = failover?.Status === undefined ? null : failover.ToDbClusterArn;
  if (goal !== null && goal !== undefined) {
    return goal === target
      ? moving(database, { to: target, status: failover?.Status ?? status })
      : { kind: 'unknown', cause: `${subjectOf(database)} is moving to ${goal}` };
  }
  if (writerOf(found) !== target) {
    return null;
  }
  return status === 'available'
    ? { kind: 'done', evidence: { database: database.globalCluster, writer: target } }
    : moving(database, { to: target, status });
}

function moving(
  { globalCluster }: AuroraPolicy,
  { to, status }: { readonly to: string; readonly status: string },
): ActionOutcome {
  const evidence = { database: globalCluster, to, status };
  return { kind: 'pending', code: 'database-moving', evidence };
}

async function describe(client: DatabaseClient, name: string): Promise<GlobalCluster | null> {
  const { GlobalClusters: [found] = [] } = await client.send(
    new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: name }),
  );
  return found ?? null;
}

function membersOf(
  { GlobalClusterMembers = [], Status }: GlobalCluster,
  { members }: AuroraPolicy,
): Extract<DatabaseReading, { kind: 'read' }>['members'] {
  const known = Object.entries(members).flatMap(([site, { cluster }]) => {
    const member = GlobalClusterMembers.find(({ DBClusterArn }) => DBClusterArn === cluster);
    const status = member?.SynchronizationStatus ?? Status ?? 'unknown';
    return member === undefined ? [] : [[site, { isWriter: member.IsWriter === true, status }]];
  });
  return Object.fromEntries(known);
}

function writerOf({ GlobalClusterMembers = [] }: GlobalCluster): string | undefined {
  return GlobalClusterMembers.find(({ IsWriter }) => IsWriter === true)?.DBClusterArn;
}

/** `arn:aws:rds:us-east-1:123456789012:cluster:name` */
function regionOf(arn: string): string | null {
  return arn.split(':')[3] ?? null;
}

function subjectOf({ globalCluster }: AuroraPolicy): string {
  return `Aurora global database ${globalCluster}`;
}

function absent(database: AuroraPolicy): ReturnType<typeof refused> {
  return refused('resource-absent', `there is no ${subjectOf(database)}; check its name`);
}
