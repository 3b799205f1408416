/** Who votes and who leads in a cluster on this machine, changed through its stores. */
import type { LogEvent } from '../base/log.ts';
import { LOCAL_TIMINGS } from '../consensus/settings.ts';
import type { MembershipOptions } from '../control/membership.ts';
import { openClusterRecord } from './cluster-file.ts';
import { readLocalFile } from './local-file.ts';
import { createLayout } from './local-layout.ts';
import { openRegisters } from './region-stores.ts';
import { SYSTEM_CLOCK, sha256 } from './system-clock.ts';

/**
 * Lends the log of the cluster in this folder to `use`, and closes all connections after it.
 *
 * @throws AppError `local-not-started`, `local-file-invalid`, `cluster-file-invalid`.
 */
export async function withLocalCluster<Result>(
  dir: string,
  log: LogEvent,
  use: (options: MembershipOptions) => Promise<Result>,
): Promise<Result> {
  const { supervisor } = await readLocalFile(dir);
  const layout = createLayout({ dir, portBase: Number(new URL(supervisor.url).port) });
  const { clusterId } = await openClusterRecord(layout.clusterFile);
  const { registers, close } = openRegisters(clusterId, layout.regions, 'working');
  try {
    return await use({
      clusterId,
      founders: layout.regions.map(({ region }) => region),
      registers,
      timings: LOCAL_TIMINGS,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      sha256,
      log,
    });
  } finally {
    close();
  }
}
