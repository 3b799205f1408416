/**
 * What people do to runs and to the rules that hold them: approve, cancel, acknowledge, freeze, set a
 * rule aside, change shares. Commands of the log like all others, see `commands.ts`.
 */
import { createRoute } from '@hono/zod-openapi';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import {
  approvalBody,
  commandHeaders,
  freezeBody,
  overrideBody,
  overrideParams,
  runParams,
  serviceParams,
  weightsBody,
  wordsBody,
  wordsQuery,
} from '../requests.ts';
import { ACTOR_DEFAULT, answer, COMMON, keyOf, OK, STARTED } from './commands.ts';
import { jsonBody, PROBLEM_RESPONSE } from './definition.ts';

const RESPONSES = { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE };

const weightsRoute = createRoute({
  ...COMMON,
  method: 'put',
  path: '/v1/services/{service}/weights',
  summary: 'Change the shares of an active-active service.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(weightsBody) },
  responses: RESPONSES,
});

const acknowledgeRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/acknowledgement',
  summary: 'Say that a person has seen the last automatic run: the next one may follow.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(wordsBody) },
  responses: RESPONSES,
});

const freezeRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/freeze',
  summary: 'Freeze a service: nothing moves by itself until it ends.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(freezeBody) },
  responses: RESPONSES,
});

const unfreezeRoute = createRoute({
  ...COMMON,
  method: 'delete',
  path: '/v1/services/{service}/freeze',
  summary: 'End the freeze of a service before its time.',
  request: { params: serviceParams, headers: commandHeaders, query: wordsQuery },
  responses: RESPONSES,
});

const freezeAllRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/freeze',
  summary: 'Freeze all services: the kill switch.',
  request: { headers: commandHeaders, body: jsonBody(freezeBody) },
  responses: RESPONSES,
});

const unfreezeAllRoute = createRoute({
  ...COMMON,
  method: 'delete',
  path: '/v1/freeze',
  summary: 'End the freeze of all services before its time.',
  request: { headers: commandHeaders, query: wordsQuery },
  responses: RESPONSES,
});

const overrideRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/overrides/{rule}',
  summary: 'Set one safety rule of a service aside for a while.',
  request: { params: overrideParams, headers: commandHeaders, body: jsonBody(overrideBody) },
  responses: RESPONSES,
});

const overrideEndRoute = createRoute({
  ...COMMON,
  method: 'delete',
  path: '/v1/services/{service}/overrides/{rule}',
  summary: 'Let a safety rule hold again before its time.',
  request: { params: overrideParams, headers: commandHeaders, query: wordsQuery },
  responses: RESPONSES,
});

const approvalRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/runs/{run}/approval',
  summary: 'Approve or reject what a run waits for. Never by the one who asked for the run.',
  request: { params: runParams, headers: commandHeaders, body: jsonBody(approvalBody) },
  responses: RESPONSES,
});

const cancelRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/runs/{run}/cancellation',
  summary: 'End an open run, and take back what it did.',
  request: { params: runParams, headers: commandHeaders, body: jsonBody(wordsBody) },
  responses: RESPONSES,
});

export function registerRecovery(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  registerRules(app, dependencies, guards);
  registerFreezes(app, dependencies, guards);
  registerRunCommands(app, dependencies, guards);
}

function registerRules(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock } = dependencies;
  app.openapi(guarded(app, guards.operator, weightsRoute), (c) => {
    const { service } = c.req.valid('param');
    const { weights, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const at = clock.wallNow();
    const command = { kind: 'set-weights', service, weights, reason, by, at } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, acknowledgeRoute), (c) => {
    const { service } = c.req.valid('param');
    const { reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const command = { kind: 'acknowledge', service, reason, by, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, overrideRoute), (c) => {
    const { service, rule } = c.req.valid('param');
    const { forMs: durationMs, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const common = { service, rule, reason, by, at: clock.wallNow() };
    const command = { kind: 'override', durationMs, ...common } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, overrideEndRoute), (c) => {
    const { service, rule } = c.req.valid('param');
    const { reason, by = ACTOR_DEFAULT } = c.req.valid('query');
    const at = clock.wallNow();
    const command = { kind: 'override-end', service, rule, reason, by, at } as const;
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
}

function registerFreezes(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock } = dependencies;
  const freeze = (service: string | null, body: { forMs: number; reason: string; by?: string }) => {
    const { forMs: durationMs, reason, by = ACTOR_DEFAULT } = body;
    return { kind: 'freeze', service, durationMs, reason, by, at: clock.wallNow() } as const;
  };
  const unfreeze = (service: string | null, words: { reason: string; by?: string }) => {
    const { reason, by = ACTOR_DEFAULT } = words;
    return { kind: 'unfreeze', service, reason, by, at: clock.wallNow() } as const;
  };
  app.openapi(guarded(app, guards.operator, freezeRoute), (c) => {
    const { dryRun, by = ACTOR_DEFAULT, ...body } = c.req.valid('json');
    const command = freeze(c.req.valid('param').service, { ...body, by });
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, freezeAllRoute), (c) => {
    const { dryRun, by = ACTOR_DEFAULT, ...body } = c.req.valid('json');
    const command = freeze(null, { ...body, by });
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, unfreezeRoute), (c) => {
    const { by = ACTOR_DEFAULT, reason } = c.req.valid('query');
    const command = unfreeze(c.req.valid('param').service, { reason, by });
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, unfreezeAllRoute), (c) => {
    const { by = ACTOR_DEFAULT, reason } = c.req.valid('query');
    const command = unfreeze(null, { reason, by });
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
}

function registerRunCommands(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock } = dependencies;
  app.openapi(guarded(app, guards.operator, approvalRoute), (c) => {
    const { run } = c.req.valid('param');
    const { step, verdict, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const at = clock.wallNow();
    const command = { kind: 'approve', run, step, verdict, reason, by, at } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, cancelRoute), (c) => {
    const { run } = c.req.valid('param');
    const { reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const command = { kind: 'cancel-run', run, reason, by, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
}
