import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createZone, type Zone } from '../../../../lib/local/dns/zone.ts';
import { zoneApi } from '../../../../lib/local/dns/zone-api.ts';
import { openZoneHost, type ZoneHost } from '../../../../lib/local/dns/zone-host.ts';

const TOKEN = 'a-token-for-these-tests';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const CREATE = {
  action: 'CREATE',
  recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
};

let host: ZoneHost;
let api: ReturnType<typeof zoneApi>;
let events: unknown[];
let savingFails = false;
beforeEach(async () => {
  savingFails = false;
  events = [];
  let zone: Zone | null = null;
  const store = {
    load: async () => zone,
    save: async (next: Zone) => {
      if (savingFails) {
        throw new Error('the disk is full');
      }
      zone = next;
    },
  };
  host = await openZoneHost(store, createZone('example.test', '127.0.0.1'));
  api = zoneApi({ host, token: TOKEN, log: (...event) => events.push(event) });
});

describe('who may ask', () => {
  test.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['half a token', { authorization: `Bearer ${TOKEN.slice(0, 5)}` }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
  ])('nobody with %s, on any route', async (_, headers) => {
    for (const [method, path] of [
      ['GET', '/v1/record-sets?name=a.test'],
      ['POST', '/v1/changes'],
      ['GET', '/v1/changes/C1'],
      ['GET', '/else'],
    ]) {
      const response = await api.request(path ?? '', { method: method ?? '', headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
    }
  });
});

describe('reading', () => {
  test('gives what stands at each name that was asked for', async () => {
    const response = await get('/v1/record-sets?name=ns.example.test&name=no.example.test');
    expect(await response.json()).toEqual({
      serial: 1,
      recordSets: [{ name: 'ns.example.test', type: 'A', ttlSeconds: 60, values: ['127.0.0.1'] }],
    });
  });

  test.each([
    ['no name', '/v1/record-sets'],
    ['a name that is none', '/v1/record-sets?name=a..b'],
    ['too many names', `/v1/record-sets?${'name=a.test&'.repeat(101)}`],
  ])('with %s is a bad request', async (_, path) => {
    await expectProblem(await get(path), 400, 'invalid-request');
  });

  test('a path that is not there is a problem too', async () => {
    await expectProblem(await get('/v2/record-sets'), 404, 'no-such-resource');
  });
});

describe('changing', () => {
  test('applies, says so with an id, and writes one line of log', async () => {
    const response = await post({ changes: [CREATE], comment: 'why' });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ changeId: 'C2', status: 'in-sync' });
    expect(await (await get('/v1/changes/C2')).json()).toMatchObject({ status: 'in-sync' });
    expect(events).toEqual([
      ['info', 'zone.changed', { serial: 2, names: ['a.example.test'], comment: 'why' }],
    ]);
  });

  test('a conflict is 409 with what does not match', async () => {
    await post({ changes: [CREATE] });
    const problem = await expectProblem(await post({ changes: [CREATE] }), 409, 'conflict');
    expect(problem.detail).toContain('already exists');
  });

  test.each([
    ['empty-batch', []],
    ['would-empty-name', [{ ...CREATE, action: 'DELETE' }]],
    ['not-for-this-zone', [{ ...CREATE, recordSet: { ...CREATE.recordSet, name: 'a.test' } }]],
  ])('a batch that is %s is 422', async (code, changes) => {
    await expectProblem(await post({ changes }), 422, code);
  });

  test('two changes at once: the second is busy and told when to come back', async () => {
    const [first, second] = await Promise.all([
      post({ changes: [CREATE] }),
      post({
        changes: [{ ...CREATE, recordSet: { ...CREATE.recordSet, name: 'b.example.test' } }],
      }),
    ]);
    const [applied, busy] = first.status === 201 ? [first, second] : [second, first];
    expect(applied.status).toBe(201);
    expect(busy.headers.get('retry-after')).toBe('1');
    await expectProblem(busy, 503, 'busy');
  });

  test('a disk that fails is 500: nobody knows', async () => {
    savingFails = true;
    await expectProblem(await post({ changes: [CREATE] }), 500, 'storage-failed');
  });

  test.each<readonly [string, unknown]>([
    ['no changes', {}],
    ['another action', { changes: [{ ...CREATE, action: 'UPSERT' }] }],
    ['another type', { changes: [{ ...CREATE, recordSet: { ...CREATE.recordSet, type: 'MX' } }] }],
    [
      'a TTL that is a text',
      { changes: [{ ...CREATE, recordSet: { ...CREATE.recordSet, ttlSeconds: '5' } }] },
    ],
    ['no value', { changes: [{ ...CREATE, recordSet: { ...CREATE.recordSet, values: [] } }] }],
    ['an unknown member', { changes: [CREATE], force: true }],
    ['a comment that is too long', { changes: [CREATE], comment: 'x'.repeat(257) }],
    ['a list', [CREATE]],
    ['nothing', null],
  ])('a body with %s is a bad request that names the place', async (_, body) => {
    const problem = await expectProblem(await post(body), 400, 'invalid-request');
    expect(problem.detail.length).toBeGreaterThan(10);
    expect(host.current().serial).toBe(1);
  });

  test('a body that is no JSON is a bad request', async () => {
    await expectProblem(await send('{"changes":['), 400, 'invalid-request');
  });

  test('a body over the limit is refused before it is read', async () => {
    await expectProblem(await send('x'.repeat(262_145)), 413, 'request-too-large');
  });

  test('any JSON is answered with a problem or an application, never a 5xx', async () => {
    const likely = fc.record({
      changes: fc.array(
        fc.record({
          action: fc.constantFrom('CREATE', 'DELETE', 'UPSERT'),
          recordSet: fc.record({
            name: fc.oneof(fc.constant('a.example.test'), fc.string()),
            type: fc.constantFrom('A', 'TXT', 'CNAME', 'MX'),
            ttlSeconds: fc.oneof(fc.nat(100), fc.double()),
            values: fc.array(fc.oneof(fc.constant('192.0.2.1'), fc.string()), { maxLength: 3 }),
          }),
        }),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(likely, fc.jsonValue()), async (body) => {
        expect((await post(body)).status).toBeLessThan(500);
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

describe('asking for a change', () => {
  test.each(['C3', 'C0', 'C', '2', 'C1e1', 'C99999999999999999999'])(
    '%s, which nobody made, is not found',
    async (id) => {
      await expectProblem(await get(`/v1/changes/${id}`), 404, 'no-such-change');
    },
  );
});

function get(path: string) {
  return api.request(path, { headers: AUTHORIZED });
}

function post(body: unknown) {
  return send(JSON.stringify(body));
}

function send(text: string) {
  const headers = { ...AUTHORIZED, 'content-length': String(text.length) };
  return api.request('/v1/changes', { method: 'POST', headers, body: text });
}

async function expectProblem(response: Response, status: number, code: string) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as { readonly detail: string };
  expect(problem).toMatchObject({ type: 'about:blank', status, code });
  expect(response.status).toBe(status);
  return problem;
}
