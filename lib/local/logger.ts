/**
 * Where log events of a local process go: JSON lines for files, short lines for a terminal.
 *
 * Local processes write to their standard output, which the supervisor points at a file under
 * `.tripoint/logs`; so a crash, whose stack Node prints on its own, lands beside the events.
 * The write is synchronous: the line that explains an exit must not be lost by it.
 */
import { writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { canonicalJson, type JsonValue } from '../base/json.ts';
import type { LogEvent, LogLevel } from '../base/log.ts';

type Fields = { readonly [key: string]: JsonValue | undefined };

interface LoggerOptions {
  /** Name of the process, e.g. `us-east-1` or `dns`. */
  readonly source: string;
  /** Events below this level are dropped. */
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly clock: Pick<Clock, 'wallNow'>;
  /** Takes one line that ends with a newline. */
  readonly write: (line: string) => void;
}

const SEVERITY: { readonly [level in LogLevel]: number } = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLogger(options: LoggerOptions): LogEvent {
  const { source, level: threshold, format, clock, write } = options;
  return (level, event, fields = {}) => {
    if (SEVERITY[level] < SEVERITY[threshold]) {
      return;
    }
    const at = new Date(clock.wallNow()).toISOString();
    const line =
      format === 'json'
        ? JSON.stringify({ at, level, source, event, ...fields })
        : `${at.slice(11, 23)} ${level.padEnd(5)} ${source} ${event}${textOf(fields)}`;
    write(`${line}\n`);
  };
}

/** Writes a line to a file descriptor and returns when the kernel has it. */
export function writeLineTo(descriptor: number): (line: string) => void {
  return (line) => {
    writeSync(descriptor, line);
  };
}

function textOf(fields: Fields): string {
  return Object.entries(fields)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}=${plain(value)}`]))
    .join('');
}

/** A string without white space stands bare; everything else as JSON. */
function plain(value: JsonValue): string {
  return typeof value === 'string' && /^\S+$/.test(value) ? value : canonicalJson(value);
}
