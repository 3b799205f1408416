import { beforeEach, describe, expect, it } from 'vitest';
import { acceptedSchema } from '../../../../lib/api/schemas.ts';
import {
  type ApiFixture,
  createApiFixture,
  OPERATOR_TOKEN,
  problemOf,
  SITE_TOKEN,
} from '../../../support/control-plane-fixture.ts';

const ALARM = { service: 'checkout', site: 'us-east-1', name: 'http-5xx', state: 'alarm' };

describe('POST /v1/alarms', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createApiFixture();
  });

  const raise = (changes: object = {}, headers: Readonly<Record<string, string>> = {}) =>
    api.operate({ method: 'POST', path: '/v1/alarms', body: { ...ALARM, ...changes }, headers });
  const codeOf = async (response: Response) => acceptedSchema.parse(await response.json()).code;
  const stateOf = (name: string) =>
    api.plane
      .status()
      .state.services['checkout']?.sites['us-east-1']?.alarms.find((alarm) => alarm.name === name)
      ?.state;

  /** As often as an alarm may change at once. */
  async function flap(): Promise<void> {
    for (const state of ['alarm', 'ok', 'alarm', 'ok']) {
      expect(await codeOf(await raise({ state }))).toBe('alarm-recorded');
    }
  }

  it('says where in the log the alarm stands', async () => {
    const response = await raise();
    const accepted = acceptedSchema.parse(await response.json());
    expect(response.status).toBe(200);
    expect(accepted).toMatchObject({ dryRun: false, code: 'alarm-recorded' });
    expect(accepted.index).toBe(api.plane.status().position.appliedIndex);
    expect(accepted.command).toBe(response.headers.get('tripoint-command-id'));
  });

  it('answers a repeat with alarm-known and writes no entry', async () => {
    await raise();
    const { appliedIndex } = api.plane.status().position;
    const response = await raise();
    const accepted = acceptedSchema.parse(await response.json());
    expect(response.status).toBe(200);
    expect(accepted).toMatchObject({ code: 'alarm-known', index: appliedIndex });
    expect(accepted.command).toBe(response.headers.get('tripoint-command-id'));
    expect(api.plane.status().position.appliedIndex).toBe(appliedIndex);
  });

  it('puts off an alarm that changes too often, and says until when', async () => {
    await flap();
    const { appliedIndex } = api.plane.status().position;
    const response = await raise();
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 429, code: 'alarm-damped', retryable: true });
    const waitSeconds = Number(response.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThan(0);
    expect(problem.detail).toContain(`${waitSeconds} s`);
    expect(response.headers.get('tripoint-command-id')).not.toBeNull();
    expect(api.plane.status().position.appliedIndex).toBe(appliedIndex);
    expect(stateOf('http-5xx')).toBe('ok');
  });

  it('takes it when it comes again after that time, and not a second before', async () => {
    await flap();
    const waitMs = Number((await raise()).headers.get('retry-after')) * 1000;
    await api.clock.advance(waitMs - 1000);
    expect((await raise()).status).toBe(429);
    await api.clock.advance(1000);
    expect(await codeOf(await raise())).toBe('alarm-recorded');
    expect(stateOf('http-5xx')).toBe('alarm');
  });

  it('puts off none of the other alarms for it', async () => {
    await flap();
    expect((await raise()).status).toBe(429);
    expect(await codeOf(await raise({ name: 'latency' }))).toBe('alarm-recorded');
  });

  it('takes one change under one key once', async () => {
    const headers = { 'idempotency-key': 'page-7' };
    const first = acceptedSchema.parse(await (await raise({}, headers)).json());
    await raise({ state: 'ok' });
    const again = await raise({}, headers);
    expect(first.command).toBe('key:page-7');
    expect(again.headers.get('tripoint-command-id')).toBe('key:page-7');
    expect(stateOf('http-5xx')).toBe('ok');
  });

  it.each([
    [{ service: 'nobody' }, 404, 'unknown-service'],
    [{ site: 'eu-west-1' }, 409, 'unknown-site'],
    [{ site: 'constructor' }, 409, 'unknown-site'],
  ])('answers %j by %d %s', async (changes, status, code) => {
    const response = await raise(changes);
    expect(await problemOf(response)).toMatchObject({ status, code, retryable: false });
    expect(response.headers.get('tripoint-command-id')).not.toBeNull();
  });

  it.each([
    [{ state: 'panic' }, 'state'],
    [{ state: undefined }, 'state'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(256) }, 'name'],
    [{ name: 'bell \u0007' }, 'name'],
    [{ site: '../etc' }, 'site'],
    [{ at: 0 }, ''],
  ])('refuses %j and says what is wrong with it', async (changes, path) => {
    const problem = await problemOf(await raise(changes));
    expect([problem.status, problem.code]).toEqual([400, 'validation-failed']);
    expect(problem.errors?.some((error) => error.path.includes(path))).toBe(true);
  });

  it.each([
    ['no token', undefined, 'token-missing'],
    ['the token of a site', `Bearer ${SITE_TOKEN}`, 'token-wrong'],
  ])('takes none with %s', async (_case, authorization, code) => {
    const response = await api.app.request('/v1/alarms', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(ALARM),
    });
    expect(await problemOf(response)).toMatchObject({ status: 401, code });
    expect(stateOf('http-5xx')).toBeUndefined();
  });

  it('neither drops nor puts off what no majority could be asked about', async () => {
    await raise();
    api.setWeather('cut-off');
    const pending = raise({}, { authorization: `Bearer ${OPERATOR_TOKEN}` });
    await api.clock.advance(12_000);
    const problem = await problemOf(await pending);
    expect(problem).toMatchObject({ status: 503, code: 'no-quorum', retryable: true });
  });

  it('is unknown, and not refused, when the plane throws', async () => {
    const broken = await createApiFixture({
      overrides: () => ({ propose: () => Promise.reject(new Error('secret detail')) }),
    });
    const response = await broken.operate({ method: 'POST', path: '/v1/alarms', body: ALARM });
    const text = await response.clone().text();
    expect(await problemOf(response)).toMatchObject({ status: 503, code: 'outcome-unknown' });
    expect(text).not.toContain('secret detail');
  });
});
