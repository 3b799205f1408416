import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatProblem } from '../../../lib/agent/endpoint.ts';
import { type HeartbeatClient, startHeartbeats } from '../../../lib/agent/heartbeat-client.ts';
import type { HeartbeatOptions, RoleReason } from '../../../lib/agent/heartbeat-options.ts';
import type { HeartbeatFetch } from '../../../lib/agent/http.ts';
import type { SiteRole } from '../../../lib/agent/role.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

type Reply =
  | { readonly status: number; readonly body: unknown; readonly retryAfter?: string }
  | 'hang'
  | 'break';
interface Arrival {
  readonly url: string;
  readonly at: number;
  readonly body: { readonly sequence: number; readonly bootId: string; readonly status: string };
}

const answer = (role: SiteRole['role'] = 'standby', term = 1, nextBeatMs = 1000): Reply => ({
  status: 200,
  body: {
    role,
    epoch: { term, index: 1 },
    nextBeatMs,
    leaseMs: 3 * nextBeatMs,
    receivedAt: '2026-11-23T10:00:00Z',
  },
});

/** Regions as a function from (url, time) to a reply, and everything the agent said and did. */
interface World {
  readonly clock: ManualClock;
  readonly arrivals: Arrival[];
  readonly aborted: string[];
  readonly roles: SiteRole[];
  readonly changes: (readonly [SiteRole, RoleReason])[];
  readonly problems: HeartbeatProblem[];
  readonly client: HeartbeatClient;
}

function startWorld(
  reply: (url: string, at: number) => Reply,
  options: Partial<HeartbeatOptions> = {},
): World {
  const clock = createManualClock(0);
  const [arrivals, aborted]: [Arrival[], string[]] = [[], []];
  const [roles, problems]: [SiteRole[], HeartbeatProblem[]] = [[], []];
  const changes: (readonly [SiteRole, RoleReason])[] = [];
  const region: HeartbeatFetch = async (url, init) => {
    const at = clock.monotonicNow();
    arrivals.push({ url: new URL(url).host, at, body: JSON.parse(init.body) });
    init.signal.addEventListener('abort', () => aborted.push(new URL(url).host));
    const given = reply(new URL(url).host, at);
    if (given === 'hang') {
      return new Promise(() => undefined);
    }
    if (given === 'break') {
      throw new TypeError('connection reset');
    }
    const text = typeof given.body === 'string' ? given.body : JSON.stringify(given.body);
    const headers = { get: () => given.retryAfter ?? null };
    return { status: given.status, headers, text: async () => text };
  };
  const client = startHeartbeats({
    service: 'checkout',
    site: 'us-east-1',
    endpoints: ['http://a.test', 'http://b.test', 'http://c.test'],
    token: 'secret-token',
    intervalMs: 1000,
    onRole: (role, reason) => {
      roles.push(role);
      changes.push([role, reason]);
    },
    onProblem: (problem) => problems.push(problem),
    clock,
    random: () => 0.5,
    fetch: region,
    ...options,
  });
  return { clock, arrivals, aborted, roles, changes, problems, client };
}

const at = (world: World, host: string) => world.arrivals.filter(({ url }) => url === host);

describe('startHeartbeats', () => {
  it('sends one sequence number, one boot id and one status to all regions each interval', async () => {
    const world = startWorld(() => answer());
    await world.clock.advance(2000);
    await world.client.stop();
    const beats = ['a.test', 'b.test', 'c.test'].map((host) => at(world, host).map((x) => x.body));
    expect(beats[0]?.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(beats[1]).toEqual(beats[0]);
    expect(beats[2]).toEqual(beats[0]);
    expect(beats[0]?.[0]).toEqual({
      sequence: 1,
      bootId: world.client.snapshot().bootId,
      status: 'ok',
    });
    expect(world.client.snapshot().bootId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('speaks the heartbeat API: path, method, token and media type', async () => {
    const calls: { url: string; init: Parameters<HeartbeatFetch>[1] }[] = [];
    const world = startWorld(() => answer(), {
      service: 'check out',
      endpoints: ['http://a.test/base/'],
      fetch: async (url, init) => {
        calls.push({ url, init });
        return { status: 500, headers: { get: () => null }, text: async () => '' };
      },
    });
    await world.clock.advance(0);
    await world.client.stop();
    expect(calls[0]?.url).toBe(
      'http://a.test/base/v1/services/check%20out/sites/us-east-1/heartbeats',
    );
    expect(calls[0]?.init).toMatchObject({
      method: 'POST',
      redirect: 'error',
      headers: { authorization: 'Bearer secret-token', 'content-type': 'application/json' },
    });
  });

  it('begins again at one, with a new boot id, at each start', async () => {
    const [first, second] = [startWorld(() => answer()), startWorld(() => answer())];
    await Promise.all([first.clock.advance(0), second.clock.advance(0)]);
    await Promise.all([first.client.stop(), second.client.stop()]);
    const [one, two] = [first.arrivals[0]?.body, second.arrivals[0]?.body];
    expect([one?.sequence, two?.sequence]).toEqual([1, 1]);
    expect(one?.bootId).not.toBe(two?.bootId);
  });

  it('reports status and replication lag as they are at each beat', async () => {
    const statuses = ['ok', 'degraded', 'failing'] as const;
    const lags = [12.4, null, 0];
    let [statusIndex, lagIndex] = [0, 0];
    const world = startWorld(() => answer(), {
      endpoints: ['http://a.test'],
      status: () => statuses[statusIndex++] ?? 'ok',
      replicationLagMs: () => lags[lagIndex++] ?? null,
    });
    await world.clock.advance(2000);
    await world.client.stop();
    expect(world.arrivals.map(({ body }) => body)).toMatchObject([
      { status: 'ok', replicationLagMs: 12 },
      { status: 'degraded' },
      { status: 'failing', replicationLagMs: 0 },
    ]);
    expect(world.arrivals[1]?.body).not.toHaveProperty('replicationLagMs');
  });
});

describe('startHeartbeats with regions in trouble', () => {
  it('lets a region that never answers delay nobody, with one request under way to it', async () => {
    const world = startWorld((url) => (url === 'b.test' ? 'hang' : answer()), {
      requestTimeoutMs: 3000,
    });
    await world.clock.advance(2900);
    expect([at(world, 'a.test').length, at(world, 'b.test').length]).toEqual([3, 1]);
    await world.clock.advance(100);
    expect(world.aborted).toEqual(['b.test']);
    expect(world.problems).toMatchObject([{ code: 'timed-out', endpoint: 'http://b.test' }]);
    await world.client.stop();
  });

  it('is heard by a region that returns within the bound, however long it was away', async () => {
    const backAt = 600_000;
    const world = startWorld(
      (url, now) => (url === 'c.test' && now < backAt ? 'break' : answer()),
      { random: () => 0.9999 },
    );
    await world.clock.advance(backAt);
    const attempts = at(world, 'c.test').length;
    expect(attempts).toBeLessThan(150);
    await world.clock.advance(5000 + 1050);
    expect(at(world, 'c.test').length).toBeGreaterThan(attempts);
    expect(world.client.snapshot().regions[2]).toMatchObject({ failuresInARow: 0, problem: null });
    await world.client.stop();
  });

  it('tells a problem once, and again when it changes or returns', async () => {
    const script: Reply[] = ['break', 'break', { status: 401, body: { detail: 'No such token.' } }];
    const world = startWorld(() => script.shift() ?? answer(), { endpoints: ['http://a.test'] });
    await world.clock.advance(30_000);
    expect(world.problems).toEqual([
      {
        code: 'unreachable',
        endpoint: 'http://a.test',
        status: null,
        detail: 'TypeError: connection reset',
      },
      {
        code: 'refused',
        endpoint: 'http://a.test',
        status: 401,
        detail: 'status 401: No such token.',
      },
    ]);
    script.push('break');
    await world.clock.advance(5000);
    expect(world.problems.at(-1)?.code).toBe('unreachable');
    await world.client.stop();
  });

  it('waits as long as an overloaded region asks, within the bound', async () => {
    const script: Reply[] = [{ status: 429, body: '', retryAfter: '4' }];
    const world = startWorld(() => script.shift() ?? answer(), { endpoints: ['http://a.test'] });
    await world.clock.advance(10_000);
    expect(world.arrivals.slice(0, 2).map((arrival) => arrival.at)).toEqual([0, 4000]);
    await world.client.stop();
  });

  it('treats a 200 that is no answer of Tripoint as a problem', async () => {
    const world = startWorld(() => ({ status: 200, body: '<html>Please log in</html>' }));
    await world.clock.advance(0);
    expect(world.problems.map(({ code }) => code)).toEqual(Array(3).fill('answer-malformed'));
    expect(world.roles).toEqual([]);
    await world.client.stop();
  });
});

describe('startHeartbeats and its host', () => {
  it('follows the role of the highest epoch and tells each change once', async () => {
    const world = startWorld((url, now) => {
      if (url === 'a.test') {
        return answer('active', 1);
      }
      return now < 3000 ? answer('active', 1) : answer('standby', 2);
    });
    await world.clock.advance(10_000);
    expect(world.roles).toEqual([
      { role: 'active', epoch: { term: 1, index: 1 } },
      { role: 'standby', epoch: { term: 2, index: 1 } },
    ]);
    expect(world.client.snapshot().role).toEqual(world.roles[1]);
    await world.client.stop();
  });

  it('beats faster or slower as the regions ask, within a factor of four', async () => {
    const count = async (nextBeatMs: number) => {
      const world = startWorld(() => answer('standby', 1, nextBeatMs));
      await world.clock.advance(20_000);
      await world.client.stop();
      return at(world, 'a.test').length;
    };
    expect(await count(500)).toBeGreaterThan(38);
    expect(await count(2000)).toBeLessThan(12);
    expect(await count(1)).toBeLessThanOrEqual(81);
    expect(await count(86_400_000)).toBeGreaterThanOrEqual(5);
  });

  it('lets the first call of a callback refer to the client already', async () => {
    const world: World = startWorld(() => answer(), {
      status: () => (world.client.snapshot().sequence > 0 ? 'ok' : 'failing'),
    });
    await world.clock.advance(0);
    await world.client.stop();
    expect(world.arrivals[0]?.body.status).toBe('ok');
    expect(world.problems).toEqual([]);
  });

  it('survives a host whose callbacks throw or reject', async () => {
    const fail = (): never => {
      throw new Error('bug of the host');
    };
    const world = startWorld(() => answer(), {
      endpoints: ['http://a.test'],
      status: fail,
      replicationLagMs: () => Number.NaN,
      onRole: () => Promise.reject(new Error('later')),
    });
    await world.clock.advance(1000);
    expect(world.arrivals.map(({ body }) => body.status)).toEqual(['failing', 'failing']);
    expect(new Set(world.problems.map(({ code }) => code))).toEqual(new Set(['callback-threw']));
    expect(world.problems.some(({ detail }) => detail === 'Error: later')).toBe(true);
    await world.client.stop();
  });

  it('survives a host whose problem channel throws or rejects', async () => {
    for (const onProblem of [
      () => {
        throw new Error('no log');
      },
      () => Promise.reject(new Error('no log')),
    ]) {
      const world = startWorld(() => 'break', { onProblem });
      await world.clock.advance(20_000);
      expect(at(world, 'a.test').length).toBeGreaterThan(3);
      await world.client.stop();
    }
  });

  it('ends at once when stopped: no beat, no timer and no callback after', async () => {
    const world = startWorld((url) => (url === 'a.test' ? 'hang' : answer()), {
      requestTimeoutMs: 3000,
    });
    await world.clock.advance(1500);
    const { length } = world.arrivals;
    await world.client.stop();
    expect(world.clock.sleeperCount()).toBe(0);
    await world.clock.advance(60_000);
    expect(world.arrivals.length).toBe(length);
    expect(world.problems).toEqual([]);
    await world.client.stop();
  });

  it('can be stopped before the first beat', async () => {
    const world = startWorld(() => answer());
    await world.client.stop();
    await world.clock.advance(5000);
    expect(world.arrivals).toEqual([]);
  });

  it('catches up with one beat after the process was frozen, not with a burst', async () => {
    const world = startWorld(() => answer(), { endpoints: ['http://a.test'] });
    await world.clock.advance(2000);
    await world.clock.freeze(600_000);
    await world.clock.advance(2000);
    const instants = world.arrivals.map((arrival) => arrival.at);
    expect(instants).toEqual([0, 1000, 2000, 602_000, 603_000, 604_000]);
    await world.client.stop();
  });
});

/** What an old region or a lagging copy says: without a lease, or for an epoch of the past. */
const withoutLease = (role: SiteRole['role']): Reply => ({
  status: 200,
  body: { role, epoch: { term: 1, index: 1 }, nextBeatMs: 1000 },
});

describe('startHeartbeats and the lease of the role', () => {
  const told = (world: World) => world.changes.map(([role, reason]) => `${role.role} ${reason}`);

  it.each(['break', 'hang'] as const)(
    'gives the role up when every region is gone (%s), counted from the last answered request',
    async (silence) => {
      const world = startWorld((_, now) => (now <= 2000 ? answer('active', 1) : silence));
      await world.clock.advance(4999);
      expect(world.client.role().role).toBe('active');
      await world.clock.advance(1);
      expect(told(world)).toEqual(['active answered', 'unknown lease-lapsed']);
      expect(world.client.role()).toEqual({ role: 'unknown', epoch: { term: 1, index: 1 } });
      expect(world.client.snapshot()).toMatchObject({ leaseLeftMs: 0, role: { role: 'unknown' } });
      await world.client.stop();
    },
  );

  it('counts from the sending, so a slow answer lends less', async () => {
    const clock = createManualClock(0);
    const changes: string[] = [];
    let beats = 0;
    const client = startHeartbeats({
      service: 'checkout',
      site: 'us-east-1',
      endpoints: ['http://a.test'],
      token: 'secret-token',
      intervalMs: 1000,
      requestTimeoutMs: 3000,
      onRole: ({ role }) => changes.push(`${role} at ${clock.monotonicNow()}`),
      clock,
      random: () => 0.5,
      fetch: async () => {
        beats += 1;
        if (beats > 1) {
          return new Promise(() => undefined);
        }
        await clock.sleep(2500);
        const body = { role: 'active', epoch: { term: 1, index: 1 }, nextBeatMs: 1000 };
        return {
          status: 200,
          headers: { get: () => null },
          text: async () => JSON.stringify(body),
        };
      },
    });
    await clock.advance(5000);
    await client.stop();
    expect(changes).toEqual(['active at 2500', 'unknown at 3000']);
  });

  it('keeps the role while one region of three answers', async () => {
    const world = startWorld((url) => (url === 'c.test' ? answer('active', 1) : 'hang'));
    await world.clock.advance(60_000);
    expect(told(world)).toEqual(['active answered']);
    await world.client.stop();
  });

  it('takes the role back, and says so, when a region answers again', async () => {
    const isGone = (now: number) => now > 2000 && now < 20_000;
    const world = startWorld((_, now) => (isGone(now) ? 'break' : answer('active', 1)));
    await world.clock.advance(30_000);
    expect(told(world)).toEqual(['active answered', 'unknown lease-lapsed', 'active answered']);
    await world.client.stop();
  });

  it('survives the loss of any one round of beats, and asks spared regions at once after it', async () => {
    const world = startWorld(
      (_, now) => (now > 5500 && now < 6500 ? 'break' : answer('active', 1)),
      {
        random: () => 0.9999,
      },
    );
    await world.clock.advance(20_000);
    expect(told(world)).toEqual(['active answered']);
    await world.client.stop();
  });

  it('fences after the process was frozen for longer than the lease, before the next answer', async () => {
    const world = startWorld((_, now) => (now <= 2000 ? answer('active', 1) : 'hang'));
    await world.clock.advance(2000);
    await world.clock.freeze(600_000);
    expect(told(world)).toEqual(['active answered', 'unknown lease-lapsed']);
    await world.client.stop();
  });

  it('tells who asks the truth at that instant, before any timer has run', async () => {
    const world = startWorld((_, now) => (now <= 2000 ? answer('active', 1) : 'hang'));
    await world.clock.advance(2000);
    const frozen = world.clock.freeze(600_000);
    expect(world.client.role().role).toBe('unknown');
    await frozen;
    await world.client.stop();
  });

  it('does not let lagging regions bring an old role back, and names them', async () => {
    const world = startWorld((url, now) =>
      url === 'b.test' && now < 1500 ? answer('standby', 2) : answer('active', 1),
    );
    await world.clock.advance(30_000);
    expect(told(world).slice(-2)).toEqual(['standby answered', 'unknown lease-lapsed']);
    expect(world.client.role()).toEqual({ role: 'unknown', epoch: { term: 2, index: 1 } });
    expect(world.problems.map(({ code }) => code)).toEqual(Array(3).fill('epoch-outranked'));
    await world.client.stop();
  });

  it('gives a role up early by the margin that the host asks for', async () => {
    const world = startWorld((_, now) => (now <= 2000 ? answer('active', 1) : 'break'), {
      leaseMarginMs: 800,
    });
    await world.clock.advance(4199);
    expect(world.client.role().role).toBe('active');
    await world.clock.advance(1);
    expect(told(world).at(-1)).toBe('unknown lease-lapsed');
    await world.client.stop();
  });

  it('believes a region that names no lease for three beats', async () => {
    const world = startWorld((_, now) => (now <= 2000 ? withoutLease('active') : 'break'));
    await world.clock.advance(4999);
    expect(world.client.role().role).toBe('active');
    await world.clock.advance(1);
    expect(world.client.role().role).toBe('unknown');
    await world.client.stop();
  });
});

describe('startHeartbeats that says goodbye', () => {
  it('tells every region, with a sequence number of its own, and waits for the answers', async () => {
    const world = startWorld(() => answer());
    await world.clock.advance(1500);
    expect(await world.client.stop({ leaving: true })).toEqual({ toldRegions: 3 });
    const last = ['a.test', 'b.test', 'c.test'].map((host) => at(world, host).at(-1)?.body);
    expect(last).toEqual(
      Array(3).fill(expect.objectContaining({ sequence: 3, status: 'leaving' })),
    );
    expect(world.clock.sleeperCount()).toBe(0);
  });

  it('does not wait longer than one request may take, and says how many took it', async () => {
    const world = startWorld((url) =>
      url === 'c.test' ? answer() : url === 'a.test' ? 'hang' : 'break',
    );
    await world.clock.advance(0);
    const stopped = world.client.stop({ leaving: true });
    await world.clock.advance(900);
    expect(await stopped).toEqual({ toldRegions: 1 });
  });

  it('says nothing when it is merely stopped', async () => {
    const world = startWorld(() => answer());
    await world.clock.advance(0);
    expect(await world.client.stop()).toEqual({ toldRegions: 0 });
    expect(world.arrivals.map(({ body }) => body.status)).not.toContain('leaving');
  });
});

describe('startHeartbeats under any behaviour', () => {
  it('holds its promises against regions that behave at random', async () => {
    const replies = fc.constantFrom<Reply>(answer(), answer(), answer(), 'hang', 'break', {
      status: 503,
      body: '',
    });
    await fc.assert(
      fc.asyncProperty(fc.array(replies, { minLength: 1, maxLength: 40 }), async (script) => {
        let index = 0;
        const world = startWorld(() => script[index++ % script.length] ?? answer());
        await world.clock.advance(60_000);
        await world.client.stop();
        for (const host of ['a.test', 'b.test', 'c.test']) {
          const heard = at(world, host);
          for (const [position, next] of heard.entries()) {
            const previous = heard[position - 1] ?? { at: 0, body: { sequence: 0 } };
            expect(next.body.sequence).toBeGreaterThan(previous.body.sequence);
            // Time limit, then the longest back-off, then the wait for the next round.
            expect(next.at - previous.at).toBeLessThanOrEqual(3000 + 5000 + 1050);
          }
          expect(60_000 - (heard.at(-1)?.at ?? 0)).toBeLessThanOrEqual(3000 + 5000 + 1050);
        }
        expect(JSON.stringify(world.problems)).not.toContain('secret-token');
      }),
      { numRuns: 25 },
    );
  });
});

it('a site that no answer reaches says so, from when its lease has lapsed until it is renewed', async () => {
  const world = startWorld((_, now) => (now < 1500 || now > 8500 ? answer('active', 1) : 'hang'));
  await world.clock.advance(20_000);
  const said = world.arrivals.filter(({ body }) => 'fenced' in body).map((arrival) => arrival.at);
  expect(said.length).toBeGreaterThan(3);
  expect(Math.min(...said)).toBeGreaterThan(3500);
  expect(Math.max(...said)).toBeLessThan(8500 + 3000 + 5000);
  await world.client.stop();
});

describe('the word that a role was given up', () => {
  const taken = (clockMs: number) => (_: string, now: number) =>
    now < clockMs ? answer('active', 1) : answer('standby', 2);
  const words = ({ arrivals }: World) =>
    arrivals.flatMap(({ at: sentAt, body }) => {
      const { acknowledgedEpoch = null } = body as { acknowledgedEpoch?: unknown };
      return acknowledgedEpoch === null ? [] : [{ sentAt, acknowledgedEpoch }];
    });

  it('goes to every region as soon as the host has demoted, and not before', async () => {
    const demoted = Promise.withResolvers<void>();
    const world = startWorld(taken(1000), {
      onRole: ({ role }) => (role === 'standby' ? demoted.promise : undefined),
    });
    await world.clock.advance(1700);
    expect(words(world)).toEqual([]);
    demoted.resolve();
    await world.clock.advance(0);
    const word = { sentAt: 1700, acknowledgedEpoch: { term: 2, index: 1 } };
    expect(words(world)).toEqual([word, word, word]);
    await world.client.stop();
  });

  it.each([
    ['the host could not demote', () => Promise.reject(new Error('stuck'))],
    [
      'the callback threw',
      () => {
        throw new Error('stuck');
      },
    ],
  ])('is not given when %s', async (_case, fail) => {
    const world = startWorld(taken(1000), {
      onRole: ({ role }) => (role === 'standby' ? fail() : undefined),
    });
    await world.clock.advance(4000);
    expect(words(world)).toEqual([]);
    await world.client.stop();
  });

  it('is not given where nobody is told of the role', async () => {
    const clock = createManualClock(0);
    const bodies: string[] = [];
    const client = startHeartbeats({
      service: 'checkout',
      site: 'us-east-1',
      endpoints: ['http://a.test'],
      token: 'secret-token',
      intervalMs: 1000,
      clock,
      random: () => 0.5,
      fetch: async (_url, init) => {
        bodies.push(init.body);
        const { body } = answer('standby', 2) as { body: unknown };
        return {
          status: 200,
          headers: { get: () => null },
          text: async () => JSON.stringify(body),
        };
      },
    });
    await clock.advance(3000);
    await client.stop();
    expect(bodies.length).toBeGreaterThan(2);
    expect(bodies.filter((body) => body.includes('acknowledgedEpoch'))).toEqual([]);
  });
});
