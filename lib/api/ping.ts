/**
 * What a ping says: the last part of its path, and the first line of its body.
 *
 * A ping comes out of a crontab: no JSON, no headers, an exit code at most. Its body is whatever the
 * job printed, so it is never refused; of it one short line is kept, for people to read.
 */
import type { JobEvent } from '../detection/job.ts';
import { API_LIMITS } from './limits.ts';

/** `start`, `fail`, `log`, or the exit code of a process. */
export const PING_ACTION: RegExp =
  /^(start|fail|log|[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$/;

/** @param action one that `PING_ACTION` takes; empty = the run ended well. */
export function pingEvent(action: string, message: string | null): JobEvent {
  switch (action) {
    case '':
      return { kind: 'success', exitCode: null, message };
    case 'start':
    case 'fail':
    case 'log':
      return { kind: action, exitCode: null, message };
    default: {
      const exitCode = Number(action);
      return { kind: exitCode === 0 ? 'success' : 'fail', exitCode, message };
    }
  }
}

/** Everything that a terminal, a log or a page could take for more than text. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/** The first line with anything in it, printable, within its bound; null = there is none. */
export function pingMessage(body: Uint8Array): string | null {
  const text = new TextDecoder().decode(body);
  for (const line of text.split(/\r\n|\n|\r/)) {
    const plain = cut(line.replaceAll(UNPRINTABLE, ' ').trim());
    if (plain !== '') {
      return plain;
    }
  }
  return null;
}

/** At most so many bytes of UTF-8, without half a character: that is what the table counts. */
function cut(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= API_LIMITS.pingMessageBytesMax) {
    return text;
  }
  const room = new Uint8Array(API_LIMITS.pingMessageBytesMax);
  const { read } = new TextEncoder().encodeInto(text, room);
  return text.slice(0, read).trimEnd();
}

/** The beginning of a body, as far as it is looked at; what follows is not read. */
export async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const kept = new Uint8Array(API_LIMITS.pingBodyBytesMax);
  let length = 0;
  if (body === null) {
    return kept.subarray(0, 0);
  }
  const reader = body.getReader();
  while (length < kept.length) {
    const { done, value } = await reader.read();
    if (done) {
      return kept.subarray(0, length);
    }
    const part = value.subarray(0, kept.length - length);
    kept.set(part, length);
    length += part.length;
  }
  await reader.cancel();
  return kept;
}
