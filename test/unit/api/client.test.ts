import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiClient, createApiClient } from '../../../lib/api/client.ts';
import type { ClientFetch } from '../../../lib/api/client-transport.ts';
import type { ControlPlane } from '../../../lib/control/control-plane.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';
import {
  type ApiFixture,
  createApiFixture,
  FLEET,
  OPERATOR_TOKEN,
  untilSteady,
} from '../../support/control-plane-fixture.ts';

const ENDPOINTS = ['http://a.test', 'http://b.test', 'http://c.test'];

/** What stands at one endpoint. */
type Behaviour =
  | 'serves'
  | 'refuses-connection'
  /** Takes the request and loses the answer. */
  | 'loses-answer'
  | 'never-answers'
  | 'bad-gateway'
  | 'captive-portal';

function lost(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

/** A network in which each endpoint leads to the same region, or behaves as the test says. */
function createNetwork(api: ApiFixture) {
  const behaviours = new Map<string, Behaviour>();
  const asked: { readonly endpoint: string; readonly key: string | undefined }[] = [];
  const fetch: ClientFetch = async (url, init) => {
    const { origin } = new URL(url);
    asked.push({ endpoint: origin, key: init.headers['idempotency-key'] });
    switch (behaviours.get(origin) ?? 'serves') {
      case 'serves':
        return await api.app.request(url, init);
      case 'refuses-connection':
        throw lost('ECONNREFUSED');
      case 'loses-answer':
        await api.app.request(url, init);
        throw lost('ECONNRESET');
      case 'never-answers':
        return await new Promise((_, reject) => {
          init.signal.addEventListener('abort', () => reject(init.signal.reason));
        });
      case 'bad-gateway':
        return new Response('<h1>Bad Gateway</h1>', { status: 502 });
      case 'captive-portal':
        return new Response('<h1>Log in to the hotel</h1>', { status: 200 });
    }
  };
  const set = (...list: readonly Behaviour[]) => {
    for (const [index, endpoint] of ENDPOINTS.entries()) {
      behaviours.set(endpoint, list[index] ?? 'serves');
    }
  };
  return { fetch, asked, set };
}

function clientOf(fetch: ClientFetch, options: { token?: string | null; inOrder?: boolean } = {}) {
  let keys = 0;
  return createApiClient({
    endpoints: ENDPOINTS,
    token: options.token === undefined ? OPERATOR_TOKEN : options.token,
    timeoutMs: 50,
    // The highest draw leaves the endpoints in order.
    random: options.inOrder === false ? seededRandom(1) : () => 0.999,
    fetch,
    newKey: () => {
      keys += 1;
      return `new-${keys}`;
    },
  });
}

describe('createApiClient', () => {
  let api: ApiFixture;
  let network: ReturnType<typeof createNetwork>;
  let client: ApiClient;

  beforeEach(async () => {
    api = await createApiFixture();
    await api.beat('us-east-1');
    await api.beat('us-west-2');
    await api.clock.advance(1000);
    network = createNetwork(api);
    client = clientOf(network.fetch);
  });

  const notes = () => api.plane.status().state.timeline.filter(({ kind }) => kind === 'note');

  it('reads everything that the API offers', async () => {
    const accepted = await client.failover('checkout', { reason: 'drill' });
    const run = accepted.kind === 'ok' ? (accepted.value.run ?? '') : '';
    await untilSteady(api.plane, api.clock);
    const answers = [
      await client.status(),
      await client.services(),
      await client.runs(),
      await client.run(run),
      await client.report(run, 'markdown'),
      await client.log(0, 5),
      await client.lookUp('key:new-1'),
    ];
    expect(answers.map(({ kind }) => kind)).toEqual(Array(7).fill('ok'));
    expect(answers[4]).toMatchObject({ value: (await api.plane.report(run))?.markdown });
    expect(answers[6]).toMatchObject({ value: { result: { run } } });
  });

  it.each<Behaviour>(['refuses-connection', 'never-answers', 'bad-gateway', 'captive-portal'])(
    'reads from the next endpoint when one %s',
    async (behaviour) => {
      network.set(behaviour, behaviour, 'serves');
      expect(await client.status()).toMatchObject({ kind: 'ok', endpoint: ENDPOINTS[2] });
    },
  );

  it('names every endpoint that was silent, and why', async () => {
    network.set('refuses-connection', 'captive-portal', 'bad-gateway');
    const answer = await client.status();
    expect(answer).toMatchObject({
      kind: 'unreachable',
      silences: ENDPOINTS.map((endpoint) => ({ endpoint })),
    });
    expect(JSON.stringify(answer)).toContain('ECONNREFUSED');
  });

  it('asks the others when one region does not know a run yet', async () => {
    expect(await client.run('checkout-99')).toMatchObject({
      kind: 'problem',
      problem: { code: 'unknown-run' },
    });
    expect(network.asked).toHaveLength(3);
  });

  it('asks nobody else about a request that every region refuses alike', async () => {
    const stranger = clientOf(network.fetch, { token: 'wrong' });
    const answer = await stranger.note('checkout', { text: 'x' });
    expect(answer).toMatchObject({ kind: 'problem', problem: { code: 'token-wrong' } });
    expect(network.asked).toHaveLength(1);
  });

  it('spreads its first choice over the endpoints', async () => {
    const spread = clientOf(network.fetch, { inOrder: false });
    for (let count = 0; count < 60; count += 1) {
      await spread.status();
    }
    for (const endpoint of ENDPOINTS) {
      const share = network.asked.filter((ask) => ask.endpoint === endpoint).length;
      expect(share).toBeGreaterThan(10);
    }
  });

  it('commits once though the first answer is lost: the same key goes to the next', async () => {
    network.set('loses-answer', 'serves');
    const answer = await client.note('checkout', { text: 'once' });
    expect(answer).toMatchObject({ kind: 'ok', value: { command: 'key:new-1' } });
    expect(network.asked.map(({ key }) => key)).toEqual(['new-1', 'new-1']);
    expect(notes()).toHaveLength(1);
  });

  it('says unknown, with the id, when the command may have arrived', async () => {
    network.set('loses-answer', 'refuses-connection', 'never-answers');
    const answer = await client.note('checkout', { text: 'maybe' }, 'my-key');
    expect(answer).toMatchObject({ kind: 'unknown', command: 'key:my-key', key: 'my-key' });
    network.set('serves');
    expect(await client.lookUp('key:my-key')).toMatchObject({ kind: 'ok' });
  });

  it('says unreachable, not unknown, when nobody can have taken the command', async () => {
    network.set('refuses-connection', 'refuses-connection', 'refuses-connection');
    const answer = await client.note('checkout', { text: 'x' });
    expect(answer.kind).toBe('unreachable');
    expect(notes()).toHaveLength(0);
  });

  it('believes a committed refusal though an earlier answer was lost', async () => {
    network.set('loses-answer', 'serves');
    const answer = await client.failover('checkout', { to: 'us-east-1', reason: 'x' });
    expect(answer).toMatchObject({ kind: 'problem', problem: { code: 'already-active' } });
  });

  it('keeps to unknown when a later region only says that it cannot', async () => {
    const cut = await createApiFixture({
      overrides: (): Partial<ControlPlane> => ({
        propose: async (id) => ({ kind: 'rejected', id, code: 'no-quorum', hint: 'Wait.' }),
      }),
    });
    const other = createNetwork(cut);
    other.set('serves', 'serves', 'serves');
    const rejected = await clientOf(other.fetch).note('checkout', { text: 'x' });
    expect(rejected).toMatchObject({ kind: 'problem', problem: { code: 'no-quorum' } });
    other.set('bad-gateway', 'serves', 'serves');
    const doubtful = await clientOf(other.fetch).note('checkout', { text: 'x' });
    expect(doubtful.kind).toBe('unknown');
  });

  it('asks for dry runs as it reads: without a key, and nothing changes', async () => {
    const { appliedIndex } = api.plane.status().position;
    const failover = await client.failover('checkout', { reason: 'x', dryRun: true });
    const config = await client.applyConfig(
      { policies: FLEET, monitors: [] },
      { reason: 'x', dryRun: true },
    );
    expect(failover).toMatchObject({ kind: 'ok', value: { dryRun: true, wouldBe: 'accepted' } });
    expect(config).toMatchObject({ kind: 'ok', value: { dryRun: true } });
    expect(network.asked.map(({ key }) => key)).toEqual([undefined, undefined]);
    expect(api.plane.status().position.appliedIndex).toBe(appliedIndex);
  });

  it('fails back and applies a configuration', async () => {
    await client.failover('checkout', { reason: 'drill', by: 'ana' });
    await untilSteady(api.plane, api.clock);
    expect(await client.failback('checkout', { reason: 'over' })).toMatchObject({ kind: 'ok' });
    await untilSteady(api.plane, api.clock);
    const left = { policies: FLEET.slice(0, 1), monitors: [] };
    const applied = await client.applyConfig(left, { reason: 'search is gone' });
    expect(applied).toMatchObject({ kind: 'ok', value: { code: 'config-applied' } });
    expect(Object.keys(api.plane.status().state.services)).toEqual(['checkout']);
  });

  it('sends no token it does not have, and follows no redirect', async () => {
    const sent: unknown[] = [];
    const anonymous = clientOf(
      async (_, init) => {
        sent.push([init.headers['authorization'], init.redirect]);
        throw lost('ECONNREFUSED');
      },
      { token: null },
    );
    await anonymous.status();
    expect(sent).toEqual(Array(3).fill([undefined, 'error']));
  });
});
