/**
 * The curve of a trace as SVG: mistakes (logarithmic) against mean detection time (logarithmic), one
 * line a detector. Plain text, the same for the same figures, readable on white and on black.
 */
import type { OperatingPoint, TraceReport } from './comparison.ts';

const SIZE = { width: 760, height: 430, left: 70, right: 150, top: 44, bottom: 54 } as const;
const LINES: readonly { readonly name: string; readonly label: string; readonly colour: string }[] =
  [
    { name: 'tripoint', label: 'Tripoint', colour: '#d6336c' },
    { name: 'fixed', label: 'fixed timeout', colour: '#495057' },
    { name: 'chen', label: 'Chen', colour: '#1c7ed6' },
    { name: '2w', label: '2W', colour: '#0ca678' },
    { name: 'gauss', label: 'normal φ', colour: '#f08c00' },
    { name: 'akka', label: 'Akka form', colour: '#7048e8' },
    { name: 'cassandra', label: 'Cassandra form', colour: '#868e96' },
    { name: 'satzger', label: 'Satzger', colour: '#74b816' },
    { name: 'plain-tail', label: 'plain tail', colour: '#c2255c' },
  ];
/** No mistakes are drawn here, below one. */
const NONE = 0.5;

interface Mark {
  readonly detectionMs: number;
  readonly mistakes: number;
}

export function curveChart(report: TraceReport): string {
  const curves = LINES.map((line) => ({ ...line, marks: marksOf(report.points, line.name) }));
  const all = curves.flatMap(({ marks }) => marks);
  const across = logScale(
    all.map(({ detectionMs }) => detectionMs),
    { from: SIZE.left, to: SIZE.width - SIZE.right },
  );
  const up = logScale([NONE, ...all.map(({ mistakes }) => Math.max(NONE, mistakes))], {
    from: SIZE.height - SIZE.bottom,
    to: SIZE.top,
  });
  const title = `${report.trace}: mistakes at equal mean detection time, ${report.decisions} decisions`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#ffffff"/>`,
    text({ x: SIZE.left, y: 22 }, title, 'font-size="14"'),
    ...gridLines(report, across, up),
    ...curves.map((curve, position) => curveOf(curve, { across, up, position })),
    '</svg>',
    '',
  ].join('\n');
}

function marksOf(points: readonly OperatingPoint[], name: string): readonly Mark[] {
  return points.flatMap((point) => {
    const mark = name === 'tripoint' ? point : point.rivals[name];
    return mark === null || mark === undefined
      ? []
      : [{ detectionMs: point.detectionMs, mistakes: mark.mistakes }];
  });
}

type Scale = (value: number) => number;

function logScale(
  values: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): Scale {
  const low = Math.log(Math.min(...values));
  const high = Math.max(Math.log(Math.max(...values)), low + 1e-9);
  return (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from);
}

function gridLines(report: TraceReport, across: Scale, up: Scale): readonly string[] {
  const right = SIZE.width - SIZE.right;
  const bottom = SIZE.height - SIZE.bottom;
  const most = Math.max(
    ...LINES.flatMap(({ name }) => marksOf(report.points, name).map(({ mistakes }) => mistakes)),
  );
  const levels = [NONE, ...Array.from({ length: 8 }, (_, power) => 10 ** power)].filter(
    (level) => level <= Math.max(1, most),
  );
  return [
    ...levels.flatMap((level) => [
      `<path d="M${SIZE.left} ${fixed(up(level))}H${right}" stroke="#dee2e6"/>`,
      text({ x: 58, y: up(level) + 4 }, level === NONE ? '0' : String(level), 'text-anchor="end"'),
    ]),
    ...report.points
      .filter((_, position) => position % 2 === 0)
      .map(({ detectionMs }) =>
        text(
          { x: across(detectionMs), y: bottom + 18 },
          (detectionMs / 1000).toPrecision(3),
          'text-anchor="middle"',
        ),
      ),
    text(
      { x: (SIZE.left + right) / 2, y: bottom + 40 },
      'mean detection time, s',
      'text-anchor="middle"',
    ),
    text({ x: 8, y: SIZE.top - 6 }, 'mistakes', ''),
  ];
}

interface Placing {
  readonly across: Scale;
  readonly up: Scale;
  readonly position: number;
}

function curveOf(
  curve: (typeof LINES)[number] & { readonly marks: readonly Mark[] },
  { across, up, position }: Placing,
): string {
  const path = curve.marks
    .map(
      ({ detectionMs, mistakes }, step) =>
        `${step === 0 ? 'M' : 'L'}${fixed(across(detectionMs))} ${fixed(up(Math.max(NONE, mistakes)))}`,
    )
    .join('');
  const width = curve.name === 'tripoint' ? 3 : 1.5;
  const x = SIZE.width - SIZE.right + 16;
  const y = SIZE.top + 20 * position;
  return [
    `<path d="${path}" fill="none" stroke="${curve.colour}" stroke-width="${width}"/>`,
    `<path d="M${x} ${y}h20" stroke="${curve.colour}" stroke-width="${width}"/>`,
    text({ x: x + 26, y: y + 4 }, curve.label, ''),
  ].join('\n');
}

function text(
  { x, y }: { readonly x: number; readonly y: number },
  words: string,
  attributes: string,
): string {
  const more = attributes === '' ? '' : ` ${attributes}`;
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="#212529"${more}>${escaped(words)}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(words: string): string {
  return words
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}
