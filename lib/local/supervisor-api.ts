/**
 * The supervisor over HTTP, on loopback only: list, kill, start, stop.
 *
 * Whoever holds the token may kill every local process, so the token stands in a file that only the
 * owner reads. Answers are the outcomes of the process table; errors are problem+json (RFC 9457).
 *
 * ```
 * GET  /processes                 200
 * POST /processes/{name}/kill     200 killed │ 404 │ 409 not running
 * POST /processes/{name}/start    200 started │ 404 │ 409 already running │ 500 could not start
 * POST /stop                      202
 * ```
 */
import { timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { assertNever } from '../base/invariant.ts';
import type { ProcessTable } from './process-table.ts';

interface SupervisorApiOptions {
  readonly token: string;
  readonly table: Pick<ProcessTable, 'list' | 'kill' | 'start'>;
  /** Begins an orderly end; the answer is sent before it is over. */
  readonly requestStop: () => void;
}

export function createSupervisorApi({ token, table, requestStop }: SupervisorApiOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    if (!isBearer(context.req.header('authorization'), token)) {
      return problem(context, 401, {
        code: 'unauthorized',
        detail: 'This needs the supervisor token that stands in local.json.',
      });
    }
    return next();
  });
  app.get('/processes', (context) => context.json({ processes: table.list() }));
  app.post('/processes/:name/kill', async (context) => {
    const name = context.req.param('name');
    const outcome = await table.kill(name);
    switch (outcome.kind) {
      case 'killed':
        return context.json({ name, pid: outcome.pid });
      case 'not-running':
        return problem(context, 409, { code: outcome.kind, detail: `${name} is not running.` });
      case 'unknown-process':
        return unknownProcess(context, name, outcome.known);
      default:
        return assertNever(outcome);
    }
  });
  app.post('/processes/:name/start', async (context) => {
    const name = context.req.param('name');
    const outcome = await table.start(name);
    switch (outcome.kind) {
      case 'started':
        return context.json({ name, pid: outcome.pid, elapsedMs: outcome.elapsedMs });
      case 'already-running':
        return problem(context, 409, { code: outcome.kind, detail: `${name} is running already.` });
      case 'unknown-process':
        return unknownProcess(context, name, outcome.known);
      case 'failed':
        return problem(context, 500, {
          code: outcome.code,
          detail: `${outcome.message} ${outcome.hint}`,
        });
      default:
        return assertNever(outcome);
    }
  });
  app.post('/stop', (context) => {
    requestStop();
    return context.json({}, 202);
  });
  app.notFound((context) => problem(context, 404, { code: 'no-such-route', detail: 'Not found.' }));
  return app;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
}

function problem(context: Context, status: 401 | 404 | 409 | 500, fields: Problem): Response {
  return context.body(
    JSON.stringify({ type: 'about:blank', title: fields.code, status, ...fields }),
    status,
    { 'content-type': 'application/problem+json' },
  );
}

function unknownProcess(context: Context, name: string, known: readonly string[]): Response {
  return problem(context, 404, {
    code: 'unknown-process',
    detail: `There is no process ${name}. Known: ${known.join(', ')}.`,
  });
}

function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
