/**
 * Access rules as guards of routes. Each route is registered together with exactly one of them, so
 * a route without a rule cannot be written (`guarded`).
 */
import type { MiddlewareHandler } from 'hono';
import type { ApiApp, ApiContext, ApiDependencies, ApiEnvironment } from './dependencies.ts';
import { type ProblemResponse, problem } from './errors.ts';
import { credentialOf, matchToken } from './tokens.ts';

export type Guard = MiddlewareHandler<ApiEnvironment>;

export interface Guards {
  /** Anybody; or the handler itself checks a site's token. */
  readonly open: Guard;
  /** Anybody while reads are open, else the operator, also from a browser. */
  readonly reader: Guard;
  /** The operator by bearer token. */
  readonly operator: Guard;
}

interface GuardedRoute {
  readonly method: string;
  readonly getRoutingPath: () => string;
}

/** Puts the guard in front of the route; the route comes back to be registered at once. */
export function guarded<Route extends GuardedRoute>(
  app: ApiApp,
  guard: Guard,
  route: Route,
): Route {
  app.on(route.method.toUpperCase(), route.getRoutingPath(), guard);
  return route;
}

export function createGuards({ auth, settings }: ApiDependencies): Guards {
  const check = (c: ApiContext, accepted: ReadonlySet<string>) =>
    checkOperator(c, auth.operatorTokenHashes, accepted);
  return {
    open: async (_c, next) => {
      await next();
    },
    reader: async (c, next) => {
      const refused = settings.openReads ? null : check(c, READERS);
      return refused ?? (await next());
    },
    operator: async (c, next) => check(c, COMMANDERS) ?? (await next()),
  };
}

const READERS: ReadonlySet<string> = new Set(['bearer', 'basic']);
const COMMANDERS: ReadonlySet<string> = new Set(['bearer']);

function checkOperator(
  c: ApiContext,
  hashes: readonly string[],
  accepted: ReadonlySet<string>,
): ProblemResponse | null {
  const credential = credentialOf(c.req.header('authorization'));
  if (credential.kind === 'none' || !accepted.has(credential.kind)) {
    const schemes = accepted.has('basic') ? 'a bearer token or a browser login' : 'a bearer token';
    return challenge(c, 'token-missing', `this needs the operator's token: ${schemes}`);
  }
  return matchToken(credential.token, hashes) === null
    ? challenge(c, 'token-wrong', 'the token is not an accepted operator token')
    : null;
}

/** 401 with the schemes that would work; Basic makes a browser ask, so only pages offer it. */
export function challenge(
  c: ApiContext,
  code: 'token-missing' | 'token-wrong',
  detail: string,
): ProblemResponse {
  const isPage = c.req.method === 'GET' && c.req.header('accept')?.includes('text/html') === true;
  const basic = isPage ? 'Basic realm="tripoint", charset="UTF-8", ' : '';
  const headers = { 'www-authenticate': `${basic}Bearer realm="tripoint"` };
  return problem(c, code, { detail, headers });
}
