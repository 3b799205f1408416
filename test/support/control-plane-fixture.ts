/** A fleet of two services, an app over a memory plane, and requests as their callers send them. */
import { createHash } from 'node:crypto';
import { createApi } from '../../lib/api/app.ts';
import type { ApiApp, ApiDependencies, ApiSettings } from '../../lib/api/dependencies.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import { createMemoryPlane, type MemoryPlane, REGIONS } from './control-plane.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

export const OPERATOR_TOKEN = 'operator-token-for-tests-0123456789';
export const SITE_TOKEN = 'site-token-for-tests-0123456789';

export const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

export function policyOf(service: string): ServicePolicy {
  const site = (name: string, address: string) => ({
    site: name,
    region: name,
    address,
    probeUrl: null,
    tokenHashes: [hashOf(SITE_TOKEN)],
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
    safety: { holdDownMs: 0, automaticRunsPerDayMax: 100 },
    sites: [site('us-east-1', '192.0.2.1'), site('us-west-2', '192.0.2.2')],
  };
}

export const FLEET = [policyOf('checkout'), policyOf('search')] as const;

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

export interface ApiFixture {
  readonly app: ApiApp;
  readonly plane: MemoryPlane;
  readonly clock: ManualClock;
  readonly logged: readonly Logged[];
  /** A request with the operator token, and a body as JSON if there is one. */
  readonly operate: (method: string, path: string, body?: unknown, headers?: Headers) => Answer;
  /** A heartbeat of a site. */
  readonly beat: (site: string, body?: object, token?: string) => Answer;
}

type Headers = Readonly<Record<string, string>>;
type Answer = Promise<Response>;

export interface FixtureOptions {
  readonly settings?: Partial<ApiSettings>;
  readonly auth?: ApiDependencies['auth'];
  /** Whether the fleet is configured already; default true. */
  readonly isConfigured?: boolean;
}

export async function createApiFixture(options: FixtureOptions = {}): Promise<ApiFixture> {
  const clock = createManualClock(Date.UTC(2026, 10, 23, 9, 40));
  const plane = createMemoryPlane(clock);
  const logged: Logged[] = [];
  let ids = 0;
  const app = createApi({
    plane,
    auth: options.auth ?? { operatorTokenHashes: [hashOf(OPERATOR_TOKEN)] },
    settings: { ...SETTINGS, ...options.settings },
    clock,
    randomId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    log: (level, event, fields = {}) => logged.push({ level, event, fields }),
  });
  if (options.isConfigured !== false) {
    await plane.commit(configureFleet(clock));
    await finishRuns(plane, clock);
  }
  let sequence = 0;
  return {
    app,
    plane,
    clock,
    logged,
    operate: async (method, path, body, headers = {}) =>
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

/** Does the steps of every open run, a quarter of a second each. */
export async function finishRuns(plane: MemoryPlane, clock: ManualClock): Promise<void> {
  const [worker = plane.region] = REGIONS;
  const open = plane.status().state.runs.filter(({ outcome }) => outcome.kind === 'open');
  for (const { id: run, steps } of open) {
    for (const { name: step, attempt: claims } of steps) {
      const attempt = claims + 1;
      const result = { kind: 'done', evidence: null } as const;
      await plane.commit({ kind: 'claim-step', run, step, attempt, worker, at: clock.wallNow() });
      await clock.advance(250);
      await plane.commit({ kind: 'finish-step', run, step, attempt, result, at: clock.wallNow() });
    }
  }
}

function configureFleet(clock: ManualClock) {
  return {
    kind: 'configure',
    at: clock.wallNow(),
    by: 'test',
    reason: 'fixture',
    configHash: hashOf('fleet'),
    policies: FLEET,
  } as const;
}
