/** `tripoint status`: the control regions in one line, then each service and each monitor with its sites. */
import type { ConsensusJson, ServiceJson, SiteJson, StatusJson } from '../../api/schemas.ts';
import { formatElapsed } from '../../base/elapsed.ts';
import { maintenanceText } from './maintenance.ts';
import { renderMonitors } from './monitors.ts';
import { isServiceHealthy, phasePaint, phaseText, roleCell, verdictCell } from './opinion.ts';
import { freezeText, standingLines, waitingText } from './recovery.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';
import { warningLines } from './warnings.ts';

export function renderStatus(status: StatusJson, style: Style): readonly string[] {
  const observers = status.consensus.members.map(({ region }) => region);
  return [
    ...headline(status, style),
    ...(status.freeze === null
      ? []
      : [style(`all services are ${freezeText(status.freeze)}`, 'warning')]),
    ...status.services.flatMap((service) => [
      '',
      ...renderService(service, observers, style),
      ...standingLines(service, status.at).map(([text, paint]) => `  ${style(text, paint)}`),
      ...waitingLines(status, service.service).map((line) => `  ${style(line, 'warning')}`),
    ]),
    ...renderMonitors(status.monitors, observers, style),
    ...(status.services.length === 0 ? ['', style('no services are configured', 'warning')] : []),
  ];
}

/** Runs that cannot go on without a person. */
function waitingLines({ runs, at }: StatusJson, service: string): readonly string[] {
  return runs.filter((run) => run.service === service).flatMap((run) => waitingText(run, at) ?? []);
}

function headline(status: StatusJson, style: Style): readonly string[] {
  const { consensus, region, mode, at } = status;
  const quorum = consensus.quorum ? style('● quorum', 'good') : style('✖ no quorum', 'bad');
  const leader = consensus.leader === null ? 'no leader' : `leader ${consensus.leader}`;
  return [
    `${style('Tripoint', 'strong')} ${mode}, as ${style(region, 'plain')} knows it at ${formatInstant(at)}`,
    `${quorum} ${members(consensus, style)}  ${style(leader, 'plain')}, term ${consensus.term}, log ${consensus.appliedIndex}`,
  ];
}

function members({ members: all }: ConsensusJson, style: Style): string {
  const answering = all.filter(({ reachable }) => reachable).length;
  const silent = all.filter(({ reachable }) => !reachable).map(({ region }) => region);
  const names = silent.length === 0 ? '' : style(` (silent: ${silent.join(', ')})`, 'warning');
  return `${answering} of ${all.length}${names}`;
}

function renderService(
  service: ServiceJson,
  observers: readonly string[],
  style: Style,
): readonly string[] {
  const { phase, analysis, decision } = service;
  const rows = service.sites.map((site) => siteRow(site, observers));
  const header = ['site', 'role', 'opinion', ...observers, 'φ', 'last beat'];
  const paint = isServiceHealthy(service) ? 'good' : phasePaint(phase);
  const refusal = decision !== null && decision.kind === 'refuse' && phase.kind === 'impaired';
  return [
    `${style(service.service, 'strong')}  ${style(service.dnsName, 'plain')}  ${style(phaseText(phase), paint)}`,
    ...renderTable({ header, rows }, style).map((line) => `  ${line}`),
    `  ${style(`${analysis.code}: ${analysis.sentence}`, 'plain')}`,
    ...service.sites.flatMap(reasonLines).map((line) => `  ${style(line, 'plain')}`),
    ...service.maintenance.map((window) => `  ${style(maintenanceText(window), 'warning')}`),
    ...warningLines(service.sites).map((line) => `  ${style(line, 'warning')}`),
    ...(refusal ? [`  ${style(`${decision.code}: ${decision.sentence}`, 'warning')}`] : []),
  ];
}

/** Why a site is in trouble, in the words of the first region that finds it so. */
function reasonLines({ site, opinion, verdicts }: SiteJson): readonly string[] {
  const isInTrouble = ['degraded', 'suspect', 'failed'].includes(opinion.state);
  const verdict = verdicts.find(({ state }) => isInTrouble && state === opinion.state);
  return verdict === undefined
    ? []
    : [`${site}: ${verdict.sentence} (${verdict.code}, as ${verdict.observer} saw it)`];
}

function siteRow(site: SiteJson, observers: readonly string[]) {
  const { observation } = site;
  return [
    cell(site.site),
    roleCell(site.role),
    verdictCell(site.opinion.state),
    ...observers.map((observer) => {
      const verdict = site.verdicts.find((candidate) => candidate.observer === observer);
      return verdict === undefined ? cell('–', 'dim') : verdictCell(verdict.state);
    }),
    cell(observation === null ? '–' : observation.phi.toFixed(1)),
    cell(
      observation === null || observation.silentMs === null
        ? '–'
        : `${formatElapsed(observation.silentMs)} ago`,
    ),
  ];
}
