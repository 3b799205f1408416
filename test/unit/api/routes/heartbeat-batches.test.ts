import { beforeEach, describe, expect, it } from 'vitest';
import { batchAnswerSchema } from '../../../../lib/api/heartbeat-schemas.ts';
import {
  type ApiFixture,
  createApiFixture,
  JOBS,
  OPERATOR_TOKEN,
  PING_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../../support/control-plane-fixture.ts';

describe('POST heartbeats of several sites', () => {
  let api: ApiFixture;

  const post = (beats: unknown, token = SITE_TOKEN, service = 'checkout') =>
    api.app.request(`/v1/services/${service}/heartbeats`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ beats }),
    });
  const results = async (response: Response) =>
    batchAnswerSchema.parse(await response.json()).results;
  const beat = (site: string, sequence = 1) => ({ site, sequence, bootId: `boot-${site}` });

  beforeEach(async () => {
    api = await createApiFixture({ monitors: [JOBS] });
  });

  it('answers each beat in its place, as if it had come alone', async () => {
    const response = await post([beat('us-west-2'), beat('us-east-1'), beat('nowhere')]);
    expect(response.status).toBe(200);
    expect(await results(response)).toEqual([
      {
        kind: 'accepted',
        site: 'us-west-2',
        role: 'standby',
        epoch: expect.anything(),
        nextBeatMs: 1000,
        leaseMs: 3000,
      },
      {
        kind: 'accepted',
        site: 'us-east-1',
        role: 'active',
        epoch: expect.anything(),
        nextBeatMs: 1000,
        leaseMs: 3000,
      },
      { kind: 'refused', site: 'nowhere', code: 'unknown-site', retryable: false },
    ]);
  });

  it('tells a repeated, overtaken or replayed beat from a new one', async () => {
    await post([beat('us-east-1', 5)]);
    const again = await results(
      await post([beat('us-east-1', 5), beat('us-east-1', 4), beat('us-east-1', 6)]),
    );
    expect(again.map(({ kind }) => kind)).toEqual(['duplicate', 'duplicate', 'accepted']);
    await api.clock.advance(5000);
    await post([{ ...beat('us-east-1'), bootId: 'after-restart' }]);
    const old = await results(await post([beat('us-east-1', 6)]));
    expect(old.map(({ kind }) => kind)).toEqual(['duplicate']);
  });

  it('draws as often as it names its most frequent site, however many sites it has', async () => {
    const beats = Array.from({ length: 7 }, (_, place) => beat('us-east-1', place + 1));
    const taken = await results(await post([...beats, beat('us-west-2')]));
    expect(taken.map((result) => (result.kind === 'refused' ? result.code : result.kind))).toEqual([
      ...Array.from({ length: 5 }, () => 'accepted'),
      'too-many-requests',
      'too-many-requests',
      'accepted',
    ]);
    expect((await api.beat('us-west-2')).status).toBe(429);
    expect((await problemOf(await post([beat('us-west-2', 2)]))).code).toBe('too-many-requests');
  });

  it('opens the sites of its token and no others', async () => {
    expect((await problemOf(await post([beat('us-east-1')], OPERATOR_TOKEN))).code).toBe(
      'token-wrong',
    );
    expect((await problemOf(await post([beat('us-east-1')], PING_TOKEN))).code).toBe('token-wrong');
    const own = await results(await post([beat('backup')], PING_TOKEN, 'nightly'));
    expect(own[0]).toMatchObject({ kind: 'accepted', nextBeatMs: 3_600_000 });
  });

  it('looks at the token before the body, and at both before it takes anything', async () => {
    const bare = await api.app.request('/v1/services/checkout/heartbeats', { method: 'POST' });
    expect((await problemOf(bare)).code).toBe('token-missing');
    expect((await problemOf(await post([], SITE_TOKEN, 'nobody'))).code).toBe('unknown-service');
    const before = JSON.stringify(api.plane.status().observations);
    for (const beats of [
      [],
      'all',
      [beat('us-east-1'), { site: 'us-west-2' }],
      Array(501).fill(beat('us-east-1')),
    ]) {
      expect((await problemOf(await post(beats))).code).toBe('validation-failed');
    }
    await api.plane.look();
    expect(JSON.stringify(api.plane.status().observations)).toBe(before);
  });

  it('takes 500 beats with the longest names in one request', async () => {
    const long = {
      site: 's'.repeat(63),
      bootId: 'b'.repeat(64),
      sequence: 2 ** 53 - 1,
      status: 'degraded',
      replicationLagMs: 123_456_789.125,
    };
    const response = await post(Array(500).fill(long));
    expect(response.status).toBe(200);
    expect(await results(response)).toHaveLength(500);
  });

  it('says of each beat when it may be lost', async () => {
    api.setHealthTable(false);
    const lost = await results(await post([beat('us-east-1'), beat('us-west-2')]));
    expect(lost).toEqual(
      ['us-east-1', 'us-west-2'].map((site) => ({
        kind: 'refused',
        site,
        code: 'health-store-unavailable',
        retryable: true,
      })),
    );
  });
});
