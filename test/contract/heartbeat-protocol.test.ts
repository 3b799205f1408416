/** The agent that users get and the API of a region, without a wire: they must agree on each word. */
import { afterEach, describe, expect, test } from 'vitest';
import type { HeartbeatProblem } from '../../lib/agent/endpoint.ts';
import { type HeartbeatClient, startHeartbeats } from '../../lib/agent/heartbeat-client.ts';
import type { HeartbeatOptions } from '../../lib/agent/heartbeat-options.ts';
import { type ApiFixture, createApiFixture, SITE_TOKEN } from '../support/control-plane-fixture.ts';
import { createManualClock } from '../support/manual-clock.ts';

const clients: HeartbeatClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
});

/** An agent of `checkout@us-east-1` whose only region is the fixture's. Resolves after one beat. */
async function beatOnce(region: ApiFixture, options: Partial<HeartbeatOptions> = {}) {
  const problems: HeartbeatProblem[] = [];
  const settled = Promise.withResolvers<void>();
  const clock = createManualClock();
  const client = startHeartbeats({
    service: 'checkout',
    site: 'us-east-1',
    endpoints: ['http://region.test'],
    token: SITE_TOKEN,
    intervalMs: 1000,
    clock,
    fetch: async (url, init) => {
      const response = await region.app.request(url, init);
      const text = await response.text();
      settled.resolve();
      return { status: response.status, headers: response.headers, text: async () => text };
    },
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  clients.push(client);
  await settled.promise;
  // What follows from the answer happens before the next beat.
  await clock.advance(1);
  return { client, problems };
}

describe('heartbeat protocol', () => {
  test('a region takes the beat and the agent takes the role', async () => {
    const region = await createApiFixture();
    const { client, problems } = await beatOnce(region);
    expect(problems).toEqual([]);
    const { role, regions } = client.snapshot();
    expect(role).toMatchObject({ role: 'active', epoch: { term: expect.any(Number) } });
    expect(regions).toMatchObject([{ sequenceAnswered: 1, failuresInARow: 0 }]);
  });

  test('a region lends the role for three beats, and the agent counts them down', async () => {
    const region = await createApiFixture();
    const { client } = await beatOnce(region);
    expect(client.snapshot().leaseLeftMs).toBe(3 * 1000 - 1);
  });

  test('a region understands a goodbye, also of a site that is active', async () => {
    const region = await createApiFixture();
    const { client } = await beatOnce(region);
    expect(await client.stop({ leaving: true })).toEqual({ toldRegions: 1 });
    await region.clock.advance(2000);
    const standing = region.plane.status().state.services['checkout']?.sites['us-east-1'];
    expect(Object.values(standing?.verdicts ?? {}).map(({ verdict }) => verdict.code)).toEqual([
      'deregistered',
    ]);
  });

  test('the other site is told to stand by, in the same epoch', async () => {
    const region = await createApiFixture();
    const [active, standby] = [
      await beatOnce(region),
      await beatOnce(region, { site: 'us-west-2' }),
    ];
    expect(standby.client.snapshot().role).toEqual({
      role: 'standby',
      epoch: active.client.snapshot().role.epoch,
    });
  });

  test('status and replication lag arrive as they were sent', async () => {
    const region = await createApiFixture();
    const { problems } = await beatOnce(region, {
      status: () => 'degraded',
      replicationLagMs: () => 1234,
    });
    expect(problems).toEqual([]);
    // The observer of this region looks again within two of its rounds.
    await region.clock.advance(2000);
    const seen = region.plane.status().observations.find(({ site }) => site === 'us-east-1');
    expect(seen?.replicationLagMs).toBe(1234);
  });

  test.each([
    ['a wrong token', { token: 'not-the-token-of-this-site' }, 401],
    ['a site that nobody configured', { site: 'eu-west-1' }, 404],
    ['a service that nobody configured', { service: 'no such/service' }, 404],
  ])('%s is refused in words that the agent can pass on', async (_, options, status) => {
    const region = await createApiFixture();
    const { client, problems } = await beatOnce(region, options);
    expect(problems).toMatchObject([
      { code: 'refused', status, detail: expect.stringMatching(/\w+ \w+/) },
    ]);
    expect(client.snapshot().role.role).toBe('unknown');
  });
});
