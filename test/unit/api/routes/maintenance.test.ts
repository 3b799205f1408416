import { beforeEach, describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../../lib/api/schemas.ts';
import {
  type ApiFixture,
  createApiFixture,
  problemOf,
} from '../../../support/control-plane-fixture.ts';

const PATH = '/v1/services/checkout/maintenance';
const BODY = { forMs: 7_200_000, reason: 'new disks', by: 'ana' };

describe('maintenance', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createApiFixture();
  });

  const start = (body: object, path: string = PATH) => api.operate({ method: 'POST', path, body });
  const end = (query = '') => api.operate({ method: 'DELETE', path: `${PATH}${query}` });

  async function windows() {
    const response = await api.operate({ method: 'GET', path: '/v1/services/checkout' });
    return serviceSchema.parse(await response.json()).maintenance;
  }

  it('stands with the service until it is ended', async () => {
    expect((await start({ ...BODY, site: 'us-east-1' })).status).toBe(200);
    const [window] = await windows();
    expect(window).toMatchObject({ site: 'us-east-1', by: 'ana', reason: 'new disks' });
    expect(Date.parse(window?.untilAt ?? '') - Date.parse(window?.sinceAt ?? '')).toBe(7_200_000);
    expect((await end('?site=us-east-1&by=ana')).status).toBe(200);
    expect(await windows()).toEqual([]);
  });

  it('is of the whole service where no site is named', async () => {
    await start(BODY);
    expect(await windows()).toMatchObject([{ site: null }]);
    expect(await problemOf(await end('?site=us-east-1'))).toMatchObject({
      status: 409,
      code: 'no-maintenance',
    });
  });

  it('sent again under the same key is the same command, however late', async () => {
    const request = { method: 'POST', path: PATH, body: BODY, headers: { 'idempotency-key': 'k' } };
    const first = await (await api.operate(request)).json();
    await api.clock.advance(3000);
    expect(await (await api.operate(request)).json()).toEqual(first);
    expect(await windows()).toHaveLength(1);
  });

  it('changes nothing in a dry run', async () => {
    const response = await start({ ...BODY, dryRun: true });
    expect(await response.json()).toMatchObject({ dryRun: true, code: 'maintenance-started' });
    expect(await windows()).toEqual([]);
  });

  it('is refused for an unknown service or site, for too long, and without a reason', async () => {
    const unknown = '/v1/services/billing/maintenance';
    expect((await problemOf(await start(BODY, unknown))).code).toBe('unknown-service');
    expect((await problemOf(await start({ ...BODY, site: 'mars' }))).code).toBe('unknown-site');
    for (const body of [
      { ...BODY, forMs: 604_800_001 },
      { ...BODY, forMs: 0 },
      { forMs: 1000 },
      { ...BODY, until: 'tomorrow' },
    ]) {
      expect((await problemOf(await start(body))).code).toBe('validation-failed');
    }
    expect((await problemOf(await end('?site=../x'))).code).toBe('validation-failed');
  });

  it('is the operator’s to begin and to end', async () => {
    const begun = await api.app.request(PATH, { method: 'POST', body: JSON.stringify(BODY) });
    const ended = await api.app.request(PATH, { method: 'DELETE' });
    expect([begun.status, ended.status]).toEqual([401, 401]);
  });
});
