/**
 * The logging port: one event name, a few fields. The shell decides where it goes (a JSON line on
 * AWS, a readable line locally). Never pass a token or a request body.
 */
import type { JsonValue } from './json.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogEvent = (
  level: LogLevel,
  event: string,
  fields?: { readonly [key: string]: JsonValue | undefined },
) => void;
