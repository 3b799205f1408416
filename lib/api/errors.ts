/**
 * Every failure the API can answer, and the only place where its HTTP status is decided.
 *
 * The body is an RFC 9457 problem. Programs match `code`, which never changes; people read `detail`
 * and `hint`. `retryable` says whether the same request may succeed later without a change by the
 * caller. Nothing of a thrown error reaches a client: it goes to the log, under the request id.
 */
import type { TypedResponse } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { describeError } from '../base/errors.ts';
import type { CommandOutcome } from '../control/control-plane.ts';
import type { ApiContext } from './dependencies.ts';
import type { ProblemJson } from './schemas.ts';

export type ProblemStatus =
  | 400
  | 401
  | 404
  | 405
  | 409
  | 410
  | 413
  | 415
  | 422
  | 429
  | 431
  | 500
  | 503;

interface ProblemKind {
  readonly status: ProblemStatus;
  readonly title: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** One line for each code that the API itself gives. Reason codes of the log come on top. */
export const PROBLEMS = {
  'validation-failed': never(400, 'The request is not valid', 'Correct what `errors` lists.'),
  'malformed-json': never(400, 'The body is not JSON', 'Send one JSON object as UTF-8 text.'),
  'malformed-request': never(400, 'The request is malformed', 'See /openapi.json.'),
  'token-missing': never(
    401,
    'A token is needed',
    'Send the header `Authorization: Bearer <token>`.',
  ),
  'token-wrong': never(
    401,
    'The token is not accepted',
    'Compare its SHA-256 with the configured one; a site token is no operator token.',
  ),
  'not-found': never(404, 'There is no such path', 'See /openapi.json for all paths.'),
  'unknown-service': never(404, 'There is no such service', 'GET /v1/services lists all.'),
  'unknown-site': never(
    404,
    'There is no such site',
    'GET /v1/services/{service} lists its sites.',
  ),
  'already-active': never(
    409,
    'The site is active already',
    'Name another site with `to`; GET /v1/services/{service} says which is active.',
  ),
  'unknown-token': never(
    404,
    'No site has this token',
    'Compare its SHA-256 with the configured one; a token that was rotated away is no longer known.',
  ),
  'token-ambiguous': never(
    409,
    'Several sites share this token',
    'Give each site a token of its own, or post a heartbeat that names the site.',
  ),
  'site-missing': never(
    400,
    'The token does not say which site this is',
    'Add `?site=NAME`: lower-case letters, digits and dashes, first a letter.',
  ),
  'site-not-provisioned': never(
    409,
    'The site cannot come into being',
    'Name it in the configuration, or raise `provisioning.maxSites` of its monitor.',
  ),
  'body-not-text': never(400, 'The body is not UTF-8 text', 'Send JSON in UTF-8.'),
  'unknown-run': never(
    404,
    'There is no such run',
    'GET /v1/runs lists the open and the latest ended ones.',
  ),
  'report-not-ready': later(
    404,
    'The run has no report yet',
    'The report is written when the run has ended; ask again then.',
  ),
  'command-not-found': later(
    404,
    'No committed command has this id',
    'That is no proof that it never will: send the command again with the same Idempotency-Key.',
  ),
  'method-not-allowed': never(
    405,
    'The path has no such method',
    'The header `Allow` lists its methods.',
  ),
  'log-compacted': never(
    410,
    'These log entries are compacted',
    'Read on from `firstAvailable`, or look into the archive.',
  ),
  'body-too-large': never(
    413,
    'The body is too large',
    'One request carries at most 64 KiB, a batch of heartbeats 256 KiB.',
  ),
  'unsupported-media-type': never(
    415,
    'The body must be JSON',
    'Send the header `Content-Type: application/json`.',
  ),
  'idempotency-key-reused': never(
    422,
    'The Idempotency-Key belongs to another command',
    'Use a new key for each command, and the same one only to repeat it.',
  ),
  'too-many-requests': later(
    429,
    'Too many heartbeats with this token',
    'Beat at the interval that the last answer named in `nextBeatMs`.',
  ),
  'alarm-damped': later(
    429,
    'The alarm changes too often',
    'Bring its state again after `Retry-After`; until then the log holds the one before.',
  ),
  internal: later(
    500,
    'Tripoint made a mistake',
    'Report the request id; the log holds the details under it.',
  ),
  'not-configured': later(
    503,
    'This region knows no configuration yet',
    'Apply one with `tripoint apply`, or wait until the region has caught up with the log.',
  ),
  'site-standby': later(
    503,
    'The site is on standby',
    'Clients belong to the active site; see GET /v1/services/{service}.',
  ),
  'health-store-unavailable': later(
    503,
    'The health table did not answer',
    'The beat may be lost. Beat again; other regions are asked anyway.',
  ),
  'report-store-unavailable': later(
    503,
    'No store of reports answered',
    'Ask again, or another region.',
  ),
  'no-quorum': later(
    503,
    'No majority of regions answers',
    'Nothing can be decided; DNS and routing keep their last state. GET /v1/status names them.',
  ),
  'outcome-unknown': later(
    503,
    'Whether the command was committed is not known',
    'GET /v1/commands/{id}, or send the command again with the same Idempotency-Key.',
  ),
  'too-many-streams': later(503, 'Too many open event streams', 'Poll /v1/status instead.'),
} as const satisfies { readonly [code: string]: ProblemKind };

export type ProblemCode = keyof typeof PROBLEMS;

export interface FieldError {
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}

export interface ProblemDetails {
  readonly detail: string;
  /** In place of the hint that belongs to the code. */
  readonly hint?: string;
  readonly errors?: readonly FieldError[];
  readonly command?: string;
  readonly index?: number;
  readonly term?: number;
  readonly firstAvailable?: number;
  readonly retryAfterSeconds?: number;
  /** More headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type ProblemResponse = Response & TypedResponse<ProblemJson, ProblemStatus, 'json'>;

const RETRY_AFTER_SECONDS_DEFAULT = 1;
const REFUSED: ProblemKind = never(
  409,
  'The command was refused',
  'The refusal is recorded in the log; its reason code is explained in docs/failure-modes.md.',
);

export function problem(c: ApiContext, code: ProblemCode, details: ProblemDetails) {
  return render(c, { ...PROBLEMS[code], code }, details);
}

/** 202 when a run has begun that goes on after the answer, else 200. */
export function committedStatus<Run extends string | null>(run: Run): Run extends null ? 200 : 202 {
  return (run === null ? 200 : 202) as Run extends null ? 200 : 202;
}

export const dryRunStatus = 200;

/** The status agrees with the body: a warning is an answer like any other. */
export function healthStatus(status: 'pass' | 'warn' | 'fail'): 200 | 503 {
  return status === 'fail' ? 503 : 200;
}

/** For the header `Allow`: a path with GET has HEAD too. */
export function allowedMethods(methods: ReadonlySet<string>): string {
  return [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].sort().join(', ');
}

/** A command that the log refused: committed as refused, so a repeat of its id is refused too. */
export function refusal(
  c: ApiContext,
  outcome: Extract<CommandOutcome, { kind: 'committed' }>,
): ProblemResponse {
  const { id, index, term, result } = outcome;
  const kind = MISSING[result.code] ?? REFUSED;
  const details = { detail: result.sentence, command: id, index, term };
  return render(c, { ...kind, code: result.code }, details);
}

/** What the log refused because there is no such thing. */
const MISSING: { readonly [code: string]: ProblemKind | undefined } = {
  'unknown-service': PROBLEMS['unknown-service'],
  'unknown-run': PROBLEMS['unknown-run'],
};

/** A command that did not get into the log and never will. */
export function rejection(
  c: ApiContext,
  { id, code, hint }: Extract<CommandOutcome, { kind: 'rejected' }>,
): ProblemResponse {
  const kind = REJECTIONS[code] ?? NOT_TAKEN;
  const detail = `the command is not in the log and will not be: ${code}`;
  return render(c, { ...kind, code }, { detail, hint, command: id });
}

/** Codes that are not named here pass by themselves: 503, try again. */
const REJECTIONS: { readonly [code: string]: ProblemKind | undefined } = {
  'no-quorum': PROBLEMS['no-quorum'],
  'too-large': PROBLEMS['body-too-large'],
  'command-id-reused': PROBLEMS['idempotency-key-reused'],
};
const NOT_TAKEN = later(503, 'The command was not taken', PROBLEMS['no-quorum'].hint);

/** What Hono or a validator threw: a status that the request earned, or a mistake of ours. */
export function thrownProblem(
  c: ApiContext,
  thrown: Error,
  log: (fields: { readonly error: string; readonly requestId: string }) => void,
): ProblemResponse {
  if (thrown instanceof HTTPException && thrown.status < 500) {
    const code = EXCEPTION_CODES[thrown.status] ?? 'malformed-request';
    return problem(c, code, { detail: thrown.message });
  }
  log({ error: describeError(thrown), requestId: c.get('requestId') });
  return problem(c, 'internal', { detail: 'an unexpected error was met and logged' });
}

const EXCEPTION_CODES: { readonly [status: number]: ProblemCode | undefined } = {
  400: 'malformed-json',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};

function render(
  c: ApiContext,
  kind: ProblemKind & { readonly code: string },
  details: ProblemDetails,
): ProblemResponse {
  const { retryAfterSeconds, headers, errors, hint = kind.hint, ...rest } = details;
  const body: ProblemJson = {
    type: `urn:tripoint:problem:${kind.code}`,
    title: kind.title,
    status: kind.status,
    instance: publicPath(c.req.path),
    code: kind.code,
    hint,
    retryable: kind.retryable,
    requestId: c.get('requestId'),
    ...rest,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
  const wait = retryAfterSeconds ?? (waits(kind) ? RETRY_AFTER_SECONDS_DEFAULT : null);
  return c.json(body, kind.status, {
    ...headers,
    ...(wait === null ? {} : { 'retry-after': String(wait) }),
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  }) as ProblemResponse;
}

/** The path of a ping holds a token, which may not be repeated anywhere. */
function publicPath(path: string): string {
  return /^\/+beat/i.test(path) ? '/beat/{token}' : path;
}

/** RFC 9110: Retry-After belongs to 429 and 503. */
function waits({ status }: ProblemKind): boolean {
  return status === 429 || status === 503;
}

function never(status: ProblemStatus, title: string, hint: string): ProblemKind {
  return { status, title, hint, retryable: false };
}

function later(status: ProblemStatus, title: string, hint: string): ProblemKind {
  return { status, title, hint, retryable: true };
}
