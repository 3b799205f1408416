/**
 * One request to one endpoint, classified by what is known afterwards.
 *
 * The line that matters runs between *not sent* and *lost*: a refused connection cannot have changed
 * anything, a broken or silent one may have.
 */
import { describeError } from '../base/errors.ts';
import { type ProblemJson, problemSchema } from './schemas.ts';

export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query, from `/`. */
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly accept?: string;
}

export type ClientFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly signal: AbortSignal;
    readonly redirect: 'error';
  },
) => Promise<{ readonly status: number; readonly text: () => Promise<string> }>;

export interface Transport {
  readonly token: string | null;
  readonly fetch: ClientFetch;
  readonly timeoutMs: number;
}

export type Exchange =
  | { readonly kind: 'success'; readonly text: string }
  | { readonly kind: 'problem'; readonly problem: ProblemJson }
  /** It never left this machine, or nobody took it. */
  | { readonly kind: 'not-sent'; readonly cause: string }
  /** It may have arrived: the answer is missing, or is not one that a region gives. */
  | { readonly kind: 'lost'; readonly cause: string };

export async function exchange(
  transport: Transport,
  endpoint: string,
  request: ClientRequest,
): Promise<Exchange> {
  try {
    const response = await transport.fetch(`${endpoint}${request.path}`, {
      method: request.method,
      headers: headersOf(transport, request),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(transport.timeoutMs),
      // A token goes to the endpoint that was configured, or nowhere.
      redirect: 'error',
    });
    const text = await response.text();
    return response.status >= 200 && response.status < 300
      ? { kind: 'success', text }
      : refused(response.status, text);
  } catch (thrown) {
    const cause = causeOf(thrown);
    return NOT_SENT.has(cause.code)
      ? { kind: 'not-sent', cause: cause.text }
      : { kind: 'lost', cause: cause.text };
  }
}

/** JSON of any text, or `undefined`: an answer of a captive portal must not throw. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headersOf({ token }: Transport, request: ClientRequest): Record<string, string> {
  return {
    accept: request.accept ?? 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
  };
}

/** A gateway in between answers errors of its own; only a problem comes from a region. */
function refused(status: number, text: string): Exchange {
  const parsed = problemSchema.safeParse(parseJson(text));
  return parsed.success
    ? { kind: 'problem', problem: parsed.data }
    : { kind: 'lost', cause: `status ${status} without a problem that a region would name` };
}

const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The built-in `fetch` wraps the error of the socket, which alone tells what happened. */
function causeOf(thrown: unknown): { readonly code: string; readonly text: string } {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  const code = isCoded(inner) ? inner.code : '';
  return { code, text: `${describeError(inner)}${code === '' ? '' : ` (${code})`}` };
}

function isCoded(value: unknown): value is { readonly code: string } {
  return (
    typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'
  );
}
