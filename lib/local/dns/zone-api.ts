/**
 * The zone's control plane over HTTP: the local stand for Route 53's API.
 *
 * ```
 * GET  /v1/record-sets?name=a&name=b   what stands at exactly these names, as one snapshot
 * POST /v1/changes                     one batch: all of it or nothing
 * GET  /v1/changes/{id}                how far a change has travelled
 * ```
 * Every request carries the bearer token; every refusal is problem+json (RFC 9457) with a `code`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { describeError } from '../../base/errors.ts';
import { assertNever } from '../../base/invariant.ts';
import type { LogEvent } from '../../base/log.ts';
import { isDnsName } from '../../recovery/record-set.ts';
import { DNS_LIMITS } from './limits.ts';
import { recordSetsAt } from './zone.ts';
import type { HostOutcome, ZoneHost } from './zone-host.ts';
import { changeRequestSchema } from './zone-schema.ts';

export interface ZoneApiOptions {
  readonly host: ZoneHost;
  /** Secret of at least 16 characters that each request must carry. */
  readonly token: string;
  readonly log: LogEvent;
}

export function zoneApi({ host, token, log }: ZoneApiOptions): Hono {
  const app = new Hono();
  app.use('*', async (context, next) => {
    if (!isAuthorized(context.req.header('authorization'), token)) {
      context.header('WWW-Authenticate', 'Bearer');
      return problem(context, 401, ['unauthorized', 'the bearer token is missing or wrong']);
    }
    return next();
  });
  app.get('/v1/record-sets', (context) => readRecordSets(context, host));
  app.post(
    '/v1/changes',
    bodyLimit({
      maxSize: DNS_LIMITS.requestBytesMax,
      onError: (context) =>
        problem(context, 413, ['request-too-large', `at most ${DNS_LIMITS.requestBytesMax} bytes`]),
    }),
    (context) => changeRecordSets(context, host, log),
  );
  app.get('/v1/changes/:id', (context) => readChange(context, host));
  app.notFound((context) => problem(context, 404, ['no-such-resource', 'nothing is here']));
  app.onError((thrown, context) => {
    log('error', 'zone-api.failed', { error: describeError(thrown) });
    return problem(context, 500, ['internal-error', 'see the log of the DNS process']);
  });
  return app;
}

function readRecordSets(context: Context, host: ZoneHost): Response {
  const names = context.req.queries('name') ?? [];
  if (names.length === 0 || names.length > DNS_LIMITS.namesPerReadMax) {
    const detail = `name is wanted 1 to ${DNS_LIMITS.namesPerReadMax} times`;
    return problem(context, 400, ['invalid-request', detail]);
  }
  const bad = names.find((name) => !isDnsName(name));
  if (bad !== undefined) {
    return problem(context, 400, ['invalid-request', `not a DNS name: ${bad.slice(0, 255)}`]);
  }
  const zone = host.current();
  const recordSets = names.flatMap((name) => recordSetsAt(zone, name));
  return context.json({ serial: zone.serial, recordSets });
}

async function changeRecordSets(
  context: Context,
  host: ZoneHost,
  log: LogEvent,
): Promise<Response> {
  const body = await readJson(context);
  const parsed = changeRequestSchema.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return problem(context, 400, ['invalid-request', issues.slice(0, 20).join('; ')]);
  }
  const { changes, comment } = parsed.data;
  const outcome = await host.change(changes);
  if (outcome.kind === 'applied') {
    const names = [...new Set(changes.map(({ recordSet }) => recordSet.name))];
    log('info', 'zone.changed', { serial: outcome.serial, names, comment });
  }
  return respond(context, outcome);
}

function respond(context: Context, outcome: HostOutcome): Response {
  switch (outcome.kind) {
    case 'applied':
      return context.json({ changeId: `C${outcome.serial}`, status: 'in-sync' }, 201);
    case 'conflict':
      return problem(context, 409, ['conflict', `[${outcome.problems.join(', ')}]`]);
    case 'refused':
      return problem(context, 422, [outcome.code, outcome.detail]);
    case 'busy':
      context.header('Retry-After', '1');
      return problem(context, 503, ['busy', 'another change is being written']);
    case 'unknown':
      return problem(context, 500, ['storage-failed', outcome.cause]);
    default:
      return assertNever(outcome);
  }
}

/** The zone has one server, so a change that is applied is in sync. Ids are serials. */
function readChange(context: Context, host: ZoneHost): Response {
  const match = /^C([1-9]\d{0,15})$/.exec(context.req.param('id') ?? '');
  return match !== null && Number(match[1]) <= host.current().serial
    ? context.json({ changeId: match[0], status: 'in-sync' })
    : problem(context, 404, ['no-such-change', 'no change of this zone has this id']);
}

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    return undefined;
  }
}

/** Compares digests, so that the time taken says nothing of the token, not even its length. */
function isAuthorized(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

type ProblemStatus = 400 | 401 | 404 | 409 | 413 | 422 | 500 | 503;

function problem(
  context: Context,
  status: ProblemStatus,
  [code, detail]: readonly [code: string, detail: string],
): Response {
  const title = code.replaceAll('-', ' ');
  const body = { type: 'about:blank', title, status, code, detail };
  return context.body(JSON.stringify(body), status, { 'Content-Type': 'application/problem+json' });
}
