/**
 * The shortest heartbeat there is: a URL that one asks for, from a crontab or by hand.
 *
 *     curl -fsS -m 10 --retry 5 https://REGION/beat/TOKEN/$?
 *
 * The token in the path says which site this is. A path ends in logs of others (proxies, shells), so
 * this form is for what is only watched; what may move traffic should send its token in a header.
 * In our own logs and answers no such path ever stands. An unknown token is 404 and not repeated.
 */
import { createRoute } from '@hono/zod-openapi';
import { commandId, type EpochMillis } from '../../base/identifiers.ts';
import { ownValue } from '../../base/own-value.ts';
import type { IngestOutcome } from '../../control/control-plane.ts';
import { PING_BOOT_ID } from '../../control/limits.ts';
import type { JobEvent } from '../../detection/job.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { type ProblemResponse, problem, rejection } from '../errors.ts';
import { heartbeatAnswerSchema } from '../heartbeat-schemas.ts';
import { beginningOf, pingEvent, pingMessage } from '../ping.ts';
import { pingParams, pingQuery, plainPingParams } from '../requests.ts';
import { type Sender, type SiteGate, unknownSite } from '../site-gate.ts';
import type { TokenHolder } from '../token-index.ts';
import { beatAnswer } from './beat-answer.ts';
import { jsonResponse, PROBLEM_RESPONSE } from './definition.ts';

const COMMON = {
  tags: ['sites'],
  security: [],
  responses: {
    200: jsonResponse('Stored. `nextBeatMs` says when to come again.', heartbeatAnswerSchema),
    default: PROBLEM_RESPONSE,
  },
};
const DESCRIPTION =
  'The token is part of the path. The first line of a body is kept as what the job last said.';

const ROUTES = (['get', 'post'] as const).flatMap((method) => [
  createRoute({
    ...COMMON,
    method,
    path: '/beat/{token}',
    summary: 'Say that a site is alive, or that a run ended well.',
    description: DESCRIPTION,
    request: { params: plainPingParams, query: pingQuery },
  }),
  createRoute({
    ...COMMON,
    method,
    path: '/beat/{token}/{action}',
    summary: 'Say that a run begins (`start`), failed (`fail`), wrote something (`log`), or ended.',
    description: DESCRIPTION,
    request: { params: pingParams, query: pingQuery },
  }),
]);

export function registerPings(
  app: ApiApp,
  dependencies: ApiDependencies,
  { guards, gate }: { readonly guards: Guards; readonly gate: SiteGate },
): void {
  const take = pingHandler(dependencies, gate);
  for (const route of ROUTES) {
    app.openapi(guarded(app, guards.open, route), (c) => take(c));
  }
}

interface Ping {
  readonly token: string;
  readonly action: string;
  readonly site: string | undefined;
}

type PingOutcome = ProblemResponse | { readonly sender: Sender };

function pingHandler(dependencies: ApiDependencies, gate: SiteGate) {
  const { plane, arrivedAt } = dependencies;
  return async (c: ApiContext) => {
    const receivedAt = arrivedAt(c.env);
    const ping = pingOf(c);
    const known = knownSender(c, gate, ping);
    if (!('holder' in known || 'sender' in known)) {
      return known;
    }
    const { hash } = 'holder' in known ? known.holder : known.sender;
    const refused = gate.draw(c, hash);
    if (refused !== null) {
      return refused;
    }
    const found =
      'holder' in known ? await provision(c, dependencies, { ...known, receivedAt }) : known;
    if (!('sender' in found)) {
      return found;
    }
    const { sender } = found;
    const body = c.req.method === 'POST' ? await beginningOf(c.req.raw.body) : new Uint8Array();
    const event = pingEvent(ping.action, pingMessage(body));
    const outcome = await plane.ingest(beatOf(sender, event, receivedAt));
    return answerPing(c, { gate, sender, receivedAt }, outcome);
  };
}

/** Validated already by the route; read here in one form for both paths. */
function pingOf(c: ApiContext): Ping {
  return {
    token: c.req.param('token') ?? '',
    action: c.req.param('action') ?? '',
    site: c.req.query('site'),
  };
}

interface Birth {
  readonly holder: TokenHolder;
  readonly site: string;
}

/** Which site a token stands for. A site that does not exist yet comes back as its birth. */
function knownSender(c: ApiContext, gate: SiteGate, { token, site }: Ping): PingOutcome | Birth {
  if (gate.state().configHash === null) {
    return unknownSite(c, gate.state());
  }
  const holders = gate.holdersOf(token);
  const [holder] = holders;
  if (holder === undefined) {
    return problem(c, 'unknown-token', { detail: 'the token in the path belongs to no site' });
  }
  const named = holders.filter((candidate) => site === undefined || candidate.site === site);
  const [only, another] = named;
  if (holder.site === null) {
    return doorOf(c, gate, { holder, site });
  }
  if (another !== undefined) {
    const detail = 'the token stands for several sites';
    return problem(c, 'token-ambiguous', { detail });
  }
  return only === undefined || only.site === null
    ? problem(c, 'unknown-site', { detail: `the token does not stand for a site ${site ?? ''}` })
    : { sender: { ...only, site: only.site } };
}

/** A token that lets sites come into being is also theirs; it does not open those of others. */
function doorOf(
  c: ApiContext,
  gate: SiteGate,
  { holder, site }: { readonly holder: TokenHolder; readonly site: string | undefined },
): PingOutcome | Birth {
  if (site === undefined) {
    return problem(c, 'site-missing', { detail: `${holder.service} has several sites` });
  }
  const monitor = ownValue(gate.state().monitors, holder.service);
  if (monitor?.policy.sites.some((own) => own.site === site) === true) {
    const detail = `${holder.service}@${site} has a token of its own`;
    return problem(c, 'unknown-site', { detail });
  }
  return monitor?.provisioned.includes(site) === true
    ? { sender: { ...holder, site } }
    : { holder, site };
}

/**
 * Puts the new site into the log before its first beat is taken. What the log would refuse is refused
 * here: a worker too many pings on, and each ping would be an entry.
 */
async function provision(
  c: ApiContext,
  { plane, randomId }: ApiDependencies,
  birth: Birth & { readonly receivedAt: EpochMillis },
): Promise<PingOutcome> {
  const { holder, site, receivedAt } = birth;
  const { service, hash } = holder;
  const command = { kind: 'provision-site', service, site, at: receivedAt } as const;
  const { result: foreseen } = plane.dryRun(command);
  if (foreseen.kind === 'refused') {
    return problem(c, 'site-not-provisioned', { detail: foreseen.sentence });
  }
  const outcome = await plane.propose(commandId(randomId()), command);
  switch (outcome.kind) {
    case 'committed':
      return outcome.result.kind === 'accepted'
        ? { sender: { service, site, hash } }
        : problem(c, 'site-not-provisioned', { detail: outcome.result.sentence });
    case 'rejected':
      return rejection(c, outcome);
    case 'unknown':
      return problem(c, 'outcome-unknown', { detail: 'the site may come into being yet' });
  }
}

function beatOf({ service, site }: Sender, job: JobEvent, receivedAt: EpochMillis) {
  return {
    service,
    site,
    sequence: null,
    bootId: PING_BOOT_ID,
    status: job.kind === 'fail' ? ('failing' as const) : ('ok' as const),
    replicationLagMs: null,
    receivedAt,
    job,
  };
}

function answerPing(
  c: ApiContext,
  place: { readonly gate: SiteGate; readonly sender: Sender; readonly receivedAt: EpochMillis },
  outcome: IngestOutcome,
) {
  const { gate, sender, receivedAt } = place;
  const { service, site } = sender;
  switch (outcome.kind) {
    case 'accepted':
      return c.json(beatAnswer(gate, { service, site, receivedAt }, outcome), 200);
    case 'unknown-site':
      return problem(c, 'unknown-site', { detail: `${service}@${site} is configured no more` });
    case 'unavailable':
      return problem(c, 'health-store-unavailable', {
        detail: `the beat of ${service}@${site} is not known to be stored`,
      });
  }
}
