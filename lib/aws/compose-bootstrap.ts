/**
 * Creates the registers of a new cluster on AWS, by the credentials of whoever runs it.
 *
 * The one thing that no function may do: a register that is missing from a living cluster must stay
 * missing until a person has looked. So it is a command, run once, after the first deployment.
 */
import type { RegionId } from '../base/identifiers.ts';
import { tableNames } from '../config/names.ts';
import { type BootstrapOutcome, bootstrapCluster } from '../consensus/bootstrap.ts';
import { createDynamoClient } from './dynamodb/client.ts';
import { createRegisterStore } from './dynamodb/register-store.ts';

export interface BootstrapTarget {
  readonly clusterId: string;
  /** All control regions of the cluster, in any order. */
  readonly regions: readonly RegionId[];
}

/** A person waits, perhaps far from every region. */
const PATIENT_TIMEOUTS = { requestTimeoutMs: 15_000, connectionTimeoutMs: 5000 } as const;

/** Safe to repeat. @throws AppError as `bootstrapCluster` does. */
export async function bootstrapOnAws(target: BootstrapTarget): Promise<BootstrapOutcome> {
  const { clusterId } = target;
  const founders = target.regions.toSorted();
  const clients = founders.map((region) => createDynamoClient({ region, ...PATIENT_TIMEOUTS }));
  const registers = clients.map((client, position) => {
    const region = founders[position] as RegionId;
    const identity = { clusterId, region, founders };
    return createRegisterStore({ client, tableName: tableNames(clusterId).consensus, identity });
  });
  try {
    return await bootstrapCluster({ registers, clusterId, founders });
  } finally {
    for (const client of clients) {
      client.destroy();
    }
  }
}
