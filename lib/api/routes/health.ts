/**
 * Tripoint's own health, at three depths: the process lives, it can decide, and what is wrong.
 *
 * A region without quorum is alive and not ready: restarting it would help nobody.
 */
import { createRoute } from '@hono/zod-openapi';
import type { StatusView } from '../../control/control-plane.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { healthStatus, problem } from '../errors.ts';
import { presentStatus } from '../present.ts';
import { type HealthJson, healthSchema, livenessSchema } from '../schemas.ts';
import { jsonResponse, PROBLEM_RESPONSE, READ_SECURITY } from './definition.ts';

const HEALTH_TYPE = 'application/health+json';

const liveRoute = createRoute({
  method: 'get',
  path: '/livez',
  summary: 'Whether the process answers.',
  tags: ['health'],
  security: [],
  responses: { 200: jsonResponse('It does.', livenessSchema), default: PROBLEM_RESPONSE },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether this region can decide: a majority of registers answers.',
  tags: ['health'],
  security: READ_SECURITY,
  responses: { 200: jsonResponse('It can.', livenessSchema), default: PROBLEM_RESPONSE },
});

const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'What is wrong with Tripoint itself, part by part; 503 when `status` is `fail`.',
  tags: ['health'],
  security: READ_SECURITY,
  responses: {
    200: { description: 'pass or warn', content: { [HEALTH_TYPE]: { schema: healthSchema } } },
    503: { description: 'fail', content: { [HEALTH_TYPE]: { schema: healthSchema } } },
    default: PROBLEM_RESPONSE,
  },
});

export function registerHealth(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { plane, settings } = dependencies;
  app.openapi(guarded(app, guards.open, liveRoute), (c) =>
    c.json({ status: 'pass' as const }, 200),
  );
  app.openapi(guarded(app, guards.reader, readyRoute), (c) => {
    const { reachable, quorum } = plane.status().position;
    return quorum
      ? c.json({ status: 'pass' as const }, 200)
      : problem(c, 'no-quorum', {
          detail: `registers that answer: ${reachable.join(', ') || 'none'}`,
        });
  });
  app.openapi(guarded(app, guards.reader, healthRoute), (c) => {
    const health = describeHealth(plane.status(), settings);
    return c.json(health, healthStatus(health.status), { 'content-type': HEALTH_TYPE });
  });
}

type Grade = HealthJson['status'];

function describeHealth(
  view: StatusView,
  settings: Pick<ApiDependencies['settings'], 'mode' | 'version'>,
): HealthJson {
  const { consensus, at, configHash } = presentStatus(view, settings);
  const registers = consensus.members.map(({ region, reachable }) => ({
    componentId: region,
    componentType: 'datastore',
    status: reachable ? ('pass' as const) : ('warn' as const),
    observedValue: reachable ? 'reachable' : 'unreachable',
    time: at,
  }));
  const log = {
    componentId: 'log',
    componentType: 'component',
    status: gradeOf(consensus),
    observedValue: consensus.appliedIndex,
    observedUnit: 'index',
    time: at,
  };
  const configuration = {
    componentId: 'configuration',
    componentType: 'component',
    status: configHash === null ? ('warn' as const) : ('pass' as const),
    observedValue: configHash ?? 'none',
    time: at,
  };
  const checks = {
    'consensus:register': registers,
    'consensus:applied': [log],
    'configuration:hash': [configuration],
  };
  const status = worst(Object.values(checks).flatMap((parts) => parts.map((part) => part.status)));
  return {
    status,
    version: settings.version,
    serviceId: view.region,
    description: 'Tripoint control region; the services it protects are in /v1/status',
    ...(status === 'pass' ? {} : { output: OUTPUTS[status] }),
    checks,
  };
}

const OUTPUTS = {
  warn: 'decides, with parts missing: see `checks`',
  fail: 'cannot decide: no majority of registers answers',
} as const;

function gradeOf({ quorum, leader }: { quorum: boolean; leader: string | null }): Grade {
  return quorum ? (leader === null ? 'warn' : 'pass') : 'fail';
}

function worst(grades: readonly Grade[]): Grade {
  return grades.includes('fail') ? 'fail' : grades.includes('warn') ? 'warn' : 'pass';
}
