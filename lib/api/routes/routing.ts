/**
 * What DNS health checks and load balancers poll: should this site take traffic?
 *
 * Answered from the state that this region applied last, also when no quorum answers: losing the
 * control plane must never move traffic (static stability). Open to all, because a health checker
 * carries no token; the answer tells no more than the DNS record does.
 */
import { createRoute } from '@hono/zod-openapi';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { problem } from '../errors.ts';
import { siteParams } from '../requests.ts';
import { routingSchema } from '../schemas.ts';
import { unknownSite } from '../site-gate.ts';
import { jsonResponse, PROBLEM_RESPONSE } from './definition.ts';

const routingRoute = createRoute({
  method: 'get',
  path: '/v1/routing/{service}/{site}',
  summary: 'Whether a site should take traffic: 200 yes, 503 no.',
  tags: ['sites'],
  security: [],
  request: { params: siteParams },
  responses: {
    200: jsonResponse('The site is active.', routingSchema),
    default: PROBLEM_RESPONSE,
  },
});

export function registerRouting(app: ApiApp, { plane }: ApiDependencies, guards: Guards): void {
  app.openapi(guarded(app, guards.open, routingRoute), (c) => {
    const { service, site } = c.req.valid('param');
    switch (plane.routing(service, site)) {
      case 'active':
        return c.json({ service, site, role: 'active' } as const, 200);
      case 'standby':
        return problem(c, 'site-standby', { detail: `${service}@${site} should get no traffic` });
      case 'unknown-site':
        return unknownSite(c, plane.status().state);
    }
  });
}
