/**
 * Keeps the newest reports of a local region and removes the others, as a lifecycle rule does in a
 * bucket: the store itself can delete nothing, on purpose.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reportedRun } from '../control/run-reports.ts';

const REPORTS_KEPT_MAX = 1000;

/** @returns how many reports were removed. A folder that is not there yet holds none. */
export async function removeOldReports(
  snapshotDir: string,
  keptMax: number = REPORTS_KEPT_MAX,
): Promise<number> {
  const folder = join(snapshotDir, 'reports');
  const names = await readdir(folder).catch(() => []);
  const runs = names.flatMap((name) => reportedRun(`reports/${name}`) ?? []);
  const old = runs.toSorted((a, b) => indexOf(b) - indexOf(a)).slice(keptMax);
  const stems = new Set(old.flatMap((run) => [`report-${run}.json`, `report-${run}.md`]));
  for (const name of names) {
    // Beside each object lies its checksum, `<name>#<hash>`.
    if (stems.has(name.split('#')[0] ?? name)) {
      await rm(join(folder, name), { force: true });
    }
  }
  return old.length;
}

/** A run is named after its service and the entry that authorised it: larger is newer. */
function indexOf(run: string): number {
  return Number(/-(\d+)$/.exec(run)?.[1] ?? '0');
}
