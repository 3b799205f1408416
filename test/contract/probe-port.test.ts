/**
 * The probe port contract on real sockets, for the kinds of probe that wait for an answer, and on
 * the port that tests of the control room use. A TCP probe ends with the connection, which a kernel
 * always takes on loopback, so nothing can hang there; its cases are in `test/unit/aws/probe`.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProbePort } from '../../lib/aws/probe/probe-port.ts';
import { listenDns } from '../../lib/local/dns/dns-server.ts';
import { applyBatch, createZone } from '../../lib/local/dns/zone.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import { probeTarget } from '../../lib/recovery/probe-policy.ts';
import { loopbackCertificate } from '../support/certificates.ts';
import { memoryProbes } from '../support/memory-probes.ts';
import { dnsPolicy, httpPolicy, tlsPolicy } from '../support/probe-policies.ts';
import { ProbeTargets } from '../support/probe-targets.ts';
import { probePortContract } from './probe-port-contract.ts';

const CERTIFICATE = loopbackCertificate(90);
const REAL = createProbePort({ clock: SYSTEM_CLOCK, authorities: [CERTIFICATE.cert] });
const NAME = 'checkout.example.test';

probePortContract('HTTP', async () => {
  const targets = new ProbeTargets();
  return {
    port: REAL,
    target: async (behaviour, timeoutMs) => {
      const port =
        behaviour === 'refuses'
          ? await targets.nobody()
          : await targets.http((_, response) =>
              behaviour === 'hangs' ? undefined : response.end('ok'),
            );
      return httpPolicy(`http://127.0.0.1:${port}/health`, { timeoutMs });
    },
    close: () => targets.close(),
  };
});

probePortContract('TLS', async () => {
  const targets = new ProbeTargets();
  return {
    port: REAL,
    target: async (behaviour, timeoutMs) => {
      const ports = {
        serves: () => targets.tls(CERTIFICATE),
        refuses: () => targets.nobody(),
        hangs: () => targets.tcp(() => undefined),
      };
      return tlsPolicy(await ports[behaviour](), { timeoutMs });
    },
    close: () => targets.close(),
  };
});

probePortContract('DNS', async () => {
  const closers: (() => Promise<unknown>)[] = [];
  const silentPort = async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closers.push(async () => socket.close());
    return socket.address().port;
  };
  return {
    port: REAL,
    target: async (behaviour, timeoutMs) => {
      const ports = {
        serves: async () => {
          const server = await listenDns({
            ...{ host: '127.0.0.1', port: 0, log: () => undefined },
            zone: () => zoneWith('192.0.2.1'),
          });
          closers.push(() => server.close());
          return server.port;
        },
        refuses: async () => {
          const port = await silentPort();
          await closers.pop()?.();
          return port;
        },
        hangs: silentPort,
      };
      return dnsPolicy({ server: `127.0.0.1:${await ports[behaviour]()}`, timeoutMs });
    },
    close: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
});

probePortContract('memory', async () => {
  const clock = {
    wallNow: SYSTEM_CLOCK.wallNow,
    sleep: (durationMs: number, signal?: AbortSignal) =>
      sleep(durationMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  };
  const probes = memoryProbes(clock);
  return {
    port: probes.port,
    target: async (behaviour, timeoutMs) => {
      const policy = httpPolicy(`http://${behaviour}.test/`, { timeoutMs });
      probes.set(probeTarget(policy), behaviour);
      return policy;
    },
    close: async () => undefined,
  };
});

function zoneWith(address: string) {
  const recordSet = { name: NAME, type: 'A', ttlSeconds: 5, values: [address] } as const;
  const applied = applyBatch(createZone('example.test', '127.0.0.1'), [
    { action: 'CREATE', recordSet },
  ]);
  if (applied.kind !== 'applied') {
    throw new Error(applied.kind);
  }
  return applied.zone;
}
