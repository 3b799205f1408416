/**
 * Posts JSON to a URL of the owner's, so that the receiver can tell who called and which call it is.
 *
 * `Idempotency-Key` is the token of the step: the same for every attempt, so a receiver that has seen it
 * answers as before and does nothing twice. `Tripoint-Signature: t=<unix seconds>,v1=<hex>` is HMAC-SHA256
 * over `<t>.<body>` with the named secret (the scheme of Stripe's webhooks): the receiver computes it,
 * compares in constant time and refuses what is older than it tolerates.
 */
import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { JsonValue } from '../../base/json.ts';
import { urlOrigin } from '../../base/url-origin.ts';
import type { ActionOutcome } from '../../recovery/action-ports.ts';
import { refused } from './errors.ts';
import { exchange } from './http.ts';
import { DETAIL_CHARACTERS_MAX, HTTP_TIMEOUT_MS } from './limits.ts';

/** The secret of this name; null = it is not set here. */
export type SecretOf = (name: string) => string | null;

export interface WebhookOptions {
  readonly secretOf: SecretOf;
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly timeoutMs?: number;
}

export interface WebhookCall {
  readonly url: string;
  readonly secretName: string | null;
  readonly token: string;
  readonly body: JsonValue;
}

export async function postWebhook(
  { secretOf, clock, timeoutMs = HTTP_TIMEOUT_MS }: WebhookOptions,
  { url, secretName, token, body }: WebhookCall,
): Promise<ActionOutcome> {
  const text = JSON.stringify(body);
  const secret = secretName === null ? null : secretOf(secretName);
  if (secretName !== null && (secret === null || secret === '')) {
    return refused('secret-not-set', `set ${secretName} where the control regions run`);
  }
  const seconds = Math.floor(clock.wallNow() / 1000);
  const signed: Record<string, string> =
    secret === null ? {} : { 'tripoint-signature': signatureOf(text, { secret, seconds }) };
  const answer = await exchange({
    url,
    method: 'POST',
    headers: { 'idempotency-key': token, ...signed },
    body: text,
    timeoutMs,
  });
  return answer.kind === 'answered' ? outcomeOf(url, answer) : answer;
}

function signatureOf(
  body: string,
  { secret, seconds }: { readonly secret: string; readonly seconds: number },
): string {
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`, 'utf8').digest('hex');
  return `t=${seconds},v1=${digest}`;
}

function outcomeOf(
  url: string,
  { status, text }: { readonly status: number; readonly text: string },
): ActionOutcome {
  if (status === 202) {
    return { kind: 'pending', code: 'receiver-pending', evidence: { status } };
  }
  if (status >= 200 && status < 300) {
    return { kind: 'done', evidence: { status } };
  }
  const said = `${urlOrigin(url)} answered ${status}: ${text.slice(0, DETAIL_CHARACTERS_MAX / 2)}`;
  if (status === 429) {
    return { kind: 'pending', code: 'throttled', evidence: { said } };
  }
  return status === 409 ? refused('receiver-refused', said) : { kind: 'unknown', cause: said };
}
