import { beforeEach, describe, expect, it } from 'vitest';
import { statusSchema } from '../../../../lib/api/schemas.ts';
import type { ControlPlane, StatusView } from '../../../../lib/control/control-plane.ts';
import { REPORT_LIMITS } from '../../../../lib/detection/limits.ts';
import {
  type ApiFixture,
  createApiFixture,
  hashOf,
  OPERATOR_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../../support/control-plane-fixture.ts';

const PATH = '/v1/services/checkout/sites/us-west-2/reports';

let api: ApiFixture;

beforeEach(async () => {
  api = await createApiFixture();
});

function report(body: unknown, { token = SITE_TOKEN, path = PATH } = {}) {
  return api.app.request(path, {
    method: 'POST',
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
}

describe('POST reports', () => {
  it('counts calls, and says what they amount to', async () => {
    expect(await (await report({ outcome: 'failing', count: 40 })).json()).toEqual({
      receivedAt: new Date(api.clock.wallNow()).toISOString(),
      callers: 'content',
      failing: 40,
      total: 40,
    });
    await api.clock.advance(REPORT_LIMITS.slotMs);
    expect(await (await report({ outcome: 'ok' })).json()).toMatchObject({ total: 41 });
    expect(await (await report({ outcome: 'failing' })).json()).toMatchObject({
      callers: 'troubled',
      failing: 41,
      total: 42,
    });
  });

  it('degrades a site that beats, and the observation of this region says why', async () => {
    for (let seconds = 0; seconds < 30; seconds += 1) {
      await api.beat('us-west-2');
      await report({ outcome: 'failing', count: 5 });
      await api.clock.advance(1000);
    }
    const answer = await api.app.request('/v1/status');
    const status = statusSchema.parse(await answer.json());
    const site = status.services
      .find(({ service }) => service === 'checkout')
      ?.sites.find(({ site: name }) => name === 'us-west-2');
    expect(site?.observation?.sentence).toMatch(/calls failed/);
    expect(site?.verdicts[0]).toMatchObject({ state: 'degraded', code: 'callers-report-trouble' });
  });

  it('takes the word of another site alone for no trouble, and its own or the operator’s for some', async () => {
    const rival = 'token-of-the-other-site-0123456789';
    api = await createApiFixture({
      overrides: (plane) => ({ status: () => withToken(plane, rival) }),
    });
    const wordOf = async (token: string) => {
      const answer = await report({ outcome: 'failing', count: 1000 }, { token });
      return ((await answer.json()) as { readonly callers: string }).callers;
    };
    expect(await wordOf(rival)).toBe('content');
    await api.clock.advance(REPORT_LIMITS.slotMs);
    expect(await wordOf(rival)).toBe('content');
    expect(await wordOf(SITE_TOKEN)).toBe('troubled');
    await api.clock.advance(REPORT_LIMITS.slotMs * (REPORT_LIMITS.slotsMax + 1));
    await wordOf(rival);
    await api.clock.advance(REPORT_LIMITS.slotMs);
    expect(await wordOf(OPERATOR_TOKEN)).toBe('troubled');
  });

  it.each([OPERATOR_TOKEN, SITE_TOKEN])(
    'takes a token of the service or the operator',
    async (token) => {
      expect((await report({ outcome: 'ok' }, { token })).status).toBe(200);
    },
  );

  it.each([
    ['', 'token-missing'],
    ['a-token-of-nobody', 'token-wrong'],
  ])('refuses token "%s" as %s', async (token, code) => {
    expect((await problemOf(await report({ outcome: 'ok' }, { token }))).code).toBe(code);
  });

  it.each([
    [{}, 'outcome'],
    [{ outcome: 'slow' }, 'outcome'],
    [{ outcome: 'ok', count: 0 }, 'count'],
    [{ outcome: 'ok', count: 1001 }, 'count'],
    [{ outcome: 'ok', count: 1.5 }, 'count'],
  ])('refuses %j, naming the member', async (body, path) => {
    const { code, errors } = await problemOf(await report(body));
    expect([code, errors?.[0]?.path]).toEqual(['validation-failed', path]);
  });

  it('knows only what is configured', async () => {
    const nowhere = '/v1/services/checkout/sites/nowhere/reports';
    expect((await problemOf(await report({ outcome: 'ok' }, { path: nowhere }))).code).toBe(
      'unknown-site',
    );
    const nothing = '/v1/services/nothing/sites/nowhere/reports';
    expect((await problemOf(await report({ outcome: 'ok' }, { path: nothing }))).code).toBe(
      'unknown-service',
    );
  });

  it('has a rate of its own, so that reporting costs no heartbeats', async () => {
    let last = await report({ outcome: 'ok' });
    for (let sent = 1; last.status === 200 && sent < 100; sent += 1) {
      last = await report({ outcome: 'ok' });
    }
    const refused = await problemOf(last);
    expect([refused.code, refused.hint]).toEqual([
      'too-many-requests',
      'Add calls up and send one report with their `count`.',
    ]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await api.beat('us-west-2')).status).toBe(200);
  });

  it('says so when the table does not answer', async () => {
    const away = await createApiFixture({
      overrides: () => ({ reportCalls: async () => ({ kind: 'unavailable', cause: 'away' }) }),
    });
    api = away;
    const refused = await problemOf(await report({ outcome: 'ok' }));
    expect([refused.code, refused.retryable]).toEqual(['health-store-unavailable', true]);
  });
});

/** What the plane says, with a token of its own for us-east-1. */
function withToken(plane: ControlPlane, token: string): StatusView {
  const view = plane.status();
  const checkout = view.state.services['checkout'];
  if (checkout === undefined) {
    return view;
  }
  const sites = checkout.policy.sites.map((site) =>
    site.site === 'us-east-1' ? { ...site, tokenHashes: [hashOf(token)] } : site,
  );
  const services = {
    ...view.state.services,
    checkout: { ...checkout, policy: { ...checkout.policy, sites } },
  };
  return { ...view, state: { ...view.state, services } };
}
