/** `tripoint log`: one line for each entry, in words; the full bodies are in `--json`. */

import type { LogJson } from '../../api/schemas.ts';
import { childOf, entriesOf, valueAt } from '../../config/tree.ts';
import { sharesText } from '../../recovery/traffic.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';

type Entry = LogJson['entries'][number];
type Configuration = NonNullable<Entry['configuration']>;

const HEADER = ['index', 'term', 'at', 'kind', 'what'];

export function renderLog(entries: readonly Entry[], style: Style): readonly string[] {
  return renderTable({ header: HEADER, rows: entries.map(entryRow) }, style);
}

/** Lines that follow an earlier page: no header, so that a stream has only one. */
export function renderLogTail(entries: readonly Entry[], style: Style): readonly string[] {
  return renderLog(entries, style).slice(1);
}

function entryRow(entry: Entry) {
  const { configuration, answer } = entry;
  const kind = configuration === undefined ? textOf(entry.body, 'kind') : 'voters';
  const what =
    configuration === undefined ? describeEntry(entry.body) : describeVoters(configuration);
  return [
    cell(String(entry.index)),
    cell(String(entry.term)),
    cell(instantOf(entry.body)),
    cell(kind === '' ? 'no-op' : kind, kind === '' ? 'dim' : 'strong'),
    answer?.kind === 'refused' ? cell(`${what}; refused: ${answer.code}`, 'dim') : cell(what),
  ];
}

function describeVoters({ voters, outgoing, learners }: Configuration): string {
  const leaving = outgoing?.filter((member) => !voters.includes(member)) ?? [];
  return [
    voters.join(', '),
    ...(leaving.length === 0 ? [] : [`leaving ${leaving.join(', ')}`]),
    ...(learners.length === 0 ? [] : [`learning ${learners.join(', ')}`]),
  ].join('; ');
}

/** One sentence about a log entry. Total: an entry of a later version shows its subject at least. */
export function describeEntry(body: unknown): string {
  const text = (key: string) => textOf(body, key);
  const subject = [text('service'), text('site')].filter((part) => part !== '').join('@');
  switch (text('kind')) {
    case '':
      return 'a new leader confirmed its term';
    case 'configure':
      return `configuration ${text('configHash').slice(0, 12)}, by ${text('by')}: ${text('reason')}`;
    case 'verdict':
      return `${text('observer')} finds ${subject} ${verdictOf(body)}`;
    case 'warning':
      return `${text('observer')} ${warningOf(body)} of ${subject}: ${textAt(body, ['warning', 'sentence'])}`;
    case 'alarm':
      return `${subject}: ${text('name')} is ${text('state')}`;
    case 'failover':
    case 'failback':
    case 'drill-end':
      return `${subject}${targetOf(body)}, by ${text('by')}: ${text('reason')}`;
    case 'claim-step':
      return `${text('run')}: ${text('worker')} begins ${text('step')}`;
    case 'finish-step':
      return `${text('run')}: ${text('step')} ${textAt(body, ['result', 'kind'])}${codeOf(body)}`;
    case 'notified':
      return `people were told up to entry ${text('through')}`;
    default:
      return describeWords(body, subject);
  }
}

/** What a person asked for: about what, who and why. */
function describeWords(body: unknown, subject: string): string {
  const text = (key: string) => textOf(body, key);
  const step = [text('run'), text('step')].filter((part) => part !== '').join(' ');
  const what = [subject, step, text('verdict'), text('rule'), sharesOf(body)];
  const about = what.filter((part) => part !== '').join(' ') || 'all services';
  return text('by') === '' ? about : `${about}, by ${text('by')}: ${text('reason')}`;
}

function sharesOf(body: unknown): string {
  const shares = entriesOf(childOf(body, 'weights')).flatMap(([site, percent]) =>
    typeof percent === 'number' ? [[site, percent] as const] : [],
  );
  return shares.length === 0 ? '' : sharesText(Object.fromEntries(shares));
}

function warningOf(body: unknown): string {
  const code = textAt(body, ['warning', 'code']);
  return code === '' ? 'warns no more' : `warns (${code})`;
}

function verdictOf(body: unknown): string {
  const sentence = textAt(body, ['verdict', 'sentence']);
  return `${textAt(body, ['verdict', 'state'])}${sentence === '' ? '' : `: ${sentence}`}`;
}

function targetOf(body: unknown): string {
  const target = textOf(body, 'to');
  const forced = childOf(body, 'force') === true ? ', forced' : '';
  const mode = textOf(body, 'mode');
  const loss = childOf(body, 'acceptLoss') === true ? ', loss accepted' : '';
  return `${target === '' ? '' : ` → ${target}`}${mode === '' ? '' : `, ${mode}`}${forced}${loss}`;
}

function codeOf(body: unknown): string {
  const code = textAt(body, ['result', 'code']);
  return code === '' ? '' : ` (${code})`;
}

function instantOf(body: unknown): string {
  const at = childOf(body, 'at');
  return typeof at === 'number' ? formatInstant(new Date(at).toISOString()) : '';
}

function textOf(body: unknown, key: string): string {
  return textAt(body, [key]);
}

function textAt(body: unknown, path: readonly string[]): string {
  const value = valueAt(body, path);
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
