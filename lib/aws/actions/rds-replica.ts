/**
 * Makes a cross-region read replica of an RDS instance a database of its own.
 *
 * There is no way back: the old writer stays one too, and whatever was not replicated is on it. So the
 * fence and the lag gate come before this step, and a new replica of the new writer is a person's task
 * (or a `lambda` step's). Looked at first: an instance that is no replica of anything and available has
 * been promoted. (RDS API: DescribeDBInstances, PromoteReadReplica.)
 */
import {
  type DBInstance,
  DescribeDBInstancesCommand,
  PromoteReadReplicaCommand,
} from '@aws-sdk/client-rds';
import type {
  ActionOutcome,
  DatabaseMember,
  DatabaseReading,
  Promotion,
} from '../../recovery/action-ports.ts';
import type { DatabasePolicy } from '../../recovery/plan.ts';
import type { DatabaseClient, DatabaseClientOf, PromotionOptions } from './aurora-global.ts';
import { type ActionFailure, classifyActionFailure, refused } from './errors.ts';
import { HELD_UP, lateCheck } from './late-check.ts';

type ReplicaPolicy = Extract<DatabasePolicy, { readonly kind: 'rds-replica' }>;

/** States in which an instance will not become available by itself. */
const STUCK: ReadonlySet<string> = new Set([
  'deleting',
  'failed',
  'inaccessible-encryption-credentials',
  'incompatible-network',
  'incompatible-option-group',
  'incompatible-parameters',
  'incompatible-restore',
  'stopped',
  'stopping',
  'storage-full',
]);

export async function readReplicas(
  clientOf: DatabaseClientOf,
  { members }: ReplicaPolicy,
): Promise<DatabaseReading> {
  const failures: ActionFailure[] = [];
  const readings = await Promise.all(
    Object.entries(members).map(async ([site, { region, instance }]) => {
      try {
        const found = await describe(clientOf(region), instance);
        return found === null ? [] : [[site, memberOf(found)] as const];
      } catch (thrown) {
        failures.push(classifyActionFailure(thrown, `DB instance ${instance} in ${region}`));
        return [];
      }
    }),
  );
  const known = readings.flat();
  const [failure] = failures;
  if (known.length === 0 && failure !== undefined) {
    return failure.kind === 'pending' ? { kind: 'unknown', cause: failure.code } : failure;
  }
  return { kind: 'read', members: Object.fromEntries(known) };
}

export async function promoteReplica(
  { clientOf, clock }: PromotionOptions,
  { members }: ReplicaPolicy,
  { to }: Promotion,
): Promise<ActionOutcome> {
  const isLate = lateCheck(clock);
  const target = Object.hasOwn(members, to) ? members[to] : undefined;
  if (target === undefined) {
    return refused('not-a-member', `the database has no instance at ${to}`);
  }
  const { region, instance } = target;
  const subject = `DB instance ${instance} in ${region}`;
  const client = clientOf(region);
  try {
    const found = await describe(client, instance);
    if (found === null) {
      return refused('resource-absent', `there is no ${subject}; check its name in the file`);
    }
    const { isWriter, status } = memberOf(found);
    if (isWriter && status === 'available') {
      return { kind: 'done', evidence: { database: instance, writer: to } };
    }
    if (STUCK.has(status)) {
      return refused('database-cannot-move', `${subject} is ${status}; see to it first`);
    }
    if (isLate()) {
      return HELD_UP;
    }
    if (!isWriter && status === 'available') {
      await client.send(new PromoteReadReplicaCommand({ DBInstanceIdentifier: instance }));
    }
    return moving(instance, status);
  } catch (thrown) {
    const isMoving = thrown instanceof Error && thrown.name.startsWith('InvalidDBInstanceState');
    return isMoving ? moving(instance, thrown.name) : classifyActionFailure(thrown, subject);
  }
}

function moving(database: string, status: string): ActionOutcome {
  return { kind: 'pending', code: 'database-moving', evidence: { database, status } };
}

async function describe(client: DatabaseClient, instance: string): Promise<DBInstance | null> {
  const { DBInstances: [found] = [] } = await client.send(
    new DescribeDBInstancesCommand({ DBInstanceIdentifier: instance }),
  );
  return found ?? null;
}

function memberOf(found: DBInstance): DatabaseMember {
  const isReplica = (found.ReadReplicaSourceDBInstanceIdentifier ?? '') !== '';
  return { isWriter: !isReplica, status: found.DBInstanceStatus ?? 'unknown' };
}
