import { afterEach, expect, test } from 'vitest';
import { createProbePort } from '../../../../lib/aws/probe/probe-port.ts';
import { type DnsServer, listenDns } from '../../../../lib/local/dns/dns-server.ts';
import { applyBatch, createZone } from '../../../../lib/local/dns/zone.ts';
import { SYSTEM_CLOCK } from '../../../../lib/local/system-clock.ts';
import type { DnsProbePolicy } from '../../../../lib/recovery/probe-policy.ts';
import type { RecordSet } from '../../../../lib/recovery/switch-port.ts';
import { dnsPolicy } from '../../../support/probe-policies.ts';

const RECORDS: readonly RecordSet[] = [
  { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1', '192.0.2.2'] },
  { name: 'b.example.test', type: 'AAAA', ttlSeconds: 5, values: ['2001:db8::1'] },
  { name: 'c.example.test', type: 'CNAME', ttlSeconds: 5, values: ['a.example.test'] },
  { name: 't.example.test', type: 'TXT', ttlSeconds: 5, values: ['some text'] },
  { name: 'e.example.test', type: 'TXT', ttlSeconds: 5, values: ['a\u001b[2Jb\r\nc\u0007d'] },
];
const port = createProbePort({ clock: SYSTEM_CLOCK });
let server: DnsServer | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

async function probe(changes: Partial<DnsProbePolicy>) {
  server ??= await listenDns({
    ...{ host: '127.0.0.1', port: 0, log: () => undefined },
    zone: () => zone,
  });
  const policy = dnsPolicy({ server: `127.0.0.1:${server.port}`, ...changes });
  return port.probe(policy, new AbortController().signal);
}

test.each([
  ['A', 'a.example.test', ['192.0.2.2']],
  ['A', 'a.example.test', []],
  ['AAAA', 'b.example.test', ['2001:db8::1']],
  ['CNAME', 'c.example.test', ['A.Example.Test.']],
  ['TXT', 't.example.test', ['some text']],
] as const)('%s of %s with %j passes', async (recordType, name, expected) => {
  expect(await probe({ recordType, name, expected })).toMatchObject({ outcome: 'passed' });
});

test('an answer without the expected value is told with what came instead', async () => {
  const result = await probe({ name: 'a.example.test', expected: ['192.0.2.9'] });
  expect(result).toMatchObject({ outcome: 'failed', code: 'answer-unexpected' });
  expect(result.detail).toContain('answers 192.0.2.1, 192.0.2.2, not 192.0.2.9');
});

test('what a text record holds is told without what a terminal would obey', async () => {
  const policy = { recordType: 'TXT', name: 'e.example.test', expected: ['x'] } as const;
  const { detail } = await probe(policy);
  expect(detail).toContain('answers a [2Jb c d, not x');
});

test('a name that is not there does not resolve', async () => {
  expect(await probe({ name: 'nobody.example.test' })).toMatchObject({
    outcome: 'failed',
    code: 'name-unresolved',
  });
  expect(await probe({ name: 'a.example.test', recordType: 'TXT' })).toMatchObject({
    code: 'name-unresolved',
  });
});

test('a zone that the server refuses is an unexpected answer', async () => {
  expect(await probe({ name: 'a.other.test' })).toMatchObject({
    outcome: 'failed',
    code: 'answer-unexpected',
  });
});

const zone = (() => {
  const changes = RECORDS.map((recordSet) => ({ action: 'CREATE', recordSet }) as const);
  const applied = applyBatch(createZone('example.test', '127.0.0.1'), changes);
  if (applied.kind !== 'applied') {
    throw new Error(applied.kind);
  }
  return applied.zone;
})();
