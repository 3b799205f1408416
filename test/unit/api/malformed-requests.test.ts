/**
 * Whatever is sent, the answer is never a mistake of ours, every refusal is a problem, and a refused
 * request leaves nothing behind. `npm run fuzz:requests` sends 10,000; `FUZZ_SEED` takes another seed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemBytes, keyItem } from '../../../lib/aws/dynamodb/attributes.ts';
import { decodeSite, encodeSite, siteKey } from '../../../lib/aws/dynamodb/health-mapping.ts';
import { watchedSite } from '../../../lib/control/watched-sites.ts';
import {
  type ApiFixture,
  createApiFixture,
  JOBS,
  problemOf,
} from '../../support/control-plane-fixture.ts';
import { malformedRequests, routesOf } from '../../support/malformed-requests.ts';

const RUNS = Number(process.env['FUZZ_REQUESTS'] ?? 1200);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123);
/** Requests until caches and compiled code are there. */
const WARM_UP = RUNS / 2;
/** What the log, the timeline and the remembered commands may grow by; they are bounded by count. */
const GROWTH_BYTES_MAX = 12 * 1024 * 1024;

/** 503 is meant where a site is on standby; a command may find no room for a moment. */
const MEANT: ReadonlySet<string> = new Set(['site-standby']);

describe('malformed requests', () => {
  it(`are answered without a mistake of ours, ${RUNS} of them`, { timeout: 240_000 }, async () => {
    const api = await createApiFixture({
      monitors: [JOBS],
      settings: { heartbeatRate: { capacity: 1000, refillPerSecond: 1000 } },
    });
    const { appliedIndex } = api.plane.status().position;
    const seen = new Map<number, number>();
    const routes = new Set<string>();
    let sent = 0;
    let heapBytes = 0;
    await fc.assert(
      fc.asyncProperty(malformedRequests(api.app), async (malformed) => {
        fc.pre(malformed !== null);
        const before = contentsOf(api);
        const response = await api.app.fetch(malformed.request);
        sent += 1;
        routes.add(malformed.route);
        seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
        const isRecorded = await check(malformed.request, response);
        if (response.status >= 400) {
          const after = contentsOf(api);
          expect(after.sites).toBe(before.sites);
          expect(isRecorded ? before.log : after.log).toBe(before.log);
        }
        if (sent % 100 === 0) {
          await api.clock.advance(1000);
        }
        heapBytes = sent === WARM_UP ? settledHeapBytes() : heapBytes;
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(settledHeapBytes() - heapBytes).toBeLessThan(GROWTH_BYTES_MAX);
    expect(sent).toBeGreaterThanOrEqual(0.7 * RUNS);
    expect(api.logged).toEqual([]);
    // Every route was asked, and each kind of answer met: the generators reach past the first check.
    expect([...routes].sort()).toEqual(
      [...new Set(routesOf(api.app).map((one) => one.join(' ')))].sort(),
    );
    for (const status of [200, 400, 401, 404, 405, 409, 413, 415]) {
      expect([status, seen.has(status)]).toEqual([status, true]);
    }
    expect(api.plane.status().position.appliedIndex).toBeGreaterThan(appliedIndex + 5);
    expectNoGarbage(api);
    const note = { method: 'POST', path: '/v1/services/checkout/notes', body: { text: 'alive' } };
    expect((await api.operate(note)).status).toBe(200);
  });
});

/** Whether the log holds the answer: a refusal of the log is an entry, and on the timeline. */
async function check({ method }: Request, response: Response): Promise<boolean> {
  if (response.status < 400 || method === 'HEAD') {
    expect(response.status === 503 || response.status < 500).toBe(true);
    await response.body?.cancel();
    return response.headers.has('tripoint-command-id');
  }
  const problem = await problemOf(response);
  if (response.status >= 500) {
    expect(MEANT).toContain(problem.code);
  }
  return problem.index !== undefined;
}

/** What is stored of sites, and what the log made of the state. */
function contentsOf({ health, plane }: ApiFixture): {
  readonly sites: string;
  readonly log: string;
} {
  const { records } = health.list();
  const { configHash, services, monitors, runs, timeline } = plane.status().state;
  const names = [Object.keys(services), Object.keys(monitors)];
  return {
    sites: JSON.stringify(records.map(({ service, site, revision }) => [service, site, revision])),
    log: JSON.stringify([configHash, names, runs.length, timeline.length, timeline.at(-1)]),
  };
}

/** Every record is of a site that is watched, and a table could hold it and give it back. */
function expectNoGarbage({ health, plane }: ApiFixture): void {
  const { records } = health.list();
  expect(records.length).toBeGreaterThan(2);
  for (const record of records) {
    const { service, site, revision } = record;
    expect(watchedSite(plane.status().state, service, site)).not.toBeNull();
    const item = { ...keyItem(siteKey(service, site)), ...encodeSite(revision, record) };
    expect(itemBytes(item)).toBeLessThan(1024);
    expect(decodeSite(item)).toEqual(record);
  }
}

function settledHeapBytes(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
