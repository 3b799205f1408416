/** The latest events on the page, newest first, each with its place in the log. */
import type { StatusJson } from '../schemas.ts';
import { clockTime, html, type Markup } from './markup.ts';

/** The page shows the latest; all are in /v1/status and in the log. */
const EVENTS_SHOWN_MAX = 60;

export function timelineSection({ timeline }: StatusJson): Markup {
  const shown = timeline.slice(0, EVENTS_SHOWN_MAX);
  return html`<section class="card" id="timeline" aria-labelledby="timeline-name">
<h2 id="timeline-name">Timeline</h2>
${
  shown.length === 0
    ? html`<p class="none">Nothing has happened yet.</p>`
    : html`<div class="scroll" role="region" tabindex="0" id="events" aria-label="Events"><table class="events">
<thead><tr><th scope="col">Time</th><th scope="col" class="numeric">Index</th><th scope="col">Service</th><th scope="col">Event</th><th scope="col">What happened</th></tr></thead>
<tbody>${shown.map(
        ({ index, at, service, kind, sentence }) =>
          html`<tr><td class="number"><span class="quiet">${at.slice(0, 10)}</span> ${clockTime(at)}</td><td class="numeric">${index}</td><td><bdi>${service}</bdi></td><td><code>${kind}</code></td><td class="sentence"><bdi>${sentence}</bdi></td></tr>`,
      )}</tbody></table></div>`
}
</section>`;
}
