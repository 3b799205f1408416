import { describe, expect, it } from 'vitest';
import { lastBeat } from '../../../../lib/api/page/last-beat.ts';
import type { VerdictJson } from '../../../../lib/api/schema-parts.ts';
import { statusSchema } from '../../../../lib/api/schemas.ts';
import { createApiFixture, JOBS, PING_TOKEN } from '../../../support/control-plane-fixture.ts';

const VERDICT: VerdictJson = {
  observer: 'us-east-2',
  state: 'healthy',
  code: 'run-on-time',
  sentence: 'next run expected in 1 h',
  phi: 0,
  lastBeatAt: null,
  at: '2026-11-23T09:39:08.000Z',
  index: 7,
};

const fixture = () => createApiFixture({ monitors: [JOBS] });
const textOf = (page: string) =>
  page
    .replace(/<svg.*?<\/svg>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('monitors on the page', () => {
  it('stand below the services with schedule and state of each site', async () => {
    const api = await fixture();
    await api.app.request(`/beat/${PING_TOKEN}`);
    await api.clock.advance(2000);
    const text = textOf(await (await api.app.request('/')).text());
    expect(text).toContain('nightly');
    expect(text).toMatch(/backup healthy .* every 1 h grace 6 min/);
    expect(text).toContain('0 of 2 sites came by their first beat');
  });

  it('show when another region heard a job that this one did not', async () => {
    const api = await fixture();
    const { monitors } = statusSchema.parse(await (await api.app.request('/v1/status')).json());
    const { site, observation, verdicts } = monitors[0]?.sites[0] ?? expect.fail('no site');
    expect([site, observation?.lastBeatAt ?? null]).toEqual(['backup', null]);
    const now = '2026-11-23T09:40:07.000Z';
    expect(textOf(lastBeat({ observation, verdicts }, now))).toContain('never');
    const heard = ['2026-11-23T09:39:07.000Z', '2026-11-23T09:30:00.000Z', null].map(
      (lastBeatAt, place) => ({ ...VERDICT, observer: `region-${place}`, lastBeatAt }),
    );
    const text = textOf(lastBeat({ observation, verdicts: heard }, now));
    expect(text).toContain('1 min ago not heard by this region');
  });

  it('say which of them is in trouble, in its own words and never as HTML', async () => {
    const api = await fixture();
    await api.beat('us-east-1');
    await api.beat('us-west-2');
    const body = '<script>alert(1)</script>';
    await api.app.request(`/beat/${PING_TOKEN}/1`, { method: 'POST', body });
    await api.clock.advance(2000);
    const page = await (await api.app.request('/')).text();
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(textOf(page)).toContain('1 of 1 in trouble');
    expect(textOf(page)).toContain('the last run failed with exit code 1');
  });
});
