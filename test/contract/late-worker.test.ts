/** Late workers on the embedded DNS, on the Route 53 stand-in and on the zone in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRoute53Client } from '../../lib/aws/route53/client.ts';
import { route53SwitchPort } from '../../lib/aws/route53/switch-port.ts';
import { startDnsServer } from '../../lib/local/dns/start-dns-server.ts';
import { zoneClient } from '../../lib/local/dns/zone-client.ts';
import { switchOnce } from '../../lib/recovery/switch-once.ts';
import type { ChangeOutcome } from '../../lib/recovery/switch-port.ts';
import { startLateWorker } from '../support/late-worker.ts';
import { MemoryZone } from '../support/memory-zone.ts';
import { startRoute53StandIn } from '../support/route53-stand-in.ts';
import { type LateWorkerHarness, lateWorkerContract } from './late-worker-contract.ts';

const ORIGIN = 'example.test';
const TOKEN = 'a-token-for-the-late-worker';

lateWorkerContract('embedded DNS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tripoint-late-'));
  const service = await startDnsServer({
    zoneFile: join(folder, 'zone.json'),
    origin: ORIGIN,
    host: '127.0.0.1',
    dnsPort: 0,
    httpPort: 0,
    token: TOKEN,
    log: () => undefined,
  });
  const url = `http://127.0.0.1:${service.ports.http}`;
  return {
    port: zoneClient({ url, token: TOKEN, timeoutMs: 5000 }),
    freeze: (intent) => startLateWorker({ place: { kind: 'embedded', url, token: TOKEN }, intent }),
    close: async () => {
      await service.close();
      await rm(folder, { recursive: true });
    },
  };
});

lateWorkerContract('Route 53 (stand-in)', async () => {
  const standIn = await startRoute53StandIn(ORIGIN);
  const { url, hostedZoneId } = standIn;
  const client = createRoute53Client({
    region: 'us-east-1',
    endpoint: url,
    requestTimeoutMs: 5000,
    connectionTimeoutMs: 1000,
    credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
  });
  return {
    port: route53SwitchPort({ client, hostedZoneId }),
    freeze: (intent) => startLateWorker({ place: { kind: 'route53', url, hostedZoneId }, intent }),
    close: async () => {
      client.destroy();
      await standIn.close();
    },
  };
});

lateWorkerContract('zone in memory', async (): Promise<LateWorkerHarness> => {
  const { switchPort } = new MemoryZone();
  return {
    port: switchPort,
    freeze: async (intent) => {
      const reached = Promise.withResolvers<void>();
      const woken = Promise.withResolvers<void>();
      let first: ChangeOutcome = { kind: 'unknown', cause: 'not tried' };
      const switching = switchOnce(
        {
          ...switchPort,
          change: async (batch, comment) => {
            reached.resolve();
            await woken.promise;
            first = await switchPort.change(batch, comment);
            return first;
          },
        },
        intent,
        { clock: { sleep: async () => undefined }, random: () => 0 },
      );
      await reached.promise;
      return {
        wake: async () => {
          woken.resolve();
          const outcome = await switching;
          return { first, outcome };
        },
      };
    },
    close: async () => undefined,
  };
});
