/**
 * Heartbeats in: the busiest route, and the one that must be boring.
 *
 * A site proves itself by its own token, is held to a rate, and gets its role, the epoch of that
 * role, its lease and the time of its next beat back. The arrival is stamped by this region.
 */
import { createRoute } from '@hono/zod-openapi';
import { challenge, type Guard, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { problem } from '../errors.ts';
import { heartbeatAnswerSchema } from '../heartbeat-schemas.ts';
import { heartbeatBody, siteParams } from '../requests.ts';
import { addressed, type SiteGate, unknownSite } from '../site-gate.ts';
import { credentialOf, matchToken } from '../tokens.ts';
import { beatAnswer, isTextBody } from './beat-answer.ts';
import { jsonBody, jsonResponse, PROBLEM_RESPONSE, SITE_SECURITY } from './definition.ts';

const heartbeatRoute = createRoute({
  method: 'post',
  path: '/v1/services/{service}/sites/{site}/heartbeats',
  summary: 'Say that a site is alive.',
  description: 'Members that are not known are ignored, so a newer agent may beat to this region.',
  tags: ['sites'],
  security: SITE_SECURITY,
  request: { params: siteParams, body: jsonBody(heartbeatBody) },
  responses: {
    200: jsonResponse('Stored. `role` says whether the site should serve.', heartbeatAnswerSchema),
    default: PROBLEM_RESPONSE,
  },
});

export function registerHeartbeats(
  app: ApiApp,
  { plane, arrivedAt }: ApiDependencies,
  gate: SiteGate,
): void {
  app.openapi(guarded(app, siteGuard(gate), heartbeatRoute), async (c) => {
    const receivedAt = arrivedAt(c.env);
    const { service, site } = c.req.valid('param');
    const outcome = await plane.ingest({ service, site, ...c.req.valid('json'), receivedAt });
    switch (outcome.kind) {
      case 'accepted':
        return c.json(beatAnswer(gate, { service, site, receivedAt }, outcome), 200);
      case 'unknown-site':
        return unknownSite(c, gate.state());
      case 'unavailable':
        return problem(c, 'health-store-unavailable', {
          detail: `the beat of ${service}@${site} is not known to be stored`,
        });
    }
  });
}

/**
 * Site known, token one of the site's, rate kept, body text; in this order, before the body is
 * parsed.
 */
function siteGuard(gate: SiteGate): Guard {
  return async (c, next) => {
    const { service, site } = addressed(c);
    const watched = gate.find(service, site);
    if (watched === null) {
      return unknownSite(c, gate.state());
    }
    const credential = credentialOf(c.req.header('authorization'));
    if (credential.kind !== 'bearer') {
      return challenge(c, 'token-missing', 'a heartbeat carries the token of its site');
    }
    const hash = matchToken(credential.token, watched.tokenHashes);
    if (hash === null) {
      return challenge(c, 'token-wrong', `the token is not accepted for ${service}@${site}`);
    }
    const refused = gate.draw(c, hash);
    if (refused !== null) {
      return refused;
    }
    return (await isTextBody(c))
      ? await next()
      : problem(c, 'body-not-text', { detail: 'the body has bytes that are no UTF-8' });
  };
}
