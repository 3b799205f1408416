/**
 * The small vocabulary of the page: escaped fragments, states as shape and text, instants, spans.
 *
 * A state is always shown three times: by colour, by shape and by a word. So it reads on a wall,
 * in black and white, and by ear.
 */
import { html as honoHtml } from 'hono/html';
import type { PhaseJson } from '../schemas.ts';

/** HTML that is safe to put into a page. Only `html` below makes it. */
export type Markup = ReturnType<typeof honoHtml> & string;

/**
 * A fragment of HTML. Every interpolated string is escaped; fragments and lists of them are not.
 * Attributes must be quoted in the template.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  // Without promises among the values the result is a string, not a promise.
  return honoHtml(parts, ...values) as Markup;
}

export type Value = string | number | Markup | readonly Value[] | null;

/** How good a thing is; the classes of the stylesheet. */
export type Tone = 'good' | 'watch' | 'bad' | 'unclear' | 'busy';

const SHAPES: { readonly [tone in Tone]: Markup } = {
  good: html`<circle cx="8" cy="8" r="6"/>`,
  watch: html`<path d="M8 1.5 15 14H1Z"/>`,
  bad: html`<path d="M3.2 1 8 5.8 12.8 1 15 3.2 10.2 8 15 12.8 12.8 15 8 10.2 3.2 15 1 12.8 5.8 8 1 3.2Z"/>`,
  unclear: html`<path d="M8 1.8 14.2 8 8 14.2 1.8 8Z" class="hollow"/>`,
  busy: html`<path d="M8 1.5a6.5 6.5 0 1 1-6.5 6.5h2.4A4.1 4.1 0 1 0 8 3.9V7L3.6 3.4 8 0Z"/>`,
};

/** Shape and word in the colour of the tone. */
export function mark(tone: Tone, word: string): Markup {
  return html`<span class="mark ${tone}">${shape(tone)}${word}</span>`;
}

export function shape(tone: Tone): Markup {
  return html`<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${SHAPES[tone]}</svg>`;
}

/** `2026-11-23T09:40:07.123Z` as `09:40:07`; the whole instant stands in the tooltip. */
export function clockTime(instant: string): Markup {
  return html`<time datetime="${instant}" title="${instant}">${instant.slice(11, 19)}</time>`;
}

/** `2026-11-23 09:40:07Z`; the whole instant stands in the tooltip. */
export function dayTime(instant: string): Markup {
  return html`<time datetime="${instant}" title="${instant}">${instant.slice(0, 10)} ${instant.slice(11, 19)}Z</time>`;
}

/** How long before `now`, with the instant in the tooltip; a dash for "never". */
export function ago(instant: string | null, now: string): Markup {
  if (instant === null) {
    return html`<span class="none">never</span>`;
  }
  const elapsedMs = Math.max(0, Date.parse(now) - Date.parse(instant));
  return html`<time datetime="${instant}" title="${instant}">${span(elapsedMs)} ago</time>`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in at most two units: `420 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(durationMs: number): string {
  const size = Math.abs(durationMs);
  const sign = durationMs < 0 ? '−' : '';
  if (size < 1000) {
    return `${sign}${Math.round(size)} ms`;
  }
  if (size < MINUTE_MS) {
    return `${sign}${(Math.floor(size / 100) / 10).toFixed(1)} s`;
  }
  const [unit, smaller] = UNITS.find(({ 0: { ms } }) => size >= ms) ?? UNITS[2];
  const whole = Math.floor(size / unit.ms);
  const rest = Math.floor((size % unit.ms) / smaller.ms);
  return `${sign}${whole} ${unit.name}${rest === 0 ? '' : ` ${rest} ${smaller.name}`}`;
}

/** A duration that somebody wrote down: `30 s`, not `30.0 s`. */
export function bound(durationMs: number): string {
  return span(durationMs).replace('.0 s', ' s');
}

const UNITS = [
  [
    { ms: DAY_MS, name: 'd' },
    { ms: HOUR_MS, name: 'h' },
  ],
  [
    { ms: HOUR_MS, name: 'h' },
    { ms: MINUTE_MS, name: 'min' },
  ],
  [
    { ms: MINUTE_MS, name: 'min' },
    { ms: 1000, name: 's' },
  ],
] as const;

/** The states of verdicts and opinions. */
export const STATE_TONES: {
  readonly [state in 'pending' | 'healthy' | 'suspect' | 'failed' | 'degraded' | 'unknown']: Tone;
} = {
  pending: 'unclear',
  healthy: 'good',
  suspect: 'watch',
  failed: 'bad',
  degraded: 'watch',
  unknown: 'unclear',
};

export const PHASES: {
  readonly [phase in PhaseJson['kind']]: {
    readonly tone: Tone;
    readonly word: string;
  };
} = {
  steady: { tone: 'good', word: 'Steady' },
  impaired: { tone: 'bad', word: 'Impaired' },
  'setting-up': { tone: 'busy', word: 'Setting up' },
  recovering: { tone: 'busy', word: 'Failing over' },
  returning: { tone: 'busy', word: 'Failing back' },
  rebalancing: { tone: 'busy', word: 'Rebalancing' },
  drilling: { tone: 'busy', word: 'Drill begins' },
  practising: { tone: 'busy', word: 'Drill' },
  'drill-returning': { tone: 'busy', word: 'Drill ends' },
};
