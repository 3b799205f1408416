/**
 * Capacity of anything else, by two requests that its owner answers: `GET` gives
 * `{"desired":4,"ready":3,"max":10}` (`max` may be left out), `PUT {"desired":6}` changes it and carries the
 * step's token as `Idempotency-Key`. A Kubernetes deployment, a bare-metal pool, a test.
 */
import { z } from 'zod';
import { urlOrigin } from '../../base/url-origin.ts';
import type { ActionOutcome } from '../../recovery/action-ports.ts';
import type { ScalableAdapter, ViewReading } from './capacity.ts';
import { refused } from './errors.ts';
import { exchange, parseJson } from './http.ts';
import { DETAIL_CHARACTERS_MAX, HTTP_TIMEOUT_MS } from './limits.ts';

const COUNT = z.int().min(0).max(1_000_000);
/** Other members are the owner's own. */
const answerSchema = z.object({
  desired: COUNT,
  ready: COUNT,
  max: COUNT.nullable().optional(),
});

export function capacityHook(url: string, timeoutMs: number = HTTP_TIMEOUT_MS): ScalableAdapter {
  const subject = `scaling hook ${urlOrigin(url)}`;
  return {
    subject,
    view: async () => {
      const request = { url, method: 'GET', headers: {}, body: null, timeoutMs } as const;
      const answer = await exchange(request);
      if (answer.kind !== 'answered') {
        return answer;
      }
      if (answer.status === 404) {
        return refused('resource-absent', `${subject} answered 404`);
      }
      return answer.status === 200
        ? readView(subject, answer.text)
        : { kind: 'unknown', cause: `${subject} answered ${answer.status}` };
    },
    change: async (desired, { token }) => {
      const answer = await exchange({
        url,
        method: 'PUT',
        headers: { 'idempotency-key': token },
        body: JSON.stringify({ desired }),
        timeoutMs,
      });
      return answer.kind === 'answered' ? outcomeOf(subject, answer) : answer;
    },
  };
}

function readView(subject: string, text: string): ViewReading {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const said = text.slice(0, DETAIL_CHARACTERS_MAX / 2);
    return refused('answer-malformed', `${subject} must answer {desired, ready}, not ${said}`);
  }
  const { desired, ready, max = null } = parsed.data;
  return { kind: 'read', view: { desired, ready, max, min: 0, isHeld: () => true } };
}

function outcomeOf(
  subject: string,
  { status, text }: { readonly status: number; readonly text: string },
): Exclude<ActionOutcome, { readonly kind: 'done' }> | null {
  if (status >= 200 && status < 300) {
    return null;
  }
  const said = `${subject} answered ${status}: ${text.slice(0, DETAIL_CHARACTERS_MAX / 2)}`;
  if (status === 429) {
    return { kind: 'pending', code: 'throttled', evidence: { said } };
  }
  return status === 409 || status === 422
    ? refused('receiver-refused', said)
    : { kind: 'unknown', cause: said };
}
