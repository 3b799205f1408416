/** What can be read: the state of this region as JSON, the log, reports, the fate of a command. */
import { createRoute } from '@hono/zod-openapi';
import { type CommandId, logIndex } from '../../base/identifiers.ts';
import type { CommandLookup } from '../../control/control-plane.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { type ProblemResponse, problem } from '../errors.ts';
import { freshStatus } from '../fresh-status.ts';
import {
  presentLog,
  presentRun,
  presentRuns,
  presentService,
  presentServices,
  presentStatus,
} from '../present.ts';
import { presentMonitors } from '../present-monitors.ts';
import { rfc3339 } from '../present-parts.ts';
import { commandParams, logQuery, reportQuery, runParams, serviceParams } from '../requests.ts';
import {
  commandLookupSchema,
  logSchema,
  reportSchema,
  runSchema,
  runsSchema,
  serviceSchema,
  servicesSchema,
  statusSchema,
} from '../schemas.ts';
import { unknownSite } from '../site-gate.ts';
import { jsonResponse, PROBLEM_RESPONSE, READ_SECURITY } from './definition.ts';

const COMMON = { method: 'get' as const, security: READ_SECURITY, tags: ['reads'] };

const statusRoute = createRoute({
  ...COMMON,
  path: '/v1/status',
  summary: 'Everything this region knows, from its last applied state.',
  responses: { 200: jsonResponse('The status.', statusSchema), default: PROBLEM_RESPONSE },
});

const servicesRoute = createRoute({
  ...COMMON,
  path: '/v1/services',
  summary: 'All services and monitors, by name.',
  responses: { 200: jsonResponse('The services.', servicesSchema), default: PROBLEM_RESPONSE },
});

const serviceRoute = createRoute({
  ...COMMON,
  path: '/v1/services/{service}',
  summary: 'One service: its policy, phase, analysis, last decision and sites.',
  request: { params: serviceParams },
  responses: { 200: jsonResponse('The service.', serviceSchema), default: PROBLEM_RESPONSE },
});

const runsRoute = createRoute({
  ...COMMON,
  path: '/v1/runs',
  summary: 'Open runs and the latest ended ones, newest first.',
  responses: { 200: jsonResponse('The runs.', runsSchema), default: PROBLEM_RESPONSE },
});

const runRoute = createRoute({
  ...COMMON,
  path: '/v1/runs/{run}',
  summary: 'One run with its steps and where the time went.',
  request: { params: runParams },
  responses: { 200: jsonResponse('The run.', runSchema), default: PROBLEM_RESPONSE },
});

const reportRoute = createRoute({
  ...COMMON,
  path: '/v1/runs/{run}/report',
  summary: 'The report of an ended run: actual RTO and RPO with the evidence.',
  description: 'Markdown with `?format=markdown` or `Accept: text/markdown`, else JSON.',
  request: { params: runParams, query: reportQuery },
  responses: {
    200: {
      description: 'The report.',
      content: {
        'application/json': { schema: reportSchema },
        'text/markdown': { schema: { type: 'string' } },
      },
    },
    default: PROBLEM_RESPONSE,
  },
});

const logRoute = createRoute({
  ...COMMON,
  path: '/v1/log',
  summary: 'Applied log entries above `after`, ascending. Token hashes are left out.',
  request: { query: logQuery },
  responses: { 200: jsonResponse('One page.', logSchema), default: PROBLEM_RESPONSE },
});

const commandRoute = createRoute({
  ...COMMON,
  path: '/v1/commands/{id}',
  summary: 'What became of a command. Asks the quorum.',
  request: { params: commandParams },
  responses: { 200: jsonResponse('Committed.', commandLookupSchema), default: PROBLEM_RESPONSE },
});

export function registerReads(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { plane, settings } = dependencies;
  app.openapi(guarded(app, guards.reader, statusRoute), async (c) =>
    c.json(presentStatus(await freshStatus(dependencies), settings), 200),
  );
  app.openapi(guarded(app, guards.reader, servicesRoute), async (c) => {
    const view = await freshStatus(dependencies);
    const answer = { services: presentServices(view), monitors: presentMonitors(view) };
    return c.json({ at: rfc3339(view.at), ...answer }, 200);
  });
  app.openapi(guarded(app, guards.reader, serviceRoute), async (c) => {
    const view = await freshStatus(dependencies);
    const service = presentService(view, c.req.valid('param').service);
    return service === null ? unknownSite(c, view.state) : c.json(service, 200);
  });
  app.openapi(guarded(app, guards.reader, runsRoute), (c) => {
    const view = plane.status();
    return c.json({ at: rfc3339(view.at), runs: presentRuns(view.state) }, 200);
  });
  app.openapi(guarded(app, guards.reader, runRoute), (c) => {
    const { run: id } = c.req.valid('param');
    const run = plane.status().state.runs.find((candidate) => candidate.id === id);
    return run === undefined ? unknownRun(c, id) : c.json(presentRun(run), 200);
  });
}

/** Reads that wait for more than the memory of this process. */
export function registerSlowReads(app: ApiApp, { plane }: ApiDependencies, guards: Guards): void {
  app.openapi(guarded(app, guards.reader, reportRoute), async (c) => {
    const { run: id } = c.req.valid('param');
    const report = await plane.report(id);
    if (report === null) {
      const isKnown = plane.status().state.runs.some((run) => run.id === id);
      return isKnown
        ? problem(c, 'report-not-ready', { detail: `run ${id} has not been reported on yet` })
        : unknownRun(c, id);
    }
    return wantsMarkdown(c, c.req.valid('query').format)
      ? c.body(report.markdown, 200, { 'content-type': 'text/markdown; charset=utf-8' })
      : c.body(report.json, 200, { 'content-type': 'application/json' });
  });
  app.openapi(guarded(app, guards.reader, logRoute), async (c) => {
    const { after, limit } = c.req.valid('query');
    const page = await plane.readLog(logIndex(after), limit);
    return page.kind === 'gap'
      ? problem(c, 'log-compacted', {
          detail: `entries before ${page.firstAvailable} are not here any more`,
          firstAvailable: page.firstAvailable,
        })
      : c.json(
          presentLog(page.entries, { after, appliedIndex: page.appliedIndex }, plane.answerOf),
          200,
        );
  });
  app.openapi(guarded(app, guards.reader, commandRoute), async (c) => {
    const { id } = c.req.valid('param');
    const lookup = await plane.lookUp(id as CommandId);
    return lookup.kind === 'committed'
      ? c.json({ command: id, index: lookup.index as number, result: lookup.result }, 200)
      : notSeen(c, id, lookup);
  });
}

function notSeen(
  c: ApiContext,
  id: string,
  lookup: Exclude<CommandLookup, { kind: 'committed' }>,
): ProblemResponse {
  return lookup.kind === 'not-found'
    ? problem(c, 'command-not-found', { detail: `${id} is not among the commands remembered` })
    : problem(c, 'no-quorum', { detail: `nothing can be said about ${id}: ${lookup.cause}` });
}

function unknownRun(c: ApiContext, id: string): ProblemResponse {
  return problem(c, 'unknown-run', { detail: `${id} is not among the runs that are remembered` });
}

function wantsMarkdown(c: ApiContext, format: 'json' | 'markdown' | undefined): boolean {
  return format === undefined
    ? (c.req.header('accept') ?? '').includes('text/markdown')
    : format === 'markdown';
}
