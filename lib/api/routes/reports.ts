/**
 * Callers' reports in: what those who use a site met there.
 *
 * Anybody may call a site, so any site of the service may report on any other by its own token, and
 * the operator too. A report proves nothing alone: `lib/detection/caller-reports.ts` says how many
 * it takes. A token has a second rate for them, so that reporting never costs a site its heartbeats.
 */
import { createRoute, z } from '@hono/zod-openapi';
import { REPORT_LIMITS } from '../../detection/limits.ts';
import { challenge, type Guard, guarded } from '../access.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { type ProblemResponse, problem } from '../errors.ts';
import { API_LIMITS } from '../limits.ts';
import { rfc3339 } from '../present-parts.ts';
import { siteParams } from '../requests.ts';
import { createSenderRates } from '../sender-rates.ts';
import { addressed, type SiteGate, unknownSite } from '../site-gate.ts';
import { credentialOf, matchToken } from '../tokens.ts';
import {
  COMMAND_SECURITY,
  jsonBody,
  jsonResponse,
  PROBLEM_RESPONSE,
  SITE_SECURITY,
} from './definition.ts';

const reportBody = z
  .object({
    outcome: z.enum(['ok', 'failing']).openapi({ description: 'How the calls went.' }),
    count: z
      .int()
      .min(1)
      .max(REPORT_LIMITS.countMax)
      .default(1)
      .openapi({ description: 'Calls that this report stands for.' }),
  })
  .openapi('CallerReport');

const reportAnswerSchema = z
  .object({
    receivedAt: z.string().openapi({ format: 'date-time' }),
    callers: z.enum(['content', 'troubled']).openapi({
      description: 'What the reports of the last minute amount to, this one included.',
    }),
    failing: z.int().min(0),
    total: z.int().min(0),
  })
  .openapi('CallerReportAnswer');

const reportRoute = createRoute({
  method: 'post',
  path: '/v1/services/{service}/sites/{site}/reports',
  summary: 'Say how calls to a site went.',
  description:
    `A site that beats is degraded when at least half of ${REPORT_LIMITS.reportsMin} or more calls ` +
    `failed within ${(REPORT_LIMITS.slotsMax * REPORT_LIMITS.slotMs) / 1000} seconds, in more than ` +
    'one slot of ten seconds. One other site of the service is not enough for that: a second one, ' +
    'the site itself or the operator must report failures too. Report good calls too, in sums, for a share needs both; and report to ' +
    'every region, as with heartbeats: each one judges by what it was told.',
  tags: ['sites'],
  security: [...SITE_SECURITY, ...COMMAND_SECURITY],
  request: { params: siteParams, body: jsonBody(reportBody) },
  responses: {
    200: jsonResponse('Counted.', reportAnswerSchema),
    default: PROBLEM_RESPONSE,
  },
});

export function registerReports(app: ApiApp, dependencies: ApiDependencies, gate: SiteGate): void {
  const { plane, arrivedAt } = dependencies;
  app.openapi(guarded(app, reporterGuard(dependencies, gate), reportRoute), async (c) => {
    const receivedAt = arrivedAt(c.env);
    const { service, site } = c.req.valid('param');
    const accuser = accuserOf(c, gate);
    const outcome = await plane.reportCalls(
      { service, site },
      { ...c.req.valid('json'), receivedAt, ...(accuser === null ? {} : { accuser }) },
    );
    switch (outcome.kind) {
      case 'stored': {
        const { state: callers, failing, total } = outcome.finding;
        return c.json({ receivedAt: rfc3339(receivedAt), callers, failing, total }, 200);
      }
      case 'unknown-site':
        return unknownSite(c, gate.state());
      case 'unavailable':
        return problem(c, 'health-store-unavailable', {
          detail: `the report on ${service}@${site} is not known to be stored`,
          hint: 'Leave it, or send it again: it may count twice.',
        });
    }
  });
}

/** Another site of the service, by the beginning of its token's hash; null = operator or site itself. */
function accuserOf(c: ApiContext, gate: SiteGate): string | null {
  const { service, site } = addressed(c);
  const credential = credentialOf(c.req.header('authorization'));
  const holders = credential.kind === 'bearer' ? gate.holdersOf(credential.token) : [];
  const own = holders.filter((holder) => holder.service === service);
  const isOwnWord = own.some((holder) => holder.site === null || holder.site === site);
  return isOwnWord ? null : (own[0]?.hash.slice(0, ACCUSER_DIGITS) ?? null);
}

/** Enough to tell the sites of a service apart. */
const ACCUSER_DIGITS = 8;

/** Site known, token one of the service's or the operator's, rate kept; before the body is read. */
function reporterGuard({ auth, clock, settings }: ApiDependencies, gate: SiteGate): Guard {
  const rates = createSenderRates(settings.heartbeatRate, API_LIMITS.trackedSendersMax);
  return async (c, next) => {
    const { service, site } = addressed(c);
    if (gate.find(service, site) === null) {
      return unknownSite(c, gate.state());
    }
    const credential = credentialOf(c.req.header('authorization'));
    if (credential.kind !== 'bearer') {
      return challenge(c, 'token-missing', 'a report carries a token of the service');
    }
    const { token } = credential;
    const own = gate.holdersOf(token).find((holder) => holder.service === service);
    const hash = own?.hash ?? matchToken(token, auth.operatorTokenHashes);
    if (hash === null) {
      return challenge(c, 'token-wrong', `the token is of no site of ${service}`);
    }
    return tooMany(c, rates.take(hash, clock.monotonicNow())) ?? (await next());
  };
}

function tooMany(
  c: ApiContext,
  drawn: ReturnType<ReturnType<typeof createSenderRates>['take']>,
): ProblemResponse | null {
  return drawn.kind === 'granted'
    ? null
    : problem(c, 'too-many-requests', {
        detail: `more than ${drawn.bucket.refillPerSecond} reports a second with this token`,
        hint: 'Add calls up and send one report with their `count`.',
        retryAfterSeconds: Math.ceil(drawn.retryAfterMs / 1000),
      });
}
