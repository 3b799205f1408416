/** Arrivals that a sender, a network or a clock may bring about (adversarial patterns 11 and 12). */
import { beforeEach, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import {
  type ApiFixture,
  createApiFixture,
  hashOf,
  JOBS,
  PING_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../support/control-plane-fixture.ts';

const HOUR_MS = 3_600_000;

let api: ApiFixture;
/** What is added to the clock of the ingress. */
let skewMs = 0;

/** A host that pings each second, beside a site of a service that beats. */
const HOSTS = {
  ...JOBS,
  provisioning: null,
  sites: [{ site: 'host', tokenHashes: [hashOf(PING_TOKEN)], schedule: null }],
};

beforeEach(async () => {
  skewMs = 0;
  const { arrivedAt, bind } = skewedClock();
  api = await createApiFixture({ monitors: [HOSTS], arrivedAt });
  bind(api);
});

/** The clock of the ingress, which the fixture's own clock is asked for once it is there. */
function skewedClock() {
  let now = () => 0;
  return {
    arrivedAt: () => epochMillis(now() + skewMs),
    bind: ({ clock }: ApiFixture) => {
      now = clock.wallNow;
    },
  };
}

const record = (service = 'checkout', site = 'us-east-1') => api.health.read(service, site);
const post = (sequence: number, bootId = 'boot', more: object = {}) =>
  api.app.request('/v1/services/checkout/sites/us-east-1/heartbeats', {
    method: 'POST',
    headers: { authorization: `Bearer ${SITE_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sequence, bootId, ...more }),
  });
const ping = () => api.app.request(`/beat/${PING_TOKEN}`);
const opinionOf = (site: string) =>
  api.plane.status().state.monitors['nightly']?.sites[site]?.opinion.state;

describe('beats out of order', () => {
  it('change nothing when they are repeated, overtaken, or of the boot before', async () => {
    await post(5);
    await api.clock.advance(1000);
    await post(6);
    await api.clock.advance(1000);
    await post(1, 'next-boot');
    const before = record();
    for (const [sequence, bootId] of [
      [1, 'next-boot'],
      [6, 'boot'],
      [5, 'boot'],
      [2, 'boot'],
    ] as const) {
      await api.clock.advance(1000);
      expect((await post(sequence, bootId)).status).toBe(200);
    }
    expect(record()?.window).toEqual(before?.window);
  });

  it('may have the largest sequence there is, and none beyond it', async () => {
    expect((await post(2 ** 53 - 1)).status).toBe(200);
    expect((await problemOf(await post(2 ** 53))).code).toBe('validation-failed');
    await api.clock.advance(1000);
    expect((await post(1, 'wrapped')).status).toBe(200);
    expect(record()?.window.lastSequence).toBe(1);
  });

  it('of two instances that share a token are both alive, and neither is dead for it', async () => {
    for (let beats = 1; beats <= 8; beats += 1) {
      await post(beats, beats % 2 === 0 ? 'left' : 'right');
      await api.clock.advance(1000);
    }
    const site = api.plane.status().state.services['checkout']?.sites['us-east-1'];
    expect(['healthy', 'suspect']).toContain(site?.opinion.state);
  });

  it('that come in one millisecond have no timing between them, but no ping is refused for it', async () => {
    const answers = await Promise.all([ping(), ping(), ping()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { received, lost, intervals } = record('nightly', 'host')?.window ?? {};
    expect([received, lost, intervals?.length]).toEqual([3, 0, 0]);
  });
});

describe('a clock that jumps', () => {
  const pingFor = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      expect((await ping()).status).toBe(200);
      await api.clock.advance(1000);
      expect(opinionOf('host')).not.toBe('failed');
    }
  };

  it.each([
    ['a minute', 60_000],
    ['an hour', HOUR_MS],
  ])(
    'of the ingress, by %s ahead and back again, fails nobody who goes on beating',
    async (_, jumpMs) => {
      await pingFor(30);
      skewMs = jumpMs;
      await pingFor(10);
      skewMs = 0;
      await pingFor(80);
      expect(opinionOf('host')).toBe('healthy');
    },
  );

  it.each([-1, 0.5, '1', null, 1e300])(
    'of a sender does not matter, nor does a lag of %j break a beat',
    async (lag) => {
      const { status } = await post(1, 'boot', {
        sentAt: -8.64e15,
        timestamp: 'yesterday',
        replicationLagMs: lag,
      });
      expect(status === 200 || status === 400).toBe(true);
      await api.clock.advance(1000);
      expect((await post(2)).status).toBe(200);
      expect(record()?.window.lastArrivalAt).toBe(api.clock.wallNow());
    },
  );
});
