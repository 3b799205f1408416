/** `tripoint log verify`: the verdict in one line, then what is wrong and where, then where it looked. */
import type { LogAudit } from '../../control/log-audit.ts';
import type { LogBreak, LogDamage, LogSweep } from '../../control/log-sweep.ts';
import type { Paint, Style } from './style.ts';
import { cell, renderTable } from './table.ts';

export function renderAudit(audit: LogAudit, style: Style): readonly string[] {
  const { intactUpTo, chain, places } = audit;
  const rows = places.map(({ name, pieces, entries }) => [
    cell(name, 'strong'),
    cell(String(pieces)),
    cell(String(entries)),
  ]);
  return [
    headline(audit, style),
    ...(chain === null ? [] : [`link ${intactUpTo}:${chain}`]),
    ...problems(audit).map((line) => style(line, 'plain')),
    '',
    ...renderTable({ header: ['archive', 'objects', 'entries checked'], rows }, style),
    ...audit.anchors.map(({ origin }) => style(`compared with ${origin}`, 'dim')),
  ];
}

const VERDICTS: { readonly [outcome in LogAudit['outcome']]: readonly [text: string, Paint] } = {
  intact: ['● intact', 'good'],
  broken: ['✖ broken', 'bad'],
  incomplete: ['◐ incomplete', 'warning'],
  empty: ['○ empty', 'dim'],
};

function headline({ outcome, intactUpTo, breaks }: LogAudit, style: Style): string {
  const [text, paint] = VERDICTS[outcome];
  const extent =
    intactUpTo === 0
      ? 'not one entry is vouched for'
      : `entries 1 to ${intactUpTo} are as they were`;
  const at = outcome === 'broken' ? ` at entry ${breaks[0]?.index ?? '?'}` : '';
  return `${style(`${text}${at}`, paint)}  ${extent}`;
}

function problems(audit: LogAudit): readonly string[] {
  const { breaks, gaps, damages, silent, missingTail, intactUpTo } = audit;
  const tail =
    missingTail === null
      ? []
      : [
          `entries ${intactUpTo + 1} to ${missingTail.upTo} are not, or not yet, archived; ${missingTail.origin} knows of them`,
        ];
  return [
    ...breaks.flatMap(describeBreak),
    ...gaps.map(describeGap),
    ...damages.map(describeDamage),
    ...silent.map(({ name, cause }) => `${name} did not say what it holds: ${cause}`),
    ...tail,
  ];
}

/** The first thing that is wrong, in one sentence. */
export function describeFinding({ breaks, gaps, damages }: LogSweep): string {
  const [broken] = breaks.flatMap(describeBreak);
  const [gap] = gaps.map(describeGap);
  const [damage] = damages.map(describeDamage);
  return broken ?? gap ?? damage ?? 'nothing is wrong';
}

function describeBreak({ index, source, piece, ...what }: LogBreak): readonly string[] {
  const { sentence, expected, found, intactIn } = what;
  const copy = intactIn === null ? '' : `; ${intactIn} has it as it was`;
  const links = expected === null ? [] : [`  expected ${expected}`, `  found    ${found ?? '–'}`];
  return [`entry ${index} in ${nameOf(source, piece)}: ${sentence}${copy}`, ...links];
}

function describeGap({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? `entry ${from} is nowhere` : `entries ${from} to ${to} are nowhere`;
}

function describeDamage({ index, source, piece, fault, detail }: LogDamage): string {
  return `${nameOf(source, piece)} is ${fault} from entry ${index} on: ${detail}`;
}

function nameOf(source: string, piece: string): string {
  return source.endsWith(piece) ? source : `${source} ${piece}`;
}
