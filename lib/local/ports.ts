/**
 * Finds out, before anything is spawned, whether the ports of the layout are free.
 *
 * One clear message beats six children that fail one after the other. Children of a supervisor that
 * was killed a moment ago are still on their way out, so a taken port gets a little time.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { AppError } from '../base/errors.ts';
import type { LocalSite } from './local-configuration.ts';
import { type Layout, LOOPBACK } from './local-layout.ts';

const TRIES = 30;
const PAUSE_MS = 100;

interface Place {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly purpose: string;
}

/**
 * Resolves when every port could be bound just now.
 * @throws AppError `port-in-use`, `address-unavailable`, naming the first one that could not.
 */
export async function requireFreePorts(
  layout: Layout,
  sites: readonly LocalSite[],
  sleep: (durationMs: number) => Promise<void>,
): Promise<void> {
  const waiting = placesOf(layout, sites).map(async (place) => {
    for (let tries = 1; ; tries += 1) {
      const code = await tryBind(place);
      if (code === null) {
        return;
      }
      if (code !== 'EADDRINUSE' || tries === TRIES) {
        throw unavailable(place, code);
      }
      await sleep(PAUSE_MS);
    }
  });
  await Promise.all(waiting);
}

function placesOf(layout: Layout, sites: readonly LocalSite[]): readonly Place[] {
  const loopback = (port: number, purpose: string): Place => ({
    protocol: 'tcp',
    host: LOOPBACK,
    port,
    purpose,
  });
  const { dns } = layout;
  const embeddedDns: readonly Place[] = [
    loopback(dns.port, 'DNS'),
    { ...loopback(dns.port, 'DNS'), protocol: 'udp' },
    loopback(dns.controlPort, 'the DNS control plane'),
  ];
  return [
    ...layout.regions.flatMap(({ region, apiPort, databasePort }) => [
      loopback(apiPort, `the API of ${region}`),
      loopback(databasePort, `the DynamoDB of ${region}`),
    ]),
    ...(dns.isOutside ? [] : embeddedDns),
    ...sites.map(({ host, port, name }) => ({ ...loopback(port, `site ${name}`), host })),
  ];
}

/** null when the port could be bound and was let go again, else the error code. */
function tryBind({ protocol, host, port }: Place): Promise<string | null> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown');
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.once('error', fail);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.close(() => resolve(null));
      });
      return;
    }
    const server = createServer();
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(null));
    });
  });
}

function unavailable({ protocol, host, port, purpose }: Place, code: string): AppError {
  const where = `${protocol.toUpperCase()} port ${port} on ${host}, wanted for ${purpose},`;
  if (code === 'EADDRNOTAVAIL') {
    return new AppError(`${where} is not an address of this machine`, {
      code: 'address-unavailable',
      hint: `On macOS run \`sudo ifconfig lo0 alias ${host}\`; Linux needs nothing.`,
      retryable: false,
    });
  }
  return new AppError(`${where} is not free (${code})`, {
    code: 'port-in-use',
    hint: 'Stop the program that holds it, or start with another --port-base.',
    retryable: false,
  });
}
