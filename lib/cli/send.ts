/**
 * Sends a command so that it happens once, and finds out what became of it.
 *
 * The key is made before the first attempt. When an answer is lost, the same key is sent again: the
 * log knows it and answers from the first time. Only when that fails too is the outcome unknown, and
 * then the operator gets the id to ask about.
 */
import type { CommandAnswer } from '../api/client.ts';
import type { AcceptedJson, ProblemJson } from '../api/schemas.ts';
import { type Host, pause } from './host.ts';

const ATTEMPTS_MAX = 5;
const BETWEEN_ATTEMPTS_MS = 1000;

export type Sent =
  | { readonly kind: 'accepted'; readonly value: AcceptedJson }
  /** Not in the log, or there as refused. */
  | Extract<CommandAnswer, { kind: 'problem' }>
  /** No region was reached: it was not sent. */
  | Extract<CommandAnswer, { kind: 'unreachable' }>
  /** May be in the log, now or later. */
  | Extract<CommandAnswer, { kind: 'unknown' }>;

/** @param attempt sends the command under this key, to whichever region answers. */
export async function sendOnce(
  host: Host,
  attempt: (key: string) => Promise<CommandAnswer>,
): Promise<Sent> {
  const key = `cli-${host.randomId()}`;
  const signal = host.interruption();
  let doubt: Doubt | null = null;
  for (let count = 1; count <= ATTEMPTS_MAX; count += 1) {
    const answer = await attempt(key);
    const settled = settle(answer, doubt !== null);
    if (settled !== null) {
      return settled;
    }
    doubt = answer.kind === 'unknown' ? answer : doubt;
    if (count < ATTEMPTS_MAX && !(await pause(host, BETWEEN_ATTEMPTS_MS, signal))) {
      break;
    }
  }
  return doubt ?? { kind: 'unknown', command: `key:${key}`, key, silences: [] };
}

type Doubt = Extract<CommandAnswer, { kind: 'unknown' }>;

/** null = ask again. After a lost answer, silence and "try later" settle nothing. */
function settle(answer: CommandAnswer, afterDoubt: boolean): Sent | null {
  switch (answer.kind) {
    case 'ok':
      return answer.value.dryRun ? null : { kind: 'accepted', value: answer.value };
    case 'problem':
      return isSettled(answer.problem, afterDoubt) ? answer : null;
    case 'unreachable':
      return afterDoubt ? null : answer;
    case 'unknown':
      return null;
  }
}

/**
 * A problem that says "not in the log and will not be" settles a first attempt. After a lost answer
 * it speaks of the repeat only, unless the log itself refused.
 */
function isSettled({ index, retryable }: ProblemJson, afterDoubt: boolean): boolean {
  return index !== undefined || !afterDoubt || !retryable;
}
