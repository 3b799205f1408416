/**
 * One HTTP exchange with somebody else's server: a scaling hook or a webhook.
 *
 * The URL comes from the file that an operator applied, so it is trusted as far as that person is, and
 * no further: http and https only, no credentials in it, no link-local address, also by name (the
 * metadata services of clouds answer there), and a redirect is an answer, never followed, or the receiver could send the
 * request, signature and all, to a place that nobody configured. Of the body a bounded part is read.
 * The URL is a secret, too: texts name its origin only.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { describeError } from '../../base/errors.ts';
import { urlOrigin } from '../../base/url-origin.ts';
import type { ActionRefused, ActionUnknown } from '../../recovery/action-ports.ts';
import { refused } from './errors.ts';
import { ANSWER_BYTES_MAX } from './limits.ts';
import { isLinkLocal, LINK_LOCAL_CODE, lookupElsewhere } from './link-local.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null = none. */
  readonly body: string | null;
  /** From the first byte sent to the last one read. */
  readonly timeoutMs: number;
}

export type HttpExchange =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | ActionRefused
  | ActionUnknown;

/** @param lookUp stands in for the resolver of the system */
export async function exchange(
  request: HttpRequest,
  lookUp?: LookupFunction,
): Promise<HttpExchange> {
  const place = urlOrigin(request.url);
  const fault = findUrlFault(request.url);
  if (fault !== null) {
    return refused('request-refused', `${place}: ${fault}`);
  }
  const signal = AbortSignal.timeout(request.timeoutMs);
  const sent = send(request, { signal, lookup: lookupElsewhere(lookUp) });
  try {
    const response = await answerOf(sent, request.body);
    const text = await readText(response);
    return text === null
      ? refused('answer-malformed', `${place} answered more than ${ANSWER_BYTES_MAX} bytes`)
      : { kind: 'answered', status: response.statusCode ?? 0, text };
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === LINK_LOCAL_CODE) {
      return refused('request-refused', `${place}: ${thrown.message}`);
    }
    const reason = signal.aborted
      ? `no answer within ${request.timeoutMs} ms`
      : describeError(thrown);
    return { kind: 'unknown', cause: `${place}: ${reason}` };
  } finally {
    sent.destroy();
  }
}

function send(
  { url, method, headers, body }: HttpRequest,
  how: { readonly signal: AbortSignal; readonly lookup: LookupFunction },
): ClientRequest {
  const options = {
    ...how,
    method,
    agent: false,
    headers: {
      'user-agent': 'tripoint',
      accept: 'application/json',
      connection: 'close',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  } as const;
  return url.trim().toLowerCase().startsWith('https:')
    ? requestHttps(url, options)
    : requestHttp(url, options);
}

function answerOf(sent: ClientRequest, body: string | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Stays for good: what a destroyed socket still has to say must not end the process.
    sent.on('error', reject);
    sent.once('response', (response) => {
      response.on('error', () => undefined);
      resolve(response);
    });
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    sent.end(body ?? undefined);
  });
}

/** Why this URL is not called; null = it may be. */
export function findUrlFault(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return 'is not an http or https URL';
  }
  if (url.username !== '' || url.password !== '') {
    return 'holds credentials; name a secret instead';
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isLinkLocal(host) ? 'is a link-local address' : null;
}

/** Text that is no JSON is `undefined`, which no schema takes. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return;
  }
}

/** null = longer than is read. */
async function readText(response: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
