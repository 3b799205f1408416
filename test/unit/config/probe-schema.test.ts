import { expect, test } from 'vitest';
import { probePolicySchema } from '../../../lib/config/probe-schema.ts';
import { dnsPolicy, httpPolicy, tcpPolicy, tlsPolicy } from '../../support/probe-policies.ts';

test.each([
  httpPolicy('https://h/', { latencyMsMax: 100, bodyContains: 'ok', serverName: 'a.test' }),
  tcpPolicy(5432, { host: '::1' }),
  tlsPolicy(443),
  dnsPolicy({ server: '192.0.2.53:53', expected: ['192.0.2.1'] }),
])('a probe of kind $kind is taken as it is', (policy) => {
  expect(probePolicySchema.parse(policy)).toEqual(policy);
});

test.each<[string, unknown]>([
  ['url', httpPolicy('tcp://h:1')],
  ['url', httpPolicy('http://user:secret@h/')],
  ['timeoutMs', httpPolicy('http://h/', { timeoutMs: 10_000 })],
  ['timeoutMs', tcpPolicy(1, { timeoutMs: 60_000, intervalMs: 120_000 })],
  ['intervalMs', tcpPolicy(1, { intervalMs: 10 })],
  ['latencyMsMax', httpPolicy('http://h/', { latencyMsMax: 2000 })],
  ['bodyContains', httpPolicy('http://h/', { method: 'HEAD', bodyContains: 'ok' })],
  ['statusMin', httpPolicy('http://h/', { statusMin: 400 })],
  ['port', tcpPolicy(0)],
  ['host', tcpPolicy(1, { host: 'a b' })],
  ['name', dnsPolicy({ name: 'a b' })],
  ['name', dnsPolicy({ server: 'ns.example.com' })],
  ['fall', tlsPolicy(1, { fall: 0 })],
  ['kind', { ...tcpPolicy(1), kind: 'icmp' }],
  ['', { ...tcpPolicy(1), colour: 'red' }],
])('a wrong %s is refused', (path, policy) => {
  const parsed = probePolicySchema.safeParse(policy);
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
});
