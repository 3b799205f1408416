import { beforeEach, describe, expect, it } from 'vitest';
import { heartbeatAnswerSchema } from '../../../../lib/api/heartbeat-schemas.ts';
import { epochMillis } from '../../../../lib/base/identifiers.ts';
import {
  type ApiFixture,
  createApiFixture,
  FLEET,
  hashOf,
  OPERATOR_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../../support/control-plane-fixture.ts';

const PATH = '/v1/services/checkout/sites/us-east-1/heartbeats';

let api: ApiFixture;

beforeEach(async () => {
  api = await createApiFixture();
});

describe('POST heartbeats', () => {
  it('answers role, epoch, next beat and the time of arrival by this region', async () => {
    const active = heartbeatAnswerSchema.parse(await (await api.beat('us-east-1')).json());
    const standby = heartbeatAnswerSchema.parse(await (await api.beat('us-west-2')).json());
    expect(active).toEqual({
      role: 'active',
      epoch: { ...api.plane.status().state.services['checkout']?.epoch },
      nextBeatMs: 1000,
      leaseMs: 3000,
      duplicate: false,
      receivedAt: new Date(api.clock.wallNow()).toISOString(),
    });
    expect(standby.role).toBe('standby');
  });

  it('says of a beat that is not newer that it changed nothing', async () => {
    await api.beat('us-east-1', { sequence: 7 });
    for (const [sequence, duplicate] of [
      [7, true],
      [1, true],
      [8, false],
    ]) {
      const answer = await (await api.beat('us-east-1', { sequence })).json();
      expect(answer).toMatchObject({ role: 'active', duplicate });
    }
  });

  it('reaches the detector with status and replication lag', async () => {
    await api.beat('us-west-2', { status: 'degraded', replicationLagMs: 1200 });
    await api.clock.advance(1000);
    const [, site] = api.plane.status().state.services['checkout']?.policy.sites ?? [];
    const observed = api.plane
      .status()
      .observations.find(
        ({ service, site: name }) => service === 'checkout' && name === site?.site,
      );
    expect(observed).toMatchObject({ replicationLagMs: 1200, silentMs: 1000 });
    expect(api.plane.status().state.services['checkout']?.sites['us-west-2']?.opinion.state).toBe(
      'degraded',
    );
  });

  it('ignores members of a newer agent instead of losing the beat', async () => {
    expect((await api.beat('us-east-1', { loadAverage: [1, 2], status: 'ok' })).status).toBe(200);
  });

  it.each([
    [{ sequence: 0 }, 'sequence'],
    [{ sequence: 1.5 }, 'sequence'],
    [{ bootId: '' }, 'bootId'],
    [{ bootId: 'x'.repeat(65) }, 'bootId'],
    [{ status: 'fine' }, 'status'],
    [{ replicationLagMs: -1 }, 'replicationLagMs'],
  ])('refuses %j and names the member', async (body, path) => {
    const problem = await problemOf(await api.beat('us-east-1', body));
    expect([problem.code, problem.errors?.[0]?.path]).toEqual(['validation-failed', path]);
  });

  it('refuses the token of the operator and any other', async () => {
    for (const token of [OPERATOR_TOKEN, 'guess']) {
      const problem = await problemOf(await api.beat('us-east-1', {}, token));
      expect([problem.status, problem.code]).toEqual([401, 'token-wrong']);
    }
  });

  it('looks at the token before it looks at the body', async () => {
    const response = await api.app.request(PATH, { method: 'POST', body: 'no JSON' });
    expect((await problemOf(response)).code).toBe('token-missing');
  });

  it.each([
    ['/v1/services/nobody/sites/us-east-1/heartbeats', 'unknown-service'],
    ['/v1/services/checkout/sites/eu-west-1/heartbeats', 'unknown-site'],
    ['/v1/services/constructor/sites/constructor/heartbeats', 'unknown-service'],
    ['/v1/services/checkout/sites/constructor/heartbeats', 'unknown-site'],
  ])('answers 404 for %s', async (path, code) => {
    const problem = await problemOf(await api.app.request(path, { method: 'POST' }));
    expect([problem.status, problem.code]).toEqual([404, code]);
  });

  it('asks for patience while the region knows no configuration', async () => {
    const { beat } = await createApiFixture({ isConfigured: false });
    const response = await beat('us-east-1');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problemOf(response)).toMatchObject({ code: 'not-configured', retryable: true });
  });

  it('follows a configuration that changes while it serves', async () => {
    await api.beat('us-east-1');
    const changed = FLEET.map((policy) => ({
      ...policy,
      sites: policy.sites.map((site) => ({ ...site, tokenHashes: ['0'.repeat(64)] })),
    }));
    await api.operate({ method: 'PUT', path: '/v1/config', body: { policies: changed } });
    expect((await problemOf(await api.beat('us-east-1'))).code).toBe('token-wrong');
  });

  it('holds a token to its rate, whichever site it beats for, and tells when to come back', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      statuses.push((await api.beat('us-east-1')).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = await api.beat('us-east-1');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('ratelimit')).toBe('"beats";r=0;t=1');
    expect((await problemOf(refused)).code).toBe('too-many-requests');
    expect((await api.beat('us-west-2')).status).toBe(429);
    await api.clock.advance(500);
    expect((await api.beat('us-east-1')).status).toBe(200);
  });

  it('says when the beat may be lost', async () => {
    api.setHealthTable(false);
    const response = await api.beat('us-east-1');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problemOf(response)).toMatchObject({
      code: 'health-store-unavailable',
      retryable: true,
    });
  });

  it('takes beats while no quorum answers', async () => {
    api.setWeather('cut-off');
    await api.clock.advance(3000);
    expect((await api.beat('us-east-1')).status).toBe(200);
  });
});

describe('a heartbeat', () => {
  it('stamps the arrival by the ingress, not by the moment it is dealt with', async () => {
    const stamped = await createApiFixture({
      arrivedAt: (bindings) => epochMillis((bindings as { readonly at: number }).at),
    });
    const at = stamped.clock.wallNow() - 900;
    const response = await stamped.app.request(
      PATH,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${SITE_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ sequence: 1, bootId: 'b' }),
      },
      { at },
    );
    const answer = heartbeatAnswerSchema.parse(await response.json());
    expect(answer.receivedAt).toBe(new Date(at).toISOString());
  });

  it('refuses bytes that are no text', async () => {
    const response = await api.app.request(PATH, {
      method: 'POST',
      headers: { authorization: `Bearer ${SITE_TOKEN}`, 'content-type': 'application/json' },
      body: Buffer.from('7b2273657175656e6365223a312c22626f6f744964223a22fffe227d', 'hex'),
    });
    expect((await problemOf(response)).code).toBe('body-not-text');
  });

  it('keeps a lag that is too small for a table as none', async () => {
    expect((await api.beat('us-west-2', { replicationLagMs: 1e-200 })).status).toBe(200);
    await api.plane.look();
    const seen = api.plane.status().observations.find(({ site }) => site === 'us-west-2');
    expect(seen?.replicationLagMs).toBe(0);
  });

  it('takes both tokens while one is rotated in, and the old one no more after it', async () => {
    const rotate = (...tokens: readonly string[]) =>
      api.operate({
        method: 'PUT',
        path: '/v1/config',
        body: {
          policies: FLEET.map((policy) => ({
            ...policy,
            sites: policy.sites.map((site) => ({ ...site, tokenHashes: tokens.map(hashOf) })),
          })),
        },
      });
    const next = 'next-site-token-for-tests-0123456789';
    await rotate(SITE_TOKEN, next);
    const both = [await api.beat('us-east-1'), await api.beat('us-east-1', {}, next)];
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    await rotate(next);
    expect((await api.beat('us-east-1', {}, next)).status).toBe(200);
    expect((await api.beat('us-east-1')).status).toBe(401);
  });
});
