import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  configurationChanges,
  renderConfigurationChanges,
} from '../../../../lib/cli/render/configuration-changes.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { parseConfiguration } from '../../../../lib/config/parse.ts';
import type { ServicePolicy } from '../../../../lib/recovery/policy.ts';
import { serviceJson } from '../fixtures.ts';

function examplePolicy(): ServicePolicy {
  const parsed = parseConfiguration(readFileSync('docs/examples/tripoint.yaml', 'utf8'), {});
  const policy = parsed.kind === 'valid' ? parsed.policies[0] : undefined;
  expect(policy).toBeDefined();
  return policy as ServicePolicy;
}

function linesFor(wanted: readonly ServicePolicy[]) {
  return renderConfigurationChanges(configurationChanges([serviceJson()], wanted), PLAIN);
}

describe('configurationChanges', () => {
  test('names every value that differs, and nothing else', () => {
    const example = examplePolicy();
    const [first, second] = example.sites;
    const sites = [
      { ...first, address: '127.0.0.11', probeUrl: null, probes: [] },
      { ...second, address: '127.0.0.99', probeUrl: null, probes: first?.probes },
    ] as ServicePolicy['sites'];
    expect(
      linesFor([{ ...example, dnsName: 'checkout.example.test', ttlSeconds: 5, sites }]),
    ).toEqual([
      '~ checkout.ttlSeconds: 1 → 5',
      '~ checkout.sites.us-west-2.address: 127.0.0.12 → 127.0.0.99',
      '~ checkout.sites.us-west-2.probes: none → GET https://us-east-1.checkout.example.com/healthz (status 200 to 299, certificate for 14 days; each 10000 ms, at most 4000 ms, 2 up, 3 down); tls us-east-1.checkout.example.com:443 (a handshake, certificate for 30 days; each 10000 ms, at most 4000 ms, 2 up, 3 down)',
    ]);
  });

  test('names services that come and go', () => {
    expect(linesFor([{ ...examplePolicy(), service: 'search' }])).toEqual([
      '+ search: checkout.example.com, 2 sites',
      '- checkout: checkout.example.test is forgotten; its records stay as they are',
    ]);
  });

  test('says so when only what is never shown differs', () => {
    expect(renderConfigurationChanges([], PLAIN)).toHaveLength(1);
  });
});
