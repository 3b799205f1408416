import { beforeEach, describe, expect, it } from 'vitest';
import {
  type ApiFixture,
  createApiFixture,
  untilSteady,
} from '../../../support/control-plane-fixture.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></table><iframe src=javascript:alert(1)>',
  '&lt;b&gt; {{7*7}}',
];

describe('the status page', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createApiFixture();
    await api.beat('us-east-1');
    await api.beat('us-west-2', { replicationLagMs: 1500 });
    await api.clock.advance(1000);
  });

  const page = async () => (await api.app.request('/')).text();
  const text = async () =>
    (await page())
      .replace(/<svg.*?<\/svg>/gs, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ');

  const failOver = async (reason: string) => {
    const path = '/v1/services/checkout/failover';
    const response = await api.operate({ method: 'POST', path, body: { reason } });
    expect(response.status).toBe(202);
  };

  it('shows region, leader, term, index and which registers answer', async () => {
    const { term, appliedIndex } = api.plane.status().position;
    const shown = await text();
    expect(shown).toContain('Region us-east-1 Local mode');
    expect(shown).toContain(`Leader us-east-1 Term ${term} Applied index ${appliedIndex}`);
    expect(shown).toContain('Quorum 3 of 3 us-east-1 us-east-2 us-west-2');
  });

  it('shows each site with its verdicts, φ, last beat and lag', async () => {
    const html = await page();
    const row = /<tr class="standby">.*?<\/tr>/s.exec(html)?.[0] ?? '';
    expect(row).toContain('us-west-2');
    expect(row).toContain('<span class="mark good">');
    expect(row).toContain('healthy');
    expect(row).toMatch(/<span class="phi good">\d+\.\d<\/span>/);
    expect(row).toContain('1.0 s</time>');
    expect(row).toContain('1.5 s');
  });

  it('tells a run while it is open and when it is done', async () => {
    await failOver('drill');
    expect(await text()).toContain('checkout is failing over to us-west-2');
    expect(await page()).toMatch(/<details id="run-checkout-\d+-details" open>/);
    await untilSteady(api.plane, api.clock);
    const done = await text();
    expect(done).toMatch(/Done Failover checkout us-east-1 → us-west-2 [\d.]+ m?s within RTO 30 s/);
    expect(done).toMatch(/detect .* decide .* act .* propagate .* verify .* total/);
    expect(await page()).toMatch(/\/v1\/runs\/checkout-\d+\/report\?format=markdown/);
  });

  it('puts the worst news into the headline', async () => {
    const headline = async () =>
      /<p id="summary" class="summary (\w+)".*?<span>(.*?)<\/span>/s.exec(await page())?.slice(1);
    expect(await headline()).toEqual(['watch', 'search is steady, with a concern']);
    const body = { service: 'search', site: 'us-east-1', name: 'cpu', state: 'alarm' };
    await api.operate({ method: 'POST', path: '/v1/alarms', body });
    expect(await headline()).toEqual(['bad', 'search is impaired']);
    api.setWeather('cut-off');
    await api.clock.advance(3000);
    expect((await page()).match(/no answer/g)).toHaveLength(2);
  });

  it('marks an alarm without data that by its policy counts for what it was before', async () => {
    const body = { service: 'search', site: 'us-east-1', name: 'cpu' };
    const word = (state: string) =>
      api.operate({ method: 'POST', path: '/v1/alarms', body: { ...body, state } });
    await word('alarm');
    await word('insufficient-data');
    expect(await text()).toContain('alarm cpu without data');
    await word('ok');
    expect(await text()).not.toContain('alarm cpu without data');
  });

  it('says who works on what, until when', async () => {
    const body = { site: 'us-west-2', forMs: 3_600_000, reason: 'new disks', by: 'ana' };
    const path = '/v1/services/checkout/maintenance';
    await api.operate({ method: 'POST', path, body });
    expect(await text()).toMatch(
      /Maintenance us-west-2 until \d{4}-\d\d-\d\d [\d:]{8}Z ?, by ana: new disks/,
    );
  });

  it('escapes whatever a person or an alarm wrote', async () => {
    for (const hostile of HOSTILE) {
      const note = { method: 'POST', path: '/v1/services/checkout/notes' };
      expect((await api.operate({ ...note, body: { text: hostile, by: hostile } })).status).toBe(
        200,
      );
      const work = { forMs: 3_600_000, reason: hostile, by: hostile };
      await api.operate({ method: 'POST', path: '/v1/services/checkout/maintenance', body: work });
      const body = { service: 'checkout', site: 'us-west-2', name: hostile, state: 'alarm' };
      await api.operate({ method: 'POST', path: '/v1/alarms', body });
    }
    const html = await page();
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<(img|iframe|b)\b/);
    expect(html).not.toMatch(/<[a-z]+[^>]*\son\w+=/i);
  });

  it('loads nothing from anywhere else, and carries no inline style or script', async () => {
    const html = await page();
    const assets = await Promise.all(
      ['/assets/tripoint.css', '/assets/status.js'].map(async (path) => {
        const response = await api.app.request(path);
        expect(response.status).toBe(200);
        return await response.text();
      }),
    );
    for (const source of [html, ...assets]) {
      expect(source).not.toMatch(/https?:|\/\/[a-z]|url\(|@import/i);
    }
    expect(html).not.toMatch(/<style|\sstyle=|<script(?! type="module" src="\/)/);
    for (const [, target] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(target).toMatch(/^[/#]/);
    }
  });

  it('works without JavaScript: complete, and reloaded by itself', async () => {
    const html = await page();
    expect(html).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>');
    expect(html).toContain('<html lang="en">');
  });

  it('has unique ids, a caption for each region, and headings in order', async () => {
    await failOver('drill');
    const html = await page();
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...html.matchAll(/<h(\d)/g)].map(([, level]) => level)[0]).toBe('1');
    for (const [element] of html.matchAll(/<[a-z]+ [^>]*role="region"[^>]*>/g)) {
      expect(element).toMatch(/aria-label="[^"]+"/);
      expect(element).toContain('tabindex="0"');
    }
    for (const [svg] of html.matchAll(/<svg[^>]*>/g)) {
      expect(svg).toContain('aria-hidden="true"');
    }
  });

  it('tells what to do when there is no service yet', async () => {
    const empty = await createApiFixture({ isConfigured: false });
    const html = await (await empty.app.request('/')).text();
    expect(html).toContain('No service is configured');
    expect(html).toContain('tripoint apply');
  });

  it('lets a browser keep its assets until they change', async () => {
    const first = await api.app.request('/assets/tripoint.css');
    const etag = first.headers.get('etag') ?? '';
    const again = await api.app.request('/assets/tripoint.css', {
      headers: { 'if-none-match': etag },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect(again.headers.get('content-security-policy')).toContain("style-src 'self'");
  });
});
