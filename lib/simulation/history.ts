/**
 * A history: what clients asked of registers with names (keys), when, and what they were told.
 *
 * It is all that a judge of linearizability needs, and nothing of the system that made it. On disk
 * it is JSON lines, one operation a line, so that an independent checker can read it as well:
 *
 *   {"client":1,"op":{"kind":"write","key":"k","value":"v"},"invoke":123,"complete":456,"outcome":"ok","result":null}
 *
 * `invoke` and `complete` are integer microseconds of one clock. The outcome says what is known of the
 * effect. `ok`: it took place once, between the two instants. `fail`: it never did and never will.
 * `unknown`: it may take place once, at any time after `invoke`, also long after `complete`, or never;
 * the word of Jepsen for it is `info`.
 *
 * Invariant: what `parseHistory` returns is well formed, and `historyLine` is its inverse.
 */
import { AppError } from '../base/errors.ts';

export type RegisterOperation =
  | { readonly kind: 'write'; readonly key: string; readonly value: string }
  /** `result` is the value; null = never written. */
  | { readonly kind: 'read'; readonly key: string }
  /** Writes `to` if the register holds `from`. */
  | { readonly kind: 'cas'; readonly key: string; readonly from: string; readonly to: string };

export interface HistoryOperation {
  readonly client: number;
  readonly op: RegisterOperation;
  /** Microseconds. */
  readonly invoke: number;
  /** Microseconds; when the client gave up or was found dead, if the outcome is unknown. */
  readonly complete: number;
  readonly outcome: 'ok' | 'fail' | 'unknown';
  /**
   * Of a read that is ok its value; of a `cas` that is ok whether it wrote (null = it did); else
   * without meaning. A `cas` that found another value may also be recorded as `fail`.
   */
  readonly result: string | boolean | null;
}

/** One line, without the line feed. The members stand in the order of the format above. */
export function historyLine(operation: HistoryOperation): string {
  const { client, op, invoke, complete, outcome, result } = operation;
  return JSON.stringify({ client, op, invoke, complete, outcome, result });
}

/**
 * Empty lines are skipped.
 *
 * @throws AppError `history-malformed`, naming the line and the field.
 */
export function parseHistory(text: string): readonly HistoryOperation[] {
  return text
    .split('\n')
    .flatMap((line, position) =>
      line.trim() === '' ? [] : [operationIn({ text: line, number: position + 1 })],
    );
}

interface Line {
  readonly text: string;
  readonly number: number;
}

type Fields = { readonly [name: string]: unknown };

function operationIn(line: Line): HistoryOperation {
  const fields = fieldsIn(line, jsonIn(line), 'the line');
  const outcome = outcomeIn(line, fields['outcome']);
  const invoke = wholeNumberIn(line, fields, 'invoke');
  const complete = wholeNumberIn(line, fields, 'complete');
  if (complete < invoke) {
    throw malformed(line, '"complete" lies before "invoke"');
  }
  const op = registerOperationIn(line, fieldsIn(line, fields['op'], '"op"'));
  return {
    client: wholeNumberIn(line, fields, 'client'),
    op,
    invoke,
    complete,
    outcome,
    result: resultIn(line, { op, outcome }, fields['result']),
  };
}

function jsonIn(line: Line): unknown {
  try {
    return JSON.parse(line.text);
  } catch (cause) {
    throw malformed(line, 'not JSON', cause);
  }
}

function fieldsIn(line: Line, value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(line, `${what} must be an object`);
  }
  return value as Fields;
}

function outcomeIn(line: Line, value: unknown): HistoryOperation['outcome'] {
  if (value !== 'ok' && value !== 'fail' && value !== 'unknown') {
    throw malformed(line, '"outcome" must be "ok", "fail" or "unknown"');
  }
  return value;
}

function wholeNumberIn(line: Line, fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw malformed(line, `"${name}" must be a whole number`);
  }
  return value;
}

function registerOperationIn(line: Line, fields: Fields): RegisterOperation {
  const key = textIn(line, fields, 'key');
  switch (fields['kind']) {
    case 'write':
      return { kind: 'write', key, value: textIn(line, fields, 'value') };
    case 'read':
      return { kind: 'read', key };
    case 'cas':
      return {
        kind: 'cas',
        key,
        from: textIn(line, fields, 'from'),
        to: textIn(line, fields, 'to'),
      };
    default:
      throw malformed(line, '"op.kind" must be "write", "read" or "cas"');
  }
}

function textIn(line: Line, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') {
    throw malformed(line, `"op.${name}" must be a string`);
  }
  return value;
}

function resultIn(
  line: Line,
  { op, outcome }: Pick<HistoryOperation, 'op' | 'outcome'>,
  value: unknown,
): HistoryOperation['result'] {
  const isText = typeof value === 'string';
  const isFlag = typeof value === 'boolean';
  if (outcome !== 'ok' || op.kind === 'write') {
    return isText || isFlag ? value : null;
  }
  if (op.kind === 'read' && (isText || value === null)) {
    return value;
  }
  if (op.kind === 'cas' && (isFlag || value === null || value === undefined)) {
    return value ?? null;
  }
  const wanted = op.kind === 'read' ? 'the string that was read, or null' : 'true, false or null';
  throw malformed(line, `"result" of a ${op.kind} that is ok must be ${wanted}`);
}

function malformed({ number }: Line, problem: string, cause?: unknown): AppError {
  return new AppError(`line ${number} of the history: ${problem}`, {
    code: 'history-malformed',
    hint: 'Correct the line; the format stands in lib/simulation/history.ts.',
    retryable: false,
    cause,
  });
}
