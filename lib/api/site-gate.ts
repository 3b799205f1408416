/**
 * The door that every heartbeat comes through, whatever its form: which site, whose token, how fast.
 *
 * One for the whole app, so that a token has one rate over all forms of a heartbeat: who is held back
 * on one does not come in by another, whichever site it names. The buckets live in this process: each
 * region, and on AWS each running instance of the function, counts by itself.
 */
import { ownValue } from '../base/own-value.ts';
import { type WatchedSite, watchedSite } from '../control/watched-sites.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { createAppliedState } from './applied-state.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { type ProblemResponse, problem } from './errors.ts';
import { API_LIMITS } from './limits.ts';
import { createSenderRates } from './sender-rates.ts';
import { createTokenIndex, type TokenHolder } from './token-index.ts';

/** A site with the hash of the token that was shown for it. */
export interface Sender {
  readonly service: string;
  readonly site: string;
  readonly hash: string;
}

export interface SiteGate {
  /** As this region applied it last. */
  readonly state: () => RecoveryState;
  readonly find: (service: string, site: string) => WatchedSite | null;
  readonly holdersOf: (token: string) => readonly TokenHolder[];
  /** Draws one beat from the rate of the token with this hash; a problem when none is left. */
  readonly draw: (c: ApiContext, hash: string) => ProblemResponse | null;
  /** The same without an answer: whether there was one. */
  readonly drawOne: (hash: string) => boolean;
}

export function createSiteGate({ plane, clock, settings }: ApiDependencies): SiteGate {
  const rates = createSenderRates(settings.heartbeatRate, API_LIMITS.trackedSendersMax);
  const state = createAppliedState(plane);
  const holdersOf = createTokenIndex();
  return {
    state,
    find: (service, site) => watchedSite(state(), service, site),
    holdersOf: (token) =>
      token.length > API_LIMITS.tokenCharactersMax ? [] : holdersOf(state(), token),
    drawOne: (hash) => rates.take(hash, clock.monotonicNow()).kind === 'granted',
    draw: (c, hash) => {
      const drawn = rates.take(hash, clock.monotonicNow());
      const { capacity, refillPerSecond, milliTokens } = drawn.bucket;
      const left = Math.floor(milliTokens / 1000);
      const windowSeconds = Math.ceil(capacity / refillPerSecond);
      c.header('ratelimit-policy', `"beats";q=${capacity};w=${windowSeconds}`);
      c.header('ratelimit', `"beats";r=${left};t=${Math.ceil(drawn.retryAfterMs / 1000)}`);
      if (drawn.kind !== 'refused') {
        return null;
      }
      const retryAfterSeconds = Math.ceil(drawn.retryAfterMs / 1000);
      const detail = `more than ${refillPerSecond} beats a second with this token`;
      return problem(c, 'too-many-requests', { detail, retryAfterSeconds });
    },
  };
}

/** As they stand in the path; empty where the path has no such part. */
export function addressed(c: ApiContext): { readonly service: string; readonly site: string } {
  return { service: c.req.param('service') ?? '', site: c.req.param('site') ?? '' };
}

/** A region that has no configuration yet cannot say what does not exist. */
export function unknownSite(c: ApiContext, state: RecoveryState): ProblemResponse {
  const { service, site } = addressed(c);
  if (state.configHash === null) {
    return problem(c, 'not-configured', { detail: 'no configuration was applied here yet' });
  }
  const known = ownValue(state.services, service) ?? ownValue(state.monitors, service);
  if (known === undefined) {
    const names = [...Object.keys(state.services), ...Object.keys(state.monitors)];
    const listed = names.sort().slice(0, NAMES_LISTED_MAX).join(', ');
    return problem(c, 'unknown-service', { detail: `this region knows: ${listed || 'none'}` });
  }
  const sites = Object.keys(known.sites).slice(0, NAMES_LISTED_MAX).join(', ');
  return problem(c, 'unknown-site', { detail: `${site} is not one of the sites ${sites}` });
}

const NAMES_LISTED_MAX = 20;
