import { describe, expect, it } from 'vitest';
import type { KillOutcome, ProcessView, StartOutcome } from '../../../lib/local/process-table.ts';
import { createSupervisorApi } from '../../../lib/local/supervisor-api.ts';

const TOKEN = 'a-token-of-twenty-characters';
const VIEW: ProcessView = {
  name: 'us-east-1',
  kind: 'region',
  state: 'running',
  pid: 4711,
  exit: null,
};

interface Answers {
  readonly kill?: KillOutcome;
  readonly start?: StartOutcome;
}

/** The API over a table that gives these answers, and what it was asked. */
function apiOver({ kill, start }: Answers = {}) {
  const asked: string[] = [];
  const api = createSupervisorApi({
    token: TOKEN,
    requestStop: () => asked.push('stop'),
    table: {
      list: () => [VIEW],
      kill: (name) => {
        asked.push(`kill ${name}`);
        return Promise.resolve(kill ?? { kind: 'killed', pid: 4711 });
      },
      start: (name) => {
        asked.push(`start ${name}`);
        return Promise.resolve(start ?? { kind: 'started', pid: 4712, elapsedMs: 900 });
      },
    },
  });
  const call = async (method: string, path: string, token: string = TOKEN) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await api.request(path, { method, headers });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.json(),
    };
  };
  return { asked, call };
}

describe('the supervisor API', () => {
  it('lists the processes', async () => {
    const { call } = apiOver();
    expect(await call('GET', '/processes')).toMatchObject({
      status: 200,
      body: { processes: [VIEW] },
    });
  });

  it.each(['', 'another-token-of-twenty-chars', `${TOKEN}x`, TOKEN.slice(1)])(
    'does nothing for the token %j',
    async (token) => {
      const { asked, call } = apiOver();
      for (const path of ['/processes/us-east-1/kill', '/processes/us-east-1/start', '/stop']) {
        const { status, type, body } = await call('POST', path, token);
        expect([status, type]).toEqual([401, 'application/problem+json']);
        expect(body).toMatchObject({ code: 'unauthorized' });
      }
      expect(asked).toEqual([]);
    },
  );

  it('kills and starts the process whose name stands in the path, also with an @', async () => {
    const { asked, call } = apiOver();
    const name = encodeURIComponent('checkout@us-east-1');
    expect((await call('POST', `/processes/${name}/kill`)).body).toEqual({
      name: 'checkout@us-east-1',
      pid: 4711,
    });
    expect((await call('POST', '/processes/checkout@us-east-1/start')).body).toEqual({
      name: 'checkout@us-east-1',
      pid: 4712,
      elapsedMs: 900,
    });
    expect(asked).toEqual(['kill checkout@us-east-1', 'start checkout@us-east-1']);
  });

  it('answers 404 with the names that exist, and 409 where there is nothing to do', async () => {
    const unknown = { kind: 'unknown-process', known: ['dns'] } as const;
    const missing = apiOver({ kill: unknown, start: unknown });
    for (const verb of ['kill', 'start']) {
      const { status, body } = await missing.call('POST', `/processes/x/${verb}`);
      expect(status).toBe(404);
      expect(body).toMatchObject({
        code: 'unknown-process',
        detail: expect.stringContaining('dns'),
      });
    }
    const idle = apiOver({
      kill: { kind: 'not-running' },
      start: { kind: 'already-running', pid: 1 },
    });
    expect((await idle.call('POST', '/processes/dns/kill')).status).toBe(409);
    expect((await idle.call('POST', '/processes/dns/start')).status).toBe(409);
  });

  it('says why a process could not start, with the hint', async () => {
    const failed = {
      kind: 'failed',
      code: 'register-lost',
      message: 'Gone.',
      hint: 'Look.',
    } as const;
    const { status, body } = await apiOver({ start: failed }).call('POST', '/processes/dns/start');
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'register-lost', detail: 'Gone. Look.' });
  });

  it('answers a request to stop before it stops', async () => {
    const { asked, call } = apiOver();
    expect((await call('POST', '/stop')).status).toBe(202);
    expect(asked).toEqual(['stop']);
  });

  it('answers paths that it does not have with a problem', async () => {
    const { call } = apiOver();
    expect(await call('GET', '/nothing')).toMatchObject({
      status: 404,
      type: 'application/problem+json',
    });
  });
});
