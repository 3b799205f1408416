/**
 * Reads a trace from CSV: one column a series, one row a sequence number.
 *
 *     slice,t7_o11,t7_o27        an optional header, an optional index column
 *     1,0.43,0.51
 *     2,,0.51                    an empty cell is a lost beat; so is 0 (and NaN, NA, *, -1)
 *
 * Cells are arrival times in milliseconds, or round trips in *seconds* (`kind: 'rtt'`), from which
 * arrivals follow: beat k left at k Δ and took half a round trip. Columns may end at different
 * rows. Everything that cannot be read is refused with row, column and what to do; sizes, times and
 * round trips are bounded, because the file may be anything.
 */
import { AppError } from '../../base/errors.ts';
import {
  type ArrivalSeries,
  type ArrivalTrace,
  freshArrivals,
  fromRoundTrips,
  INSTANT_MS_MAX,
  INTERVAL_MS_MAX,
  inferIntervalMs,
  isPace,
} from './arrival-trace.ts';

export type TraceKind = 'arrival' | 'rtt';

export interface TraceFileOptions {
  readonly kind: TraceKind;
  /** Needed for round trips. For arrivals null = the median time between neighbours. */
  readonly intervalMs: number | null;
}

export const TRACE_TEXT_LENGTH_MAX = 400_000_000;
const TRACE_CELLS_MAX = 8_000_000;
const TRACE_COLUMNS_MAX = 20_000;
/** A day: longer ones are milliseconds that were taken for seconds, or worse. */
const ROUND_TRIP_SECONDS_MAX = 86_400;
/** Many recorders write it where no answer came; any other time before 0 is a mistake. */
const LOST_TIME_MS = -1;
const NANOSECONDS_PER_MILLISECOND = 1e6;
/** Where most beats seem overtaken, the column is not a series of arrivals. */
const OVERTAKEN_SHARE_MAX = 0.5;

const INDEX_NAME = /^(#|index|idx|slice|seq|sequence|num_?seq|row|k|n|no|id)?$/i;
const TIME_NAME = /^(time|timestamp|date|t)$/i;
const LOST_CELL = /^(nan|na|n\/a|null|none|lost|timeout|inf|infinity|-|\*|\?)$/i;

/** @throws AppError `trace-…` that says what is wrong with the file and what to do. */
export function parseTrace(name: string, text: string, options: TraceFileOptions): ArrivalTrace {
  checkOptions(options);
  const table = readTable(text);
  const columns = withoutIndex(table, options.kind);
  return options.kind === 'rtt'
    ? roundTripTrace(name, columns, options.intervalMs ?? 0)
    : arrivalTrace(name, columns, options.intervalMs);
}

interface Column {
  readonly name: string;
  readonly cells: Float64Array;
}

function checkOptions({ kind, intervalMs }: TraceFileOptions): void {
  if (intervalMs !== null) {
    checkPace(intervalMs);
  }
  if (kind === 'rtt' && intervalMs === null) {
    throw unreadable('interval-missing', 'round trips do not tell when beats were sent', {
      hint: 'Give the time between two measurements as --interval-ms.',
    });
  }
}

function checkPace(intervalMs: number): void {
  if (!isPace(intervalMs)) {
    throw unreadable('interval-invalid', `an interval of ${intervalMs} ms is no pace`, {
      hint: 'Beats are between a microsecond and a day apart: see to the unit, or give --interval-ms.',
    });
  }
}

function roundTripTrace(
  name: string,
  columns: readonly Column[],
  intervalMs: number,
): ArrivalTrace {
  columns.forEach(checkRoundTrips);
  let sumMs = 0;
  let count = 0;
  for (const { cells } of columns) {
    for (const seconds of cells) {
      if (seconds > 0) {
        sumMs += seconds * 500;
        count++;
      }
    }
  }
  const series = columns.map((column) =>
    fromRoundTrips(
      column.name,
      column.cells.map((seconds) => seconds * 1000),
      intervalMs,
    ),
  );
  return { name, intervalMs, transitMs: count === 0 ? 0 : sumMs / count, series };
}

function arrivalTrace(
  name: string,
  columns: readonly Column[],
  intervalMs: number | null,
): ArrivalTrace {
  const series = columns.map((column) => ({
    name: column.name,
    // 0 may be the origin of time in the first row; later it marks a loss, as -1 does.
    arrivalsMs: column.cells.map((ms, row) => (ms > 0 || (ms === 0 && row === 0) ? ms : NaN)),
  }));
  columns.forEach(checkSigns);
  series.forEach(checkOrder);
  const inferred = intervalMs ?? inferIntervalMs(series);
  const unit = areNanoseconds(series, inferred) ? NANOSECONDS_PER_MILLISECOND : 1;
  const scaled = series.map((one) => ({
    ...one,
    arrivalsMs: one.arrivalsMs.map((time) => time / unit),
  }));
  scaled.forEach(checkInstants);
  const inferredMs = intervalMs ?? inferred / unit;
  checkPace(inferredMs);
  return { name, intervalMs: inferredMs, transitMs: 0, series: scaled };
}

/** Beats that are more than a day apart, or that all came after the end of time. */
function areNanoseconds(series: readonly ArrivalSeries[], interval: number): boolean {
  const areLate = series.every(({ arrivalsMs }) =>
    arrivalsMs.every((time) => !(time <= INSTANT_MS_MAX)),
  );
  return interval > INTERVAL_MS_MAX || areLate;
}

function checkSigns({ name, cells }: Column): void {
  const row = cells.findIndex((ms) => ms < 0 && ms !== LOST_TIME_MS);
  if (row >= 0) {
    throw unreadable('time-negative', `row ${row + 1} of column ${name} is before 0`, {
      hint: 'Count from the first beat or from 1970, and leave a cell empty where a beat was lost.',
    });
  }
}

function checkInstants({ name, arrivalsMs }: ArrivalSeries): void {
  const row = arrivalsMs.findIndex((ms) => ms > INSTANT_MS_MAX);
  if (row >= 0) {
    throw unreadable('time-too-late', `row ${row + 1} of column ${name} is no time`, {
      hint: `Write milliseconds, at most ${INSTANT_MS_MAX}, and leave a cell empty for a lost beat.`,
    });
  }
}

function checkRoundTrips({ name, cells }: Column): void {
  const row = cells.findIndex((seconds) => seconds > ROUND_TRIP_SECONDS_MAX);
  if (row >= 0) {
    throw unreadable('round-trip-too-long', `row ${row + 1} of column ${name} is over a day`, {
      hint: 'Round trips are seconds; leave a cell empty where no answer came.',
    });
  }
}

function checkOrder(series: ArrivalSeries): void {
  const { overtaken } = freshArrivals(series);
  if (overtaken > OVERTAKEN_SHARE_MAX * series.arrivalsMs.length) {
    throw unreadable('not-in-order', `most times of column ${series.name} run backwards`, {
      hint: 'Arrival times must rise along a column; for round trips pass --kind rtt.',
    });
  }
}

interface Table {
  readonly hasHeader: boolean;
  readonly columns: readonly Column[];
}

function readTable(text: string): Table {
  if (text.length > TRACE_TEXT_LENGTH_MAX) {
    throw unreadable('too-large', `the file has ${text.length} characters`, {
      hint: `Cut it to ${TRACE_TEXT_LENGTH_MAX} characters.`,
    });
  }
  const rows = rowBounds(text);
  const firstRow = rows.next();
  if (firstRow.done === true) {
    throw unreadable('empty', 'the file holds no rows', { hint: 'Give at least one column.' });
  }
  const separator = separatorOf(firstRow.value);
  const head = firstRow.value.split(separator).map(unquoted);
  const hasHeader = head.some((cell) => cell !== '' && Number.isNaN(numberIn(cell) ?? 0));
  checkWidth(head.length);
  const shape = {
    separator,
    width: head.length,
    rowsMax: Math.floor(TRACE_CELLS_MAX / head.length),
  };
  const cells = readCells(rows, hasHeader ? null : firstRow.value, shape);
  const columns = head.map((cell, position) => ({
    name: hasHeader && cell !== '' ? cell : `column-${position + 1}`,
    cells: cells[position] ?? new Float64Array(0),
  }));
  if ((columns[0]?.cells.length ?? 0) === 0) {
    throw unreadable('empty', 'the file holds no rows', { hint: 'Give rows below the header.' });
  }
  return { hasHeader, columns: hasHeader ? withOriginalNames(columns, head) : columns };
}

/** An unnamed first column keeps its empty name: that is how tables are saved with their index. */
function withOriginalNames(columns: readonly Column[], head: readonly string[]): Column[] {
  return columns.map((column, position) =>
    position === 0 && head[0] === '' ? { ...column, name: '' } : column,
  );
}

interface Shape {
  readonly separator: string;
  readonly width: number;
  readonly rowsMax: number;
}

function readCells(
  rows: Iterator<string>,
  firstRow: string | null,
  shape: Shape,
): readonly Float64Array[] {
  let capacity = 1024;
  let columns: readonly Float64Array[] = Array.from(
    { length: shape.width },
    () => new Float64Array(capacity),
  );
  let count = 0;
  let row = firstRow ?? nextOf(rows);
  while (row !== null) {
    if (count === capacity) {
      capacity *= 2;
      columns = columns.map((column) => grown(column, capacity));
    }
    if (count === shape.rowsMax) {
      throw unreadable('too-large', `more than ${TRACE_CELLS_MAX} cells`, {
        hint: 'Cut the file into parts with fewer rows or columns.',
      });
    }
    readRow(row, { columns, row: count, separator: shape.separator });
    count++;
    row = nextOf(rows);
  }
  return columns.map((column) => column.subarray(0, count));
}

function nextOf(rows: Iterator<string>): string | null {
  const step = rows.next();
  return step.done === true ? null : step.value;
}

function grown(column: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

interface RowTarget {
  readonly columns: readonly Float64Array[];
  readonly row: number;
  readonly separator: string;
}

function readRow(text: string, { columns, row, separator }: RowTarget): void {
  const cells = text.split(separator);
  if (
    cells.length > columns.length &&
    cells.slice(columns.length).some((cell) => cell.trim() !== '')
  ) {
    throw unreadable('row-too-long', `row ${row + 1} has ${cells.length} cells`, {
      hint: `The first row has ${columns.length}: give every row the same columns.`,
    });
  }
  columns.forEach((column, position) => {
    const number = numberIn(unquoted(cells[position] ?? ''));
    if (number === null) {
      column[row] = Number.NaN;
    } else if (Number.isNaN(number)) {
      throw unreadable('cell-malformed', `row ${row + 1}, column ${position + 1} is no number`, {
        hint: `Write a number or leave it empty; found ${JSON.stringify(cells[position]?.slice(0, 40))}.`,
      });
    } else {
      column[row] = number;
    }
  });
}

/** A number, null for a lost beat, NaN for anything else. */
function numberIn(cell: string): number | null {
  if (cell === '' || LOST_CELL.test(cell)) {
    return null;
  }
  return Number(cell);
}

function unquoted(cell: string): string {
  const trimmed = cell.trim();
  return trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1).trim() : trimmed;
}

function separatorOf(row: string): string {
  return [',', ';', '\t'].find((separator) => row.includes(separator)) ?? ',';
}

function checkWidth(width: number): void {
  if (width > TRACE_COLUMNS_MAX) {
    throw unreadable('too-large', `the first row has ${width} columns`, {
      hint: `Give at most ${TRACE_COLUMNS_MAX} series in one file.`,
    });
  }
}

/** The rows of a text, without blank lines, comment lines and a byte order mark. */
function* rowBounds(text: string): Generator<string> {
  let begin = text.startsWith('\ufeff') ? 1 : 0;
  while (begin < text.length) {
    const found = text.indexOf('\n', begin);
    const end = found === -1 ? text.length : found;
    const row = text.slice(begin, text[end - 1] === '\r' ? end - 1 : end);
    if (row.trim() !== '' && !/^\s*#\s/.test(row)) {
      yield row;
    }
    begin = end + 1;
  }
}

function withoutIndex({ hasHeader, columns }: Table, kind: TraceKind): readonly Column[] {
  const [first, ...rest] = columns;
  if (first === undefined || rest.length === 0) {
    return columns;
  }
  const named =
    hasHeader && (INDEX_NAME.test(first.name) || (kind === 'rtt' && TIME_NAME.test(first.name)));
  return named || countsByOne(first.cells) ? rest : columns;
}

function countsByOne(cells: Float64Array): boolean {
  const [first = Number.NaN] = cells;
  return cells.length > 1 && cells.every((cell, row) => cell === first + row);
}

function unreadable(code: string, message: string, { hint }: { readonly hint: string }): AppError {
  return new AppError(`the trace cannot be read: ${message}`, {
    code: `trace-${code}`,
    hint,
    retryable: false,
  });
}
