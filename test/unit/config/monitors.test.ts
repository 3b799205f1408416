import { describe, expect, test } from 'vitest';
import { monitorIssues, monitorsSchema } from '../../../lib/config/monitor-schema.ts';
import { parseConfiguration } from '../../../lib/config/parse.ts';

const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
const SERVICES = `version: 1
services:
  checkout:
    dns: { name: checkout.example.com }
    primary: us-east-1
    sites:
      us-east-1: { address: 192.0.2.1, tokens: [${hash('1')}] }
      us-west-2: { address: 192.0.2.2, tokens: [${hash('2')}] }
`;
const JOBS = `${SERVICES}monitors:
  nightly:
    schedule: { cron: "0 3 * * *", timezone: Europe/Berlin, grace: 30m, maxRun: 2h }
    provisioning: { tokens: [${hash('3')}], maxSites: 20 }
    sites:
      backup: { tokens: [${hash('4')}] }
      report:
        schedule: { every: 1h }
        tokens: [${hash('5')}, ${hash('6')}]
  hosts:
    detection: { interval: 30s }
    sites:
      one: { tokens: [${hash('7')}] }
`;

function parsed(text: string, variables = {}) {
  const outcome = parseConfiguration(text, variables);
  return outcome.kind === 'valid'
    ? outcome
    : {
        kind: 'invalid' as const,
        problems: outcome.problems.map(({ path, message }) => `${path}: ${message}`),
      };
}

function monitorsOf(text: string) {
  const outcome = parseConfiguration(text, {});
  expect(outcome).toMatchObject({ kind: 'valid' });
  return outcome.kind === 'valid' ? outcome : { monitors: [], policies: [], hash: '' };
}

/** Problems of the file in which one text is replaced. */
const problemsAfter = (from: string, to: string) => {
  expect(JOBS).toContain(from);
  const outcome = parsed(JOBS.replace(from, to));
  return outcome.kind === 'invalid' ? outcome.problems : [];
};

describe('monitors in the file', () => {
  test('become policies in the units of the domain', () => {
    const nightly = {
      kind: 'cron',
      cron: '0 3 * * *',
      timezone: 'Europe/Berlin',
      graceMs: 1_800_000,
      runMsMax: 7_200_000,
    };
    expect(monitorsOf(JOBS).monitors).toEqual([
      {
        service: 'nightly',
        detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
        provisioning: { tokenHashes: ['3'.repeat(64)], sitesMax: 20, schedule: nightly },
        sites: [
          { site: 'backup', tokenHashes: ['4'.repeat(64)], schedule: nightly },
          {
            site: 'report',
            tokenHashes: ['5'.repeat(64), '6'.repeat(64)],
            schedule: { kind: 'every', everyMs: 3_600_000, graceMs: 300_000, runMsMax: null },
          },
        ],
      },
      {
        service: 'hosts',
        detection: { intervalMs: 30_000, suspectPhi: 8, failPhi: 16, silenceMsMax: 360_000 },
        provisioning: null,
        sites: [{ site: 'one', tokenHashes: ['7'.repeat(64)], schedule: null }],
      },
    ]);
  });

  test('are what the strict schema of the API takes', () => {
    const { policies, monitors } = monitorsOf(JOBS);
    expect(monitorsSchema.parse(monitors)).toEqual(monitors);
    expect(monitorIssues(policies, monitors)).toEqual([]);
  });

  test('change the hash, and a file without any keeps the one it had', () => {
    const without = monitorsOf(SERVICES);
    expect(monitorsOf(`${SERVICES}monitors: {}\n`).hash).toBe(without.hash);
    expect(monitorsOf(JOBS).hash).not.toBe(without.hash);
    expect(monitorsOf(JOBS.replace('grace: 30m', 'grace: 31m')).hash).not.toBe(
      monitorsOf(JOBS).hash,
    );
  });

  test('may hold tokens by reference, of which only the hash is kept', () => {
    const text = JOBS.replace(hash('4'), '"$' + '{PING_TOKEN}"');
    const outcome = parseConfiguration(text, { PING_TOKEN: 'a-secret-token-0123456789' });
    expect(outcome).toMatchObject({ kind: 'valid' });
    expect(JSON.stringify(outcome)).not.toContain('a-secret-token');
  });

  test.each([
    [
      '0 3 * * *',
      '0 3 * *',
      'monitors.nightly.schedule.cron: is no cron expression of five fields',
    ],
    ['0 3 * * *', '0 0 30 2 *', 'monitors.nightly.schedule.cron: never fires'],
    [
      'Europe/Berlin',
      'Europe/Atlantis',
      'monitors.nightly.schedule.timezone: is no time zone that is known here',
    ],
    [
      'cron: "0 3 * * *"',
      'every: 1h',
      'monitors.nightly.schedule.timezone: belongs to cron, which is not there',
    ],
    [
      'every: 1h',
      'every: 1h, cron: "@daily"',
      'monitors.nightly.sites.report.schedule: has either cron or every',
    ],
    ['every: 1h', 'grace: 5m', 'monitors.nightly.sites.report.schedule: has either cron or every'],
    [
      'every: 1h',
      'every: 59s',
      'monitors.nightly.sites.report.schedule.every: must be 1m to 8784h',
    ],
    ['grace: 30m', 'grace: 1s', 'monitors.nightly.schedule.grace: must be 5s to 168h'],
    ['maxSites: 20', 'maxSites: 201', 'monitors.nightly.provisioning.maxSites: must be 1 to 200'],
    [
      'maxSites: 20',
      'maxsites: 20',
      'monitors.nightly.provisioning.maxsites: unknown key maxsites',
    ],
    ['  hosts:', '  checkout:', 'monitors.checkout: checkout is the name of a service already'],
    ['  hosts:', '  Hosts:', 'monitors.Hosts: "Hosts" is not a name'],
    [
      hash('5'),
      hash('1'),
      'monitors.nightly.sites.report.tokens[0]: is the token of another site already, or stands twice',
    ],
    [
      hash('3'),
      hash('7'),
      'monitors.hosts.sites.one.tokens[0]: is the token of another site already, or stands twice',
    ],
    [`one: { tokens: [${hash('7')}] }`, '{}', 'monitors.hosts.sites: no sites and no provisioning'],
    [
      'interval: 30s',
      'interval: 30s, failPhi: 8',
      'monitors.hosts.detection.failPhi: failPhi 8 is not above suspectPhi 8',
    ],
    [
      'interval: 30s',
      'interval: 30s, maxSilence: 1m',
      'monitors.hosts.detection.maxSilence: 1m is less than 4 × the interval of 30s',
    ],
  ])('are refused with %s → %s, at the place of the mistake', (from, to, problem) => {
    expect(problemsAfter(from, to)).toContainEqual(problem);
  });

  test('may not gain more sites in all than the state can hold', () => {
    const door = (name: string, digit: string) =>
      `  ${name}: { provisioning: { tokens: [${hash(digit)}], maxSites: 200 } }\n`;
    const text = `${JOBS}${door('a', 'a')}${door('b', 'b')}${door('c', 'c')}`;
    expect(parsed(text)).toEqual({
      kind: 'invalid',
      problems: [
        'monitors.c.provisioning.maxSites: all monitors together may gain 620 sites; allowed are 500',
      ],
    });
  });
});

describe('monitorIssues', () => {
  test('finds between programs what the parser finds in a file', () => {
    const { policies, monitors } = monitorsOf(JOBS);
    const [nightly, hosts] = monitors;
    if (nightly === undefined || hosts === undefined) {
      throw new Error('the file has two monitors');
    }
    const again = { ...hosts, service: 'checkout', sites: [...nightly.sites, ...nightly.sites] };
    const paths = monitorIssues(policies, [nightly, again, again]).map(({ path }) =>
      path.join('.'),
    );
    expect(paths).toContain('1.service');
    expect(paths).toContain('2.service');
    expect(paths).toContain('1.sites.2.site');
    expect(paths).toContain('1.sites.0.tokenHashes.0');
  });
});
