/** A fleet of two services, an app over a cluster in memory, and requests as callers send them. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { createApi } from '../../lib/api/app.ts';
import type { ApiApp, ApiDependencies, ApiSettings } from '../../lib/api/dependencies.ts';
import { type ProblemJson, problemSchema } from '../../lib/api/schemas.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import type { ControlPlane } from '../../lib/control/control-plane.ts';
import type { MonitorPolicy, ServicePolicy } from '../../lib/recovery/policy.ts';
import { type MemoryCluster, startMemoryCluster } from './control-plane.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { RECOVERY_DEFAULTS, safetyPolicy } from './service-states.ts';

export const OPERATOR_TOKEN = 'operator-token-for-tests-0123456789';
export const SITE_TOKEN = 'site-token-for-tests-0123456789';

export const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

export function policyOf(service: string): ServicePolicy {
  const site = (name: string, address: string) => ({
    site: name,
    region: name,
    address,
    probeUrl: `http://${address}/health`,
    probes: [],
    tokenHashes: [hashOf(SITE_TOKEN)],
    capacity: null,
    weight: 0,
  });
  return {
    service,
    dnsName: `${service}.example.test`,
    recordType: 'A',
    ttlSeconds: 5,
    strategy: 'failover',
    automatic: false,
    primary: 'us-east-1',
    objectives: { rtoMs: 30_000, rpoMs: 5000 },
    detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
    safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 100 }),
    ...RECOVERY_DEFAULTS,
    sites: [site('us-east-1', '192.0.2.1'), site('us-west-2', '192.0.2.2')],
  };
}

export const PING_TOKEN = 'ping-token-for-tests-0123456789';
export const DOOR_TOKEN = 'door-token-for-tests-0123456789';

const HOURLY = {
  kind: 'every',
  everyMs: 3_600_000,
  graceMs: 360_000,
  runMsMax: 1_200_000,
} as const;

/** `nightly` with the job `backup`, whose token is its own, and room for two more sites. */
export const JOBS: MonitorPolicy = {
  service: 'nightly',
  detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
  provisioning: { tokenHashes: [hashOf(DOOR_TOKEN)], sitesMax: 2, schedule: HOURLY },
  sites: [{ site: 'backup', tokenHashes: [hashOf(PING_TOKEN)], schedule: HOURLY }],
};

export const FLEET: readonly ServicePolicy[] = [policyOf('checkout'), policyOf('search')];

const SETTINGS: ApiSettings = {
  mode: 'local',
  version: '0.0.0-test',
  openReads: true,
  heartbeatRate: { capacity: 5, refillPerSecond: 2 },
  events: { intervalMs: 1000, durationMsMax: 60_000, streamsMax: 3 },
};

export interface Logged {
  readonly level: string;
  readonly event: string;
  readonly fields: { readonly [key: string]: JsonValue | undefined };
}

/** The problem that the response is; fails when it is none. */
export async function problemOf(response: Response): Promise<ProblemJson> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.type).toBe(`urn:tripoint:problem:${problem.code}`);
  return problem;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiFixture extends MemoryCluster {
  readonly app: ApiApp;
  readonly clock: ManualClock;
  /** What the API logged. */
  readonly logged: readonly Logged[];
  /** A request with the operator token. */
  readonly operate: (sent: Sent) => Promise<Response>;
  /** A heartbeat of a site of `checkout`. */
  readonly beat: (site: string, body?: object, token?: string) => Promise<Response>;
}

export interface FixtureOptions {
  readonly settings?: Partial<ApiSettings>;
  readonly auth?: ApiDependencies['auth'];
  /** Configured beside the fleet. */
  readonly monitors?: readonly MonitorPolicy[];
  /** What the API takes for the arrival of a request; default: the clock. */
  readonly arrivedAt?: ApiDependencies['arrivedAt'];
  /** Whether the fleet is configured already; default true. */
  readonly isConfigured?: boolean;
  /** What the API sees in place of parts of the real plane. */
  readonly overrides?: (plane: ControlPlane) => Partial<ControlPlane>;
}

export async function createApiFixture(options: FixtureOptions = {}): Promise<ApiFixture> {
  const clock = createManualClock(Date.UTC(2026, 10, 23, 9, 40));
  const logged: Logged[] = [];

  const cluster = await startMemoryCluster(clock);
  let ids = 0;
  const app = createApi({
    plane: { ...cluster.plane, ...options.overrides?.(cluster.plane) },
    auth: options.auth ?? { operatorTokenHashes: [hashOf(OPERATOR_TOKEN)] },
    settings: { ...SETTINGS, ...options.settings },
    clock,
    arrivedAt: options.arrivedAt ?? (() => clock.wallNow()),
    randomId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    log: (level, event, fields = {}) => logged.push({ level, event, fields }),
  });
  if (options.isConfigured !== false) {
    await configureFleet(cluster, clock, options.monitors);
  }
  return { ...cluster, app, clock, logged, ...callersOf(app) };
}

/** Applies the configuration and waits until both names are set up. */
async function configureFleet(
  { commit, plane }: MemoryCluster,
  clock: ManualClock,
  monitors: readonly MonitorPolicy[] = [],
): Promise<void> {
  await commit({
    kind: 'configure',
    at: clock.wallNow(),
    by: 'test',
    reason: 'fixture',
    configHash: hashOf('fleet'),
    policies: FLEET,
    monitors,
  });
  await untilSteady(plane, clock);
}

/** Lets the worker of this region finish what is open. */
export async function untilSteady(plane: ControlPlane, clock: ManualClock): Promise<void> {
  for (let rounds = 0; rounds < 600; rounds += 1) {
    if (plane.status().state.runs.every(({ outcome }) => outcome.kind !== 'open')) {
      return;
    }
    await clock.advance(100);
  }
  throw new Error(`runs stay open: ${JSON.stringify(plane.status().state.runs)}`);
}

function callersOf(app: ApiApp): Pick<ApiFixture, 'operate' | 'beat'> {
  let sequence = 0;
  return {
    operate: async ({ method, path, body, headers = {} }) =>
      app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${OPERATOR_TOKEN}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    beat: async (site, body = {}, token = SITE_TOKEN) => {
      sequence += 1;
      return app.request(`/v1/services/checkout/sites/${site}/heartbeats`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ sequence, bootId: `boot-${site}`, ...body }),
      });
    },
  };
}
