/**
 * What the clients of one process asked and heard, kept so that it survives the process: a line before
 * each operation, and one after it.
 *
 * The line before is with the kernel when the operation begins, so that no write can take effect that
 * nobody knows of. An operation without an end belongs to a client that was killed: its outcome is
 * unknown.
 */
import { openSync, writeSync } from 'node:fs';
import type { HistoryOperation, RegisterOperation } from '../../lib/simulation/history.ts';
import { wholeLines } from './entry-journal.ts';

/** What became of an operation. */
export interface Answer {
  readonly outcome: HistoryOperation['outcome'];
  readonly result: HistoryOperation['result'];
  /** Where the log holds its command, if the client was told. */
  readonly index: number | null;
}

interface Begin {
  readonly kind: 'begin';
  readonly id: string;
  readonly client: number;
  readonly op: RegisterOperation;
  readonly at: number;
}

interface End extends Answer {
  readonly kind: 'end';
  readonly id: string;
  readonly at: number;
}

/** An operation of the history, with what the log can be held against. */
export interface RecordedOperation extends HistoryOperation {
  /** Of its command. */
  readonly id: string;
  readonly index: number | null;
}

export class OperationJournal {
  readonly #descriptor: number;

  constructor(file: string) {
    this.#descriptor = openSync(file, 'a');
  }

  begin(begin: Omit<Begin, 'kind' | 'at'>): void {
    this.#write({ kind: 'begin', at: nowUs(), ...begin });
  }

  end(id: string, answer: Answer): void {
    this.#write({ kind: 'end', at: nowUs(), id, ...answer });
  }

  #write(line: Begin | End): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }
}

/**
 * Microseconds of the clock that all processes of the machine share: CLOCK_MONOTONIC. It goes on
 * while a process is stopped.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** @param text of one journal. @param deadAt when operations without an end count as given up. */
export function recordedOperations(text: string, deadAt: number): readonly RecordedOperation[] {
  const lines = wholeLines<Begin | End>(text);
  const ends = new Map(lines.flatMap((line) => (line.kind === 'end' ? [[line.id, line]] : [])));
  return lines.flatMap((line) => {
    if (line.kind === 'end') {
      return [];
    }
    const { id, client, op, at } = line;
    const end = ends.get(id) ?? { at: deadAt, outcome: 'unknown', result: null, index: null };
    const { outcome, result, index } = end;
    return [{ client, op, invoke: at, complete: end.at, outcome, result, id, index }];
  });
}
