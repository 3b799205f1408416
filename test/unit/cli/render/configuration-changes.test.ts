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
      { ...first, address: '127.0.0.11', probeUrl: null },
      { ...second, address: '127.0.0.99', probeUrl: null },
    ] as ServicePolicy['sites'];
    expect(
      linesFor([{ ...example, dnsName: 'checkout.example.test', ttlSeconds: 5, sites }]),
    ).toEqual([
      '~ checkout.ttlSeconds: 1 → 5',
      '~ checkout.sites.us-west-2.address: 127.0.0.12 → 127.0.0.99',
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
