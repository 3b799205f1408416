import { beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../../../lib/api/client.ts';
import { type StatusJson, statusSchema } from '../../../lib/api/schemas.ts';
import { createApiFixture, JOBS, PING_TOKEN } from '../../support/control-plane-fixture.ts';

const ENDPOINTS = ['http://first.test', 'http://second.test', 'http://third.test'];

/** What stands at an endpoint: a region that answers this, nobody, or one that never answers. */
type Place = StatusJson | 'refuses' | 'hangs';

let unheard: StatusJson;
let early: StatusJson;
let late: StatusJson;

/** The client of three endpoints, asked in order. */
function shown(...places: readonly Place[]) {
  const client = createApiClient({
    endpoints: ENDPOINTS,
    token: null,
    timeoutMs: 50,
    random: () => 0.999,
    fetch: (url, { signal }) => {
      const place = places[ENDPOINTS.indexOf(new URL(url).origin)];
      if (place === 'refuses') {
        return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      }
      return place === 'hangs'
        ? new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          })
        : Promise.resolve(Response.json(place));
    },
  });
  return client.statusOfAll();
}

const siteOf = (status: StatusJson) => status.monitors[0]?.sites[0];

beforeEach(async () => {
  const api = await createApiFixture({ monitors: [JOBS] });
  const status = async () => {
    await api.clock.advance(2000);
    return statusSchema.parse(await (await api.app.request('/v1/status')).json());
  };
  unheard = await status();
  await api.app.request(`/beat/${PING_TOKEN}`, { method: 'POST', body: 'early' });
  early = await status();
  await api.app.request(`/beat/${PING_TOKEN}`, { method: 'POST', body: 'late' });
  late = await status();
});

describe('the status of all regions', () => {
  it('shows a job as the region that heard it last sees it, whichever answers first', async () => {
    expect(siteOf(unheard)?.observation?.lastBeatAt ?? null).toBeNull();
    for (const places of [
      [unheard, early, late],
      [late, early, unheard],
      [early, late, unheard],
    ]) {
      const answer = await shown(...places);
      const value = answer.kind === 'ok' ? answer.value : expect.fail(answer.kind);
      expect(value).toMatchObject({ ...places[0], monitors: expect.anything() });
      expect(siteOf(value)?.job).toMatchObject({ message: 'late' });
      expect(siteOf(value)?.observation).toEqual(siteOf(late)?.observation);
    }
  });

  it('comes without the regions that do not answer', async () => {
    for (const places of [
      [unheard, 'refuses', 'hangs'],
      ['refuses', unheard, 'hangs'],
    ] as const) {
      expect(await shown(...places)).toMatchObject({ kind: 'ok', value: unheard });
    }
    expect(await shown('hangs', unheard, late)).toMatchObject({
      value: { monitors: [{ sites: [{ job: { message: 'late' } }] }] },
    });
  });
});
