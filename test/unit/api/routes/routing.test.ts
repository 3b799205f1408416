import { beforeEach, describe, expect, it } from 'vitest';
import {
  type ApiFixture,
  createApiFixture,
  problemOf,
} from '../../../support/control-plane-fixture.ts';

describe('GET /v1/routing', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createApiFixture({ settings: { openReads: false } });
  });

  const ask = (path: string) => api.app.request(`/v1/routing/${path}`);

  it('sends traffic to the active site only, and is never cached', async () => {
    const active = await ask('checkout/us-east-1');
    const standby = await ask('checkout/us-west-2');
    expect(await active.json()).toEqual({ service: 'checkout', site: 'us-east-1', role: 'active' });
    expect((await problemOf(standby)).code).toBe('site-standby');
    expect([active.status, standby.status]).toEqual([200, 503]);
    expect(active.headers.get('cache-control')).toBe('no-store');
    expect(standby.headers.get('cache-control')).toBe('no-store');
  });

  it('keeps its last answer when no quorum answers', async () => {
    api.setWeather('cut-off');
    await api.clock.advance(60_000);
    expect((await ask('checkout/us-east-1')).status).toBe(200);
    expect((await ask('checkout/us-west-2')).status).toBe(503);
  });

  it.each([
    ['nobody/us-east-1', 'unknown-service'],
    ['checkout/eu-west-1', 'unknown-site'],
    ['constructor/constructor', 'unknown-service'],
  ])('answers 404 for %s', async (path, code) => {
    const problem = await problemOf(await ask(path));
    expect([problem.status, problem.code]).toEqual([404, code]);
  });

  it('does not call a site unknown before the region knows the configuration', async () => {
    const { app } = await createApiFixture({ isConfigured: false });
    const problem = await problemOf(await app.request('/v1/routing/checkout/us-east-1'));
    expect([problem.status, problem.code]).toEqual([503, 'not-configured']);
  });

  it('answers HEAD, as some health checkers ask', async () => {
    const response = await api.app.request('/v1/routing/checkout/us-east-1', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});
