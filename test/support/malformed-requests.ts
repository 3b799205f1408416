/**
 * Requests as no client should send them, by chance from a seed: to every route of an app, with odd
 * methods, paths, headers and bodies, most of them right but for one thing, so that they get far.
 */
import fc from 'fast-check';
import type { ApiApp } from '../../lib/api/dependencies.ts';
import { DOOR_TOKEN, OPERATOR_TOKEN, PING_TOKEN, SITE_TOKEN } from './control-plane-fixture.ts';

type Route = readonly [method: string, pattern: string];

/** Every route of the app; those that change something come three times as often. */
export function routesOf(app: ApiApp): readonly Route[] {
  const routes = app.routes.flatMap(({ method, path }): Route[] =>
    method === 'ALL' ? [] : [[method, path]],
  );
  const unique = [...new Map(routes.map((route) => [route.join(' '), route])).values()];
  return unique.flatMap((route) => (route[0] === 'GET' ? [route] : [route, route, route]));
}

/** Half surrogates and control characters included. */
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const oddText = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('checkout', 'checkout', 'us-east-1', 'nightly') },
  fc.constantFrom(
    ...['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', '..', '.'],
    ...['%2e%2e%2f', '%', '%zz', '%00', '%E0%A4%A', '%ff%fe', '%c0%ae', '%25%00', '%u0000'],
    ...["'; DROP TABLE", '<script>', '{"$gt":""}', '${' + 'TOKEN}', '1e400', 'NaN', '-0'],
  ),
  fc.string({ maxLength: 40, unit: codeUnit }),
  fc.string({ maxLength: 300 }),
);
const pathPart: { readonly [name: string]: fc.Arbitrary<string> | undefined } = {
  token: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(PING_TOKEN, DOOR_TOKEN, SITE_TOKEN) },
    oddText,
  ),
  action: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('start', 'fail', 'log', '0', '3', '255') },
    oddText,
  ),
};
const oddMethod = fc.constantFrom('HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'BREW', 'PUT');

/** Mostly the method of the route; each part of the path encoded, or raw as a careless client would. */
function targetOf(route: Route): fc.Arbitrary<{ method: string; path: string }> {
  const [method, pattern] = route;
  const names = [...pattern.matchAll(/:([a-z]+)/gi)].map(([, name = '']) => name);
  return fc
    .record({
      odd: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, oddMethod),
      parts: fc.tuple(...names.map((name) => pathPart[name] ?? oddText)),
      query: fc.option(oddText, { nil: '' }),
      isEncoded: fc.boolean(),
    })
    .map(({ odd, parts, query, isEncoded }) => {
      const remaining = parts.map((part) => part.toWellFormed());
      const filled = pattern.replace(/:[a-z]+/gi, () => {
        const part = remaining.shift() ?? '';
        return isEncoded ? encodeURIComponent(part) : part;
      });
      const search =
        query === ''
          ? ''
          : `?after=${query}&limit=${query}&format=${query}&site=${query.slice(0, 20)}`;
      return { method: odd ?? method, path: `${filled}${search}` };
    });
}

const memberName = fc.constantFrom(
  ...[
    'reason',
    'to',
    'force',
    'dryRun',
    'by',
    'text',
    'policies',
    'monitors',
    'sequence',
    'bootId',
  ],
  ...[
    'status',
    'replicationLagMs',
    'service',
    'site',
    'name',
    'state',
    'beats',
    'outcome',
    'count',
  ],
  ...['until', 'duration', '__proto__', 'constructor', 'toString'],
);
const body = fc.oneof(
  fc.dictionary(memberName, fc.oneof(oddText, fc.jsonValue({ maxDepth: 3 })), { maxKeys: 6 }),
  fc.jsonValue({ maxDepth: 4 }),
);
const oddNumber = fc.constantFrom(0, -0, -1, 1.5, 2 ** 53, 1e308, 5e-324, 2 ** 31, 1e-200);
const BEAT = { site: 'us-east-1', sequence: 7, bootId: 'b' };
/** Bodies as they should be, of which one member may be spoilt. */
const nearlyValid = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(
      { reason: 'drill' },
      { reason: 'drill', to: 'us-east-1' },
      { reason: 'drill', dryRun: true },
      { text: 'a note' },
      { sequence: 3, bootId: 'b', status: 'ok', replicationLagMs: 3 },
      { beats: [BEAT, { ...BEAT, site: 'us-west-2' }] },
      { service: 'checkout', site: 'us-east-1', name: 'cpu', state: 'ok' },
      { outcome: 'failing', count: 3, kind: 'timeout' },
      { policies: [] },
    ),
    fc.option(fc.tuple(memberName, fc.oneof(oddText, oddNumber)), { nil: null, freq: 2 }),
  )
  .map(([valid, spoilt]) => (spoilt === null ? valid : { ...valid, [spoilt[0]]: spoilt[1] }));
/** What `JSON.stringify` cannot write, and what is no JSON. */
const rawText = fc.constantFrom(
  ...['', '{', '[]', 'null', 'NaN', '{"a":1}{"b":2}', '\uFEFF{}', '{"sequence":NaN,"bootId":"b"}'],
  ...['{"sequence":1e400,"bootId":"b"}', '{"sequence":1,"bootId":"b","replicationLagMs":1e-400}'],
  '{"__proto__":{"sequence":1,"bootId":"b"}}',
  '{"sequence":1,"sequence":2,"bootId":"b"}',
  '{"reason":"\\ud800"}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"beats":'.repeat(5000)}1${'}'.repeat(5000)}`,
);
const bodyBytes = fc.oneof(
  { weight: 18, arbitrary: nearlyValid.map((value) => JSON.stringify(value)) },
  { weight: 4, arbitrary: body.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: rawText },
  { weight: 1, arbitrary: fc.string({ maxLength: 200, unit: codeUnit }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);

/** What HTTP lets through in a header. */
const headerText = fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,60}$/);
const credentials = fc.record({
  authorization: fc.oneof(
    { weight: 9, arbitrary: fc.constant(`Bearer ${OPERATOR_TOKEN}`) },
    { weight: 9, arbitrary: fc.constant(`Bearer ${SITE_TOKEN}`) },
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
    flood: fc.constant('z'),
  },
  { requiredKeys: [] },
);
const headers = fc
  .tuple(credentials, fc.option(oddHeaders, { nil: {}, freq: 2 }))
  .map(([usual, odd]) => ({ ...usual, ...odd }));

/** How many headers a flood has. */
const FLOOD = 300;

export interface MalformedRequest {
  readonly route: string;
  readonly request: Request;
}

/** Requests that a client can send at all; what it cannot is null. */
export function malformedRequests(app: ApiApp): fc.Arbitrary<MalformedRequest | null> {
  return fc
    .constantFrom(...routesOf(app))
    .chain((route) =>
      fc.record({ route: fc.constant(route), target: targetOf(route), headers, bodyBytes }),
    )
    .map(({ route, target, headers: sent, bodyBytes: content }) => {
      const request = build({ ...target, headers: sent, content });
      return request === null ? null : { route: route.join(' '), request };
    });
}

function build(parts: {
  method: string;
  path: string;
  headers: { readonly [name: string]: string | undefined };
  content: string | Uint8Array;
}): Request | null {
  const { flood, ...rest } = parts.headers;
  const sent = Object.entries(rest).flatMap(([name, value]) =>
    value === undefined ? [] : ([[name, value]] as [string, string][]),
  );
  const flooded = flood === undefined ? [] : Array.from({ length: FLOOD }, (_, place) => place);
  const carriesBody = parts.method !== 'GET' && parts.method !== 'HEAD';
  try {
    return new Request(`http://localhost${parts.path}`, {
      method: parts.method,
      headers: [...sent, ...flooded.map((place): [string, string] => [`x-flood-${place}`, 'z'])],
      ...(carriesBody ? { body: parts.content as string | Uint8Array<ArrayBuffer> } : {}),
    });
  } catch {
    return null;
  }
}
