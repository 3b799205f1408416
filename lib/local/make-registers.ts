/** Makes the registers of a new local cluster, once all three stores are open. Safe to repeat. */
import { type BootstrapOutcome, bootstrapCluster } from '../consensus/bootstrap.ts';
import type { Layout } from './local-layout.ts';
import { openRegisters } from './region-stores.ts';

/** @throws AppError as `bootstrapCluster` does. */
export async function makeRegisters(layout: Layout, clusterId: string): Promise<BootstrapOutcome> {
  const { registers, close } = openRegisters(clusterId, layout.regions, 'making');
  try {
    const founders = layout.regions.map(({ region }) => region).toSorted();
    return await bootstrapCluster({ registers, clusterId, founders });
  } finally {
    close();
  }
}
