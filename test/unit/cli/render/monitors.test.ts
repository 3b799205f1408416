import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { MonitorJson, MonitorSiteJson } from '../../../../lib/api/monitor-schemas.ts';
import { renderConfigurationChanges } from '../../../../lib/cli/render/configuration-changes.ts';
import { monitorChanges } from '../../../../lib/cli/render/monitor-changes.ts';
import { renderMonitorLines, renderMonitors } from '../../../../lib/cli/render/monitors.ts';
import { isHealthy } from '../../../../lib/cli/render/opinion.ts';
import { renderStatus } from '../../../../lib/cli/render/status.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { parseConfiguration } from '../../../../lib/config/parse.ts';
import { siteJson, statusJson } from '../fixtures.ts';

const HOURLY = { cron: null, timezone: null, everyMs: 3_600_000, graceMs: 300_000, runMsMax: null };
const { observation, verdicts, opinion } = siteJson();

function jobSite(changes: Partial<MonitorSiteJson> = {}): MonitorSiteJson {
  return {
    site: 'backup',
    isProvisioned: false,
    schedule: HOURLY,
    opinion,
    verdicts,
    warnings: [],
    observation,
    job: {
      expectedAt: '2026-11-23T10:40:00.000Z',
      lastStartedAt: null,
      lastSucceededAt: '2026-11-23T09:40:00.000Z',
      lastFailedAt: null,
      runningSince: null,
      exitCode: 0,
      message: '3 tables',
    },
    ...changes,
  };
}

const MISSED = jobSite({
  opinion: { ...opinion, state: 'failed' },
  observation: observation && {
    ...observation,
    sentence: 'no success 6 min after it was expected',
  },
});

function monitorJson(...sites: readonly MonitorSiteJson[]): MonitorJson {
  return {
    monitor: 'nightly',
    detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
    provisioning: null,
    sites: [...sites],
  };
}

describe('tripoint status', () => {
  test('shows each monitor below the services, with what its jobs say', () => {
    expect(
      renderStatus(statusJson({ monitors: [monitorJson(jobSite())] }), PLAIN).slice(-4),
    ).toEqual([
      '',
      'nightly  monitor',
      '  site    opinion    us-east-1  us-east-2  us-west-2  last beat   next run              says',
      '  backup  ● healthy  ● healthy  ● healthy  –          310 ms ago  2026-11-23 10:40:00Z  3 tables',
    ]);
  });

  test('says why a job is in trouble, and is not healthy then', () => {
    const status = statusJson({ monitors: [monitorJson(MISSED)] });
    expect(renderStatus(status, PLAIN).at(-1)).toMatch(
      /no success 6 min after it was expected: 3 tables$/,
    );
    expect(isHealthy(status)).toBe(false);
    expect(isHealthy(statusJson({ monitors: [monitorJson(jobSite())] }))).toBe(true);
  });

  test('shows the last beat in the log where no region that answers has heard the job', () => {
    const unheard = jobSite({ observation: null, job: null });
    const [line = ''] = renderMonitors([monitorJson(unheard)], [], PLAIN).slice(-1);
    expect(line).toContain('2026-11-23 09:40:00Z in the log');
    const [never = ''] = renderMonitors(
      [monitorJson({ ...unheard, verdicts: [] })],
      [],
      PLAIN,
    ).slice(-1);
    expect(never).not.toContain('in the log');
  });

  test('counts the sites that came by themselves', () => {
    const provisioning = { sitesMax: 50, sites: 3, schedule: null };
    const lines = renderMonitors([{ ...monitorJson(), provisioning }], [], PLAIN);
    expect(lines.at(-1)).toBe('  3 of 50 sites came by their first beat');
  });
});

test('tripoint services has one line for each monitor', () => {
  const pending = jobSite({ site: 'new', opinion: { ...opinion, state: 'pending' } });
  expect(renderMonitorLines([monitorJson(jobSite(), MISSED, pending)], PLAIN)).toEqual([
    'monitor  sites  state           schedule',
    'nightly  3      ✖ 1 in trouble  every 1h, grace 5m',
  ]);
});

describe('tripoint apply', () => {
  const parsed = parseConfiguration(readFileSync('docs/examples/tripoint.yaml', 'utf8'), {});
  const wanted = parsed.kind === 'valid' ? parsed.monitors : [];
  const lines = (...current: readonly MonitorJson[]) =>
    renderConfigurationChanges(monitorChanges(current, wanted), PLAIN);

  test('shows monitors that come, change and go', () => {
    expect(lines()).toEqual(['+ nightly: monitor of 1 site']);
    expect(lines(monitorJson(jobSite()), { ...monitorJson(), monitor: 'old' })).toEqual([
      '~ nightly.sites.backup: every 1h, grace 5m → none',
      '~ nightly.sites.database-backup: none → 0 3 * * * Europe/Berlin, grace 30m, at most 2h',
      '- old: monitor of 0 sites is forgotten',
    ]);
  });

  test('does not take a site that came by itself for one that is removed', () => {
    const born = jobSite({ isProvisioned: true });
    const own = jobSite({
      site: 'database-backup',
      schedule: {
        cron: '0 3 * * *',
        timezone: 'Europe/Berlin',
        everyMs: null,
        graceMs: 1_800_000,
        runMsMax: 7_200_000,
      },
    });
    expect(monitorChanges([monitorJson(own, born)], wanted)).toEqual([]);
  });
});
