/**
 * (n) A BIND 9 of one's own is the switch: signed dynamic updates move the name, and its fence tells
 * which entry of the log did. Left out, with a line that says so, where no `named` is installed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namedPath, startBind } from '../../conformance/bind-server.ts';
import type { Figures } from '../support/case.ts';
import { DNS_NAME, EAST, LocalCluster, WEST } from '../support/cluster.ts';
import { ask, type DnsPlace } from '../support/dns.ts';
import { isQuiet } from '../support/situation.ts';
import { now, require, until } from '../support/wait.ts';

const ORIGIN = 'example.test';
const POLICY = ['grant KEY zonesub A AAAA CNAME TXT'];

interface BindContext {
  readonly portBase: number;
  readonly configuration: string;
  readonly say: (line: string) => void;
}

export async function bindAsSwitch({
  portBase,
  configuration,
  say,
}: BindContext): Promise<Figures> {
  if (!isInstalled()) {
    say('SKIPPED: no `named` is installed (apt-get install bind9)');
    return { skipped: 'no named is installed' };
  }
  const bind = await startBind({ origin: ORIGIN, algorithm: 'hmac-sha256', policy: POLICY });
  const root = await mkdtemp(join(tmpdir(), 'tripoint-e2e-bind-'));
  const cluster = new LocalCluster({
    root,
    portBase,
    variables: {
      TRIPOINT_SWITCH: 'rfc2136',
      TRIPOINT_DNS_SERVER: `127.0.0.1:${bind.port}`,
      TRIPOINT_DNS_ZONE: ORIGIN,
      TRIPOINT_TSIG_KEY_NAME: bind.key.name,
      TRIPOINT_TSIG_SECRET: Buffer.from(bind.key.secret).toString('base64'),
    },
  });
  try {
    const startMs = Math.round(await cluster.start(configuration));
    const place = { host: '127.0.0.1', port: bind.port };
    await untilSays(place, EAST.address);
    await untilBothHealthy(cluster);
    const killedAt = await cluster.kill(EAST.process);
    await untilSays(place, WEST.address);
    const killToDnsMs = Math.round(now() - killedAt);
    const [fence = ''] = (await ask(place, `_tripoint.${DNS_NAME}`, 'TXT')) ?? [];
    require(fence.includes('site=us-west-2'), `the fence says ${fence}`);
    return { startMs, killToDnsMs, fence };
  } finally {
    await cluster.stop();
    await bind.close();
    await rm(root, { recursive: true, force: true });
  }
}

function isInstalled(): boolean {
  try {
    namedPath();
    return true;
  } catch {
    return false;
  }
}

function untilSays(place: DnsPlace, address: string): Promise<true> {
  return until(
    `BIND answers ${address}`,
    async () => ((await ask(place, DNS_NAME))?.join() === address ? true : null),
    { timeoutMs: 60_000, pollMs: 20 },
  );
}

function untilBothHealthy(cluster: LocalCluster): Promise<true> {
  return until(
    'both sites are healthy and no run is open',
    async () => {
      const status = await cluster.status('us-west-2');
      const [service] = status?.services ?? [];
      return service !== undefined && isQuiet(service) ? true : null;
    },
    { timeoutMs: 60_000, pollMs: 100 },
  );
}
