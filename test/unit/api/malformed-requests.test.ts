/** Whatever is sent, the answer is never a mistake of ours, and every refusal is a problem. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createApiFixture,
  OPERATOR_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../support/control-plane-fixture.ts';

const RUNS = 2000;
const SEED = 20_261_123;

const READS = [
  ...['/', '/assets/tripoint.css', '/livez', '/readyz', '/healthz', '/openapi.json'],
  ...['/v1/status', '/v1/events', '/v1/services', '/v1/runs', '/v1/log', '/v1/services/*'],
  ...['/v1/routing/*/*', '/v1/runs/*', '/v1/runs/*/report', '/v1/commands/*'],
];
const COMMANDS = [
  ...['PUT /v1/config', 'POST /v1/alarms', 'POST /v1/services/*/sites/*/heartbeats'],
  ...['POST /v1/services/*/failover', 'POST /v1/services/*/failback', 'POST /v1/services/*/notes'],
];
/** Commands come as often as reads, though there are fewer of them. */
const ROUTES = [...READS, ...COMMANDS, ...COMMANDS, ...COMMANDS].map(
  (route): [method: string, path: string] => {
    const [method = '', path] = route.split(' ');
    return path === undefined ? ['GET', method] : [method, path];
  },
);

/** Half surrogates and control characters included. */
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const oddText = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('checkout', 'checkout', 'us-east-1') },
  fc.constantFrom(
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    '..',
    '.',
    '%2e%2e%2f',
    '%',
    '%zz',
    '%00',
    '%E0%A4%A',
    '%ff%fe',
    "'; DROP TABLE",
    '<script>',
    '{"$gt":""}',
  ),
  fc.string({ maxLength: 40, unit: codeUnit }),
  fc.string({ maxLength: 300 }),
);

const oddMethod = fc.constantFrom('HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'BREW', 'PUT');

/** Mostly the method of the route; each part of the path encoded, or raw as a careless client would. */
const target = fc
  .record({
    route: fc.constantFrom(...ROUTES),
    odd: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, oddMethod),
    parts: fc.array(oddText, { minLength: 2, maxLength: 2 }),
    query: fc.option(oddText, { nil: '' }),
    isEncoded: fc.boolean(),
  })
  .map(({ route: [method, pattern], odd, parts, query, isEncoded }) => {
    const remaining = parts.map((part) => part.toWellFormed());
    const filled = pattern.replace(/\*/g, () => {
      const part = remaining.shift() ?? '';
      return isEncoded ? encodeURIComponent(part) : part;
    });
    const search = query === '' ? '' : `?after=${query}&limit=${query}&format=${query}`;
    return { method: odd ?? method, path: `${filled}${search}` };
  });

const memberName = fc.constantFrom(
  ...['reason', 'to', 'force', 'dryRun', 'by', 'text', 'policies', 'sequence', 'bootId', 'status'],
  ...['replicationLagMs', 'service', 'site', 'name', 'state', '__proto__', 'constructor'],
);
const body = fc.oneof(
  fc.dictionary(memberName, fc.oneof(oddText, fc.jsonValue({ maxDepth: 3 })), { maxKeys: 6 }),
  fc.jsonValue({ maxDepth: 4 }),
);
/** Bodies as they should be, of which one member may be spoilt. */
const nearlyValid = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(
      { reason: 'drill' },
      { reason: 'drill', to: 'us-east-1' },
      { reason: 'drill', dryRun: true },
      { text: 'a note' },
      { sequence: 3, bootId: 'b', status: 'ok' },
      { service: 'checkout', site: 'us-east-1', name: 'cpu', state: 'ok' },
      { policies: [] },
    ),
    fc.option(fc.tuple(memberName, oddText), { nil: null, freq: 2 }),
  )
  .map(([valid, spoilt]) => (spoilt === null ? valid : { ...valid, [spoilt[0]]: spoilt[1] }));
const bodyText = fc.oneof(
  { weight: 18, arbitrary: nearlyValid.map((value) => JSON.stringify(value)) },
  { weight: 4, arbitrary: body.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 200, unit: codeUnit }) },
  { weight: 1, arbitrary: fc.constantFrom('', '{', '[]', 'null', '{"a":1}{"b":2}', '\uFEFF{}') },
);

/** What HTTP lets through in a header. */
const headerText = fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,60}$/);
const credentials = fc.record({
  authorization: fc.oneof(
    { weight: 12, arbitrary: fc.constant(`Bearer ${OPERATOR_TOKEN}`) },
    { weight: 3, arbitrary: fc.constant(`Bearer ${SITE_TOKEN}`) },
    headerText,
    headerText.map((text) => `Basic ${text}`),
    fc.constant(`Bearer ${'x'.repeat(20_000)}`),
  ),
  'content-type': fc.oneof(
    { weight: 12, arbitrary: fc.constant('application/json') },
    fc.constantFrom('application/json; charset=utf-7', 'multipart/form-data', 'text/plain'),
    headerText,
  ),
});
const oddHeaders = fc.record(
  {
    'idempotency-key': headerText,
    'x-request-id': headerText,
    accept: fc.oneof(fc.constantFrom('text/html', 'text/markdown', '*/*'), headerText),
    'content-length': fc.constantFrom('0', '5', '-1', 'NaN', '99999999'),
    'transfer-encoding': fc.constantFrom('chunked', 'gzip'),
    'x-large': fc.constant('y'.repeat(60_000)),
  },
  { requiredKeys: [] },
);
const headers = fc
  .tuple(credentials, fc.option(oddHeaders, { nil: {}, freq: 2 }))
  .map(([usual, odd]) => ({ ...usual, ...odd }));

/** undefined = no client could send it. */
function build(parts: {
  method: string;
  path: string;
  headers: Record<string, string | undefined>;
  bodyText: string;
}): Request | undefined {
  const sent = Object.entries(parts.headers).flatMap(([name, value]) =>
    value === undefined ? [] : ([[name, value]] as [string, string][]),
  );
  const carriesBody = parts.method !== 'GET' && parts.method !== 'HEAD';
  try {
    return new Request(`http://localhost${parts.path}`, {
      method: parts.method,
      headers: sent,
      ...(carriesBody ? { body: parts.bodyText } : {}),
    });
  } catch {
    return undefined;
  }
}

describe('malformed requests', () => {
  it(`are answered without a mistake of ours, ${RUNS} of them`, { timeout: 30_000 }, async () => {
    const api = await createApiFixture({
      settings: { heartbeatRate: { capacity: 1000, refillPerSecond: 1000 } },
    });
    const { appliedIndex } = api.plane.status().position;
    const seen = new Map<number, number>();
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.record({ target, headers, bodyText }), async (parts) => {
        const request = build({ ...parts, ...parts.target });
        fc.pre(request !== undefined);
        const isHead = request.method === 'HEAD';
        const response = await api.app.fetch(request);
        sent += 1;
        seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
        // The routing answer is meant to be 503 where a site is on standby.
        if (response.status >= 500) {
          expect((await problemOf(response)).code).toBe('site-standby');
        } else if (response.status >= 400 && !isHead) {
          await problemOf(response);
        }
        if (!response.bodyUsed) {
          await response.body?.cancel();
        }
        if (sent % 100 === 0) {
          await api.clock.advance(1000);
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(sent).toBeGreaterThanOrEqual(1500);
    expect(api.logged).toEqual([]);
    // Each kind of answer was met, so the generators reach past the first check.
    for (const status of [200, 400, 401, 404, 405, 413, 415]) {
      expect([status, seen.has(status)]).toEqual([status, true]);
    }
    expect(api.plane.status().position.appliedIndex).toBeGreaterThan(appliedIndex + 5);
    const note = { method: 'POST', path: '/v1/services/checkout/notes', body: { text: 'alive' } };
    expect((await api.operate(note)).status).toBe(200);
  });
});
