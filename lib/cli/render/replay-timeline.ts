/**
 * The back-test as a picture: for each target a lane of what was heard, and one lane for each policy
 * with the times at which it would have suspected and failed the site.
 *
 * Deterministic text, no script, no font, no fixed background: it can be compared in a test and read
 * on a light page and on a dark one. Shape says what colour says: a suspicion is half as high.
 */

import { formatElapsed } from '../../base/elapsed.ts';
import type { RecordedTarget } from '../../simulation/replay/recording.ts';
import type { Accusation } from '../../simulation/replay/replay-target.ts';
import { momentIn, type Replayed } from './replay.ts';

const WIDTH = 1000;
const LEFT = 210;
const RIGHT = 20;
const TOP = 58;
const LANE = 16;
const GAP = 12;
const TARGETS_MAX = 40;
const SPANS_MAX = 2000;
/** A silence of more than this many intervals is drawn as a gap. */
const GAP_INTERVALS = 1.5;
const WIDTH_MIN = 1;

type Timeline = Pick<Replayed, 'recording' | 'results' | 'crashAt' | 'intervalMs'>;

export function renderTimeline(timeline: Timeline): string {
  const scale = scaleOf(timeline);
  const shown = timeline.results.slice(0, TARGETS_MAX);
  let y = TOP;
  const groups = shown.flatMap((target) => {
    const recorded = timeline.recording.targets.find((one) => one.target === target.target);
    const top = y;
    y += LANE * (target.results.length + 1) + GAP;
    return [
      text([LEFT - 8, top + 12], 'class="name" text-anchor="end"', target.target),
      ...(recorded === undefined ? [] : heardLane(recorded, timeline, { scale, y: top })),
      ...target.results.flatMap((result, position) =>
        policyLane(result.policy, result.accusations, {
          scale,
          y: top + LANE * (position + 1),
        }),
      ),
    ];
  });
  const hidden = timeline.results.length - shown.length;
  const height = y + 30;
  const body = [
    ...legend(),
    ...axis(timeline, scale, y),
    ...groups,
    ...crashLine(timeline, scale, y),
    ...(hidden > 0 ? [text([LEFT, height - 6], 'class="note"', `and ${hidden} more targets`)] : []),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="When each policy would have suspected and failed each target">`,
    STYLE,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly from: number;
  readonly until: number;
  readonly x: (instant: number) => number;
}

interface Lane {
  readonly scale: Scale;
  readonly y: number;
}

function scaleOf({ recording, results }: Timeline): Scale {
  const last = results.flatMap((target) =>
    target.results.flatMap(({ crash }) => crash?.failedAt ?? []),
  );
  const from = recording.beginsAt;
  const until = Math.max(from + 1, recording.endsAt, ...last);
  const width = WIDTH - LEFT - RIGHT;
  const x = (instant: number) => LEFT + (width * (instant - from)) / (until - from);
  return { from, until, x };
}

function heardLane(
  { series }: RecordedTarget,
  { intervalMs, crashAt }: Timeline,
  { scale, y }: Lane,
): readonly string[] {
  const until = crashAt ?? scale.until;
  const height = Math.max(2, Math.floor((LANE - 6) / series.length));
  return series.flatMap(({ beats }, position) => {
    const spans: Span[] = [];
    let from = beats[0]?.arrivedAt ?? until;
    let previous: number = from;
    for (const { arrivedAt } of beats) {
      if (arrivedAt > until) {
        break;
      }
      if (arrivedAt - previous > GAP_INTERVALS * intervalMs) {
        spans.push({ from, until: previous });
        from = arrivedAt;
      }
      previous = arrivedAt;
    }
    spans.push({ from, until: previous });
    const top = y + 4 + position * height;
    return rectangles(spans, { scale, y: top, height: height - 1, name: 'heard' });
  });
}

function policyLane(
  label: string,
  accusations: readonly Accusation[],
  { scale, y }: Lane,
): readonly string[] {
  const suspected = accusations.map(({ suspectedAt, failedAt, clearedAt }) => ({
    from: suspectedAt,
    until: failedAt ?? clearedAt ?? scale.until,
  }));
  const failed = accusations.flatMap(({ failedAt, refutedAt }) =>
    failedAt === null ? [] : [{ from: failedAt, until: refutedAt ?? scale.until }],
  );
  return [
    text([LEFT - 8, y + 12], 'class="policy" text-anchor="end"', label),
    `<line class="base" x1="${LEFT}" y1="${y + 13}" x2="${WIDTH - RIGHT}" y2="${y + 13}"/>`,
    ...rectangles(suspected, { scale, y: y + 8, height: 5, name: 'suspect' }),
    ...rectangles(failed, { scale, y: y + 3, height: 10, name: 'failed' }),
  ];
}

interface Span {
  readonly from: number;
  readonly until: number;
}

interface Bars extends Lane {
  readonly height: number;
  readonly name: string;
}

/** Spans closer than a tenth of a unit are one: a million beats make no larger picture. */
function rectangles(spans: readonly Span[], { scale, y, height, name }: Bars): readonly string[] {
  const drawn: { from: number; until: number }[] = [];
  for (const span of spans) {
    const from = scale.x(span.from);
    const until = Math.max(from + WIDTH_MIN, scale.x(span.until));
    const last = drawn.at(-1);
    if (last !== undefined && from <= last.until + 0.1) {
      last.until = Math.max(last.until, until);
    } else if (drawn.length < SPANS_MAX) {
      drawn.push({ from, until });
    }
  }
  return drawn.map(
    (bar) =>
      `<rect class="${name}" x="${fixed(bar.from)}" y="${y}" width="${fixed(bar.until - bar.from)}" height="${height}"/>`,
  );
}

function axis({ recording }: Timeline, scale: Scale, bottom: number): readonly string[] {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => ({
    share,
    instant: scale.from + share * (scale.until - scale.from),
  }));
  const span = scale.until - scale.from;
  const title = `${formatElapsed(span)} from ${momentIn(recording, scale.from).replace(/^at |^after 0 ms/, '') || 'the first beat'}`;
  return [
    text([LEFT, 20], 'class="name"', title),
    ...ticks.flatMap(({ share, instant }) => {
      const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
      const x = fixed(scale.x(instant));
      return [
        `<line class="grid" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${bottom}"/>`,
        text(
          [Number(x), bottom + 14],
          `class="note" text-anchor="${anchor}"`,
          `+${formatElapsed(share * span)}`,
        ),
      ];
    }),
  ];
}

function crashLine({ crashAt }: Timeline, scale: Scale, bottom: number): readonly string[] {
  if (crashAt === null) {
    return [];
  }
  const x = fixed(scale.x(crashAt));
  return [`<line class="crash" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${bottom}"/>`];
}

function legend(): readonly string[] {
  const entries = [
    { name: 'heard', label: 'heard', x: LEFT, height: 8 },
    { name: 'suspect', label: 'suspect', x: LEFT + 90, height: 5 },
    { name: 'failed', label: 'failed', x: LEFT + 190, height: 10 },
  ];
  return entries.flatMap(({ name, label, x, height }) => [
    `<rect class="${name}" x="${x}" y="${41 - height}" width="18" height="${height}"/>`,
    text([x + 24, 41], 'class="note"', label),
  ]);
}

function text([x, y]: readonly [number, number], attributes: string, content: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

const NAME_CHARACTERS_MAX = 60;

/** Characters that XML forbids become spaces. */
function escaped(content: string): string {
  return [...content]
    .slice(0, NAME_CHARACTERS_MAX)
    .join('')
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function fixed(value: number): string {
  return value.toFixed(1);
}

/** Mid tones that keep their contrast on white and on near-black. */
const STYLE = `<style>
text { font: 11px system-ui, sans-serif; fill: #57606a; }
.name { font-weight: 600; }
.heard { fill: #8b949e; }
.suspect { fill: #bf8700; }
.failed { fill: #cf222e; }
.base, .grid { stroke: #8b949e; stroke-opacity: 0.35; }
.grid { stroke-dasharray: 2 4; }
.crash { stroke: #cf222e; stroke-dasharray: 5 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #c9d1d9; }
  .suspect { fill: #d29922; }
  .failed, .crash { fill: #f85149; stroke: #f85149; }
}
</style>`;
