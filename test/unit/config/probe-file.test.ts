import { describe, expect, test } from 'vitest';
import { CONFIG_LIMITS } from '../../../lib/config/limits.ts';
import { parseConfiguration } from '../../../lib/config/parse.ts';

/** A file whose first site has these probes; `probe: URL` on top when it is given. */
function parse(entries: readonly string[], probe?: string) {
  const probes = entries.length === 0 ? '' : `\n        probes:\n${list(entries)}`;
  return parseConfiguration(
    `version: 1
services:
  checkout:
    dns: { name: checkout.example.com }
    primary: us-east-1
    sites:
      us-east-1:
        address: 192.0.2.1
        tokens: ['sha256:${'ab'.repeat(32)}']${probe === undefined ? '' : `\n        probe: ${probe}`}${probes}
      us-west-2: { address: 192.0.2.2, tokens: ['sha256:${'cd'.repeat(32)}'] }
`,
    {},
  );
}

function list(entries: readonly string[]): string {
  return entries.map((entry) => `          - { ${entry} }`).join('\n');
}

function probesOf(entries: readonly string[], probe?: string) {
  const parsed = parse(entries, probe);
  expect(parsed).toMatchObject({ kind: 'valid' });
  return parsed.kind === 'valid' ? parsed.policies[0]?.sites[0]?.probes : [];
}

function problemsOf(...entries: readonly string[]) {
  const parsed = parse(entries);
  const problems = parsed.kind === 'invalid' ? parsed.problems : [];
  return problems.map(({ path, message }) => `${path.split('probes').at(-1)}: ${message}`);
}

const PLAIN = {
  kind: 'http',
  url: 'https://192.0.2.1/healthz',
  method: 'GET',
  statusMin: 200,
  statusMax: 299,
  latencyMsMax: null,
  bodyContains: null,
  serverName: null,
  certificateDaysMin: 14,
  intervalMs: 10_000,
  timeoutMs: 4000,
  rise: 2,
  fall: 3,
};

describe('a site', () => {
  test('without probes has none', () => {
    expect(probesOf([])).toEqual([]);
  });

  test('with `probe: URL` has a plain probe of it', () => {
    expect(probesOf([], PLAIN.url)).toEqual([PLAIN]);
    expect(probesOf([], 'http://192.0.2.1/')).toMatchObject([{ certificateDaysMin: 0 }]);
  });

  test('that says more about the same URL has that one only', () => {
    const probes = probesOf([`url: '${PLAIN.url}', contains: ok`], PLAIN.url);
    expect(probes).toEqual([{ ...PLAIN, bodyContains: 'ok' }]);
  });

  test('may have a probe of each kind, with everything that it can say', () => {
    const pace = 'interval: 30s, timeout: 2s, rise: 1, fall: 5';
    const paced = { intervalMs: 30_000, timeoutMs: 2000, rise: 1, fall: 5 };
    expect(
      probesOf([
        `url: 'https://h/', method: HEAD, status: 200-399, maxLatency: 800ms, serverName: a.test, certificateDays: 30, ${pace}`,
        `url: 'tcp://h:5432', ${pace}`,
        `url: 'tls://h:443', serverName: a.test, certificateDays: 0, ${pace}`,
        `url: 'dns:a.test?type=AAAA', expect: ['2001:db8::1'], ${pace}`,
      ]),
    ).toEqual([
      {
        ...{ ...PLAIN, url: 'https://h/', method: 'HEAD', statusMax: 399, latencyMsMax: 800 },
        ...{ serverName: 'a.test', certificateDaysMin: 30, ...paced },
      },
      { kind: 'tcp', host: 'h', port: 5432, ...paced },
      { kind: 'tls', host: 'h', port: 443, serverName: 'a.test', certificateDaysMin: 0, ...paced },
      {
        ...{ kind: 'dns', name: 'a.test', recordType: 'AAAA', expected: ['2001:db8::1'] },
        ...{ server: null, ...paced },
      },
    ]);
  });

  test('with a brisk probe gets a time limit below its interval', () => {
    expect(probesOf([`url: 'tcp://h:1', interval: 1s`])).toMatchObject([{ timeoutMs: 500 }]);
  });

  test('of which one status counts says that one', () => {
    expect(probesOf([`url: 'http://h/', status: 204`])).toMatchObject([
      { statusMin: 204, statusMax: 204 },
    ]);
  });
});

describe('a probe is refused', () => {
  test.each([
    [
      `url: 'ftp://h/'`,
      '[0].url: must be http(s)://…, tcp://host:port, tls://host:port or dns:name?type=A',
    ],
    ['interval: 5s', '[0].url: url is missing'],
    [
      `url: 'tcp://h:1', contains: x`,
      '[0].contains: means nothing for a URL of this scheme; remove it',
    ],
    [
      `url: 'http://h/', certificateDays: 3`,
      '[0].certificateDays: means nothing for a URL of this scheme; remove it',
    ],
    [
      `url: 'http://h/', expect: [x]`,
      '[0].expect: means nothing for a URL of this scheme; remove it',
    ],
    [
      `url: 'tcp://h:1', timeout: 10s`,
      '[0].timeout: must be below the interval of the probe; lower it, or raise interval',
    ],
    [
      `url: 'http://h/', maxLatency: 5s`,
      '[0].maxLatency: must be below the timeout of the probe; lower it, or raise timeout',
    ],
    [
      `url: 'http://h/', method: HEAD, contains: x`,
      '[0].contains: an answer to HEAD has no body; use method GET',
    ],
    [
      `url: 'http://h/', status: 299-200`,
      '[0].status: the lower status is above the upper one; write them in order',
    ],
    [`url: 'http://h/', status: ok`, '[0].status: expected a status or range'],
    [`url: 'http://h/', interval: 500ms`, '[0].interval: must be 1s to 1h'],
    [`url: 'http://h/', rise: 0`, '[0].rise: must be 1 to 10'],
    [`url: 'http://h/', colour: red`, '[0].colour: unknown key colour'],
  ])('{ %s }', (entry, problem) => {
    expect(problemsOf(entry)).toEqual([problem]);
  });

  test('where there are too many', () => {
    const many = Array.from(
      { length: CONFIG_LIMITS.probesMax + 1 },
      (_, k) => `url: 'tcp://h:${k + 1}'`,
    );
    expect(problemsOf(...many)).toEqual([': must be 5 or fewer entries']);
  });
});
