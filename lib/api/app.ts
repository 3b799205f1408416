/**
 * The API of one control region, as a web-standard app.
 *
 * Order of what every request meets: request id, security headers, body limit, the guard of its
 * route, validation, handler. Whatever goes wrong on the way becomes a problem in `errors.ts`.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { createGuards } from './access.ts';
import type { ApiApp, ApiContext, ApiDependencies, ApiEnvironment } from './dependencies.ts';
import { allowedMethods, problem, thrownProblem } from './errors.ts';
import { API_LIMITS } from './limits.ts';
import { registerAlarms } from './routes/alarms.ts';
import { registerBeatHistory } from './routes/beat-history.ts';
import { registerCommands } from './routes/commands.ts';
import { OPERATOR_TOKEN, SITE_TOKEN } from './routes/definition.ts';
import { registerDrills } from './routes/drills.ts';
import { registerHealth } from './routes/health.ts';
import { registerHeartbeatBatches } from './routes/heartbeat-batches.ts';
import { registerHeartbeats } from './routes/heartbeats.ts';
import { registerMaintenance } from './routes/maintenance.ts';
import { registerPage } from './routes/page.ts';
import { registerPings } from './routes/pings.ts';
import { registerPreparation } from './routes/preparation.ts';
import { registerReads, registerSlowReads } from './routes/reads.ts';
import { registerRecovery } from './routes/recovery.ts';
import { registerReports } from './routes/reports.ts';
import { registerRouting } from './routes/routing.ts';
import { createSiteGate } from './site-gate.ts';
import { validationProblem } from './validation.ts';

/**
 * @example
 * const arrivedAt = () => clock.wallNow();
 * const randomId = () => crypto.randomUUID();
 * const app = createApi({ plane, auth, settings, clock, arrivedAt, randomId, log });
 * const response = await app.request('/v1/status');
 */
export function createApi(dependencies: ApiDependencies): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnvironment>({ defaultHook: validationProblem });
  const guards = createGuards(dependencies);
  registerMiddleware(app, dependencies);
  const gate = createSiteGate(dependencies);
  registerHeartbeats(app, dependencies, gate);
  registerHeartbeatBatches(app, dependencies, gate);
  registerPings(app, dependencies, { guards, gate });
  registerReports(app, dependencies, gate);
  registerRouting(app, dependencies, guards);
  registerCommands(app, dependencies, guards);
  registerMaintenance(app, dependencies, guards);
  registerAlarms(app, dependencies, guards);
  registerRecovery(app, dependencies, guards);
  registerDrills(app, dependencies, guards);
  registerPreparation(app, dependencies, guards);
  registerReads(app, dependencies, guards);
  registerSlowReads(app, dependencies, guards);
  registerBeatHistory(app, dependencies, guards);
  registerHealth(app, dependencies, guards);
  registerPage(app, dependencies, guards);
  app.on('GET', '/openapi.json', guards.reader);
  describe(app, dependencies.settings.version);
  refuseOtherMethods(app);
  app.notFound((c) => problem(c, 'not-found', { detail: 'no route has this path' }));
  return app;
}

function registerMiddleware(app: ApiApp, { randomId, log }: ApiDependencies): void {
  const self = ["'self'"];
  const none = ["'none'"];
  app.use(requestId({ limitLength: API_LIMITS.requestIdCharactersMax, generator: randomId }));
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        ...{ defaultSrc: none, scriptSrc: self, styleSrc: self, imgSrc: self, connectSrc: self },
        ...{ baseUri: none, formAction: none, frameAncestors: none },
      },
      xFrameOptions: 'DENY',
    }),
  );
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has('cache-control')) {
      c.res.headers.set('cache-control', 'no-store');
    }
  });
  limitBodies(app);
  app.onError((thrown, c) =>
    thrownProblem(c, thrown, (fields) => log('error', 'request-failed', fields)),
  );
}

const limitOf = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: (c) =>
      problem(c, 'body-too-large', { detail: `the body has more than ${maxSize} bytes` }),
  });

/**
 * The server lets no more through than a declared length says. To look at the body itself makes the
 * framework build a whole request, which is the dearest part of a heartbeat that is ours.
 */
function isDeclared(c: ApiContext, bytesMax: number): boolean {
  const length = c.req.header('content-length') ?? '';
  return (
    /^\d{1,9}$/.test(length) &&
    Number(length) <= bytesMax &&
    c.req.header('transfer-encoding') === undefined
  );
}

/** The beginning of a ping's body is read and the rest is not: a job may print what it likes. */
function limitBodies(app: ApiApp): void {
  const [usual, batch] = [limitOf(API_LIMITS.bodyBytesMax), limitOf(API_LIMITS.batchBodyBytesMax)];
  app.use(async (c, next) => {
    const { path } = c.req;
    if (path.startsWith('/beat/')) {
      return next();
    }
    const isBatch = /^\/v1\/services\/[^/]+\/heartbeats$/.test(path);
    const bytesMax = isBatch ? API_LIMITS.batchBodyBytesMax : API_LIMITS.bodyBytesMax;
    return isDeclared(c, bytesMax) ? await next() : await (isBatch ? batch : usual)(c, next);
  });
}

/** Every path that has a route answers its other methods with 405 and what it does have. */
function refuseOtherMethods(app: ApiApp): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method !== 'ALL') {
      methods.set(path, (methods.get(path) ?? new Set()).add(method));
    }
  }
  for (const [path, known] of methods) {
    const allow = allowedMethods(known);
    app.all(path, (c) =>
      problem(c, 'method-not-allowed', {
        detail: `${path.replaceAll(/:([^/]+)/g, '{$1}')} has ${allow}`,
        headers: { allow },
      }),
    );
  }
}

function describe(app: ApiApp, version: string): void {
  const bearer = { type: 'http', scheme: 'bearer' } as const;
  app.openAPIRegistry.registerComponent('securitySchemes', OPERATOR_TOKEN, {
    ...bearer,
    description: 'The operator token. For reads a browser may send it by Basic, as the password.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', SITE_TOKEN, {
    ...bearer,
    description: 'The heartbeat token of one site.',
  });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Tripoint',
      version,
      description:
        'Disaster recovery and health checks, agreed on by three regions. Every failure is a ' +
        'problem (RFC 9457) with a stable `code`; instants are RFC 3339 in UTC.',
      license: { name: 'Apache-2.0' },
    },
  });
}
