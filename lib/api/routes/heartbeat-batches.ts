/**
 * Many heartbeats in one request: of a host that runs many sites, or of an agent that was cut off.
 *
 * Each beat has its own result, in the order of the beats, so nothing is lost in silence. From the rate
 * of its token a batch draws as often as it names its most frequent site: one beat of each of 500
 * sites is one, which is what batches are for, and many beats of one site are no way around the rate.
 */
import { createRoute } from '@hono/zod-openapi';
import type { EpochMillis } from '../../base/identifiers.ts';
import { ownValue } from '../../base/own-value.ts';
import type { Heartbeat, IngestOutcome } from '../../control/control-plane.ts';
import { challenge, type Guard, guarded } from '../access.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { PROBLEMS, type ProblemCode, problem } from '../errors.ts';
import { type BatchResultJson, batchAnswerSchema } from '../heartbeat-schemas.ts';
import { rfc3339 } from '../present-parts.ts';
import { batchBody, serviceParams } from '../requests.ts';
import { addressed, type SiteGate, unknownSite } from '../site-gate.ts';
import { credentialOf, digestOf, matchDigest } from '../tokens.ts';
import { beatAnswer, isTextBody } from './beat-answer.ts';
import { jsonBody, jsonResponse, PROBLEM_RESPONSE, SITE_SECURITY } from './definition.ts';

const batchRoute = createRoute({
  method: 'post',
  path: '/v1/services/{service}/heartbeats',
  summary: 'Say of up to 500 sites of one service or monitor that they are alive.',
  description: 'The token must be one of each site that is named; each beat has its own result.',
  tags: ['sites'],
  security: SITE_SECURITY,
  request: { params: serviceParams, body: jsonBody(batchBody) },
  responses: {
    200: jsonResponse('Looked at: `results` says of each beat what came of it.', batchAnswerSchema),
    default: PROBLEM_RESPONSE,
  },
});

export function registerHeartbeatBatches(
  app: ApiApp,
  { plane, arrivedAt }: ApiDependencies,
  gate: SiteGate,
): void {
  app.openapi(guarded(app, batchGuard(gate), batchRoute), async (c) => {
    const receivedAt = arrivedAt(c.env);
    const { service } = c.req.valid('param');
    const { beats } = c.req.valid('json');
    const digest = digestOf(tokenOf(c) ?? '');
    const draw = drawsOf(gate);
    const refusals = beats.map(({ site }) => refusalOf(gate, { service, site, digest, draw }));
    const taken = beats.flatMap((beat, place): Heartbeat[] =>
      refusals[place] === null ? [{ service, ...beat, receivedAt }] : [],
    );
    const outcomes = await plane.ingestBatch(taken);
    let next = 0;
    const results = beats.map(({ site }, place): BatchResultJson => {
      const code = refusals[place] ?? null;
      if (code !== null) {
        return refused(site, code);
      }
      const outcome = outcomes[next];
      next += 1;
      return resultOf(gate, { service, site, receivedAt }, outcome);
    });
    return c.json({ receivedAt: rfc3339(receivedAt), results }, 200);
  });
}

/** The service is known and the token is one of it; which sites it opens is asked for each beat. */
function batchGuard(gate: SiteGate): Guard {
  return async (c, next) => {
    const state = gate.state();
    const { service } = addressed(c);
    const known = ownValue(state.services, service) ?? ownValue(state.monitors, service);
    if (known === undefined) {
      return unknownSite(c, state);
    }
    const token = tokenOf(c);
    if (token === null) {
      return challenge(c, 'token-missing', 'a batch carries the token of its sites');
    }
    const holder = gate.holdersOf(token).find((candidate) => candidate.service === service);
    if (holder === undefined) {
      return challenge(c, 'token-wrong', `the token is not accepted for any site of ${service}`);
    }
    const refusal = gate.draw(c, holder.hash);
    if (refusal !== null) {
      return refusal;
    }
    return (await isTextBody(c))
      ? await next()
      : problem(c, 'body-not-text', { detail: 'the body has bytes that are no UTF-8' });
  };
}

function tokenOf(c: ApiContext): string | null {
  const credential = credentialOf(c.req.header('authorization'));
  return credential.kind === 'bearer' ? credential.token : null;
}

/** The guard has drawn for the first beat of each site; the n-th of any site draws once for all. */
function drawsOf({ drawOne }: SiteGate): (site: string, hash: string) => boolean {
  let drawn = 1;
  const counts = new Map<string, number>();
  return (site, hash) => {
    const count = (counts.get(site) ?? 0) + 1;
    if (count > drawn) {
      if (!drawOne(hash)) {
        return false;
      }
      drawn = count;
    }
    counts.set(site, count);
    return true;
  };
}

/** Why this beat is not taken; null = it is. */
function refusalOf(
  gate: SiteGate,
  asked: {
    readonly service: string;
    readonly site: string;
    readonly digest: Uint8Array;
    readonly draw: (site: string, hash: string) => boolean;
  },
): ProblemCode | null {
  const { service, site, digest, draw } = asked;
  const watched = gate.find(service, site);
  if (watched === null) {
    return 'unknown-site';
  }
  const hash = matchDigest(digest, watched.tokenHashes);
  if (hash === null) {
    return 'token-wrong';
  }
  return draw(site, hash) ? null : 'too-many-requests';
}

function resultOf(
  gate: SiteGate,
  place: { readonly service: string; readonly site: string; readonly receivedAt: EpochMillis },
  outcome: IngestOutcome | undefined,
): BatchResultJson {
  switch (outcome?.kind) {
    case 'accepted': {
      const { receivedAt, duplicate, ...answer } = beatAnswer(gate, place, outcome);
      return { kind: duplicate ? 'duplicate' : 'accepted', site: place.site, ...answer };
    }
    case 'unknown-site':
      return refused(place.site, 'unknown-site');
    default:
      return refused(place.site, 'health-store-unavailable');
  }
}

function refused(site: string, code: ProblemCode): BatchResultJson {
  return { kind: 'refused', site, code, retryable: PROBLEMS[code].retryable };
}
