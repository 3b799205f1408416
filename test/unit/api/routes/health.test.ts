import { describe, expect, it } from 'vitest';
import { healthSchema } from '../../../../lib/api/schemas.ts';
import { createApiFixture, problemOf } from '../../../support/control-plane-fixture.ts';

async function grade(api: Awaited<ReturnType<typeof createApiFixture>>) {
  const response = await api.app.request('/healthz');
  expect(response.headers.get('content-type')).toBe('application/health+json');
  return { httpStatus: response.status, ...healthSchema.parse(await response.json()) };
}

describe('health', () => {
  it('passes while every register answers', async () => {
    const api = await createApiFixture();
    await api.clock.advance(2000);
    expect(await grade(api)).toMatchObject({ httpStatus: 200, status: 'pass' });
    expect((await api.app.request('/readyz')).status).toBe(200);
  });

  it('warns, with status 200, before the first configuration', async () => {
    const api = await createApiFixture({ isConfigured: false });
    const health = await grade(api);
    expect(health).toMatchObject({ httpStatus: 200, status: 'warn' });
    expect(health.checks['configuration:hash']).toMatchObject([{ status: 'warn' }]);
  });

  it('fails without a quorum: alive, not ready, and named part by part', async () => {
    const api = await createApiFixture();
    api.setWeather('cut-off');
    await api.clock.advance(3000);
    const health = await grade(api);
    expect(health).toMatchObject({ httpStatus: 503, status: 'fail' });
    expect(health.checks['consensus:register']?.map(({ status }) => status)).toEqual([
      'pass',
      'warn',
      'warn',
    ]);
    expect((await api.app.request('/livez')).status).toBe(200);
    const problem = await problemOf(await api.app.request('/readyz'));
    expect(problem).toMatchObject({ status: 503, code: 'no-quorum', retryable: true });
    expect(problem.detail).toContain('us-east-1');
  });
});
