/**
 * The process that is one control region: its DynamoDB store, its controller and its API.
 *
 * Composition only. Everything here is a port's adapter wired to the region object that runs in a
 * Lambda function just the same; the one thing local about it is that the table lives in the same
 * process, so `kill -9` takes table, controller and API down together, as the loss of a region does.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { createApi } from '../api/app.ts';
import { HEARTBEAT_RATE_DEFAULT, LOCAL_EVENTS } from '../api/dependencies.ts';
import { createActionPorts } from '../aws/actions/action-ports.ts';
import { createActionClients } from '../aws/actions/clients.ts';
import { createHealthStore } from '../aws/dynamodb/health-store.ts';
import { createReportStore } from '../aws/dynamodb/report-store.ts';
import { createTables } from '../aws/dynamodb/tables.ts';
import { httpProbe } from '../aws/http-probe.ts';
import { createProbePort } from '../aws/probe/probe-port.ts';
import { dynamicDnsPorts } from '../aws/rfc2136/compose.ts';
import { AppError } from '../base/errors.ts';
import { processVariables, secretVariable } from '../config/environment.ts';
import { TABLES } from '../config/names.ts';
import { parseDynamicDns } from '../config/switch-settings.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import { LOCAL_TIMINGS } from '../consensus/settings.ts';
import { type ControlRegion, createControlRegion } from '../control/control-region.ts';
import type { SwitchPort, VerifyPort } from '../recovery/switch-port.ts';
import { type ChildContext, type ChildParts, runChild } from './child-main.ts';
import type { RegionSettings } from './child-settings.ts';
import { dnsResolver } from './dns/resolver.ts';
import { zoneClient } from './dns/zone-client.ts';
import { startEmbeddedDynamoDb } from './embedded-dynamodb.ts';
import { createFolderSnapshotStore } from './folder-snapshot-store.ts';
import { listen } from './listen.ts';
import { createLocalClient, localTables, openRegisters } from './region-stores.ts';
import { removeOldReports } from './report-retention.ts';
import { SYSTEM_CLOCK, sha256 } from './system-clock.ts';
import { VERSION } from './version.ts';

const DNS_TIMEOUT_MS = 1000;
const ZONE_TIMEOUT_MS = 2000;
const PROBE_TIMEOUT_MS = 2000;

const [, , processName = 'region'] = process.argv;

runChild<RegionSettings>(processName, startRegion);

async function startRegion(settings: RegionSettings, context: ChildContext): Promise<ChildParts> {
  const { databaseDir, databasePort, apiPort, region } = settings;
  await prepareFolder(settings);
  await removeReportsOf(settings);
  const database = await startEmbeddedDynamoDb({ path: databaseDir, port: databasePort });
  const place = { region, databaseUrl: database.url };
  const maker = createLocalClient(place, 'making');
  await createTables(maker);
  maker.destroy();
  const own = createLocalClient(place, 'working');
  const { clusterId, peers } = settings;
  const { registers, close: closeRegisters } = openRegisters(clusterId, peers, 'working');
  await context.prepared();
  const control = composeRegion(settings, { registers, own }, context);
  const api = await listen(createRegionApi(settings, control, context), { port: apiPort });
  control.start();
  return {
    stop: async () => {
      await api.close();
      await control.stop();
      closeRegisters();
      own.destroy();
      await database.close();
    },
  };
}

function composeRegion(
  settings: RegionSettings,
  stores: {
    readonly registers: readonly RegisterPort[];
    readonly own: ReturnType<typeof createLocalClient>;
  },
  { log }: ChildContext,
): ControlRegion {
  const { clusterId, region, peers, dns } = settings;
  const snapshots = new Map(
    peers.map((peer) => [peer.region, createFolderSnapshotStore(peer.snapshotDir)]),
  );
  const own = snapshots.get(region);
  if (own === undefined) {
    throw new AppError(`${region} is not among the regions of the cluster`, {
      code: 'region-not-a-member',
      hint: 'This is a mistake of the supervisor; start again.',
      retryable: false,
    });
  }
  const { switchPort, resolve } = dnsPorts(dns);
  return createControlRegion({
    identity: { clusterId, region, founders: peers.map((peer) => peer.region).toSorted() },
    registers: stores.registers,
    health: createHealthStore({ client: stores.own, tableName: TABLES.health }),
    reports: createReportStore({ client: stores.own, tableName: TABLES.health }),
    probePort: createProbePort({ clock: SYSTEM_CLOCK }),
    stores: { own, all: snapshots },
    switchPort,
    verifyPort: {
      resolve,
      probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS, clock: SYSTEM_CLOCK }),
    },
    actions: createActionPorts({
      clients: createActionClients({ tables: (name) => localTables(peers, name) }),
      stores: snapshots,
      secretOf: secretVariable,
      clock: SYSTEM_CLOCK,
    }),
    timings: LOCAL_TIMINGS,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    sha256,
    log,
  });
}

/** The embedded zone, or the server that the environment names: `tripoint start` has checked it. */
function dnsPorts(dns: RegionSettings['dns']): {
  readonly switchPort: SwitchPort;
  readonly resolve: VerifyPort['resolve'];
} {
  const { settings } = parseDynamicDns(processVariables());
  return dns.isOutside && settings !== null
    ? dynamicDnsPorts(settings, SYSTEM_CLOCK.wallNow)
    : {
        switchPort: zoneClient({
          url: dns.controlUrl,
          token: dns.token,
          timeoutMs: ZONE_TIMEOUT_MS,
        }),
        resolve: dnsResolver({ host: dns.host, port: dns.port, timeoutMs: DNS_TIMEOUT_MS }),
      };
}

function createRegionApi(
  { operatorTokenHash }: RegionSettings,
  { plane }: ControlRegion,
  { log }: ChildContext,
): ReturnType<typeof createApi> {
  return createApi({
    plane,
    auth: { operatorTokenHashes: [operatorTokenHash] },
    settings: {
      mode: 'local',
      version: VERSION,
      openReads: true,
      heartbeatRate: HEARTBEAT_RATE_DEFAULT,
      events: LOCAL_EVENTS,
    },
    clock: SYSTEM_CLOCK,
    arrivedAt: () => SYSTEM_CLOCK.wallNow(),
    randomId: randomUUID,
    log,
  });
}

async function removeReportsOf({ region, peers }: RegionSettings): Promise<void> {
  for (const { snapshotDir } of peers.filter((peer) => peer.region === region)) {
    await removeOldReports(snapshotDir);
  }
}

/**
 * A folder without a finished cluster holds nothing yet, perhaps half a table, and is begun again. One
 * that is gone from a finished cluster is a lost table: an empty one opens in its place, which has no
 * register and no vote until a person says so (`tripoint region replace`).
 */
async function prepareFolder({ databaseDir, isBootstrapped }: RegionSettings): Promise<void> {
  if (!isBootstrapped) {
    await rm(databaseDir, { recursive: true, force: true });
  }
  await mkdir(databaseDir, { recursive: true });
}
