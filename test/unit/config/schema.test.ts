import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../../../lib/config/parse.ts';
import {
  isProbeUrl,
  isServiceDnsName,
  policiesSchema,
  policySchema,
} from '../../../lib/config/schema.ts';
import type { ServicePolicy, SitePolicy } from '../../../lib/recovery/policy.ts';
import { RECOVERY_DEFAULTS, safetyPolicy } from '../../support/service-states.ts';

function site(name: string, address: string): SitePolicy {
  return {
    site: name,
    region: name,
    address,
    probeUrl: null,
    probes: [],
    tokenHashes: ['ab'.repeat(32)],
    capacity: null,
    weight: 0,
  };
}

const POLICY: ServicePolicy = {
  service: 'checkout',
  dnsName: 'checkout.example.com',
  recordType: 'A',
  ttlSeconds: 5,
  strategy: 'failover',
  automatic: true,
  primary: 'us-east-1',
  objectives: { rtoMs: 30_000, rpoMs: 5000 },
  detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
  safety: safetyPolicy({ holdDownMs: 300_000 }),
  ...RECOVERY_DEFAULTS,
  sites: [site('us-east-1', '192.0.2.1'), site('us-west-2', '192.0.2.2')],
};

/** Paths of the problems with a policy in which one member is changed. */
function pathsOf(change: Partial<ServicePolicy> | { readonly [key: string]: unknown }) {
  const parsed = policySchema.safeParse({ ...POLICY, ...change });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
}

describe('policySchema', () => {
  test('accepts a valid policy as it is', () => {
    expect(policySchema.parse(POLICY)).toEqual(POLICY);
  });

  test.each([
    [{ colour: 'red' }, ''],
    [{ service: 'Checkout' }, 'service'],
    [{ dnsName: 'checkout' }, 'dnsName'],
    [{ dnsName: 'Checkout.example.com' }, 'dnsName'],
    [{ recordType: 'MX' }, 'recordType'],
    [{ ttlSeconds: 301 }, 'ttlSeconds'],
    [{ ttlSeconds: 1.5 }, 'ttlSeconds'],
    [{ ttlSeconds: 0 }, 'ttlSeconds'],
    [{ strategy: 'hope' }, 'strategy'],
    [{ automatic: 'yes' }, 'automatic'],
    [{ automatic: undefined }, 'automatic'],
    [{ primary: 'eu-west-1' }, 'primary'],
    [{ objectives: { rtoMs: 0, rpoMs: 0 } }, 'objectives.rtoMs'],
    [{ detection: { ...POLICY.detection, intervalMs: 99 } }, 'detection.intervalMs'],
    [{ detection: { ...POLICY.detection, failPhi: 8 } }, 'detection.failPhi'],
    [{ detection: { ...POLICY.detection, silenceMsMax: 3999 } }, 'detection.silenceMsMax'],
    [{ safety: { ...POLICY.safety, holdDownMs: -1 } }, 'safety.holdDownMs'],
    [{ safety: { ...POLICY.safety, automaticRunsPerDayMax: 0 } }, 'safety.automaticRunsPerDayMax'],
    [{ sites: POLICY.sites.slice(1) }, 'sites'],
    [{ recordType: 'AAAA' }, 'sites.0.address'],
    [{ sites: [...POLICY.sites, site('us-east-1', '192.0.2.3')] }, 'sites.2.site'],
    [{ sites: [...POLICY.sites, site('eu-west-1', '192.0.2.1')] }, 'sites.2.address'],
    [{ sites: POLICY.sites.map((each) => ({ ...each, tokenHashes: [] })) }, 'sites.1.tokenHashes'],
  ])('refuses %j at %j', (change, path) => {
    expect(pathsOf(change)).toContain(path);
  });
});

describe('policiesSchema', () => {
  const second = { ...POLICY, service: 'search', dnsName: 'search.example.com' };

  test('accepts services that do not share a name', () => {
    expect(policiesSchema.parse([POLICY, second])).toEqual([POLICY, second]);
  });

  test.each([
    [[], ''],
    [[POLICY, { ...second, service: 'checkout' }], '1.service'],
    [[POLICY, { ...second, dnsName: 'checkout.example.com' }], '1.dnsName'],
    [[POLICY, { ...second, primary: 'eu-west-1' }], '1.primary'],
  ])('refuses what two services may not share, case %#', (policies, path) => {
    const parsed = policiesSchema.safeParse(policies);
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  test('accepts whatever the file parser accepts', () => {
    const text = readFileSync('docs/examples/tripoint.yaml', 'utf8');
    const parsed = parseConfiguration(text, {});
    expect(parsed.kind).toBe('valid');
    expect(policiesSchema.parse(parsed.kind === 'valid' ? parsed.policies : [])).toHaveLength(1);
  });
});

describe('isServiceDnsName', () => {
  test.each(['a.b', 'checkout.example.com', '_x.example.com', `${'a'.repeat(63)}.com`])(
    'accepts %s',
    (name) => {
      expect(isServiceDnsName(name)).toBe(true);
    },
  );

  test.each([
    '',
    'com',
    '10.0.0.1',
    'a.b.',
    'A.b',
    'a..b',
    '-a.b',
    '*.example.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(122)}com`,
  ])('refuses %j', (name) => {
    expect(isServiceDnsName(name)).toBe(false);
  });
});

describe('isProbeUrl', () => {
  test.each(['http://127.0.0.11:8101/healthz', 'https://[2001:db8::1]/x?y=1'])(
    'accepts %s',
    (url) => {
      expect(isProbeUrl(url)).toBe(true);
    },
  );

  test.each([
    '',
    'checkout',
    'ftp://a.b/',
    'http://user@a.b/',
    'http://a.b/#x',
    'javascript:0',
    `http://a.b/${'x'.repeat(2048)}`,
  ])('refuses %j', (url) => {
    expect(isProbeUrl(url)).toBe(false);
  });
});
