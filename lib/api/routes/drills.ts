/** Practice runs: begun, ended before their time, or played through at the table. */
import { createRoute } from '@hono/zod-openapi';
import { ownValue } from '../../base/own-value.ts';
import type { Tabletop } from '../../control/tabletop.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { type TabletopJson, tabletopSchema } from '../preparation-schemas.ts';
import {
  commandHeaders,
  drillBody,
  drillEndQuery,
  serviceParams,
  tabletopBody,
} from '../requests.ts';
import { unknownSite } from '../site-gate.ts';
import { ACTOR_DEFAULT, answer, COMMON, keyOf, OK, STARTED } from './commands.ts';
import { jsonBody, jsonResponse, PROBLEM_RESPONSE } from './definition.ts';

const RESPONSES = { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE };

const drillRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/drill',
  summary: 'Begin a practice run: the traffic goes to a standby, stays for a while and comes back.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(drillBody) },
  responses: RESPONSES,
});

const drillEndRoute = createRoute({
  ...COMMON,
  method: 'delete',
  path: '/v1/services/{service}/drill',
  summary: 'Send the traffic of a practice run home before its time.',
  request: { params: serviceParams, headers: commandHeaders, query: drillEndQuery },
  responses: RESPONSES,
});

const tabletopRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/tabletop',
  summary: 'Play a run through: every call that it would make, none of which is made.',
  request: { params: serviceParams, body: jsonBody(tabletopBody) },
  responses: { 200: jsonResponse('What would happen.', tabletopSchema), default: PROBLEM_RESPONSE },
});

export function registerDrills(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock, plane } = dependencies;
  app.openapi(guarded(app, guards.operator, drillRoute), (c) => {
    const { service } = c.req.valid('param');
    const { to = null, forMs = null, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const common = { service, reason, by, at: clock.wallNow() };
    const command = { kind: 'drill', to, durationMs: forMs, scheduled: false, ...common } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, drillEndRoute), (c) => {
    const { service } = c.req.valid('param');
    const { reason, force, by = ACTOR_DEFAULT } = c.req.valid('query');
    const common = { service, reason, by, at: clock.wallNow() };
    const command = { kind: 'drill-end', force, ...common } as const;
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, tabletopRoute), async (c) => {
    const { service } = c.req.valid('param');
    const { state } = plane.status();
    if (ownValue(state.services, service) === undefined) {
      return unknownSite(c, state);
    }
    const { kind, to = null, forMs = null, by = ACTOR_DEFAULT, ...asked } = c.req.valid('json');
    const { mode = null, force, acceptLoss, atOnce } = asked;
    const common = { service, by, reason: 'tabletop', at: clock.wallNow() };
    const words = { force, mode, acceptLoss };
    const played = await plane.preparation.tabletop(
      kind === 'drill'
        ? { kind, to, durationMs: forMs, scheduled: false, ...common }
        : kind === 'failover'
          ? { kind, to, ...words, ...common }
          : { kind, ...words, atOnce, ...common },
    );
    return c.json(presentTabletop(service, played), 200);
  });
}

function presentTabletop(service: string, { decision, steps, ...played }: Tabletop): TabletopJson {
  const { kind, code, sentence } = decision;
  return {
    service,
    ...played,
    decision: { kind, code, sentence },
    steps: steps.map(({ calls, ...step }) => ({
      ...step,
      calls: calls.map(({ records, ...call }) =>
        records === undefined ? call : { ...call, records: [...records] },
      ),
    })),
  };
}
