/** What helps to be prepared: plans as they stand, a look at them, and the evidence of runs. */
import { createRoute } from '@hono/zod-openapi';
import type { PlannedRun } from '../../control/preparation.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { problem } from '../errors.ts';
import { type PlanJson, planSchema, reportListSchema } from '../preparation-schemas.ts';
import { rfc3339 } from '../present-parts.ts';
import { actionText } from '../present-recovery.ts';
import { commandHeaders, planQuery, reportsQuery, serviceParams, wordsBody } from '../requests.ts';
import { unknownSite } from '../site-gate.ts';
import { ACTOR_DEFAULT, answer, COMMON, keyOf, OK, STARTED } from './commands.ts';
import { jsonBody, jsonResponse, PROBLEM_RESPONSE, READ_SECURITY } from './definition.ts';

const READ = { method: 'get' as const, security: READ_SECURITY, tags: ['reads'] };

const planRoute = createRoute({
  ...READ,
  path: '/v1/services/{service}/plan',
  summary: 'The plan that a run of this kind would have now.',
  request: { params: serviceParams, query: planQuery },
  responses: { 200: jsonResponse('The plan.', planSchema), default: PROBLEM_RESPONSE },
});

const checkRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/plan/check',
  summary: 'Ask for a look at the plans of a service now.',
  description:
    'Whoever leads looks, with the rights that a run would have. `readinessDueAt` of the service is ' +
    'null again when the findings are there.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(wordsBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

const reportsRoute = createRoute({
  ...READ,
  path: '/v1/reports',
  summary: 'The reports that the stores hold, newest first.',
  request: { query: reportsQuery },
  responses: { 200: jsonResponse('The reports.', reportListSchema), default: PROBLEM_RESPONSE },
});

export function registerPreparation(
  app: ApiApp,
  dependencies: ApiDependencies,
  guards: Guards,
): void {
  const { plane, clock } = dependencies;
  app.openapi(guarded(app, guards.reader, planRoute), (c) => {
    const { service } = c.req.valid('param');
    const { kind, mode = null, to = null } = c.req.valid('query');
    const found = plane.preparation.plan(service, { kind, mode, to });
    if (found === null) {
      return unknownSite(c, plane.status().state);
    }
    return found === 'already-active'
      ? problem(c, 'already-active', { detail: `a ${kind} would lead to the site that serves` })
      : c.json(presentPlan(service, found), 200);
  });
  app.openapi(guarded(app, guards.operator, checkRoute), (c) => {
    const { service } = c.req.valid('param');
    const { reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const command = { kind: 'check-plans', service, reason, by, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.reader, reportsRoute), async (c) => {
    const stored = await plane.preparation.reports(c.req.valid('query').limit);
    if (stored === null) {
      return problem(c, 'report-store-unavailable', { detail: 'no store says what it holds' });
    }
    const { runs } = plane.status().state;
    const reports = stored.map(({ run: id, bytes }) => {
      const run = runs.find((candidate) => candidate.id === id);
      const endedAt = run === undefined || run.outcome.kind === 'open' ? null : run.outcome.at;
      return {
        run: id,
        bytes,
        kind: run?.kind ?? null,
        outcome: run?.outcome.kind ?? null,
        endedAt: endedAt === null ? null : rfc3339(endedAt),
      };
    });
    return c.json({ at: rfc3339(clock.wallNow()), reports }, 200);
  });
}

function presentPlan(service: string, { kind, mode, from, to, plan }: PlannedRun): PlanJson {
  return {
    service,
    kind,
    mode,
    from,
    to,
    onFailure: plan.onFailure,
    stages: plan.stages.map((stage) =>
      stage.map((step) => ({
        name: step.name,
        kind: step.action.kind,
        does: actionText(step.action, { from, to }),
        essential: step.essential,
        timeoutMs: step.timeoutMs,
        attemptsMax: step.attemptsMax,
        mode: step.mode,
        when: step.when,
        undo:
          step.undo === null
            ? null
            : `${step.undo.kind} ${actionText(step.undo, { from, to })}`.trim(),
      })),
    ),
  };
}
