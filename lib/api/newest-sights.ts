/**
 * The sites of monitors as the region that heard them last sees them.
 *
 * A job usually tells one region, so each of the others knows its runs only by the verdicts of that
 * one. Observation and job go together: both are what one region heard. Of equal ones the first
 * stays, so a site that beats everywhere is shown by the region that answered first.
 */
import type { MonitorSiteJson } from './monitor-schemas.ts';
import type { VerdictJson } from './schema-parts.ts';
import type { StatusJson } from './schemas.ts';

export function withNewestSights(status: StatusJson, others: readonly StatusJson[]): StatusJson {
  const seen = others.flatMap((other) =>
    other.monitors.flatMap(({ monitor, sites }) => sites.map((site) => ({ monitor, site }))),
  );
  const byPlace = Map.groupBy(seen, ({ monitor, site }) => placeOf(monitor, site));
  const monitors = status.monitors.map((monitor) => ({
    ...monitor,
    sites: monitor.sites.map((site) => {
      const elsewhere = byPlace.get(placeOf(monitor.monitor, site)) ?? [];
      const { observation, job } = elsewhere.reduce(
        (newest, candidate) =>
          heardAt(candidate.site) > heardAt(newest) ? candidate.site : newest,
        site,
      );
      return { ...site, observation, job };
    }),
  }));
  return { ...status, monitors };
}

function placeOf(monitor: string, { site }: MonitorSiteJson): string {
  return `${monitor}/${site}`;
}

/** By the clock of the region that heard it; before everything where none did. */
function heardAt({ observation }: MonitorSiteJson): number {
  return observation?.lastBeatAt == null ? -Infinity : Date.parse(observation.lastBeatAt);
}

/** The newest beat that the log knows of. It is as old as its verdict: there may be newer ones. */
export function newestBeatInLog(verdicts: readonly VerdictJson[]): string | null {
  return verdicts
    .flatMap(({ lastBeatAt }) => lastBeatAt ?? [])
    .reduce<string | null>((newest, at) => (newest === null || at > newest ? at : newest), null);
}
