/**
 * The embedded DNS service whole: zone on disk, DNS sockets, HTTP control plane.
 *
 * The local supervisor runs it as a process of its own; tests run it inside theirs.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { AppError, describeError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { LogEvent } from '../../base/log.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import { type DnsServer, listenDns } from './dns-server.ts';
import { DNS_LIMITS } from './limits.ts';
import { createZone } from './zone.ts';
import { zoneApi } from './zone-api.ts';
import { type ZoneStore, zoneFile } from './zone-file.ts';
import { openZoneHost, type ZoneHost } from './zone-host.ts';

export interface DnsServiceOptions {
  /** Path of the zone on disk; made when it does not exist. */
  readonly zoneFile: string;
  /** Apex of the zone, e.g. `example.test`. A zone file of another apex is refused. */
  readonly origin: string;
  /** Loopback address to listen on, for DNS and HTTP. */
  readonly host: string;
  /** 0 = choose a free port. */
  readonly dnsPort: number;
  readonly httpPort: number;
  /** Bearer token of the control plane, at least 16 characters. */
  readonly token: string;
  readonly log: LogEvent;
}

export interface DnsService {
  readonly ports: { readonly dns: number; readonly http: number };
  readonly close: () => Promise<void>;
}

/** Throws AppError for a damaged zone file, another zone's file, or a port in use. */
export function startDnsServer(options: DnsServiceOptions): Promise<DnsService> {
  return startDnsServerOn(zoneFile(options.zoneFile), options);
}

/** As `startDnsServer`, with the zone kept elsewhere. */
export async function startDnsServerOn(
  store: ZoneStore,
  options: Omit<DnsServiceOptions, 'zoneFile'>,
): Promise<DnsService> {
  const { origin, host, dnsPort, httpPort, token, log } = options;
  invariant(token.length >= 16, 'zone-token-too-short');
  const zoneHost = await openZoneHost(store, createZone(origin, host));
  if (zoneHost.current().origin !== canonicalName(origin)) {
    throw otherZone(zoneHost.current().origin, origin);
  }
  const dns = await listenDns({ host, port: dnsPort, zone: zoneHost.current, log });
  try {
    const http = await listenHttp(zoneHost, { host, httpPort, token, log });
    return {
      ports: { dns: dns.port, http: portOf(http) },
      close: () => closeBoth(dns, http),
    };
  } catch (thrown) {
    await dns.close();
    throw thrown;
  }
}

type HttpOptions = Pick<DnsServiceOptions, 'host' | 'httpPort' | 'token' | 'log'>;

async function listenHttp(zoneHost: ZoneHost, options: HttpOptions): Promise<Server> {
  const { host, httpPort, token, log } = options;
  const app = zoneApi({ host: zoneHost, token, log });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.requestTimeout = DNS_LIMITS.requestTimeoutMs;
  server.headersTimeout = DNS_LIMITS.requestTimeoutMs;
  server.listen({ host, port: httpPort, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (thrown) {
    throw httpPortInUse(httpPort, thrown);
  }
  return server;
}

async function closeBoth(dns: DnsServer, http: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeAllConnections();
  await Promise.all([dns.close(), closed]);
}

function portOf(server: Server): number {
  const address = server.address();
  invariant(address !== null && typeof address === 'object', 'http-server-has-no-port');
  return address.port;
}

function otherZone(found: string, wanted: string): AppError {
  return new AppError(`the zone file holds ${found}, not ${wanted}`, {
    code: 'zone-of-another-origin',
    hint: 'Point the DNS server at its own zone file, or move this one away.',
    retryable: false,
  });
}

function httpPortInUse(port: number, cause: unknown): AppError {
  return new AppError(`the zone API cannot listen on port ${port}: ${describeError(cause)}`, {
    code: 'zone-api-port-in-use',
    hint: 'Stop the other program on this port, or choose another one.',
    retryable: true,
    cause,
  });
}
