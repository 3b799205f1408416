// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested here.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Variables } from '../../../lib/config/expansion.ts';
import { CONFIG_LIMITS } from '../../../lib/config/limits.ts';
import { parseConfiguration } from '../../../lib/config/parse.ts';
import { RECOVERY_DEFAULTS, safetyPolicy } from '../../support/service-states.ts';

const HASH = 'ab'.repeat(32);
const EXAMPLE = readFileSync('docs/examples/tripoint.yaml', 'utf8');
const SMALLEST = `version: 1
services:
  checkout:
    dns: { name: checkout.example.com }
    primary: us-east-1
    sites:
      us-east-1: { address: 192.0.2.1, tokens: [sha256:${HASH}] }
      us-west-2: { address: 192.0.2.2, tokens: [sha256:${HASH}] }
`;

function problemsOf(text: string, variables: Variables = {}) {
  const parsed = parseConfiguration(text, variables);
  return parsed.kind === 'invalid' ? parsed.problems : [];
}

function policyOf(text: string, variables: Variables = {}) {
  const parsed = parseConfiguration(text, variables);
  expect(parsed).toMatchObject({ kind: 'valid' });
  return parsed.kind === 'valid' ? parsed.policies[0] : undefined;
}

/** Path, line and column of each problem, as `path@line:column`. */
function placesOf(text: string, variables: Variables = {}) {
  return problemsOf(text, variables).map(({ path, line, column }) => `${path}@${line}:${column}`);
}

describe('a valid file', () => {
  test('gives policies in the units of the domain', () => {
    expect(policyOf(EXAMPLE)).toMatchObject({
      service: 'checkout',
      ttlSeconds: 5,
      objectives: { rtoMs: 30_000, rpoMs: 5000 },
      detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
      safety: { holdDownMs: 300_000, automaticRunsPerDayMax: 3 },
    });
  });

  test('needs only what has no default, and leaves automation off', () => {
    expect(policyOf(SMALLEST)).toEqual({
      service: 'checkout',
      dnsName: 'checkout.example.com',
      recordType: 'A',
      ttlSeconds: 5,
      strategy: 'failover',
      automatic: false,
      primary: 'us-east-1',
      objectives: { rtoMs: 30_000, rpoMs: 5000 },
      detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
      safety: safetyPolicy({ holdDownMs: 300_000 }),
      ...RECOVERY_DEFAULTS,
      sites: ['us-east-1', 'us-west-2'].map((site, position) => ({
        site,
        region: site,
        address: `192.0.2.${position + 1}`,
        probeUrl: null,
        probes: [],
        tokenHashes: [HASH],
        capacity: null,
        weight: 0,
      })),
    });
  });

  test('derives the silence that fails a site from its interval', () => {
    const slow = SMALLEST.replace('    primary', '    detection: { interval: 30s }\n    primary');
    expect(policyOf(slow)?.detection.silenceMsMax).toBe(360_000);
    const daily = slow.replace('30s', '24h');
    expect(policyOf(daily)?.detection.silenceMsMax).toBe(CONFIG_LIMITS.silenceMsMax);
  });

  test('keeps the order of the sites, which is the order of preference', () => {
    const names = policyOf(
      SMALLEST.replace('us-east-1: {', 'zurich: {').replace(
        'primary: us-east-1',
        'primary: zurich',
      ),
    );
    expect(names?.sites.map(({ site }) => site)).toEqual(['zurich', 'us-west-2']);
  });

  test('has a hash that depends on its meaning and not on its text', () => {
    const hashOf = (text: string) => {
      const parsed = parseConfiguration(text, {});
      return parsed.kind === 'valid' ? parsed.hash : null;
    };
    expect(hashOf(SMALLEST)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf(`# a comment\n${SMALLEST.replace('{ name: ', '{ ttl: 5000ms, name: ')}`)).toBe(
      hashOf(SMALLEST),
    );
    expect(hashOf(SMALLEST.replace('192.0.2.2', '192.0.2.3'))).not.toBe(hashOf(SMALLEST));
  });

  test('may use anchors, for sites or tokens that are alike', () => {
    const text = SMALLEST.replace(
      `[sha256:${HASH}] }\n      us-west`,
      `&tokens [sha256:${HASH}] }\n      us-west`,
    ).replace(/(192\.0\.2\.2, tokens: )\[.*\]/, '$1*tokens');
    expect(text).toContain('*tokens');
    expect(policyOf(text)?.sites[1]?.tokenHashes).toEqual([HASH]);
  });
});

describe('references', () => {
  const withToken = SMALLEST.replace(`sha256:${HASH}`, "'${SITE_TOKEN}'");
  const token = 'a-token-that-is-long-enough';

  test('may name a hash', () => {
    expect(policyOf(withToken, { SITE_TOKEN: `sha256:${HASH}` })?.sites[0]?.tokenHashes).toEqual([
      HASH,
    ]);
  });

  test('may name a token, of which only the hash is kept', () => {
    const hash = createHash('sha256').update(token).digest('hex');
    const policy = policyOf(withToken, { SITE_TOKEN: token });
    expect(policy?.sites[0]?.tokenHashes).toEqual([hash]);
    expect(JSON.stringify(policy)).not.toContain(token);
  });

  test('may stand for numbers and booleans where they are not quoted', () => {
    const text = SMALLEST.replace(
      '    primary',
      '    automatic: ${AUTO}\n    detection:\n      failPhi: ${PHI}\n    primary',
    );
    expect(policyOf(text, { AUTO: 'true', PHI: '12.5' })).toMatchObject({
      automatic: true,
      detection: { failPhi: 12.5 },
    });
  });

  test('that are not set are one problem each, at their place', () => {
    expect(problemsOf(withToken)).toEqual([
      expect.objectContaining({
        line: 7,
        column: 49,
        message: 'environment variable SITE_TOKEN is not set',
      }),
    ]);
  });

  test('cannot add keys to the file', () => {
    const text = SMALLEST.replace('checkout.example.com', '"${NAME}"');
    expect(problemsOf(text, { NAME: 'a.example.com }\n    automatic: true' })).toHaveLength(1);
  });

  test('never bring a secret into a message', () => {
    const secret = 'hunter2-hunter2';
    const everywhere = EXAMPLE.replaceAll(
      /: (5s|A|failover|us-east-1|192\.0\.2\.10|https.*)$/gm,
      ": '${SECRET}'",
    ).replaceAll(/sha256:.*/g, '${SECRET}');
    const problems = problemsOf(everywhere, { SECRET: secret });
    expect(problems.length).toBeGreaterThan(6);
    const quoting = problems.filter(({ message, fix }) => `${message}${fix}`.includes(secret));
    expect(quoting).toEqual([]);
  });

  test('with a token that could be guessed are refused', () => {
    expect(problemsOf(withToken, { SITE_TOKEN: 'short' })).toHaveLength(1);
  });
});

describe('an invalid file', () => {
  test('lists every problem at once, in order of lines', () => {
    const text = `version: 2
services:
  checkout:
    dns: { nam: x, type: AA, ttl: 10m }
    primry: us-east-1
    detection: { interval: 1, suspectPhi: 1000 }
    sites:
      us-east-1: { address: 192.0.2.1, tokens: [abc] }
      US:
  pay ments:
    dns: { name: pay.example.com }
    primary: a
    detection: { maxSilence: 2s, suspectPhi: 20 }
    safety: 5
    sites:
      b: { address: 192.0.2.1, tokens: [] }
      c: { address: 192.0.2.1, tokens: foo, probe: ftp://x }
  search:
    dns: { name: pay.example.com }
    sites: []
  nothing:
extra: 1
`;
    expect(placesOf(text)).toEqual([
      'version@1:10',
      'services.checkout.dns.nam@4:12',
      'services.checkout.dns.type@4:26',
      'services.checkout.dns.ttl@4:35',
      'services.checkout.primry@5:5',
      'services.checkout.detection.interval@6:28',
      'services.checkout.detection.suspectPhi@6:43',
      'services.checkout.sites.us-east-1.tokens[0]@8:49',
      'services.checkout.sites.US@9:7',
      'services.checkout.sites.US@9:7',
      'services.pay ments@10:3',
      'services.pay ments.primary@12:14',
      'services.pay ments.detection.failPhi@13:5',
      'services.pay ments.detection.maxSilence@13:30',
      'services.pay ments.safety@14:13',
      'services.pay ments.sites.b.tokens@16:40',
      'services.pay ments.sites.c.address@17:21',
      'services.pay ments.sites.c.tokens@17:40',
      'services.pay ments.sites.c.probe@17:52',
      'services.search.primary@18:3',
      'services.search.dns.name@19:18',
      'services.search.sites@20:12',
      'services.nothing@21:3',
      'extra@22:1',
    ]);
  });

  test.each([
    ['primary: us-east-1', 'primry: us-east-1', 'did you mean primary?'],
    ['address: 192.0.2.1,', 'adress: 192.0.2.1,', 'did you mean address?'],
    ['version: 1', 'version: 1\ncolour: red', 'use one of: version, services, monitors'],
    ['primary: us-east-1', 'primary: eu-west-1', 'use one of: us-east-1, us-west-2'],
    [
      '192.0.2.2',
      'site.example.net',
      'write an address such as 192.0.2.10, or set dns.type: CNAME',
    ],
    ['name: checkout', 'type: aaaa, name: checkout', 'write one of: A, AAAA, CNAME'],
    ['primary', 'detection: {interval: 1}\n    primary', 'write interval: 1s'],
    [
      `sha256:${HASH}`,
      'my-token',
      'run `tripoint token new` and write the sha256:… line that it prints',
    ],
  ])('proposes a fix for %s → %s', (from, to, fix) => {
    expect(problemsOf(SMALLEST.replace(from, to)).map((problem) => problem.fix)).toEqual([fix]);
  });

  test('quotes no token that was pasted into it', () => {
    const text = JSON.stringify(problemsOf(SMALLEST.replace(`sha256:${HASH}`, 'hunter2')));
    expect(text).not.toContain('hunter2');
  });

  test.each([
    ['', 1],
    ['services: [', 1],
    ['- a\n- b', 1],
    ['just text', 1],
    [`${SMALLEST}---\nversion: 1`, 9],
    [SMALLEST.replace('version: 1', 'version: 1\nversion: 1'), 2],
    [SMALLEST.replace('primary:', 'primary: !secret'), 5],
    ['version: 1\nservices: {}', 2],
  ])('is refused with the line of the problem, case %#', (text, line) => {
    expect(problemsOf(text)[0]?.line).toBe(line);
  });

  test.each(['__proto__', 'constructor'])(
    'does not let a service be called %s unnoticed',
    (name) => {
      const text = SMALLEST.replace('  checkout:', `  ${name}:`);
      const parsed = parseConfiguration(text, {});
      const names = parsed.kind === 'valid' ? parsed.policies.map(({ service }) => service) : null;
      expect(names).toEqual(name === 'constructor' ? ['constructor'] : null);
    },
  );

  test('is refused when it unfolds to more than it says', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g']
      .map(
        (key, position) =>
          `${key}: &${key} [${Array(9).fill(`*${'abcdef'[position]}`).join(', ')}]`,
      )
      .join('\n')}`;
    expect(problemsOf(bomb)[0]?.fix).toBe('write the values out instead of using so many aliases');
  });

  test('is refused when it is too large to be one configuration', () => {
    expect(problemsOf('#'.repeat(CONFIG_LIMITS.fileCharactersMax + 1))).toHaveLength(1);
  });

  test('says how many problems it leaves out', () => {
    const keys = Array.from({ length: 250 }, (_, number) => `key${number}: 1`).join('\n');
    const problems = problemsOf(`${SMALLEST}${keys}`);
    expect(problems).toHaveLength(CONFIG_LIMITS.problemsMax + 1);
    expect(problems.at(-1)?.message).toBe('and 50 more problems');
  });

  test('counts services and sites', () => {
    const service = SMALLEST.split('\n').slice(2).join('\n');
    const many = Array.from({ length: 101 }, (_, number) =>
      service.replace('checkout:', `s${number}:`).replace('checkout.', `s${number}.`),
    ).join('');
    expect(problemsOf(`version: 1\nservices:\n${many}`)).toEqual([
      expect.objectContaining({ path: 'services', fix: 'split the fleet over two clusters' }),
    ]);
  });
});

describe('a fleet that is too large for one entry of the log', () => {
  test('is refused as a whole, with what to do', () => {
    const sites = Array.from(
      { length: 10 },
      (_, i) =>
        `      s${i}: { address: 127.0.1.${i + 1}, probe: 'http://127.0.1.${i + 1}/${'x'.repeat(900)}', tokens: ['sha256:${'a'.repeat(63)}${i}'] }`,
    );
    const services = Array.from(
      { length: 8 },
      (_, i) =>
        `  svc${i}:\n    dns: { name: svc${i}.example.test, ttl: 5s }\n    primary: s0\n    sites:\n${sites.join('\n')}`,
    );
    const parsed = parseConfiguration(`version: 1\nservices:\n${services.join('\n')}\n`, {});
    expect(parsed.kind === 'invalid' && parsed.problems).toMatchObject([
      { line: 1, fix: 'split the fleet over two clusters' },
    ]);
  });
});

describe('any text', () => {
  test('is answered with policies or with problems, never with an exception', () => {
    const lines = EXAMPLE.split('\n');
    const mutation = fc.tuple(
      fc.nat(lines.length - 1),
      fc.constantFrom('', ' x', ': ', '- ', '}', '&a', '*a', '$', '${', '!t '),
    );
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), fc.string(), (mutations, tail) => {
        const changed = [...lines];
        for (const [line, text] of mutations) {
          changed[line] = text === '' ? '' : `${changed[line] ?? ''}${text}`;
        }
        const parsed = parseConfiguration(`${changed.join('\n')}${tail}`, {});
        const isWhole =
          parsed.kind === 'valid'
            ? parsed.policies.length > 0
            : parsed.problems.every(
                ({ line, column, fix }) => line > 0 && column > 0 && fix !== '',
              );
        expect(isWhole && (parsed.kind === 'valid' || parsed.problems.length > 0)).toBe(true);
      }),
      { seed: 20_261_123, numRuns: 150 },
    );
  });
});
