import { expect, test } from 'vitest';
import { readProtectedServices } from '../../../infra/protected-services.ts';
import { readText } from '../../support/infra.ts';

const EXAMPLE = readText('docs/examples/tripoint.yaml') ?? '';

test('reads names, sites and addresses of the example configuration', () => {
  expect(readProtectedServices('example', EXAMPLE)).toEqual({
    kind: 'valid',
    services: [
      {
        service: 'checkout',
        dnsName: 'checkout.example.com',
        dataPlaneName: null,
        recordType: 'A',
        primary: 'us-east-1',
        strategy: 'failover',
        sites: [
          { site: 'us-east-1', address: '192.0.2.10', weight: 0 },
          { site: 'us-west-2', address: '198.51.100.20', weight: 0 },
        ],
      },
    ],
    acted: {
      scalable: [],
      databases: [],
      functions: [],
      topics: [],
      copied: [],
      restored: [],
      hasLagMetrics: false,
      secretNames: [],
    },
  });
});

test('does not look at tokens, so that a deployment needs no secret', () => {
  const withSecret = EXAMPLE.replaceAll(/sha256:[0-9a-f]{64}/g, '$' + '{UNSET_VARIABLE}');
  expect(withSecret).not.toBe(EXAMPLE);
  expect(readProtectedServices('example', withSecret).kind).toBe('valid');
});

test('names the value that it cannot use', () => {
  const broken = EXAMPLE.replace('checkout.example.com', 'Checkout.Example.Com');
  expect(readProtectedServices('mine.yaml', broken)).toMatchObject({
    kind: 'invalid',
    problems: [{ key: 'mine.yaml services.checkout.dns.name' }],
  });
});

test.each(['services: [', '', '[]', 'services: 3', 'a: b'])('refuses %j', (text) => {
  expect(readProtectedServices('mine.yaml', text).kind).toBe('invalid');
});
