/**
 * Heartbeats in: the busiest route, and the one that must be boring.
 *
 * A site proves itself by its own token, is held to a rate, and gets its role, the epoch of that
 * role and the time of its next beat back. The arrival is stamped here, by this region's clock.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Clock } from '../../base/clock.ts';
import { ownValue } from '../../base/own-value.ts';
import type { SitePolicy } from '../../recovery/policy.ts';
import type { RecoveryState } from '../../recovery/state.ts';
import { challenge, type Guard, guarded } from '../access.ts';
import { createAppliedState } from '../applied-state.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { type ProblemResponse, problem } from '../errors.ts';
import { API_LIMITS } from '../limits.ts';
import { rfc3339 } from '../present.ts';
import { heartbeatBody, siteParams } from '../requests.ts';
import { heartbeatAnswerSchema } from '../schemas.ts';
import { createSenderRates, type SenderRates } from '../sender-rates.ts';
import { credentialOf, matchToken } from '../tokens.ts';
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

export function registerHeartbeats(app: ApiApp, dependencies: ApiDependencies): void {
  const { plane, clock, settings } = dependencies;
  const rates = createSenderRates(settings.heartbeatRate, API_LIMITS.trackedSendersMax);
  const appliedState = createAppliedState(plane);
  const guard = siteGuard({ appliedState, clock, rates });
  app.openapi(guarded(app, guard, heartbeatRoute), async (c) => {
    const receivedAt = clock.wallNow();
    const { service, site } = c.req.valid('param');
    const outcome = await plane.ingest({ service, site, ...c.req.valid('json'), receivedAt });
    switch (outcome.kind) {
      case 'accepted': {
        const { role, epoch, nextBeatMs } = outcome;
        const answer = { role, epoch: plainEpoch(epoch), nextBeatMs };
        return c.json({ ...answer, receivedAt: rfc3339(receivedAt) }, 200);
      }
      case 'unknown-site':
        return unknownSite(c, appliedState());
      case 'unavailable':
        return problem(c, 'health-store-unavailable', {
          detail: `the beat of ${service}@${site} is not known to be stored`,
        });
    }
  });
}

function plainEpoch(epoch: { readonly term: number; readonly index: number } | null) {
  return epoch === null ? null : { term: epoch.term, index: epoch.index };
}

interface Gate {
  readonly appliedState: () => RecoveryState;
  readonly clock: Clock;
  readonly rates: SenderRates;
}

/** Site known, token one of the site's, rate kept; in this order, before the body is looked at. */
function siteGuard({ appliedState, clock, rates }: Gate): Guard {
  return async (c, next) => {
    const state = appliedState();
    const { service, site } = addressed(c);
    const policy = sitePolicy(state, service, site);
    if (policy === null) {
      return unknownSite(c, state);
    }
    const credential = credentialOf(c.req.header('authorization'));
    if (credential.kind !== 'bearer') {
      return challenge(c, 'token-missing', 'a heartbeat carries the token of its site');
    }
    const hash = matchToken(credential.token, policy.tokenHashes);
    if (hash === null) {
      return challenge(c, 'token-wrong', `the token is not accepted for ${service}@${site}`);
    }
    const drawn = rates.take(`${service}/${site}/${hash}`, clock.monotonicNow());
    const { capacity, refillPerSecond, milliTokens } = drawn.bucket;
    const left = Math.floor(milliTokens / 1000);
    c.header(
      'ratelimit-policy',
      `"beats";q=${capacity};w=${Math.ceil(capacity / refillPerSecond)}`,
    );
    c.header('ratelimit', `"beats";r=${left};t=${Math.ceil(drawn.retryAfterMs / 1000)}`);
    if (drawn.kind === 'refused') {
      const retryAfterSeconds = Math.ceil(drawn.retryAfterMs / 1000);
      const detail = `more than ${refillPerSecond} beats a second from ${service}@${site}`;
      return problem(c, 'too-many-requests', { detail, retryAfterSeconds });
    }
    return await next();
  };
}

function sitePolicy(state: RecoveryState, service: string, site: string): SitePolicy | null {
  const sites = ownValue(state.services, service)?.policy.sites;
  return sites?.find((candidate) => candidate.site === site) ?? null;
}

/** As they stand in the path; empty where the path has no such part. */
function addressed(c: ApiContext): { readonly service: string; readonly site: string } {
  return { service: c.req.param('service') ?? '', site: c.req.param('site') ?? '' };
}

/** A region that has no configuration yet cannot say what does not exist. */
export function unknownSite(c: ApiContext, state: RecoveryState): ProblemResponse {
  const { service, site } = addressed(c);
  if (state.configHash === null) {
    return problem(c, 'not-configured', { detail: 'no configuration was applied here yet' });
  }
  const known = ownValue(state.services, service);
  if (known === undefined) {
    const names = Object.keys(state.services).sort().slice(0, 20).join(', ');
    return problem(c, 'unknown-service', { detail: `this region knows: ${names || 'none'}` });
  }
  const sites = known.policy.sites.map((policy) => policy.site).join(', ');
  return problem(c, 'unknown-site', { detail: `${site} is not one of the sites ${sites}` });
}
