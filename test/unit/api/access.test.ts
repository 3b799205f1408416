import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ApiFixture,
  createApiFixture,
  hashOf,
  OPERATOR_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../support/control-plane-fixture.ts';

const OPEN_WITHOUT_TOKEN = [
  'GET /livez',
  'GET /v1/routing/:service/:site',
  // A ping has its token in the path; an unknown one is not found.
  'GET /beat/:token',
  'GET /beat/:token/:action',
  'POST /beat/:token',
  'POST /beat/:token/:action',
];
const OWN_TOKEN = [
  'POST /v1/services/:service/sites/:site/reports',
  'POST /v1/services/:service/heartbeats',
  'POST /v1/services/:service/sites/:site/heartbeats',
];
const COMMANDS = [
  'DELETE /v1/freeze',
  'DELETE /v1/services/:service/drill',
  'DELETE /v1/services/:service/freeze',
  'DELETE /v1/services/:service/maintenance',
  'DELETE /v1/services/:service/overrides/:rule',
  'POST /v1/alarms',
  'POST /v1/freeze',
  'POST /v1/runs/:run/approval',
  'POST /v1/runs/:run/cancellation',
  'POST /v1/services/:service/acknowledgement',
  'POST /v1/services/:service/drill',
  'POST /v1/services/:service/failback',
  'POST /v1/services/:service/failover',
  'POST /v1/services/:service/freeze',
  'POST /v1/services/:service/maintenance',
  'POST /v1/services/:service/notes',
  'POST /v1/services/:service/overrides/:rule',
  'POST /v1/services/:service/plan/check',
  'POST /v1/services/:service/tabletop',
  'PUT /v1/config',
  'PUT /v1/services/:service/weights',
];

const basic = (token: string) => `Basic ${Buffer.from(`ana:${token}`).toString('base64')}`;

function routesOf({ app }: ApiFixture): readonly string[] {
  const routes = app.routes.filter(({ method }) => method !== 'ALL');
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))].sort();
}

function ask({ app }: ApiFixture, route: string, authorization?: string) {
  const [method = '', path = ''] = route.split(' ');
  const concrete = path.replace(':service', 'checkout').replace(':site', 'us-east-1');
  return app.request(concrete.replace(/:[a-z]+/g, 'none'), {
    method,
    headers: authorization === undefined ? {} : { authorization },
  });
}

describe('access', () => {
  let closed: ApiFixture;
  let open: ApiFixture;

  beforeAll(async () => {
    closed = await createApiFixture({ settings: { openReads: false } });
    open = await createApiFixture();
  });

  it('asks for a token on every route but those that sites and health checkers use', async () => {
    const unguarded: string[] = [];
    for (const route of routesOf(closed)) {
      const { status } = await ask(closed, route);
      if (status !== 401) {
        unguarded.push(route);
      }
    }
    // A heartbeat needs a token too: the site's own.
    expect(unguarded.sort()).toEqual(OPEN_WITHOUT_TOKEN.toSorted());
  });

  it('opens the reads, and only them, where reads are open', async () => {
    const guarded: string[] = [];
    for (const route of routesOf(open)) {
      const { status } = await ask(open, route);
      if (status === 401) {
        guarded.push(route);
      }
    }
    expect(guarded.sort()).toEqual([...COMMANDS, ...OWN_TOKEN].sort());
  });

  it('lets the operator read everything where reads are closed', async () => {
    for (const route of routesOf(closed).filter((name) => name.startsWith('GET'))) {
      const { status } = await ask(closed, route, `Bearer ${OPERATOR_TOKEN}`);
      expect([route, status]).not.toEqual([route, 401]);
    }
  });

  it('takes a browser login for reads and never for commands', async () => {
    expect((await ask(closed, 'GET /v1/status', basic(OPERATOR_TOKEN))).status).toBe(200);
    for (const route of COMMANDS) {
      const problem = await problemOf(await ask(closed, route, basic(OPERATOR_TOKEN)));
      expect(problem.code).toBe('token-missing');
    }
  });

  it.each([`Bearer ${SITE_TOKEN}`, `Bearer ${OPERATOR_TOKEN}x`, basic('wrong')])(
    'refuses the credential %s',
    async (authorization) => {
      const problem = await problemOf(await ask(closed, 'GET /v1/status', authorization));
      expect(problem.code).toBe('token-wrong');
    },
  );

  it('offers a login to a browser that opens the page, and to nobody else', async () => {
    const page = await closed.app.request('/', { headers: { accept: 'text/html' } });
    const json = await closed.app.request('/v1/status');
    expect(page.headers.get('www-authenticate')).toMatch(/^Basic .*Bearer/);
    expect(json.headers.get('www-authenticate')).toBe('Bearer realm="tripoint"');
  });

  it('takes no command at all where no operator token is configured', async () => {
    const { operate } = await createApiFixture({ auth: { operatorTokenHashes: [] } });
    const body = { policies: [] };
    const problem = await problemOf(await operate({ method: 'PUT', path: '/v1/config', body }));
    expect(problem.code).toBe('token-wrong');
  });

  it('accepts each of two operator tokens while one is rotated', async () => {
    const operatorTokenHashes = ['old', 'new'].map(hashOf);
    const { app } = await createApiFixture({
      auth: { operatorTokenHashes },
      settings: { openReads: false },
    });
    for (const token of ['old', 'new']) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await app.request('/v1/status', { headers })).status).toBe(200);
    }
  });
});
