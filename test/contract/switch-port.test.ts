/** The switch port's contract on the embedded DNS service and on the Route 53 adapter. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRoute53Client } from '../../lib/aws/route53/client.ts';
import { route53SwitchPort } from '../../lib/aws/route53/switch-port.ts';
import { dnsResolver } from '../../lib/local/dns/resolver.ts';
import { startDnsServerOn } from '../../lib/local/dns/start-dns-server.ts';
import { zoneClient } from '../../lib/local/dns/zone-client.ts';
import { type ZoneStore, zoneFile } from '../../lib/local/dns/zone-file.ts';
import type { Change, SwitchPort } from '../../lib/recovery/switch-port.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { startRoute53StandIn } from '../support/route53-stand-in.ts';
import { type SwitchPortHarness, switchPortContract } from './switch-port-contract.ts';

const ORIGIN = 'example.test';
const TOKEN = 'a-token-for-the-contract';

switchPortContract('embedded DNS', startEmbeddedDns);
switchPortContract('Route 53 (stand-in)', startRoute53);

async function startEmbeddedDns(): Promise<SwitchPortHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'tripoint-zone-'));
  const disk = gated(zoneFile(join(folder, 'zone.json')));
  const service = await startDnsServerOn(disk.store, {
    origin: ORIGIN,
    host: '127.0.0.1',
    dnsPort: 0,
    httpPort: 0,
    token: TOKEN,
    log: () => undefined,
  });
  const proxy = await startFaultyProxy(`http://127.0.0.1:${service.ports.http}`);
  const client = zoneClient({ url: proxy.url, token: TOKEN, timeoutMs: 5000 });
  let isReplyLost = false;
  return {
    port: {
      ...client,
      change: async (batch, comment) => {
        proxy.inject({ kind: isReplyLost ? 'drop-reply' : 'none' });
        isReplyLost = false;
        const outcome = await client.change(batch, comment);
        proxy.inject({ kind: 'none' });
        return outcome;
      },
    },
    origin: ORIGIN,
    resolve: dnsResolver({ host: '127.0.0.1', port: service.ports.dns, timeoutMs: 2000 }),
    loseNextReply: () => {
      isReplyLost = true;
    },
    makeBusy: () => disk.hold(() => client.change(otherChange(), 'keeps the zone busy')),
    settle: () => undefined,
    close: async () => {
      await proxy.close();
      await service.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A store whose next save can be held in the middle of a change. */
function gated(inner: ZoneStore): {
  readonly store: ZoneStore;
  readonly hold: (change: () => Promise<unknown>) => Promise<() => Promise<void>>;
} {
  let onSave: (() => Promise<void>) | null = null;
  return {
    store: {
      load: inner.load,
      save: async (zone) => {
        const wait = onSave;
        onSave = null;
        await wait?.();
        await inner.save(zone);
      },
    },
    hold: async (change) => {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      onSave = () => {
        reached.resolve();
        return released.promise;
      };
      const changed = change();
      await reached.promise;
      return async () => {
        released.resolve();
        await changed;
      };
    },
  };
}

const BUSY_MS = 2000;
const PROPAGATION_MS = 30_000;

async function startRoute53(): Promise<SwitchPortHarness> {
  const standIn = await startRoute53StandIn(ORIGIN);
  standIn.settings.propagationMs = PROPAGATION_MS;
  const client = createRoute53Client({
    region: 'us-east-1',
    endpoint: standIn.url,
    requestTimeoutMs: 5000,
    connectionTimeoutMs: 1000,
    credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
  });
  const port: SwitchPort = route53SwitchPort({ client, hostedZoneId: standIn.hostedZoneId });
  return {
    port,
    origin: ORIGIN,
    resolve: { absentBecause: 'the stand-in speaks the control plane only; e2e on AWS resolves' },
    loseNextReply: () => standIn.inject({ on: 'change', kind: 'drop-reply' }),
    makeBusy: async () => {
      standIn.settings.changeWindowMs = BUSY_MS;
      await port.change(otherChange(), 'keeps the zone busy');
      standIn.settings.changeWindowMs = 0;
      return async () => standIn.advance(BUSY_MS);
    },
    settle: () => standIn.advance(PROPAGATION_MS),
    close: async () => {
      client.destroy();
      await standIn.close();
    },
  };
}

let otherNames = 0;
function otherChange(): readonly Change[] {
  otherNames += 1;
  const name = `other-${otherNames}.${ORIGIN}`;
  return [
    { action: 'CREATE', recordSet: { name, type: 'A', ttlSeconds: 5, values: ['192.0.2.99'] } },
  ];
}
