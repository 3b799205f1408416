import { beforeEach, describe, expect, it } from 'vitest';
import { heartbeatAnswerSchema } from '../../../../lib/api/heartbeat-schemas.ts';
import { presentMonitors } from '../../../../lib/api/present-monitors.ts';
import {
  type ApiFixture,
  createApiFixture,
  DOOR_TOKEN,
  FLEET,
  hashOf,
  JOBS,
  PING_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../../support/control-plane-fixture.ts';

const MINUTE_MS = 60_000;

let api: ApiFixture;
const ping = (path: string, init: RequestInit = {}) => api.app.request(`/beat/${path}`, init);
/** What the API shows of one site of `nightly`. */
const shown = async (site = 'backup') => {
  await api.plane.look();
  return presentMonitors(api.plane.status())[0]?.sites.find((one) => one.site === site);
};

beforeEach(async () => {
  api = await createApiFixture({ monitors: [JOBS] });
});

describe('/beat/{token}', () => {
  it.each(['GET', 'HEAD', 'POST'])('takes a success by %s', async (method) => {
    const response = await ping(PING_TOKEN, { method });
    expect(response.status).toBe(200);
    if (method !== 'HEAD') {
      expect(heartbeatAnswerSchema.parse(await response.json())).toEqual({
        role: 'unknown',
        epoch: null,
        nextBeatMs: 3_600_000,
        leaseMs: null,
        duplicate: false,
        receivedAt: new Date(api.clock.wallNow()).toISOString(),
      });
    }
    const site = await shown();
    expect(site?.observation?.sentence).toContain('next run expected in 1 h');
    expect(site?.job?.lastSucceededAt).toBe(new Date(api.clock.wallNow()).toISOString());
  });

  it('follows a run from its start to its exit code', async () => {
    await ping(`${PING_TOKEN}/start`);
    expect((await shown())?.observation?.sentence).toContain('running');
    await api.clock.advance(MINUTE_MS);
    await ping(`${PING_TOKEN}/3`, { method: 'POST', body: 'disk full\nat line 3' });
    expect((await shown())?.job).toMatchObject({
      exitCode: 3,
      message: 'disk full',
      runningSince: null,
    });
    await api.clock.advance(2000);
    expect((await shown())?.opinion.state).toBe('failed');
    await ping(`${PING_TOKEN}/0`);
    await api.clock.advance(2000);
    expect((await shown())?.opinion.state).toBe('healthy');
  });

  it('tells a failure and a log from a success', async () => {
    await ping(PING_TOKEN);
    const success = (await shown())?.job?.lastSucceededAt;
    await api.clock.advance(MINUTE_MS);
    await ping(`${PING_TOKEN}/log`, { method: 'POST', body: 'halfway' });
    expect((await shown())?.job).toMatchObject({ message: 'halfway', lastSucceededAt: success });
    await ping(`${PING_TOKEN}/fail`);
    await api.clock.advance(2000);
    expect((await shown())?.observation?.sentence).toBe('the last run failed');
  });

  it('finds a missed run by itself, in the quorum that hears the job', async () => {
    await ping(PING_TOKEN);
    await api.clock.advance(65 * MINUTE_MS);
    expect((await shown())?.opinion.state).toBe('suspect');
    await api.clock.advance(2 * MINUTE_MS);
    expect((await shown())?.opinion.state).toBe('failed');
    const told = api.plane
      .status()
      .state.timeline.map(({ service, sentence }) => [service, sentence]);
    expect(told).toContainEqual([
      'nightly',
      expect.stringContaining('backup is failed: no success'),
    ]);
    expect(api.plane.status().state.runs.every(({ service }) => service !== 'nightly')).toBe(true);
  });

  it('finds a run that is open for longer than it may', async () => {
    await ping(PING_TOKEN);
    await ping(`${PING_TOKEN}/start`);
    await api.clock.advance(21 * MINUTE_MS);
    expect((await shown())?.verdicts[0]?.code).toBe('run-too-long');
  });

  it('takes beats for a site without a schedule too', async () => {
    const own = {
      ...JOBS,
      sites: [{ site: 'backup', tokenHashes: [hashOf(PING_TOKEN)], schedule: null }],
    };
    api = await createApiFixture({ monitors: [own] });
    for (let beats = 0; beats < 5; beats += 1) {
      await ping(PING_TOKEN);
      await api.clock.advance(1000);
    }
    expect((await shown())?.opinion.state).toBe('healthy');
    await ping(`${PING_TOKEN}/fail`);
    await api.clock.advance(1000);
    expect((await shown())?.opinion.state).toBe('degraded');
    await ping(`${PING_TOKEN}/log`, { method: 'POST', body: 'still' });
    await api.clock.advance(1000);
    expect((await shown())?.opinion.state).toBe('degraded');
    await api.clock.advance(20_000);
    expect((await shown())?.opinion.state).toBe('failed');
  });
});

describe('the token in the path', () => {
  it.each(['wat', '256', '-1', '00', 'Start', '1e2'])('refuses to be told %s', async (action) => {
    const problem = await problemOf(await ping(`${PING_TOKEN}/${action}`));
    expect([problem.status, problem.errors?.[0]?.path]).toEqual([400, 'path.action']);
  });

  it('repeats a token nowhere: not in problems, not in the log', async () => {
    const paths = [
      'wrong-token-of-somebody',
      `${PING_TOKEN}/wat`,
      `${PING_TOKEN}/a/b`,
      `%ff${PING_TOKEN}`,
    ];
    for (const path of paths) {
      const response = await ping(path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      const text = await response.text();
      expect([path, /wrong-token|ping-token/.test(text)]).toEqual([path, false]);
      expect(JSON.stringify([...response.headers])).not.toContain('ping-token');
    }
    const broken = await createApiFixture({
      monitors: [JOBS],
      overrides: () => ({ ingest: () => Promise.reject(new Error('broken')) }),
    });
    const response = await broken.app.request(`/beat/${PING_TOKEN}`);
    expect((await problemOf(response)).instance).toBe('/beat/{token}');
    expect(broken.logged).toHaveLength(1);
    expect(JSON.stringify(broken.logged)).not.toContain(PING_TOKEN);
  });

  it('does not find a token that is unknown, too long, or was rotated away', async () => {
    for (const token of ['unknown', 'x'.repeat(600), hashOf(PING_TOKEN)]) {
      expect((await ping(token)).status).toBeGreaterThanOrEqual(400);
    }
    const next = {
      ...JOBS,
      sites: [{ ...JOBS.sites[0], tokenHashes: [hashOf('the-next-token')] }],
    };
    await api.operate({
      method: 'PUT',
      path: '/v1/config',
      body: { policies: FLEET, monitors: [next] },
    });
    expect((await problemOf(await ping(PING_TOKEN))).code).toBe('unknown-token');
    expect((await ping('the-next-token')).status).toBe(200);
  });

  it('does not guess between sites that share a token', async () => {
    expect((await problemOf(await ping(SITE_TOKEN))).code).toBe('token-ambiguous');
    expect((await problemOf(await ping(`${PING_TOKEN}?site=other`))).code).toBe('unknown-site');
    expect((await ping(`${PING_TOKEN}?site=backup`)).status).toBe(200);
  });

  it('holds pings and heartbeats of one token to one rate', async () => {
    const statuses: number[] = [];
    for (let pings = 0; pings < 6; pings += 1) {
      statuses.push((await ping(PING_TOKEN)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const beat = await api.app.request('/v1/services/nightly/sites/backup/heartbeats', {
      method: 'POST',
      headers: { authorization: `Bearer ${PING_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sequence: 1, bootId: 'b' }),
    });
    expect(beat.status).toBe(429);
  });

  it('keeps a job that prints too much, or no text at all', async () => {
    const body = Buffer.concat([
      Buffer.from([0x1b, 0x5b, 0x33, 0xff, 0x20]),
      Buffer.alloc(300_000, 'é'),
    ]);
    expect((await ping(PING_TOKEN, { method: 'POST', body })).status).toBe(200);
    const message = (await shown())?.job?.message ?? '';
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(200);
    expect(message).toMatch(/^\[3. é+$/u);
  });

  it('says when the beat may be lost', async () => {
    api.setHealthTable(false);
    expect((await problemOf(await ping(PING_TOKEN))).code).toBe('health-store-unavailable');
  });
});

describe('a token that lets sites come into being', () => {
  const sites = () => Object.keys(api.plane.status().state.monitors['nightly']?.sites ?? {});

  it('makes a site by its first beat, and knows it from then on', async () => {
    const { appliedIndex } = api.plane.status().position;
    expect((await ping(`${DOOR_TOKEN}?site=db-1`)).status).toBe(200);
    expect(sites()).toEqual(['backup', 'db-1']);
    const { timeline } = api.plane.status().state;
    expect(timeline.at(-1)).toMatchObject({ kind: 'provisioned', service: 'nightly' });
    await ping(`${DOOR_TOKEN}/start?site=db-1`);
    expect(api.plane.status().position.appliedIndex).toBe(appliedIndex + 1);
    expect((await shown('db-1'))?.isProvisioned).toBe(true);
  });

  it('makes no more than its bound, and asks for the name', async () => {
    await ping(`${DOOR_TOKEN}?site=db-1`);
    await ping(`${DOOR_TOKEN}?site=db-2`);
    const problem = await problemOf(await ping(`${DOOR_TOKEN}?site=db-3`));
    expect([problem.status, problem.code]).toEqual([409, 'site-not-provisioned']);
    expect(sites()).toEqual(['backup', 'db-1', 'db-2']);
    const before = api.plane.status().position.appliedIndex;
    await ping(`${DOOR_TOKEN}?site=db-4`);
    expect(api.plane.status().position.appliedIndex).toBe(before);
    expect((await problemOf(await ping(DOOR_TOKEN))).code).toBe('site-missing');
    for (const name of ['Db', '__proto__', 'a/b', '']) {
      const answer = await ping(`${DOOR_TOKEN}?site=${encodeURIComponent(name)}`);
      expect([name, answer.status]).toEqual([name, 400]);
    }
  });

  it('does not open sites that have a token of their own', async () => {
    expect((await problemOf(await ping(`${DOOR_TOKEN}?site=backup`))).code).toBe('unknown-site');
  });

  it('fills the log no faster than its rate', async () => {
    for (let tries = 0; tries < 8; tries += 1) {
      await ping(`${DOOR_TOKEN}?site=db-${tries}`);
    }
    expect((await ping(`${DOOR_TOKEN}?site=db-9`)).status).toBe(429);
  });

  it('has one rate for all of its sites', async () => {
    const statuses: number[] = [];
    for (const site of ['db-1', 'db-2', 'db-1', 'db-2', 'db-1', 'db-2']) {
      statuses.push((await ping(`${DOOR_TOKEN}?site=${site}`)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('answers that nobody can be born while no quorum answers', async () => {
    api.setWeather('cut-off');
    const asked = ping(`${DOOR_TOKEN}?site=db-1`);
    await api.clock.advance(60_000);
    expect((await problemOf(await asked)).status).toBe(503);
  });
});
