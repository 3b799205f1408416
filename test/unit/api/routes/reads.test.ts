import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  commandLookupSchema,
  logSchema,
  runSchema,
  runsSchema,
  serviceSchema,
  servicesSchema,
  statusSchema,
} from '../../../../lib/api/schemas.ts';
import { logIndex } from '../../../../lib/base/identifiers.ts';
import { formatInstant } from '../../../../lib/base/instant.ts';
import {
  type ApiFixture,
  createApiFixture,
  hashOf,
  problemOf,
  SITE_TOKEN,
  untilSteady,
} from '../../../support/control-plane-fixture.ts';

describe('reads', () => {
  let api: ApiFixture;
  let [run, beatAt] = ['', ''];

  beforeAll(async () => {
    api = await createApiFixture();
    await api.beat('us-east-1');
    await api.beat('us-west-2');
    beatAt = formatInstant(api.clock.wallNow());
    await api.clock.advance(1000);
    const asked = { path: '/v1/services/checkout/failover', body: { reason: 'drill' } };
    const headers = { 'idempotency-key': 'a/b?c%41#d' };
    const response = await api.operate({ method: 'POST', ...asked, headers });
    run = z.object({ run: z.string() }).parse(await response.json()).run;
    await untilSteady(api.plane, api.clock);
  });

  const json = async (path: string) => (await api.app.request(path)).json();

  it('shows the status of the region with services, runs and timeline', async () => {
    const status = statusSchema.parse(await json('/v1/status'));
    expect(status).toMatchObject({
      region: 'us-east-1',
      mode: 'local',
      configHash: hashOf('fleet'),
      consensus: { leader: 'us-east-1', quorum: true, members: [{ reachable: true }, {}, {}] },
    });
    expect(status.services.map(({ service }) => service)).toEqual(['checkout', 'search']);
    expect(status.runs[0]?.run).toBe(run);
    expect(status.timeline[0]?.index).toBeGreaterThan(status.timeline.at(-1)?.index ?? 0);
  });

  it('shows services, with what each observer and this region see', async () => {
    const { services } = servicesSchema.parse(await json('/v1/services'));
    const one = serviceSchema.parse(await json('/v1/services/checkout'));
    expect(services[0]).toEqual(one);
    const site = one.sites.find(({ role }) => role === 'active');
    expect(site).toMatchObject({
      site: 'us-west-2',
      opinion: { state: 'healthy' },
      verdicts: [{ observer: 'us-east-1', state: 'healthy', code: 'beating' }],
    });
    expect(site?.observation?.lastBeatAt).toBe(beatAt);
  });

  it('shows runs with their steps and stages', async () => {
    const { runs } = runsSchema.parse(await json('/v1/runs'));
    const one = runSchema.parse(await json(`/v1/runs/${run}`));
    expect(runs[0]).toEqual(one);
    expect(one.outcome.kind).toBe('done');
    expect(one.steps.map(({ name, state }) => [name, state])).toEqual([
      ['switch', 'done'],
      ['propagate', 'done'],
      ['verify', 'done'],
      ['report', 'done'],
    ]);
    expect(one.stages.totalMs).toBeGreaterThan(0);
  });

  it('gives the report as JSON, and as Markdown to those who ask for it', async () => {
    const path = `/v1/runs/${run}/report`;
    const written = await api.plane.report(run);
    const plain = await api.app.request(path);
    expect(plain.headers.get('content-type')).toBe('application/json');
    expect(await plain.text()).toBe(written?.json);
    const byFormat = await api.app.request(`${path}?format=markdown`);
    const byAccept = await api.app.request(path, { headers: { accept: 'text/markdown' } });
    expect(byFormat.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect([await byFormat.text(), await byAccept.text()]).toEqual([
      written?.markdown,
      written?.markdown,
    ]);
  });

  it('tells a report that is not ready from a run that does not exist', async () => {
    const fresh = await createApiFixture({ overrides: () => ({ report: async () => null }) });
    const [known] = fresh.plane.status().state.runs;
    const waiting = await fresh.app.request(`/v1/runs/${known?.id}/report`);
    const unknown = await fresh.app.request('/v1/runs/nobody-1/report');
    expect((await problemOf(waiting)).code).toBe('report-not-ready');
    expect((await problemOf(unknown)).code).toBe('unknown-run');
  });

  it('reads the log page by page, each entry once', async () => {
    const indexes: number[] = [];
    let after = 0;
    for (;;) {
      const page = logSchema.parse(await json(`/v1/log?after=${after}&limit=3`));
      if (page.entries.length === 0) {
        expect(page.nextAfter).toBe(after);
        break;
      }
      expect(page.entries.length).toBeLessThanOrEqual(3);
      indexes.push(...page.entries.map(({ index }) => index));
      after = page.nextAfter;
    }
    const { appliedIndex } = api.plane.status().position;
    expect(indexes).toEqual(Array.from({ length: appliedIndex }, (_, index) => index + 1));
  });

  it('tells with each entry of the log what came of it', async () => {
    const page = logSchema.parse(await json('/v1/log?limit=500'));
    const [applied] = page.entries.filter(({ body }) => Object(body).kind === 'configure');
    expect(applied?.answer).toEqual({ kind: 'accepted', code: 'config-applied' });
  });

  it('never lets a token hash out', async () => {
    const paths = ['/v1/status', '/v1/services', '/v1/services/checkout', '/v1/log?limit=500', '/'];
    for (const path of paths) {
      const text = await (await api.app.request(path)).text();
      expect([path, text.includes(hashOf(SITE_TOKEN))]).toEqual([path, false]);
    }
  });

  it('says where the log begins when the asked entries are gone', async () => {
    const { app } = await createApiFixture({
      overrides: () => ({
        readLog: async () => ({ kind: 'gap', firstAvailable: logIndex(41) }),
      }),
    });
    const problem = await problemOf(await app.request('/v1/log'));
    expect(problem).toMatchObject({ status: 410, code: 'log-compacted', firstAvailable: 41 });
  });

  it('finds a command by its id, whatever characters it has', async () => {
    const id = encodeURIComponent('key:a/b?c%41#d');
    const lookup = commandLookupSchema.parse(await json(`/v1/commands/${id}`));
    expect(lookup).toMatchObject({
      command: 'key:a/b?c%41#d',
      result: { kind: 'accepted', code: 'failover-authorised', run },
    });
  });

  it('does not take an unknown command for one that never was', async () => {
    const problem = await problemOf(await api.app.request('/v1/commands/key:never'));
    expect(problem).toMatchObject({ status: 404, code: 'command-not-found', retryable: true });
  });

  it('says nothing about a command while no quorum answers', async () => {
    const cut = await createApiFixture();
    cut.setWeather('cut-off');
    await cut.clock.advance(3000);
    const pending = cut.app.request('/v1/commands/key:x');
    await cut.clock.advance(12_000);
    expect(await problemOf(await pending)).toMatchObject({ status: 503, code: 'no-quorum' });
  });

  it.each([
    ['/v1/services/nobody', 404, 'unknown-service'],
    ['/v1/services/constructor', 404, 'unknown-service'],
    ['/v1/services/-', 400, 'validation-failed'],
    ['/v1/runs/nobody-1', 404, 'unknown-run'],
    ['/v1/log?limit=0', 400, 'validation-failed'],
    ['/v1/log?limit=501', 400, 'validation-failed'],
    ['/v1/log?after=-1', 400, 'validation-failed'],
    ['/v1/log?after=1&after=2', 400, 'validation-failed'],
    ['/v1/log?after=99999999999999999999', 400, 'validation-failed'],
    ['/v1/runs/x-1/report?format=pdf', 400, 'validation-failed'],
    ['/v1/commands/%20', 400, 'validation-failed'],
  ])('answers %s with %d %s', async (path, status, code) => {
    const problem = await problemOf(await api.app.request(path));
    expect([problem.status, problem.code]).toEqual([status, code]);
  });
});
