/** Runs on the page: what moved, why, how far it is, and where the time went. */
import type { RunJson, StagesJson, StatusJson, StepJson } from '../schemas.ts';
import { ago, bound, clockTime, html, type Markup, mark, span, type Tone } from './markup.ts';

/** The page shows the latest; all are in /v1/runs. */
const RUNS_SHOWN_MAX = 12;

const STAGES = [
  ['detect', 'detectMs', 'from the last beat to the first failed verdict'],
  ['decide', 'decideMs', 'from the verdict to the authorised run'],
  ['act', 'actMs', 'until the records were switched'],
  ['propagate', 'propagateMs', 'until every name server answers with them'],
  ['verify', 'verifyMs', 'until the new site was seen to serve'],
] as const satisfies readonly (readonly [string, keyof StagesJson, string])[];

const KINDS: { readonly [kind in RunJson['kind']]: string } = {
  setup: 'Setup',
  failover: 'Failover',
  failback: 'Failback',
  rebalance: 'Rebalance',
  drill: 'Drill',
  'drill-return': 'Return from drill',
};

export function runsSection({ runs, services, at }: StatusJson): Markup {
  const shown = runs.slice(0, RUNS_SHOWN_MAX);
  const objectiveOf = (run: RunJson) =>
    services.find(({ service }) => service === run.service)?.objectives.rtoMs ?? null;
  return html`<section class="card" id="runs" aria-labelledby="runs-name">
<h2 id="runs-name">Runs</h2>
${
  shown.length === 0
    ? html`<p class="none">No run yet. A failover or failback appears here with its steps and times.</p>`
    : html`<ol class="runs">${shown.map((run) => runItem(run, objectiveOf(run), at))}</ol>`
}
</section>`;
}

function runItem(run: RunJson, rtoMs: number | null, now: string): Markup {
  const { tone, word } = outcomeOf(run);
  const route =
    run.from === run.to ? run.to : html`${run.from} <span aria-label="to">→</span> ${run.to}`;
  return html`<li id="run-${run.run}"><details id="run-${run.run}-details"${run.outcome.kind === 'open' ? html` open` : null}>
<summary>${mark(tone, word)} <strong>${KINDS[run.kind]}</strong> <bdi>${run.service}</bdi> <span class="route">${route}</span> <span class="total number">${total(run, rtoMs)}</span> <span class="quiet when">${ago(run.authorisedAt, now)}</span></summary>
${run.outcome.kind === 'open' ? null : stageBar(run.stages)}
<dl class="stages">${STAGES.map(
    ([name, member, meaning]) =>
      html`<div class="stage ${name}" title="${meaning}"><dt>${name}</dt><dd class="number">${optionalSpan(run.stages[member])}</dd></div>`,
  )}<div class="stage total"><dt>total</dt><dd class="number">${optionalSpan(run.stages.totalMs)}</dd></div></dl>
<ol class="steps">${run.steps.map((step, place) => stepItem(step, run.steps[place - 1]))}</ol>
${approvalHint(run)}<p class="quiet">${run.trigger === 'automatic' ? 'Automatic' : 'By hand'}, asked by <bdi>${run.requestedBy}</bdi>: <bdi>${run.reason}</bdi> · <code>${run.analysis}</code> · fence term ${run.epoch.term} index ${run.epoch.index} · run ${run.run}${loss(run)}${reverting(run)}${exceptions(run)}</p>
${run.outcome.kind === 'open' ? null : html`<p><a href="/v1/runs/${encodeURIComponent(run.run)}/report?format=markdown">Report</a></p>`}
</details></li>`;
}

function outcomeOf({ outcome }: RunJson): { readonly tone: Tone; readonly word: string } {
  switch (outcome.kind) {
    case 'open':
      return { tone: 'busy', word: 'Open' };
    case 'done':
      return outcome.exceptions.length === 0
        ? { tone: 'good', word: 'Done' }
        : { tone: 'watch', word: 'Done, with exceptions' };
    case 'failed':
      return { tone: 'bad', word: `Failed: ${outcome.code ?? ''}` };
  }
}

/** The actual RTO against the objective, in words as well as in colour. */
function total({ stages, kind }: RunJson, rtoMs: number | null): Markup | null {
  if (stages.totalMs === null || kind === 'setup') {
    return null;
  }
  if (rtoMs === null || kind !== 'failover') {
    return html`${span(stages.totalMs)}`;
  }
  const within = stages.totalMs <= rtoMs;
  return html`<span class="${within ? 'good' : 'bad'}">${span(stages.totalMs)}</span> <span class="quiet">${within ? 'within' : 'over'} RTO ${bound(rtoMs)}</span>`;
}

const BAR_WIDTH = 1000;

/** The stages side by side, each as wide as its share of the time that is known. */
function stageBar(stages: StagesJson): Markup | null {
  const known = STAGES.map(([name, member]) => ({ name, ms: Math.max(0, stages[member] ?? 0) }));
  const sumMs = known.reduce((sum, { ms }) => sum + ms, 0);
  if (sumMs === 0) {
    return null;
  }
  let x = 0;
  const parts = known.map(({ name, ms }) => {
    const width = (BAR_WIDTH * ms) / sumMs;
    const part = html`<rect class="${name}" x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="10"/>`;
    x += width;
    return part;
  });
  return html`<svg class="stage-bar" viewBox="0 0 ${BAR_WIDTH} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">${parts}</svg>`;
}

const STEP_TONES: { readonly [state in StepJson['state']]: Tone } = {
  waiting: 'unclear',
  claimed: 'busy',
  done: 'good',
  failed: 'bad',
  skipped: 'unclear',
};

/** What a run waits for a person with, and how that person says so. */
function approvalHint({ run, requestedBy, waitingFor }: RunJson): Markup | null {
  const [waiting] = waitingFor;
  return waiting === undefined
    ? null
    : html`<p>${mark('watch', 'Waits for a person')} other than <bdi>${requestedBy}</bdi>: ${waiting.detail} · <code>tripoint approve ${run} --reason …</code></p>
`;
}

/** Steps of one stage are worked on together, and look so: the second says "beside" the first. */
function stepItem(step: StepJson, before: StepJson | undefined): Markup {
  const who = step.worker === null ? null : html` <span class="quiet">by ${step.worker}</span>`;
  const when = step.at === null ? null : html` <span class="quiet">${clockTime(step.at)}</span>`;
  const tries =
    step.attempt > 1
      ? html` <span class="quiet">attempt ${step.attempt} of ${step.attemptsMax}</span>`
      : null;
  const code = step.code === null ? null : html` <code>${step.code}</code>`;
  const beside =
    before !== undefined && before.stage === step.stage && step.kind !== ''
      ? html`<span class="quiet">beside</span> `
      : null;
  const about = step.detail === '' ? null : html` <span class="quiet">${step.detail}</span>`;
  const undo = step.isUndo ? html` <span class="quiet">(taken back)</span>` : null;
  return html`<li>${beside}${mark(STEP_TONES[step.state], step.state)} ${step.name}${undo}${about}${who}${when}${tries}${code}</li>`;
}

/** Data that the run may have lost, and who accepted that. */
function loss({ loss: estimate }: RunJson): Markup | null {
  if (estimate === null || (estimate.lagMs === null && estimate.acceptedBy === null)) {
    return null;
  }
  return html` · <bdi>${estimate.sentence}</bdi>`;
}

function reverting({ reverting: turned }: RunJson): Markup | null {
  return turned === null ? null : html` · takes back what it did: <code>${turned.code}</code>`;
}

function exceptions({ outcome }: RunJson): Markup | null {
  return outcome.exceptions.length === 0
    ? null
    : html` · exceptions: ${outcome.exceptions.join(', ')}`;
}

function optionalSpan(durationMs: number | null): Markup | string {
  return durationMs === null ? html`<span class="none">–</span>` : span(durationMs);
}
