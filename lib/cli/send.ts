/**
 * Sends a command so that it happens once, and finds out what became of it.
 *
 * The key is made before the first attempt. When an answer is lost, the same key is sent again: the
 * log knows it and answers from the first time. Only when that fails too is the outcome unknown, and
 * then the operator gets the id to ask about.
 */
import type { AcceptedJson, ProblemJson } from '../api/schemas.ts';
import type { Answer, Api, Request } from './api.ts';
import { type Host, pause } from './host.ts';

const ATTEMPTS_MAX = 5;
const BETWEEN_ATTEMPTS_MS = 1000;

export type Sent =
  | { readonly kind: 'accepted'; readonly value: AcceptedJson }
  | { readonly kind: 'refused'; readonly problem: ProblemJson }
  /** May be in the log, now or later. */
  | { readonly kind: 'unknown'; readonly command: string; readonly detail: string };

export async function sendOnce(api: Api, host: Host, request: Request): Promise<Sent> {
  const key = `cli-${host.randomId()}`;
  const command = `key:${key}`;
  const signal = host.interruption();
  let doubt: string | null = null;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const answer = await api.send(request, key);
    const settled = settle(answer, doubt !== null);
    if (settled !== null) {
      return settled;
    }
    doubt = answer.kind === 'silent' ? answer.detail : detailOf(answer);
    if (attempt < ATTEMPTS_MAX && !(await pause(host, BETWEEN_ATTEMPTS_MS, signal))) {
      break;
    }
  }
  return { kind: 'unknown', command, detail: doubt ?? 'no answer came' };
}

/**
 * null = not known yet. A problem that says "not in the log and will not be" settles a first
 * attempt; after a lost answer it speaks of the repeat only, unless the log itself refused.
 */
function settle(answer: Answer<AcceptedJson>, afterDoubt: boolean): Sent | null {
  switch (answer.kind) {
    case 'answered':
      return { kind: 'accepted', value: answer.value };
    case 'silent':
      return null;
    case 'problem': {
      const { problem } = answer;
      const isLogged = problem.index !== undefined;
      const isOpen = problem.code === 'outcome-unknown' || (afterDoubt && problem.retryable);
      return isOpen && !isLogged ? null : { kind: 'refused', problem };
    }
  }
}

function detailOf(answer: Answer<AcceptedJson>): string {
  return answer.kind === 'problem' ? answer.problem.detail : '';
}
