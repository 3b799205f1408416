/**
 * The status page: what an on-call engineer wants to see first, on one page, without a click.
 *
 * Rendered from the same JSON that `/v1/status` answers, so the page cannot know more than the API,
 * nor say anything else. It is complete without JavaScript; the script only brings it up to date.
 */
import { isTroubled } from '../monitor-schemas.ts';
import type { ServiceJson, StatusJson } from '../schemas.ts';
import { clockTime, dayTime, html, type Markup, mark, PHASES, shape, type Tone } from './markup.ts';
import { monitorSection } from './monitors.ts';
import { runsSection } from './runs.ts';
import { serviceSection } from './service.ts';
import { timelineSection } from './timeline.ts';

/** Reload time without JavaScript. */
const RELOAD_SECONDS = 5;

export function statusPage(status: StatusJson): Markup {
  const summary = summarise(status);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${summary.sentence} · ${status.region} · Tripoint</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tripoint.css">
<script type="module" src="/assets/status.js"></script>
<noscript><meta http-equiv="refresh" content="${RELOAD_SECONDS}"></noscript>
</head>
<body>
<a class="skip" href="#services">Skip to the services</a>
${banner(status)}
<main id="live">
${overview(status, summary)}
<section id="services" aria-label="Services">
${status.services.length === 0 ? emptyFleet() : status.services.map((service) => serviceSection(service, status))}
</section>
${status.monitors.length === 0 ? null : html`<section id="monitors" aria-label="Monitors">${status.monitors.map((monitor) => monitorSection(monitor, status))}</section>`}
${runsSection(status)}
${timelineSection(status)}
</main>
${footer(status)}
</body>
</html>
`;
}

function banner(status: StatusJson): Markup {
  const local =
    status.mode === 'local'
      ? html`<span class="badge" title="All three regions run on this machine; no cloud is touched.">Local mode</span>`
      : null;
  return html`<header class="banner">
<h1 class="brand">${logo()}<span>Tripoint</span></h1>
<p class="where"><span class="label">Region</span> <strong>${status.region}</strong> ${local}</p>
<p id="connection" class="connection" data-own role="status">Reloads every ${RELOAD_SECONDS} s</p>
<p id="as-of" class="as-of"><span class="label">Data as of</span> ${clockTime(status.at)} <abbr title="Coordinated Universal Time">UTC</abbr></p>
</header>`;
}

function logo(): Markup {
  return html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path d="M16 16V3M16 16 4.7 22.5M16 16l11.3 6.5"/><circle cx="16" cy="16" r="3.4"/></svg>`;
}

interface Summary {
  readonly tone: Tone;
  readonly sentence: string;
}

/** The one sentence that can be read from across the room. The worst news first. */
function summarise({ consensus, services, monitors, runs }: StatusJson): Summary {
  const inPhase = (tone: Tone) => services.filter(({ phase }) => PHASES[phase.kind].tone === tone);
  const [impaired] = inPhase('bad');
  if (impaired !== undefined) {
    return { tone: 'bad', sentence: sentenceFor(inPhase('bad'), 'impaired') };
  }
  if (!consensus.quorum) {
    return { tone: 'bad', sentence: 'No quorum: nothing can be decided' };
  }
  const busy = inPhase('busy');
  const worried = services.filter(({ analysis }) => analysis.code !== 'all-sites-healthy');
  if (busy.length > 0) {
    return { tone: 'busy', sentence: busyText(busy, worried, runs) };
  }
  if (services.length === 0) {
    return { tone: 'unclear', sentence: 'No service is configured' };
  }
  if (worried.length > 0) {
    return { tone: 'watch', sentence: sentenceFor(worried, 'to look at') };
  }
  const troubled = monitors.filter(({ sites }) => sites.some(isTroubled));
  return troubled.length === 0
    ? { tone: 'good', sentence: sentenceFor(services, 'steady') }
    : { tone: 'watch', sentence: monitorsText(troubled) };
}

/** A movement must not hide a service that stands still with a concern. */
function busyText(
  busy: readonly ServiceJson[],
  worried: readonly ServiceJson[],
  runs: StatusJson['runs'],
): string {
  const sentence = sentenceFor(busy, movementOf(busy, runs));
  const [first, another] = worried.filter((service) => !busy.includes(service));
  if (first === undefined) {
    return sentence;
  }
  return `${sentence}; ${another === undefined ? `${first.service} needs` : 'others need'} a look`;
}

/** Where the word of a phase makes no sentence. */
const DRILL_WORDS: { readonly [phase in ServiceJson['phase']['kind']]?: string } = {
  drilling: 'beginning a drill',
  practising: 'in a drill',
  'drill-returning': 'ending a drill',
};

/** What is going on; with its target where only one service moves. */
function movementOf(services: readonly ServiceJson[], runs: StatusJson['runs']): string {
  const [first] = services;
  const kinds = new Set(
    services.map(({ phase }) => DRILL_WORDS[phase.kind] ?? PHASES[phase.kind].word.toLowerCase()),
  );
  const movement = [...kinds].join(' or ');
  const isMove = first?.phase.kind === 'recovering' || first?.phase.kind === 'returning';
  const run = runs.find((candidate) => candidate.run === first?.phase.run);
  const to = run?.to ?? first?.activeSite;
  const waits = run !== undefined && run.waitingFor.length > 0 ? ', waiting for a person' : '';
  return services.length === 1 ? `${movement}${isMove ? ` to ${to}` : ''}${waits}` : movement;
}

function sentenceFor(services: readonly ServiceJson[], what: string): string {
  const [only, another] = services;
  return only !== undefined && another === undefined
    ? `${only.service} is ${what === 'to look at' ? 'steady, with a concern' : what}`
    : `${services.length} services ${what}`;
}

function monitorsText(troubled: StatusJson['monitors']): string {
  const [only, another] = troubled;
  return only !== undefined && another === undefined
    ? `Services steady; ${only.monitor} has a site in trouble`
    : `Services steady; ${troubled.length} monitors have sites in trouble`;
}

function overview({ consensus, configHash, freeze }: StatusJson, summary: Summary): Markup {
  const reachable = consensus.members.filter((member) => member.reachable).length;
  const quorum = consensus.quorum
    ? mark(reachable === consensus.members.length ? 'good' : 'watch', 'Quorum')
    : mark('bad', 'No quorum');
  return html`<section id="overview" class="overview" aria-label="Overview">
<p id="summary" class="summary ${summary.tone}" role="status">${shape(summary.tone)}<span>${summary.sentence}</span></p>
<dl class="facts consensus">
<div><dt>Leader</dt><dd>${consensus.leader ?? html`<span class="none">none</span>`}</dd></div>
<div><dt>Term</dt><dd class="number">${consensus.term}</dd></div>
<div><dt>Applied index</dt><dd class="number">${consensus.appliedIndex}</dd></div>
<div class="wide"><dt>Registers</dt><dd>${quorum} <span class="number">${reachable} of ${consensus.members.length}</span>
<ul class="members">${consensus.members.map(({ region, reachable: answers }) => html`<li>${mark(answers ? 'good' : 'bad', region)}${answers ? null : html` <span class="quiet">no answer</span>`}</li>`)}</ul></dd></div>
<div><dt>Log chain</dt><dd class="number" title="${consensus.chain}">${consensus.chain.slice(0, 8)}</dd></div>
<div><dt>Configuration</dt><dd class="number" title="${configHash ?? 'none'}">${configHash?.slice(0, 8) ?? html`<span class="none">none</span>`}</dd></div>
${
  freeze === null
    ? null
    : html`<div class="whole"><dt>Freeze</dt><dd>${mark('watch', 'All services')} until ${dayTime(freeze.untilAt)}, by <bdi>${freeze.by}</bdi>: <bdi>${freeze.reason}</bdi></dd></div>
`
}</dl>
</section>`;
}

function emptyFleet(): Markup {
  return html`<div class="card empty"><h2>No service yet</h2>
<p>Describe one in a file and apply it: <code>tripoint apply tripoint.yaml</code></p></div>`;
}

function footer({ version, region }: StatusJson): Markup {
  return html`<footer class="footer">
<p>Tripoint ${version} · ${region}</p>
<nav aria-label="Machine-readable"><a href="/v1/status">Status as JSON</a> <a href="/v1/log">Log</a> <a href="/healthz">Health</a> <a href="/openapi.json">OpenAPI</a></nav>
</footer>`;
}
