import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiFixture, createApiFixture } from '../../support/control-plane-fixture.ts';

const operationSchema = z.looseObject({
  summary: z.string().min(10),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(z.string(), z.looseObject({ content: z.unknown().optional() })),
});
const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

/** Served without a place in the document: bytes for the page, and the document itself. */
const UNDOCUMENTED = [
  '/assets/icon.svg',
  '/assets/status.js',
  '/assets/tripoint.css',
  '/openapi.json',
];

describe('the OpenAPI document', () => {
  let api: ApiFixture;
  let document: z.infer<typeof documentSchema>;

  beforeAll(async () => {
    api = await createApiFixture();
    const response = await api.app.request('/openapi.json');
    expect(response.status).toBe(200);
    document = documentSchema.parse(await response.json());
  });

  it('describes every route there is, and none besides', () => {
    const routed = api.app.routes
      .filter(({ method, path }) => method !== 'ALL' && !UNDOCUMENTED.includes(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:([^/]+)/g, '{$1}')}`);
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual([...new Set(routed)].sort());
  });

  it('says of every operation how to get in and that failures are problems', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const operation of Object.values(operations)) {
        expect([path, operation.responses['default']?.content]).toEqual([
          path,
          { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        ]);
      }
    }
  });

  it('refers to nothing that it does not define', () => {
    const text = JSON.stringify(document);
    const schemas = z
      .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
      .parse(document).components.schemas;
    for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)) {
      expect(Object.keys(schemas)).toContain(name);
    }
  });
});
