/**
 * Reads recorded heartbeats from a file: CSV as the evaluation reads it, or one JSON object a line
 * as a user would log them:
 *
 *     {"site":"us-east-1","observer":"eu-west-1","sequence":7,"bootId":"x1","arrivedAt":1763888400123}
 *
 * `observer`, `sequence` and `bootId` may be left out, `arrivedAt` may be RFC 3339 text. A file may be
 * anything: sizes are bounded, and what cannot be read is refused with its line and what to write
 * instead; nothing is skipped in silence.
 */
import { AppError } from '../../base/errors.ts';
import { epochMillis } from '../../base/identifiers.ts';
import { type Beat, isBootId } from '../../detection/arrival-window.ts';
import { type ArrivalSeries, INSTANT_MS_MAX } from '../traces/arrival-trace.ts';
import { parseTrace, type TraceFileOptions } from '../traces/trace-file.ts';
import { REPLAY_LIMITS, type RecordedSeries } from './recording.ts';

export interface ReadRecording {
  readonly series: readonly RecordedSeries[];
  /** Δ where the file or its reader knows it; null = to be measured. */
  readonly intervalMs: number | null;
}

const BOOT = 'recorded';
const ONLY_OBSERVER = 'observer';

/**
 * @param observers names of observers, for columns `<target>_<observer>` of a CSV and for lines of
 *   JSON; others are left out. null = all, and columns of that form are taken for it.
 * @throws AppError `trace-…` or `recording-…`.
 */
export function readRecording(
  text: string,
  options: TraceFileOptions,
  observers: readonly string[] | null,
): ReadRecording {
  const isLines = /^\s*\{/.test(text.slice(0, 1000));
  const { series, intervalMs } = isLines
    ? { series: readLines(text), intervalMs: options.intervalMs }
    : readColumns(text, options, observers);
  const wanted = series.filter(
    ({ observer }) => observers === null || observers.includes(observer),
  );
  checkSize(wanted);
  if (wanted.length === 0) {
    throw unreadable('observers-unknown', 'no series of the observers that were named', {
      hint: `The file has: ${[...new Set(series.map(({ observer }) => observer))].slice(0, 10).join(', ')}.`,
    });
  }
  return { series: wanted, intervalMs };
}

function checkSize(series: readonly RecordedSeries[]): void {
  const beats = series.reduce((sum, one) => sum + one.beats.length, 0);
  if (series.length > REPLAY_LIMITS.seriesMax || beats > REPLAY_LIMITS.beatsMax) {
    throw unreadable('too-large', `${series.length} series with ${beats} beats`, {
      hint: `At most ${REPLAY_LIMITS.seriesMax} series and ${REPLAY_LIMITS.beatsMax} beats: cut the file.`,
    });
  }
  for (const [target, own] of Map.groupBy(series, (one) => one.target)) {
    if (own.length > REPLAY_LIMITS.observersMax) {
      throw unreadable('too-many-observers', `${target} has ${own.length} observers`, {
        hint: `Name at most ${REPLAY_LIMITS.observersMax} by --observers.`,
      });
    }
  }
}

// ── CSV ──────────────────────────────────────────────────────────────────────────────────────────

function readColumns(
  text: string,
  options: TraceFileOptions,
  observers: readonly string[] | null,
): ReadRecording {
  const trace = parseTrace('recording', text, options);
  const names = trace.series.map(({ name }) => name);
  const isPaired = names.every((name) => observerIn(name, observers) !== null);
  if (observers !== null && !names.some((name) => observerIn(name, observers) !== null)) {
    throw unreadable('observers-unknown', 'no column ends in the name of an observer', {
      hint: `Columns are named <target>_<observer>; the file has ${names.slice(0, 5).join(', ')}.`,
    });
  }
  const series = trace.series.map((column): RecordedSeries => {
    const pair = observers !== null || isPaired ? observerIn(column.name, observers) : null;
    const { target, observer } = pair ?? { target: column.name, observer: ONLY_OBSERVER };
    return { target, observer, beats: beatsOf(column) };
  });
  return { series, intervalMs: trace.intervalMs };
}

function observerIn(
  name: string,
  observers: readonly string[] | null,
): { readonly target: string; readonly observer: string } | null {
  const match = /^(.+)_([^_]+)$/.exec(name);
  const [, target, observer] = match ?? [];
  return target === undefined || observer === undefined || !(observers?.includes(observer) ?? true)
    ? null
    : { target, observer };
}

/** In order of arrival; the row is the sequence, so that an overtaken beat is known as one. */
function beatsOf({ arrivalsMs }: ArrivalSeries): readonly Beat[] {
  const beats: Beat[] = [];
  arrivalsMs.forEach((arrivedAtMs, sequence) => {
    if (!Number.isNaN(arrivedAtMs)) {
      beats.push({ bootId: BOOT, sequence, arrivedAt: epochMillis(arrivedAtMs) });
    }
  });
  return inOrder(beats);
}

// ── Lines of JSON ────────────────────────────────────────────────────────────────────────────────

function readLines(text: string): readonly RecordedSeries[] {
  const series = new Map<string, { target: string; observer: string; beats: Beat[] }>();
  let line = 0;
  for (let begin = 0; begin < text.length; ) {
    const found = text.indexOf('\n', begin);
    const end = found === -1 ? text.length : found;
    line += 1;
    const content = text.slice(begin, end).trim();
    begin = end + 1;
    if (content !== '') {
      addLine(series, content, line);
    }
  }
  return [...series.values()].map((one) => ({ ...one, beats: inOrder(one.beats) }));
}

function addLine(
  series: Map<string, { target: string; observer: string; beats: Beat[] }>,
  content: string,
  line: number,
): void {
  const fields = objectIn(content, line);
  const site = nameIn(fields, 'site', line);
  const service = fields['service'] === undefined ? null : nameIn(fields, 'service', line);
  const target = service === null ? site : `${service}/${site}`;
  const observer =
    fields['observer'] === undefined ? ONLY_OBSERVER : nameIn(fields, 'observer', line);
  const key = JSON.stringify([target, observer]);
  const own = series.get(key) ?? { target, observer, beats: [] };
  series.set(key, own);
  own.beats.push({
    bootId: bootIn(fields, line),
    sequence: sequenceIn(fields, own.beats.length, line),
    arrivedAt: instantIn(fields, line),
  });
}

interface Fields {
  readonly [name: string]: unknown;
}

function objectIn(content: string, line: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    value = null;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw malformed(line, 'is no JSON object', 'Write one complete object a line.');
  }
  return value as Fields;
}

const NAME_CHARACTERS_MAX = 200;

function nameIn(fields: Fields, name: string, line: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '' || value.length > NAME_CHARACTERS_MAX) {
    throw malformed(line, `has no name in "${name}"`, `Write "${name}" as a text.`);
  }
  return value;
}

function bootIn(fields: Fields, line: number): string {
  const value = fields['bootId'] ?? BOOT;
  if (typeof value !== 'string' || !isBootId(value)) {
    throw malformed(line, 'has no valid "bootId"', 'Write 1 to 64 printable characters.');
  }
  return value;
}

function sequenceIn(fields: Fields, otherwise: number, line: number): number {
  const value = fields['sequence'] ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(line, 'has no valid "sequence"', 'Write a whole number from 0.');
  }
  return value;
}

function instantIn(fields: Fields, line: number): Beat['arrivedAt'] {
  const value = fields['arrivedAt'];
  const instant = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof instant !== 'number' || !(Math.abs(instant) <= INSTANT_MS_MAX)) {
    throw malformed(
      line,
      'has no instant in "arrivedAt"',
      'Write milliseconds since 1970 as a number, or RFC 3339 text.',
    );
  }
  return epochMillis(instant);
}

/** Sorts only what needs it: a recording is in order but for a few beats. */
function inOrder(beats: Beat[]): readonly Beat[] {
  const isAscending = beats.every(
    ({ arrivedAt }, position) => arrivedAt >= (beats[position - 1]?.arrivedAt ?? arrivedAt),
  );
  return isAscending ? beats : beats.sort((left, right) => left.arrivedAt - right.arrivedAt);
}

function malformed(line: number, what: string, hint: string): AppError {
  return unreadable('line-malformed', `line ${line} ${what}`, { hint });
}

function unreadable(code: string, message: string, { hint }: { readonly hint: string }): AppError {
  return new AppError(`the recording cannot be read: ${message}`, {
    code: `recording-${code}`,
    hint,
    retryable: false,
  });
}
