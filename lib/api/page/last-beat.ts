/** When a site was last heard: by this region, or by another as the log has it. */
import { newestBeatInLog } from '../newest-sights.ts';
import type { ObservationJson, VerdictJson } from '../schema-parts.ts';
import { ago, html, type Markup, span } from './markup.ts';

interface Heard {
  readonly observation: ObservationJson | null;
  readonly verdicts: readonly VerdictJson[];
}

export function lastBeat({ observation, verdicts }: Heard, now: string): Markup {
  if (observation?.lastBeatAt != null && observation.silentMs !== null) {
    return html`<time datetime="${observation.lastBeatAt}" title="${observation.lastBeatAt}">${span(observation.silentMs)}</time>`;
  }
  const committed = newestBeatInLog(verdicts);
  return committed === null
    ? html`<span class="none">never</span>`
    : html`${ago(committed, now)}<span class="quiet below">not heard by this region</span>`;
}
