/** Who votes and who leads in a cluster on AWS, changed by the credentials of whoever runs it. */
import { createHash } from 'node:crypto';
import type { Clock, Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { tableNames } from '../config/names.ts';
import { AWS_TIMINGS } from '../consensus/settings.ts';
import type { MembershipOptions } from '../control/membership.ts';
import { createDynamoClient } from './dynamodb/client.ts';
import { createRegisterStore } from './dynamodb/register-store.ts';

export interface AwsCluster {
  readonly clusterId: string;
  /** Every region that votes, or is to vote. */
  readonly regions: readonly RegionId[];
  /** The regions that the cluster was made with. */
  readonly founders: readonly RegionId[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogEvent;
}

/** A person waits, perhaps far from every region. */
const PATIENT_TIMEOUTS = { requestTimeoutMs: 15_000, connectionTimeoutMs: 5000 } as const;

/** Lends the cluster's log to `use`, and closes all connections after it. */
export async function withAwsCluster<Result>(
  { clusterId, regions, founders, ...rest }: AwsCluster,
  use: (options: MembershipOptions) => Promise<Result>,
): Promise<Result> {
  const clients = regions.map((region) => ({
    region,
    client: createDynamoClient({ region, ...PATIENT_TIMEOUTS }),
  }));
  const registers = clients.map(({ region, client }) =>
    createRegisterStore({
      client,
      tableName: tableNames(clusterId).consensus,
      identity: { clusterId, region, founders: founders.toSorted() },
    }),
  );
  const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
  try {
    return await use({ clusterId, founders, registers, timings: AWS_TIMINGS, sha256, ...rest });
  } finally {
    for (const { client } of clients) {
      client.destroy();
    }
  }
}
