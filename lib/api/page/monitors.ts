/** Monitors on the page: what is watched and never moved, one card each. */
import {
  isTroubled,
  type JobJson,
  type MonitorJson,
  type MonitorSiteJson,
  type ScheduleJson,
  sentenceOf,
} from '../monitor-schemas.ts';
import type { StatusJson } from '../schemas.ts';
import { lastBeat } from './last-beat.ts';
import { ago, bound, dayTime, html, type Markup, mark, STATE_TONES, type Tone } from './markup.ts';

export function monitorSection(monitor: MonitorJson, status: StatusJson): Markup {
  const { monitor: name, sites, provisioning } = monitor;
  const troubled = sites.filter(isTroubled).length;
  const tone: Tone = troubled === 0 ? 'good' : 'watch';
  const word = troubled === 0 ? 'Watched' : `${troubled} of ${sites.length} in trouble`;
  return html`<section class="card service ${tone}" id="monitor-${name}" aria-labelledby="monitor-${name}-name">
<header class="service-head">
<h2 id="monitor-${name}-name"><bdi>${name}</bdi></h2>
<p class="phase">${mark(tone, word)}</p>
<p class="dns"><span class="quiet">monitor: watched, never moved</span></p>
</header>
${provisioning === null ? null : html`<p class="quiet">${provisioning.sites} of ${provisioning.sitesMax} sites came by their first beat</p>`}
<div class="scroll" role="region" tabindex="0" id="watched-${name}" aria-label="Sites of ${name}">
<table class="sites">
<thead><tr><th scope="col">Site</th><th scope="col">Opinion</th><th scope="col">What is known</th><th scope="col">Schedule</th><th scope="col" class="numeric">Last beat</th><th scope="col" class="numeric">Next run</th></tr></thead>
<tbody>${sites.map((site) => siteRow(site, status.at))}</tbody>
</table>
</div>
</section>`;
}

function siteRow(site: MonitorSiteJson, now: string): Markup {
  const { opinion, job, schedule } = site;
  return html`<tr>
<th scope="row"><span class="site">${site.site}</span>${site.isProvisioned ? html` <span class="badge" title="It came into being by its first beat.">New</span>` : null}</th>
<td title="${opinion.sentence}">${mark(STATE_TONES[opinion.state], opinion.state)}${opinion.sinceAt === null ? null : html`<span class="quiet below">${ago(opinion.sinceAt, now)}</span>`}</td>
<td>${sentenceOf(site)}${job?.message == null ? null : html`<span class="quiet below">${job.message}</span>`}</td>
<td>${schedule === null ? html`<span class="none">beats</span>` : scheduleText(schedule)}</td>
<td class="numeric">${lastBeat(site, now)}</td>
<td class="numeric">${nextRun(job)}</td>
</tr>`;
}

function scheduleText({ cron, timezone, everyMs, graceMs }: ScheduleJson): Markup {
  const when = cron === null ? `every ${bound(everyMs ?? 0)}` : `${cron} ${timezone ?? ''}`;
  return html`<code>${when}</code><span class="quiet below">grace ${bound(graceMs)}</span>`;
}

function nextRun(job: JobJson | null): Markup {
  return job?.expectedAt == null ? html`<span class="none">–</span>` : dayTime(job.expectedAt);
}
