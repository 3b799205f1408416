/**
 * Maintenance windows: begin one, end one. Which ones stand is part of each service (`GET
 * /v1/services/{service}`). Two commands of the log like all others, see `commands.ts`.
 */
import { createRoute } from '@hono/zod-openapi';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { commandHeaders, maintenanceBody, maintenanceQuery, serviceParams } from '../requests.ts';
import { ACTOR_DEFAULT, answer, COMMON, keyOf, OK, STARTED } from './commands.ts';
import { jsonBody, PROBLEM_RESPONSE } from './definition.ts';

const startRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/maintenance',
  summary: 'Begin maintenance: no run starts by itself until it ends.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(maintenanceBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

const endRoute = createRoute({
  ...COMMON,
  method: 'delete',
  path: '/v1/services/{service}/maintenance',
  summary: 'End maintenance before its time.',
  request: { params: serviceParams, headers: commandHeaders, query: maintenanceQuery },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

export function registerMaintenance(
  app: ApiApp,
  dependencies: ApiDependencies,
  guards: Guards,
): void {
  const { clock } = dependencies;
  app.openapi(guarded(app, guards.operator, startRoute), (c) => {
    const { service } = c.req.valid('param');
    const { site = null, forMs, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const common = { service, site, reason, by, at: clock.wallNow() };
    const command = { kind: 'maintenance-start', durationMs: forMs, ...common } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, endRoute), (c) => {
    const { service } = c.req.valid('param');
    const { site = null, reason, by = ACTOR_DEFAULT } = c.req.valid('query');
    const at = clock.wallNow();
    const command = { kind: 'maintenance-end', service, site, reason, by, at } as const;
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
}
