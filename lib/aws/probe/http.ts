/**
 * One HTTP request as a client would make it: a new connection, no redirect followed (that could
 * probe another site), and a bounded part of the body read only when text is looked for in it.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { HttpProbePolicy } from '../../recovery/probe-policy.ts';
import { failed, type ProbeAnswer, passed } from './answer.ts';
import { withExpiry } from './certificate.ts';
import type { ProbeContext } from './context.ts';
import { PROBE_IO_LIMITS } from './limits.ts';
import { probeLookup } from './lookup.ts';

/** Rejects with whatever the socket throws, and when the signal aborts. */
export async function probeHttp(
  policy: HttpProbePolicy,
  context: ProbeContext,
): Promise<ProbeAnswer> {
  const startedAt = context.clock.monotonicNow();
  const request = send(policy, context);
  try {
    const response = await answerOf(request);
    const elapsedMs = context.clock.monotonicNow() - startedAt;
    return await judgeResponse(policy, response, { ...context, elapsedMs });
  } finally {
    request.destroy();
  }
}

function send(policy: HttpProbePolicy, { signal, authorities }: ProbeContext): ClientRequest {
  const url = new URL(policy.url);
  const { serverName, method, timeoutMs } = policy;
  const common = {
    method,
    signal,
    agent: false,
    lookup: probeLookup(timeoutMs),
    maxHeaderSize: PROBE_IO_LIMITS.headerBytesMax,
    headers: {
      'user-agent': 'tripoint-probe',
      connection: 'close',
      ...(serverName === null ? {} : { host: serverName }),
    },
  } as const;
  return url.protocol === 'https:'
    ? requestHttps(url, {
        ...common,
        ...(serverName === null ? {} : { servername: serverName }),
        ...(authorities === null ? {} : { ca: [...authorities] }),
      })
    : requestHttp(url, common);
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Stays for good: what a destroyed socket still has to say must not end the process.
    request.on('error', reject);
    request.once('response', resolve);
    // Nobody asked for another protocol: the answer is its status, and the socket goes.
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    request.end();
  });
}

async function judgeResponse(
  policy: HttpProbePolicy,
  response: IncomingMessage,
  { elapsedMs, clock }: ProbeContext & { readonly elapsedMs: number },
): Promise<ProbeAnswer> {
  // As with the request: an answer that is cut off tells so through whoever reads it.
  response.on('error', () => undefined);
  const status = response.statusCode ?? 0;
  const took = `status ${status} in ${Math.round(elapsedMs)} ms`;
  if (status < policy.statusMin || status > policy.statusMax) {
    return failed('status-unexpected', took);
  }
  if (policy.latencyMsMax !== null && elapsedMs > policy.latencyMsMax) {
    return failed('too-slow', `${took}, more than ${policy.latencyMsMax} ms`);
  }
  const { socket } = response;
  const chain = socket instanceof TLSSocket ? socket.getPeerCertificate(true) : null;
  if (policy.bodyContains !== null && !(await bodyHolds(response, policy.bodyContains))) {
    return failed(
      'body-mismatch',
      `${took}, without the text ${JSON.stringify(policy.bodyContains)}`,
    );
  }
  const daysMin = policy.certificateDaysMin;
  return chain === null
    ? passed(took)
    : withExpiry(passed(took), chain, { daysMin, now: clock.wallNow() });
}

/** Looks at what is new and at as much before it as the text could begin in. */
async function bodyHolds(response: IncomingMessage, text: string): Promise<boolean> {
  const wanted = Buffer.from(text, 'utf8');
  const seen = Buffer.alloc(PROBE_IO_LIMITS.bodyBytesMax);
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const from = Math.max(0, length - wanted.length + 1);
    length += chunk.copy(seen, length);
    if (seen.subarray(0, length).includes(wanted, from)) {
      return true;
    }
    if (length === seen.length) {
      return false;
    }
  }
  return false;
}
