import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beatHistorySchema } from '../../../../lib/api/beat-history-schemas.ts';
import {
  type ApiFixture,
  createApiFixture,
  problemOf,
} from '../../../support/control-plane-fixture.ts';

describe('GET /v1/services/{service}/sites/{site}/beats', () => {
  let api: ApiFixture;

  beforeAll(async () => {
    api = await createApiFixture();
    for (let beats = 0; beats < 4; beats += 1) {
      await api.beat('us-east-1');
      await api.clock.advance(1000);
    }
  });
  afterAll(() => api.stop());

  const get = (site: string) => api.app.request(`/v1/services/checkout/sites/${site}/beats`);

  test('tells the intervals as this region keeps them', async () => {
    const history = beatHistorySchema.parse(await (await get('us-east-1')).json());
    expect(history).toMatchObject({
      service: 'checkout',
      site: 'us-east-1',
      observer: 'us-east-1',
      intervalsMs: [1000, 1000, 1000],
      received: 4,
      lost: 0,
    });
  });

  test('tells nothing of a site that was never heard', async () => {
    const history = beatHistorySchema.parse(await (await get('us-west-2')).json());
    expect(history).toMatchObject({ bootId: null, lastBeatAt: null, intervalsMs: [] });
  });

  test('knows no other site', async () => {
    const answer = await get('mars');
    expect(answer.status).toBe(404);
    expect((await problemOf(answer)).code).toBe('unknown-site');
  });
});
