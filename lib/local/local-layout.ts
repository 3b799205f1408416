/**
 * Where everything of local mode lives: folders, ports and process names, as one value.
 *
 * All ports follow from one number, so that a second copy on the same machine needs one flag, and
 * the printed screen, the children and the tests can never disagree about an address. A process
 * name is what `tripoint local kill|start` takes.
 *
 * ```
 * base + 0        supervisor            base + 53   DNS (UDP and TCP)
 * base + 1…5      API of each region    base + 54   DNS control
 * base + 11…15    its DynamoDB store
 * ```
 */
import { join, resolve } from 'node:path';
import { AppError } from '../base/errors.ts';
import { type RegionId, regionId } from '../base/identifiers.ts';

const LOCAL_REGIONS: readonly RegionId[] = [
  regionId('us-east-1'),
  regionId('us-east-2'),
  regionId('us-west-2'),
];

export const LOOPBACK = '127.0.0.1';
/** The zone that the embedded DNS server answers for (RFC 6761 keeps `.test` for such uses). */
export const LOCAL_ZONE = 'example.test';
export const DNS_PROCESS = 'dns';

const PORT_BASE_MIN = 1024;
const PORT_BASE_MAX = 64_000;
export const PORT_BASE_DEFAULT = 7100;

export interface RegionPlace {
  readonly region: RegionId;
  readonly apiPort: number;
  readonly apiUrl: string;
  readonly databasePort: number;
  readonly databaseUrl: string;
  readonly databaseDir: string;
  readonly snapshotDir: string;
}

export interface DnsPlace {
  /** Whether another server holds the zone, one that takes dynamic updates; then none runs here. */
  readonly isOutside: boolean;
  readonly host: string;
  readonly port: number;
  readonly controlPort: number;
  readonly controlUrl: string;
  readonly zoneFile: string;
}

export interface Layout {
  /** Absolute. */
  readonly dir: string;
  readonly portBase: number;
  /** Identity and secrets of this cluster; made once. */
  readonly clusterFile: string;
  /** Where the running processes are; what the CLI reads. */
  readonly localFile: string;
  readonly lockFile: string;
  readonly logDir: string;
  /** Compiled code; may be removed at any time. */
  readonly cacheDir: string;
  readonly supervisor: { readonly port: number; readonly url: string };
  readonly regions: readonly RegionPlace[];
  readonly dns: DnsPlace;
}

/** @throws AppError `port-base-invalid` unless `portBase` is an integer from 1,024 to 64,000. */
export function createLayout(options: { readonly dir: string; readonly portBase: number }): Layout {
  const { portBase } = options;
  if (!Number.isInteger(portBase) || portBase < PORT_BASE_MIN || portBase > PORT_BASE_MAX) {
    throw new AppError(`${portBase} cannot be the first of the ports`, {
      code: 'port-base-invalid',
      hint: `Give --port-base an integer from ${PORT_BASE_MIN} to ${PORT_BASE_MAX}.`,
      retryable: false,
    });
  }
  const dir = resolve(options.dir);
  return {
    dir,
    portBase,
    clusterFile: join(dir, 'cluster.json'),
    localFile: join(dir, 'local.json'),
    lockFile: join(dir, 'supervisor.lock'),
    logDir: join(dir, 'logs'),
    cacheDir: join(dir, 'cache'),
    supervisor: { port: portBase, url: loopbackUrl(portBase) },
    regions: LOCAL_REGIONS.map((region, position) =>
      placeRegion(region, position, { dir, portBase }),
    ),
    dns: placeDns(dir, portBase),
  };
}

/** The same with the zone on a name server that is not ours. */
export function withOutsideDns(
  layout: Layout,
  { host, port }: { readonly host: string; readonly port: number },
): Layout {
  return { ...layout, dns: { ...layout.dns, isOutside: true, host, port } };
}

/** File that gets the standard output of a process. */
export function logFileOf(layout: Layout, processName: string): string {
  return join(layout.logDir, `${processName}.log`);
}

/** `checkout@us-east-1`: the site of a service, and the process that plays it. */
export function siteProcess(service: string, site: string): string {
  return `${service}@${site}`;
}

/**
 * A port that the configuration names for the default base, moved along with the base in force, so
 * that two copies with one configuration do not meet.
 */
export function shiftPort(port: number, layout: Layout): number {
  return port + layout.portBase - PORT_BASE_DEFAULT;
}

function loopbackUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

function placeRegion(
  region: RegionId,
  position: number,
  { dir, portBase }: { readonly dir: string; readonly portBase: number },
): RegionPlace {
  const apiPort = portBase + 1 + position;
  const databasePort = portBase + 11 + position;
  return {
    region,
    apiPort,
    apiUrl: loopbackUrl(apiPort),
    databasePort,
    databaseUrl: loopbackUrl(databasePort),
    databaseDir: join(dir, region, 'dynamodb'),
    snapshotDir: join(dir, region, 'snapshots'),
  };
}

function placeDns(dir: string, portBase: number): DnsPlace {
  const controlPort = portBase + 54;
  return {
    isOutside: false,
    host: LOOPBACK,
    port: portBase + 53,
    controlPort,
    controlUrl: loopbackUrl(controlPort),
    zoneFile: join(dir, 'dns', 'zone.json'),
  };
}
