import { afterAll, beforeAll, expect, test } from 'vitest';
import { statusSchema } from '../../../lib/api/schemas.ts';
import { regionId } from '../../../lib/base/identifiers.ts';
import { type ApiFixture, createApiFixture } from '../../support/control-plane-fixture.ts';

let api: ApiFixture;

beforeAll(async () => {
  api = await createApiFixture();
  await api.beat('us-east-1');
  for (const observer of ['us-west-2', 'us-east-2'].map(regionId)) {
    await api.commit({
      kind: 'warning',
      at: api.clock.wallNow(),
      observer,
      service: 'checkout',
      site: 'us-east-1',
      warning: {
        state: 'watch',
        code: 'pauses-growing',
        sentence: 'pauses grow: <b>2.0</b> s',
        since: api.clock.wallNow(),
      },
    });
  }
});
afterAll(() => api.stop());

test('the status names each observer that warns, in their order, and the timeline tells it once', async () => {
  const status = statusSchema.parse(await (await api.app.request('/v1/status')).json());
  const [checkout] = status.services;
  const site = checkout?.sites.find(({ site: name }) => name === 'us-east-1');
  expect(site?.warnings).toMatchObject([
    { observer: 'us-east-2', code: 'pauses-growing' },
    { observer: 'us-west-2', code: 'pauses-growing' },
  ]);
  expect(status.timeline.filter(({ kind }) => kind === 'warning')).toHaveLength(1);
});

test('the page shows the sign once, and what it says cannot break out', async () => {
  const page = await (await api.app.request('/')).text();
  expect(page.split('early warning: pauses-growing')).toHaveLength(2);
  expect(page).not.toContain('<b>2.0');
});
