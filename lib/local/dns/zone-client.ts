/**
 * The switch port over the embedded zone's HTTP control plane.
 *
 * The three values of the port, drawn from what HTTP can say: an answer that we understand is the
 * zone's word; a connection that was refused means that nothing was sent; everything else, from a
 * timeout to a reset after sending, means that nobody knows.
 */
import type { z } from 'zod';
import { describeError } from '../../base/errors.ts';
import { checkBatch } from '../../recovery/switch-batch.ts';
import type {
  ChangeOutcome,
  ChangeStatus,
  ReadOutcome,
  SwitchPort,
} from '../../recovery/switch-port.ts';
import { DNS_LIMITS } from './limits.ts';
import { changeResponseSchema, problemSchema, readResponseSchema } from './zone-schema.ts';

export interface ZoneClientOptions {
  /** Base URL of the control plane, e.g. `http://127.0.0.1:8053`. */
  readonly url: string;
  readonly token: string;
  /** Longest wait for one answer, headers and body, in milliseconds. */
  readonly timeoutMs: number;
}

export function zoneClient(options: ZoneClientOptions): SwitchPort {
  return {
    calls: { read: 'zone:read', change: 'zone:change', status: 'zone:status' },
    read: async (names) => {
      const query = new URLSearchParams(names.map((name): [string, string] => ['name', name]));
      return readOutcome(await call(options, `/v1/record-sets?${query}`, null));
    },
    change: async (batch, comment) => {
      const check = checkBatch(batch);
      if (check.kind === 'refused') {
        return check;
      }
      const body = { comment: comment.slice(0, DNS_LIMITS.commentCharactersMax), changes: batch };
      return changeOutcome(await call(options, '/v1/changes', body));
    },
    changeStatus: async (changeId) =>
      statusOutcome(await call(options, `/v1/changes/${encodeURIComponent(changeId)}`, null)),
  };
}

type Reply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** The connection was refused: the request never left. */
  | { readonly kind: 'not-sent'; readonly cause: string }
  | { readonly kind: 'lost'; readonly cause: string };

async function call(options: ZoneClientOptions, path: string, body: unknown): Promise<Reply> {
  const { url, token, timeoutMs } = options;
  try {
    const response = await fetch(new URL(path, url), {
      method: body === null ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      body: body === null ? null : JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { kind: 'answered', status: response.status, body: await response.json() };
  } catch (thrown) {
    const cause = causeOf(thrown);
    return isRefusedConnection(thrown) ? { kind: 'not-sent', cause } : { kind: 'lost', cause };
  }
}

function readOutcome(reply: Reply): ReadOutcome {
  if (reply.kind !== 'answered') {
    return { kind: 'unknown', cause: reply.cause };
  }
  const parsed = readResponseSchema.safeParse(reply.body);
  if (reply.status === 200 && parsed.success) {
    return { kind: 'read', recordSets: parsed.data.recordSets, foreign: [] };
  }
  const { code, detail } = problemOf(reply.body);
  return reply.status >= 400 && reply.status < 500
    ? { kind: 'refused', code, detail }
    : { kind: 'unknown', cause: `HTTP ${reply.status} ${code}: ${detail}` };
}

function changeOutcome(reply: Reply): ChangeOutcome {
  if (reply.kind === 'not-sent') {
    return { kind: 'busy', detail: reply.cause };
  }
  if (reply.kind === 'lost') {
    return { kind: 'unknown', cause: reply.cause };
  }
  const parsed = changeResponseSchema.safeParse(reply.body);
  if (reply.status === 201 && parsed.success) {
    return { kind: 'applied', changeId: parsed.data.changeId };
  }
  const { code, detail } = problemOf(reply.body);
  if (reply.status === 409) {
    return { kind: 'conflict', detail };
  }
  if (reply.status === 503 && code === 'busy') {
    return { kind: 'busy', detail };
  }
  return reply.status >= 400 && reply.status < 500
    ? { kind: 'refused', code, detail }
    : { kind: 'unknown', cause: `HTTP ${reply.status} ${code}: ${detail}` };
}

function statusOutcome(reply: Reply): ChangeStatus {
  if (reply.kind !== 'answered') {
    return { kind: 'unknown', cause: reply.cause };
  }
  return reply.status === 200 && changeResponseSchema.safeParse(reply.body).success
    ? { kind: 'in-sync' }
    : { kind: 'unknown', cause: `HTTP ${reply.status} ${problemOf(reply.body).detail}` };
}

function problemOf(body: unknown): z.infer<typeof problemSchema> {
  const parsed = problemSchema.safeParse(body);
  return parsed.success
    ? parsed.data
    : { code: 'not-a-problem', detail: JSON.stringify(body)?.slice(0, 255) ?? '' };
}

/** `fetch` hides the reason of a failure one level down. */
function causeOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.cause !== undefined
    ? `${describeError(thrown)} (${describeError(thrown.cause)})`
    : describeError(thrown);
}

function isRefusedConnection(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
