import { beforeEach, describe, expect, it } from 'vitest';
import { acceptedSchema, dryRunSchema } from '../../../../lib/api/schemas.ts';
import { hashConfiguration } from '../../../../lib/config/configuration-hash.ts';
import type { ControlPlane } from '../../../../lib/control/control-plane.ts';
import {
  type ApiFixture,
  createApiFixture,
  FLEET,
  OPERATOR_TOKEN,
  policyOf,
  problemOf,
  untilSteady,
} from '../../../support/control-plane-fixture.ts';

const FAILOVER = { method: 'POST', path: '/v1/services/checkout/failover' };
const NOTE = { method: 'POST', path: '/v1/services/checkout/notes' };

/** Both sites of `checkout` are heard. */
async function createBeatingFixture(): Promise<ApiFixture> {
  const api = await createApiFixture();
  await api.beat('us-east-1');
  await api.beat('us-west-2');
  await api.clock.advance(1000);
  return api;
}

/** The command whose fate is asked for, while the clock runs on. */
async function settled(api: ApiFixture, pending: Promise<Response>): Promise<Response> {
  await api.clock.advance(12_000);
  return await pending;
}

describe('commands', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createBeatingFixture();
  });

  const activeSite = () => api.plane.status().state.services['checkout']?.activeSite;

  it('fails over, says which run it began, and where to look', async () => {
    const response = await api.operate({ ...FAILOVER, body: { reason: 'drill', by: 'ana' } });
    const accepted = acceptedSchema.parse(await response.json());
    expect(response.status).toBe(202);
    expect(accepted).toMatchObject({ dryRun: false, code: 'failover-authorised' });
    expect(response.headers.get('location')).toBe(`/v1/runs/${accepted.run}`);
    expect(response.headers.get('tripoint-command-id')).toBe(accepted.command);
    await untilSteady(api.plane, api.clock);
    const run = api.plane.status().state.runs.at(-1);
    expect(run).toMatchObject({ requestedBy: 'ana', reason: 'drill', outcome: { kind: 'done' } });
    expect(activeSite()).toBe('us-west-2');
  });

  it('fails back to the primary site', async () => {
    await api.operate({ ...FAILOVER, body: { reason: 'drill' } });
    await untilSteady(api.plane, api.clock);
    const path = '/v1/services/checkout/failback';
    const response = await api.operate({ method: 'POST', path, body: { reason: 'drill is over' } });
    expect(response.status).toBe(202);
    await untilSteady(api.plane, api.clock);
    expect(activeSite()).toBe('us-east-1');
  });

  it('answers a refusal with its reason code and its place in the log', async () => {
    const response = await api.operate({ ...FAILOVER, body: { to: 'us-east-1', reason: 'x' } });
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 409, code: 'already-active', retryable: false });
    expect(problem.index).toBe(api.plane.status().position.appliedIndex);
    expect(problem.command).toBe(response.headers.get('tripoint-command-id'));
  });

  it.each(['nobody', 'constructor', 'toString'])('answers 404 for the service %s', async (name) => {
    const path = `/v1/services/${name}/failover`;
    const response = await api.operate({ method: 'POST', path, body: { reason: 'x' } });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'unknown-service' });
    expect((await api.operate({ ...NOTE, body: { text: 'the log goes on' } })).status).toBe(200);
  });

  it('decides a dry run and changes nothing', async () => {
    const { appliedIndex } = api.plane.status().position;
    const acts = await api.operate({ ...FAILOVER, body: { reason: 'x', dryRun: true } });
    const body = { reason: 'x', to: 'us-east-1', dryRun: true };
    const refuses = await api.operate({ ...FAILOVER, body });
    expect(dryRunSchema.parse(await acts.json())).toMatchObject({
      wouldBe: 'accepted',
      code: 'failover-authorised',
    });
    expect(dryRunSchema.parse(await refuses.json())).toMatchObject({
      wouldBe: 'refused',
      code: 'already-active',
    });
    expect([acts.status, refuses.status]).toEqual([200, 200]);
    expect(acts.headers.get('tripoint-command-id')).toBeNull();
    expect(api.plane.status().position.appliedIndex).toBe(appliedIndex);
    expect(activeSite()).toBe('us-east-1');
  });

  it('puts a note on the timeline', async () => {
    await api.operate({ ...NOTE, body: { text: '  the vendor called ', by: 'ben' } });
    expect(api.plane.status().state.timeline.at(-1)).toMatchObject({
      service: 'checkout',
      kind: 'note',
      sentence: 'ben: the vendor called',
    });
  });

  it('records an alarm and lets it count', async () => {
    const body = { service: 'checkout', site: 'us-east-1', name: 'http-5xx', state: 'alarm' };
    const response = await api.operate({ method: 'POST', path: '/v1/alarms', body });
    expect(response.status).toBe(200);
    expect(api.plane.status().state.services['checkout']?.analysis.code).toBe('active-site-alarm');
  });

  it('applies a configuration as a whole, under the hash that the file has', async () => {
    const policies = [...FLEET, policyOf('billing')];
    const response = await api.operate({ method: 'PUT', path: '/v1/config', body: { policies } });
    expect(response.status).toBe(200);
    const { state } = api.plane.status();
    expect(Object.keys(state.services).sort()).toEqual(['billing', 'checkout', 'search']);
    expect(state.configHash).toBe(hashConfiguration(policies, []));
  });

  it('lists every mistake of a configuration and applies nothing of it', async () => {
    const before = api.plane.status().state;
    const policies = [
      { ...policyOf('checkout'), primary: 'moon', ttlSeconds: 0, colour: 'red' },
      { ...policyOf('search'), sites: [] },
    ];
    const response = await api.operate({ method: 'PUT', path: '/v1/config', body: { policies } });
    const problem = await problemOf(response);
    expect(problem.errors?.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['policies[0].ttlSeconds', 'policies[0]', 'policies[1].sites']),
    );
    expect(problem.errors?.every(({ message, fix }) => message !== '' && fix !== '')).toBe(true);
    expect(api.plane.status().state).toBe(before);
  });

  it.each([
    '{"reason":"x","unknown":1}',
    '{"reason":""}',
    '{"reason":"   "}',
    '{"reason":"bell \\u0007"}',
    '{"reason":"half \\ud800"}',
    '{"reason":"x","to":"../etc"}',
    '{"reason":"x","force":"yes"}',
    '{}',
    '[]',
    'null',
    '{"__proto__":{"reason":"x"}}',
  ])('refuses the failover %s', async (body) => {
    const response = await api.app.request(FAILOVER.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
      body,
    });
    const problem = await problemOf(response);
    expect([problem.status, problem.code]).toEqual([400, 'validation-failed']);
    expect(problem.errors?.length).toBeGreaterThan(0);
  });
});

describe('an Idempotency-Key', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createBeatingFixture();
  });

  it('does a command once, however often it is sent under one key', async () => {
    const headers = { 'idempotency-key': 'drill-7' };
    const first = await api.operate({ ...FAILOVER, body: { reason: 'drill' }, headers });
    await api.clock.advance(40);
    const again = await api.operate({ ...FAILOVER, body: { reason: 'drill' }, headers });
    const quoted = { 'idempotency-key': '"drill-7"' };
    const third = await api.operate({ ...FAILOVER, body: { reason: 'drill' }, headers: quoted });
    const answers = await Promise.all([first, again, third].map((response) => response.json()));
    expect(first.headers.get('tripoint-command-id')).toBe('key:drill-7');
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(api.plane.status().state.runs.filter(({ kind }) => kind === 'failover')).toHaveLength(1);
  });

  it('refuses a key that belongs to another command', async () => {
    const headers = { 'idempotency-key': 'k' };
    await api.operate({ ...NOTE, body: { text: 'one' }, headers });
    const response = await api.operate({ ...NOTE, body: { text: 'two' }, headers });
    expect((await problemOf(response)).status).toBe(422);
    expect(response.headers.get('tripoint-command-id')).toBe('key:k');
  });

  it.each(['two words', 'ü', 'x'.repeat(121)])('refuses the key "%s"', async (key) => {
    const request = new Request('http://localhost/v1/services/checkout/notes', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${OPERATOR_TOKEN}`,
        'idempotency-key': key,
      },
      body: JSON.stringify({ text: 'x' }),
    });
    const problem = await problemOf(await api.app.request(request));
    expect(problem.errors?.[0]?.path).toBe('header.idempotency-key');
  });

  it('answers with the id to ask about when nobody knows', async () => {
    api.setWeather('lossy');
    const headers = { 'idempotency-key': 'open' };
    const pending = api.operate({ ...NOTE, body: { text: 'x' }, headers });
    const response = await settled(api, pending);
    expect(await problemOf(response)).toMatchObject({
      status: 503,
      code: 'outcome-unknown',
      command: 'key:open',
      retryable: true,
    });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('tripoint-command-id')).toBe('key:open');
    api.setWeather('fine');
    await api.clock.advance(5000);
    const again = await settled(api, api.operate({ ...NOTE, body: { text: 'x' }, headers }));
    expect(again.status).toBe(200);
    const notes = api.plane.status().state.timeline.filter(({ kind }) => kind === 'note');
    expect(notes).toHaveLength(1);
  });
});

describe('a command that does not get into the log', () => {
  const behaving = (propose: ControlPlane['propose']) =>
    createApiFixture({ overrides: () => ({ propose }) });

  it.each([
    ['no-quorum', 503, true],
    ['no-leader', 503, true],
    ['busy', 503, true],
    ['log-full', 503, true],
    ['too-large', 413, false],
    ['command-id-reused', 422, false],
  ])('is answered by its code %s with %d', async (code, status, retryable) => {
    const { operate } = await behaving(async (id) => ({ kind: 'rejected', id, code, hint: 'So.' }));
    const response = await operate({ ...NOTE, body: { text: 'x' } });
    expect(await problemOf(response)).toMatchObject({ status, code, retryable, hint: 'So.' });
    expect(response.headers.get('tripoint-command-id')).toMatch(/^id-\d+$/);
  });

  it('is unknown, and not failed, when the plane throws', async () => {
    const { operate, logged } = await behaving(() => Promise.reject(new Error('secret detail')));
    const response = await operate({ ...NOTE, body: { text: 'x' } });
    const text = await response.clone().text();
    expect((await problemOf(response)).code).toBe('outcome-unknown');
    expect(text).not.toContain('secret detail');
    expect(logged).toMatchObject([{ level: 'error', event: 'propose-threw' }]);
  });
});
