/** One service on the page: where it stands, why, and who says what about each of its sites. */

import type { VerdictJson } from '../schema-parts.ts';
import type { ServiceJson, SiteJson, StatusJson } from '../schemas.ts';
import { lastBeat } from './last-beat.ts';
import {
  ago,
  bound,
  dayTime,
  html,
  type Markup,
  mark,
  PHASES,
  STATE_TONES,
  shape,
  span,
  type Value,
} from './markup.ts';
import { standingFacts } from './standing.ts';

export function serviceSection(service: ServiceJson, status: StatusJson): Markup {
  const phase = PHASES[service.phase.kind];
  const { service: name, analysis } = service;
  const isWorried = phase.tone === 'good' && analysis.code !== 'all-sites-healthy';
  const tone = isWorried ? 'watch' : phase.tone;
  return html`<section class="card service ${tone}" id="service-${name}" aria-labelledby="service-${name}-name">
<header class="service-head">
<h2 id="service-${name}-name"><bdi>${name}</bdi></h2>
<p class="phase">${mark(phase.tone, phase.word)}${phaseDetail(service)}${awaited(service, status)}</p>
<p class="dns"><span class="number">${service.dnsName}</span> <span class="quiet">${service.recordType} · TTL ${service.ttlSeconds} s</span></p>
</header>
<dl class="facts">
<div><dt>Active site</dt><dd><strong>${service.activeSite}</strong>${service.activeSite === service.primary ? null : html`<span class="quiet below">primary is ${service.primary}</span>`}</dd></div>
<div class="wide"><dt>Analysis</dt><dd><span class="${tone}">${shape(tone)}</span> ${analysis.sentence} <code>${analysis.code}</code></dd></div>
<div class="wide"><dt>Last decision</dt><dd>${decision(service, status.at)}</dd></div>
<div><dt>Failover</dt><dd>${service.automatic ? 'Automatic' : 'By a person'}</dd></div>
<div><dt>Objectives</dt><dd class="number">RTO ${bound(service.objectives.rtoMs)} · RPO ${bound(service.objectives.rpoMs)}</dd></div>
<div><dt>Fence</dt><dd class="number" title="The log entry that made ${service.activeSite} the active site.">term ${service.epoch.term} · index ${service.epoch.index}</dd></div>
${maintenance(service)}${standingFacts(service, status.at)}</dl>
<div class="scroll" role="region" tabindex="0" id="sites-${name}" aria-label="Sites of ${name}">
<table class="sites">
<thead><tr><th scope="col">Site</th><th scope="col">Opinion</th>${status.consensus.members.map(
    ({ region }) => html`<th scope="col"><span class="quiet">seen from</span> ${region}</th>`,
  )}<th scope="col" class="numeric">φ here</th><th scope="col" class="numeric">Last beat</th><th scope="col" class="numeric">Lag</th></tr></thead>
<tbody>${service.sites.map((site) => siteRow(site, service, status))}</tbody>
</table>
</div>
</section>`;
}

function phaseDetail({ phase }: ServiceJson): Markup | null {
  if (phase.cause !== undefined) {
    return html` <span class="quiet">${phase.cause === 'site-failed' ? 'the active site failed' : 'the last run failed'}</span>`;
  }
  return phase.run === undefined
    ? null
    : html` <a class="quiet" href="#run-${phase.run}">run ${phase.run}</a>`;
}

/** Nothing moves until somebody says so, and that somebody looks here first. */
function awaited({ phase }: ServiceJson, { runs }: StatusJson): Markup | null {
  const open = runs.find(({ run }) => run === phase.run);
  return open === undefined || open.waitingFor.length === 0
    ? null
    : html` ${mark('watch', 'Waits for a person')}`;
}

function decision({ decision: last }: ServiceJson, now: string): Value {
  if (last === null) {
    return html`<span class="none">none yet</span>`;
  }
  const verb = last.kind === 'act' ? mark('busy', 'Act') : mark('unclear', 'Refuse');
  return html`${verb} ${last.sentence} <code>${last.code}</code> <span class="quiet">${ago(last.at, now)}</span>`;
}

/** Who works on it, until when: no run starts by itself meanwhile. */
function maintenance({ maintenance: windows }: ServiceJson): Markup[] {
  return windows.map(
    ({ site, untilAt, by, reason }) =>
      html`<div class="whole"><dt>Maintenance</dt><dd>${mark('unclear', site ?? 'whole service')} until ${dayTime(untilAt)}, by ${by}: ${reason}</dd></div>
`,
  );
}

function siteRow(site: SiteJson, service: ServiceJson, status: StatusJson): Markup {
  const { observation } = site;
  return html`<tr class="${site.role}">
<th scope="row"><span class="site">${site.site}</span> ${site.role === 'active' ? html`<span class="badge active">Active</span>` : html`<span class="badge">Standby</span>`}<span class="quiet address">${site.address}</span>${alarms(site)}${warnings(site)}</th>
<td title="${site.opinion.sentence}">${mark(STATE_TONES[site.opinion.state], site.opinion.state)}${since(site, status.at)}</td>
${status.consensus.members.map(({ region }) => verdictCell(site.verdicts.find(({ observer }) => observer === region)))}
<td class="numeric" title="${observation?.sentence ?? 'this region has no observation'}">${phi(observation, service.detection)}</td>
<td class="numeric">${lastBeat(site, status.at)}</td>
<td class="numeric">${observation?.replicationLagMs == null ? html`<span class="none">–</span>` : span(observation.replicationLagMs)}</td>
</tr>`;
}

function since({ opinion }: SiteJson, now: string): Markup | null {
  return opinion.sinceAt === null
    ? null
    : html`<span class="quiet below">${ago(opinion.sinceAt, now)}</span>`;
}

/** Those that count against the site, also without data; and those that ring and are only told. */
function alarms({ alarms: all }: SiteJson): Markup[] {
  return all
    .filter(({ state, counts }) => counts || state === 'alarm')
    .map(({ name, state, counts }) => {
      const detail = !counts
        ? html` <span class="quiet">only told</span>`
        : state === 'alarm'
          ? null
          : html` <span class="quiet">without data</span>`;
      return html`<span class="alarm">${mark(counts ? 'bad' : 'unclear', `alarm ${name}`)}${detail}</span>`;
    });
}

/** One for each sign, however many observers see it. */
function warnings({ warnings: all }: Pick<SiteJson, 'warnings'>): Markup[] {
  return [...Map.groupBy(all, ({ code }) => code)].map(
    ([code, [first]]) =>
      html`<span class="alarm" title="${first?.sentence ?? ''}">${mark('watch', `early warning: ${code}`)}</span>`,
  );
}

function verdictCell(verdict: VerdictJson | undefined): Markup {
  return verdict === undefined
    ? html`<td><span class="none">no verdict</span></td>`
    : html`<td title="${verdict.sentence}">${mark(STATE_TONES[verdict.state], verdict.state)}<span class="quiet below">${verdict.code}</span></td>`;
}

/** The bar is as wide as the distance to *failed*, with a notch where suspicion begins. */
const BAR_WIDTH = 100;

function phi(
  observation: SiteJson['observation'],
  { suspectPhi, failPhi }: ServiceJson['detection'],
): Markup {
  if (observation === null || observation.lastBeatAt === null) {
    return html`<span class="none">–</span>`;
  }
  const { phi: value } = observation;
  const at = (level: number) => Math.round(BAR_WIDTH * Math.min(1, level / failPhi));
  const tone = value >= failPhi ? 'bad' : value >= suspectPhi ? 'watch' : 'good';
  return html`<span class="phi ${tone}">${value.toFixed(1)}</span><svg class="phi-bar ${tone}" viewBox="0 0 ${BAR_WIDTH} 6" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="track" width="${BAR_WIDTH}" height="6"/><rect class="level" width="${at(value)}" height="6"/><rect class="notch" x="${at(suspectPhi)}" width="1" height="6"/></svg>`;
}
