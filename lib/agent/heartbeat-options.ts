/**
 * What the host of an agent sets, checked once and completely, before the first beat.
 *
 * This is the only place where the agent throws: a start with options that can never work is a bug
 * of the host, and it should see all of it at deployment and none of it at three in the morning.
 */
import type { Random } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { HeartbeatProblem } from './endpoint.ts';
import { createKeepAliveFetch, type HeartbeatFetch } from './http.ts';
import {
  ENDPOINTS_MAX,
  INTERVAL_MS_MAX,
  INTERVAL_MS_MIN,
  LEASE_MARGIN_MS_MAX,
  REQUEST_TIMEOUT_MS_LEAST,
  REQUEST_TIMEOUT_MS_MAX,
  REQUEST_TIMEOUT_MS_MIN,
  REQUEST_TIMEOUT_MS_MOST,
  REQUEST_TIMEOUT_SHARE,
} from './limits.ts';
import type { Epoch, SiteRole } from './role.ts';
import { type AgentClock, createSystemClock } from './system-clock.ts';

export type HeartbeatStatus = 'ok' | 'degraded' | 'failing';

/** Why the role is what it is: a region said so, or none has for as long as its word counts. */
export type RoleReason = 'answered' | 'lease-lapsed';

export interface HeartbeatOptions {
  readonly service: string;
  readonly site: string;
  /** Base URLs of all control regions, 1 to 7, e.g. `https://tripoint.us-east-1.example.test`. */
  readonly endpoints: readonly string[];
  /** Bearer token of this site: visible ASCII, 1 to 512 characters. */
  readonly token: string;
  /** Time between beats, 100 to 86,400,000; the `intervalMs` of the service's detection policy. */
  readonly intervalMs: number;
  /** How the site finds itself, asked before each beat; default always `ok`. A throw = `failing`. */
  readonly status?: () => HeartbeatStatus;
  /** How far this site's data lies behind, 0 or more; null = not known. Default: not sent. */
  readonly replicationLagMs?: () => number | null;
  /** The same in writes that this site does not have; null = not counted. Default: not sent. */
  readonly replicationLagWrites?: () => number | null;
  /**
   * Called when the role or its epoch changes, also when the lease of the role lapses. Demote on
   * anything but `active`. What comes back from a call with `standby` is taken as word that this site
   * serves no more, and is passed on to the regions, which then need not wait for the lease to lapse:
   * if demoting takes time, return a promise of its end.
   */
  readonly onRole?: (role: SiteRole, reason: RoleReason) => void;
  /**
   * The grant that took the role from this site, once it has given it up; null = none yet. Default: as
   * `onRole` returned.
   */
  readonly acknowledgedEpoch?: () => Epoch | null;
  /** Called at the first failure of each kind in a row, for each region. Log it; do not throw. */
  readonly onProblem?: (problem: HeartbeatProblem) => void;
  /** 50 to 30,000; default nine tenths of the interval, at least 500 and at most 3000. */
  readonly requestTimeoutMs?: number;
  /**
   * How long before its lease ends a role is given up, 0 to 3,600,000; default 0. Set it to the
   * time that demoting takes: what `onRole` begins then is done while the lease still stands.
   */
  readonly leaseMarginMs?: number;
  /** Whether the agent alone keeps the process running; default false. */
  readonly keepProcessAlive?: boolean;
  readonly clock?: AgentClock;
  readonly random?: Random;
  /** Replaces the built-in client with one kept-alive connection to each region. */
  readonly fetch?: HeartbeatFetch;
}

export interface HeartbeatSettings
  extends Required<Omit<HeartbeatOptions, 'keepProcessAlive' | 'acknowledgedEpoch' | 'onRole'>> {
  /** null = nobody is told of the role. */
  readonly onRole: ((role: SiteRole, reason: RoleReason) => unknown) | null;
  /** null = by what `onRole` returns. */
  readonly acknowledgedEpoch: (() => Epoch | null) | null;
  /** Frees what the default client holds. */
  readonly closeConnections: () => void;
}

/** @throws AppError `heartbeat-options` that lists every fault at once. */
export function checkOptions(options: HeartbeatOptions): HeartbeatSettings {
  const faults = findFaults(options);
  if (faults.length > 0) {
    throw new AppError(`heartbeats cannot start: ${faults.join('; ')}`, {
      code: 'heartbeat-options',
      hint: 'Correct the named options of startHeartbeats.',
      retryable: false,
    });
  }
  const keepProcessAlive = options.keepProcessAlive ?? false;
  const client =
    options.fetch === undefined
      ? createKeepAliveFetch({ keepProcessAlive })
      : { fetch: options.fetch, close: () => undefined };
  return {
    ...options,
    endpoints: options.endpoints.map(withoutTrailingSlash),
    status: options.status ?? (() => 'ok'),
    replicationLagMs: options.replicationLagMs ?? (() => null),
    replicationLagWrites: options.replicationLagWrites ?? (() => null),
    onRole: options.onRole ?? null,
    acknowledgedEpoch: options.acknowledgedEpoch ?? null,
    onProblem: options.onProblem ?? (() => undefined),
    requestTimeoutMs: options.requestTimeoutMs ?? requestTimeoutMsFor(options.intervalMs),
    leaseMarginMs: options.leaseMarginMs ?? 0,
    clock: options.clock ?? createSystemClock({ keepProcessAlive }),
    random: options.random ?? Math.random,
    fetch: client.fetch,
    closeConnections: client.close,
  };
}

function findFaults(options: HeartbeatOptions): readonly string[] {
  const { service, site, token, intervalMs } = options;
  const endpoints = listOf(options.endpoints).map(withoutTrailingSlash);
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS_LEAST;
  const intervalRange = { min: INTERVAL_MS_MIN, max: INTERVAL_MS_MAX };
  const marginRange = { min: 0, max: LEASE_MARGIN_MS_MAX };
  const timeoutRange = { min: REQUEST_TIMEOUT_MS_MIN, max: REQUEST_TIMEOUT_MS_MAX };
  const checks: readonly (readonly [boolean, string])[] = [
    [isName(service), 'service is empty'],
    [isName(site), 'site is empty'],
    [
      isName(token) && /^[\x21-\x7e]{1,512}$/.test(token),
      'token is not 1 to 512 visible ASCII characters',
    ],
    [endpoints.length >= 1, 'endpoints is empty'],
    [endpoints.length <= ENDPOINTS_MAX, `more than ${ENDPOINTS_MAX} endpoints`],
    [new Set(endpoints).size === endpoints.length, 'an endpoint is named twice'],
    [isWithin(intervalMs, intervalRange), `intervalMs is not ${describe(intervalRange)}`],
    [isWithin(timeoutMs, timeoutRange), `requestTimeoutMs is not ${describe(timeoutRange)}`],
    [
      isWithin(options.leaseMarginMs ?? 0, marginRange),
      `leaseMarginMs is not ${describe(marginRange)}`,
    ],
    ...endpoints.map((endpoint): readonly [boolean, string] => [
      isBaseUrl(endpoint),
      `endpoint ${JSON.stringify(endpoint)} is not a plain http(s) base URL`,
    ]),
  ];
  return checks.filter(([holds]) => !holds).map(([, fault]) => fault);
}

function requestTimeoutMsFor(intervalMs: number): number {
  const wishMs = Math.round(REQUEST_TIMEOUT_SHARE * intervalMs);
  return Math.min(REQUEST_TIMEOUT_MS_MOST, Math.max(REQUEST_TIMEOUT_MS_LEAST, wishMs));
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** The types promise it; a program in plain JavaScript has not read them. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isWithin(value: number, range: Range): boolean {
  return Number.isFinite(value) && value >= range.min && value <= range.max;
}

function describe(range: Range): string {
  return `between ${range.min} and ${range.max}`;
}

function isBaseUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return false;
  }
  return [url.username, url.password, url.search, url.hash].every((part) => part === '');
}

function withoutTrailingSlash(endpoint: string): string {
  return endpoint.replace(/\/+$/, '');
}
