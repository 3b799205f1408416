/** Monitors in `tripoint status` and `tripoint services`: what is watched and never moved. */
import {
  isTroubled,
  type MonitorJson,
  type MonitorSiteJson,
  sentenceOf,
} from '../../api/monitor-schemas.ts';
import { newestBeatInLog } from '../../api/newest-sights.ts';
import { formatElapsed } from '../../base/elapsed.ts';
import { scheduleText } from './monitor-changes.ts';
import { verdictCell } from './opinion.ts';
import type { Style } from './style.ts';
import { type Cell, cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';
import { warningLines } from './warnings.ts';

/** One block for each monitor, as `renderStatus` puts them below the services. */
export function renderMonitors(
  monitors: readonly MonitorJson[],
  observers: readonly string[],
  style: Style,
): readonly string[] {
  return monitors.flatMap(({ monitor, sites, provisioning }) => [
    '',
    `${style(monitor, 'strong')}  ${style('monitor', 'plain')}`,
    ...renderTable(
      {
        header: ['site', 'opinion', ...observers, 'last beat', 'next run', 'says'],
        rows: sites.map((site) => siteRow(site, observers)),
      },
      style,
    ).map((line) => `  ${line}`),
    ...warningLines(sites).map((line) => `  ${style(line, 'warning')}`),
    ...(provisioning === null
      ? []
      : [`  ${provisioning.sites} of ${provisioning.sitesMax} sites came by their first beat`]),
  ]);
}

function siteRow(site: MonitorSiteJson, observers: readonly string[]): readonly Cell[] {
  const { job, opinion } = site;
  const says = opinion.state === 'healthy' ? (job?.message ?? null) : sayingOf(site);
  return [
    cell(site.site),
    verdictCell(opinion.state),
    ...observers.map((observer) => {
      const verdict = site.verdicts.find((candidate) => candidate.observer === observer);
      return verdict === undefined ? cell('–', 'dim') : verdictCell(verdict.state);
    }),
    lastBeatCell(site),
    cell(job?.expectedAt == null ? '–' : formatInstant(job.expectedAt)),
    cell(says ?? '–', says === null ? 'dim' : 'plain'),
  ];
}

/** Where no region that answers has heard it, what the log knows stands in. */
function lastBeatCell({ observation, verdicts }: MonitorSiteJson): Cell {
  if (observation !== null && observation.silentMs !== null) {
    return cell(`${formatElapsed(observation.silentMs)} ago`);
  }
  const logged = newestBeatInLog(verdicts);
  return cell(logged === null ? '–' : `${formatInstant(logged)} in the log`);
}

/** Why the site is as it is, with the last words of the job. */
function sayingOf(site: MonitorSiteJson): string {
  const sentence = sentenceOf(site);
  return site.job?.message == null ? sentence : `${sentence}: ${site.job.message}`;
}

/** One line for each monitor. */
export function renderMonitorLines(
  monitors: readonly MonitorJson[],
  style: Style,
): readonly string[] {
  const rows = monitors.map(({ monitor, sites }) => {
    const troubled = sites.filter(isTroubled).length;
    const schedules = [
      ...new Set(sites.flatMap(({ schedule }) => schedule ?? []).map(scheduleText)),
    ];
    return [
      cell(monitor, 'strong'),
      cell(String(sites.length)),
      troubled === 0 ? cell('● fine', 'good') : cell(`✖ ${troubled} in trouble`, 'bad'),
      cell(schedules.length === 1 ? (schedules[0] ?? '–') : `${schedules.length} schedules`),
    ];
  });
  return renderTable({ header: ['monitor', 'sites', 'state', 'schedule'], rows }, style);
}
