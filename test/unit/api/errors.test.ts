import { beforeAll, describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../../lib/api/errors.ts';
import { API_LIMITS } from '../../../lib/api/limits.ts';
import { LOG_LIMITS } from '../../../lib/consensus/settings.ts';
import {
  type ApiFixture,
  createApiFixture,
  OPERATOR_TOKEN,
  problemOf,
} from '../../support/control-plane-fixture.ts';

const NOTES = '/v1/services/checkout/notes';

describe('problems', () => {
  let api: ApiFixture;

  beforeAll(async () => {
    api = await createApiFixture();
  });

  const post = (body: string, headers: Record<string, string> = {}) =>
    api.app.request(NOTES, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${OPERATOR_TOKEN}`,
        'content-type': 'application/json',
        ...headers,
      },
      body,
    });

  it('say in every line of the catalogue what to do next', () => {
    for (const [code, { title, hint, status }] of Object.entries(PROBLEMS)) {
      expect([code, title.length > 5, hint.endsWith('.'), status >= 400]).toEqual([
        code,
        true,
        true,
        true,
      ]);
    }
  });

  it.each(['/nope', '/v1', '/v1/status/', '/v1//status', '/%00', '/%zz', '/%E0%A4', '/..%2f'])(
    'answer the path %s with 404',
    async (path) => {
      const problem = await problemOf(await api.app.request(path));
      expect([problem.status, problem.code]).toEqual([404, 'not-found']);
    },
  );

  it.each([
    ['DELETE', '/v1/status', 'GET, HEAD'],
    ['GET', NOTES, 'POST'],
    ['POST', '/v1/config', 'PUT'],
    ['OPTIONS', '/', 'GET, HEAD'],
    ['PROPFIND', '/livez', 'GET, HEAD'],
  ])('answer %s %s with 405 and what the path has', async (method, path, allow) => {
    const response = await api.app.request(path, { method });
    expect(response.headers.get('allow')).toBe(allow);
    expect((await problemOf(response)).code).toBe('method-not-allowed');
  });

  it.each(['{', '', '{"text":}', 'NaN', '{"text":"x"} trailing', '\u0000'])(
    'answer the body %j with malformed-json',
    async (body) => {
      expect(await problemOf(await post(body))).toMatchObject({
        status: 400,
        code: 'malformed-json',
      });
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'application/jsonx'])(
    'answer the content type %s with 415',
    async (type) => {
      const problem = await problemOf(await post('{"text":"x"}', { 'content-type': type }));
      expect(problem.code).toBe('unsupported-media-type');
    },
  );

  it('answer a body that is too large with 413, declared or not', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(API_LIMITS.bodyBytesMax) });
    const declared = await post(body, { 'content-length': String(body.length) });
    expect((await problemOf(declared)).code).toBe('body-too-large');
    expect((await problemOf(await post(body))).code).toBe('body-too-large');
  });

  it('accept no body that the log could not hold', () => {
    expect(API_LIMITS.bodyBytesMax).toBeLessThanOrEqual(LOG_LIMITS.commandBytesMax);
  });

  it('survive a body nested as deeply as it fits', async () => {
    const depth = 30_000;
    const problem = await problemOf(await post(`${'['.repeat(depth)}${']'.repeat(depth)}`));
    expect(problem.code).toBe('validation-failed');
  });

  it('list so many mistakes and no more', async () => {
    const policies = Array.from({ length: 100 }, () => ({}));
    const response = await api.operate({ method: 'PUT', path: '/v1/config', body: { policies } });
    expect((await problemOf(response)).errors).toHaveLength(API_LIMITS.problemErrorsMax);
  });

  it('carry the request id of the caller if it is sane, else a new one', async () => {
    const echo = async (id: string) => {
      const response = await api.app.request('/nope', { headers: { 'x-request-id': id } });
      const { requestId } = await problemOf(response);
      expect(response.headers.get('x-request-id')).toBe(requestId);
      return requestId;
    };
    expect(await echo('trace-1')).toBe('trace-1');
    expect(await echo('<script>')).toMatch(/^id-\d+$/);
    expect(await echo('x'.repeat(129))).toMatch(/^id-\d+$/);
  });

  it('hide what went wrong inside, and log it under the request id', async () => {
    const broken = await createApiFixture({
      overrides: () => ({ readLog: () => Promise.reject(new Error('table password is hunter2')) }),
    });
    const response = await broken.app.request('/v1/log', { headers: { 'x-request-id': 'r1' } });
    const text = await response.clone().text();
    expect(await problemOf(response)).toMatchObject({ status: 500, code: 'internal' });
    expect(text).not.toContain('hunter2');
    expect(broken.logged).toEqual([
      {
        level: 'error',
        event: 'request-failed',
        fields: { error: 'Error: table password is hunter2', requestId: 'r1' },
      },
    ]);
  });

  it('carry the security headers like every other answer', async () => {
    for (const path of ['/nope', '/v1/status', '/']) {
      const { headers } = await api.app.request(path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('set-cookie')).toBeNull();
    }
  });
});
