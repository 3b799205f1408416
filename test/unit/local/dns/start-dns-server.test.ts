import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dnsResolver } from '../../../../lib/local/dns/resolver.ts';
import { type DnsService, startDnsServer } from '../../../../lib/local/dns/start-dns-server.ts';
import { zoneClient } from '../../../../lib/local/dns/zone-client.ts';
import type { Change } from '../../../../lib/recovery/switch-port.ts';

const HOST = '127.0.0.1';
const TOKEN = 'a-token-for-these-tests';
const CREATE: Change = {
  action: 'CREATE',
  recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tripoint-dns-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('what was changed before a restart is answered after it, on the same ports', async () => {
  const path = join(folder, 'restart.json');
  const first = await start(path);
  expect((await clientOf(first).change([CREATE], 'test')).kind).toBe('applied');
  await first.close();
  const second = await start(path, first.ports);
  expect(second.ports).toEqual(first.ports);
  const resolve = dnsResolver({ host: HOST, port: second.ports.dns, timeoutMs: 2000 });
  expect(await resolve('a.example.test', 'A')).toEqual({ kind: 'resolved', values: ['192.0.2.1'] });
  expect(await clientOf(second).changeStatus('C2')).toEqual({ kind: 'in-sync' });
  await second.close();
});

test('a damaged zone file stops the start, and is left as it is', async () => {
  const path = join(folder, 'damaged.json');
  await writeFile(path, 'damaged');
  await expect(start(path)).rejects.toMatchObject({ code: 'zone-file-corrupt' });
  expect(await readFile(path, 'utf8')).toBe('damaged');
});

test('the zone file of another origin stops the start', async () => {
  const path = join(folder, 'other.json');
  await (await start(path)).close();
  await expect(start(path, undefined, 'other.test')).rejects.toMatchObject({
    code: 'zone-of-another-origin',
  });
});

test('an HTTP port in use stops the start and gives the DNS port back', async () => {
  const first = await start(join(folder, 'first.json'));
  const ports = { dns: 0, http: first.ports.http };
  await expect(start(join(folder, 'second.json'), ports)).rejects.toMatchObject({
    code: 'zone-api-port-in-use',
  });
  await first.close();
  const again = await start(join(folder, 'first.json'), first.ports);
  await again.close();
});

function start(
  path: string,
  ports: DnsService['ports'] = { dns: 0, http: 0 },
  origin = 'example.test',
): Promise<DnsService> {
  return startDnsServer({
    zoneFile: path,
    origin,
    host: HOST,
    dnsPort: ports.dns,
    httpPort: ports.http,
    token: TOKEN,
    log: () => undefined,
  });
}

function clientOf({ ports }: DnsService) {
  return zoneClient({ url: `http://${HOST}:${ports.http}`, token: TOKEN, timeoutMs: 2000 });
}
