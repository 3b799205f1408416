/**
 * One entry of the log as archives and exported files hold it: a line of JSON.
 *
 * An entry has exactly one such line. Whoever checks an archive compares the line with the one that its
 * entry would have; so not even a blank can be changed without being found, though the hash chain is
 * over the meaning of an entry and not over its bytes.
 */
import { logIndex, term } from '../base/identifiers.ts';
import type { JsonValue, Sha256 } from '../base/json.ts';
import type { Configuration } from '../consensus/membership.ts';
import { type AppliedEntry, chainAfter } from '../consensus/replica.ts';
import type { Entry } from '../consensus/server.ts';
import type { LogEntryView } from './control-plane.ts';

export function viewOf({ entry, chain }: AppliedEntry): LogEntryView {
  const { index, term: entryTerm, command, configuration } = entry;
  return {
    index,
    term: entryTerm,
    id: command?.id ?? null,
    basis: command?.basis ?? null,
    body: command?.body ?? null,
    ...(configuration === undefined ? {} : { configuration }),
    chain,
  };
}

export function entryOf({ index, term: entryTerm, ...view }: LogEntryView): Entry {
  const { id, basis, body, configuration } = view;
  return {
    index,
    term: entryTerm,
    command: id === null || basis === null ? null : { id, basis, body },
    ...(configuration === undefined ? {} : { configuration }),
  };
}

/** The link of the hash chain after this entry, computed anew. */
export function linkAfter(chain: string, view: LogEntryView, sha256: Sha256): string {
  return chainAfter(chain, entryOf(view), sha256);
}

/** Without a line break. */
export function encodeLogLine({ configuration, chain, ...view }: LogEntryView): string {
  const { index, term: entryTerm, id, basis, body } = view;
  const change = configuration === undefined ? {} : { configuration: plain(configuration) };
  return JSON.stringify({ index, term: entryTerm, id, basis, body, ...change, chain });
}

/** null unless the line is exactly that of one entry. */
export function decodeLogLine(line: string): LogEntryView | null {
  const value = parse(line);
  if (!isView(value)) {
    return null;
  }
  const view = { ...value, index: logIndex(value.index), term: term(value.term) };
  return isWrittenAs(view, line) ? view : null;
}

/** False also for a body nested so deep that nobody can write it. */
function isWrittenAs(view: LogEntryView, line: string): boolean {
  try {
    return encodeLogLine(view) === line;
  } catch (thrown) {
    if (thrown instanceof RangeError) {
      return false;
    }
    throw thrown;
  }
}

/** What a file says at its end, so that one which was cut off is known as such. */
export interface LogTrailer {
  readonly first: number;
  readonly last: number;
  readonly chain: string;
}

export function encodeTrailer({ first, last, chain }: LogTrailer): string {
  return JSON.stringify({ end: true, first, last, chain });
}

/** null unless the line is exactly that of a trailer. */
export function decodeTrailer(line: string): LogTrailer | null {
  const value = parse(line);
  if (!isRecord(value) || value['end'] !== true) {
    return null;
  }
  const trailer = value as unknown as LogTrailer;
  return encodeTrailer(trailer) === line ? trailer : null;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) {
      return null;
    }
    throw thrown;
  }
}

/** The members by which an entry is told; a no-op has neither id nor basis nor body. */
function isView(value: unknown): value is LogEntryView {
  if (!isRecord(value)) {
    return false;
  }
  const {
    index,
    term: entryTerm,
    id,
    basis,
    body,
    configuration,
    chain,
  } = value as {
    readonly [member: string]: JsonValue | undefined;
  };
  const isCommand = typeof id === 'string' && isCounter(basis);
  const isNoOp = id === null && basis === null && body === null;
  return (
    isCounter(index) &&
    isCounter(entryTerm) &&
    (isCommand || isNoOp) &&
    body !== undefined &&
    (configuration === undefined || isConfiguration(configuration)) &&
    typeof chain === 'string'
  );
}

function isConfiguration(value: JsonValue): boolean {
  if (!isRecord(value)) {
    return false;
  }
  const { voters, outgoing, learners } = value as { readonly [member: string]: JsonValue };
  return isNames(voters) && (outgoing === null || isNames(outgoing)) && isNames(learners);
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isCounter(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRecord(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In one order of members, whoever made it. */
function plain({ voters, outgoing, learners }: Configuration): Configuration {
  return { voters, outgoing, learners };
}
