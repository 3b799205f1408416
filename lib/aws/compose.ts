/**
 * Builds a control region inside a Lambda function, from its environment alone.
 *
 * Everything is a literal by the time it runs: names of tables and buckets, the zone, the addresses
 * of its name servers. Nothing is looked up, because a recovery must not wait for an answer that a
 * failing region owes. Clients are made once per process, with one attempt a call.
 */
import { createHash } from 'node:crypto';
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { type LambdaSettings, requireLambdaSettings } from '../config/environment.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import { AWS_TIMINGS } from '../consensus/settings.ts';
import {
  type ControlRegion,
  type ControlRegionOptions,
  createControlRegion,
} from '../control/control-region.ts';
import { createDynamoClient, type DynamoClient } from './dynamodb/client.ts';
import { createHealthStore } from './dynamodb/health-store.ts';
import { createRegisterStore } from './dynamodb/register-store.ts';
import { createReportStore } from './dynamodb/report-store.ts';
import { createLambdaClock } from './lambda-clock.ts';
import { createLambdaLogger } from './lambda-logger.ts';
import { createLambdaMetrics, type LambdaMetrics } from './lambda-metrics.ts';
import { createS3Client } from './s3/client.ts';
import { createS3SnapshotStore } from './s3/snapshot-store.ts';

/** What every function is made of. */
export interface Composition {
  readonly settings: LambdaSettings;
  readonly region: ControlRegion;
  readonly metrics: LambdaMetrics;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly log: LogEvent;
}

/** Far above the 99.9th percentile of a healthy region, far below what a tick may lose. */
const TABLE_TIMEOUTS = { requestTimeoutMs: 2000, connectionTimeoutMs: 1000 } as const;
const BUCKET_TIMEOUTS = { requestTimeoutMs: 10_000, connectionTimeoutMs: 2000 } as const;

const sha256: Sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('hex');

/** What steps act through. Only the controller has them. */
export type EffectPorts = Pick<
  ControlRegionOptions,
  | 'switchPort'
  | 'verifyPort'
  | 'routingPort'
  | 'probePort'
  | 'actions'
  | 'metricPort'
  | 'readiness'
  | 'isBlind'
>;
export type MakeEffects = (
  settings: LambdaSettings,
  clock: Clock,
  stores: ReadonlyMap<RegionId, SnapshotStore>,
) => EffectPorts;

/** @throws AppError `environment-invalid` with every problem of the environment. */
export function composeRegion(effects: MakeEffects = noEffects): Composition {
  const settings = requireLambdaSettings();
  const { clusterId, region, regions, logLevel } = settings;
  const log = createLambdaLogger({ clusterId, region, level: logLevel });
  const clock = createLambdaClock();
  const tables = tableClients(regions);
  const stores = snapshotStores(settings);
  const founders = settings.founders.toSorted();
  return {
    settings,
    metrics: createLambdaMetrics(clusterId),
    clock,
    sha256,
    log,
    region: createControlRegion({
      identity: { clusterId, region, founders },
      registers: regions.map((member) => registerOf(settings, member, clientOf(tables, member))),
      health: createHealthStore({
        client: clientOf(tables, region),
        tableName: settings.healthTable,
      }),
      reports: createReportStore({
        client: clientOf(tables, region),
        tableName: settings.healthTable,
      }),
      stores: { own: clientOf(stores, region), all: stores },
      ...effects(settings, clock, stores),
      timings: AWS_TIMINGS,
      clock,
      random: Math.random,
      sha256,
      log,
    }),
  };
}

function tableClients(regions: readonly RegionId[]): ReadonlyMap<RegionId, DynamoClient> {
  return new Map(
    regions.map((region) => [region, createDynamoClient({ region, ...TABLE_TIMEOUTS })] as const),
  );
}

/** The register of one region, as this cluster must find it there. */
function registerOf(
  { clusterId, founders, consensusTable }: LambdaSettings,
  region: RegionId,
  client: DynamoClient,
): RegisterPort {
  const identity = { clusterId, region, founders: founders.toSorted() };
  return createRegisterStore({ client, tableName: consensusTable, identity });
}

function snapshotStores({ buckets }: LambdaSettings): ReadonlyMap<RegionId, SnapshotStore> {
  return new Map(
    [...buckets].map(([region, bucket]) => {
      const client = createS3Client({ region, ...BUCKET_TIMEOUTS });
      return [region, createS3SnapshotStore({ client, bucket, kmsKeyArn: null })] as const;
    }),
  );
}

/** For functions that take up no step. Reaching one of these is a bug, not an outcome. */
function noEffects(): EffectPorts {
  const unreachable = (): never => {
    invariant(false, 'effect-outside-controller');
  };
  return {
    isBlind: true,
    switchPort: { read: unreachable, change: unreachable, changeStatus: unreachable },
    verifyPort: { resolve: unreachable, probe: unreachable },
    probePort: { probe: unreachable },
    actions: {
      scale: { read: unreachable, set: unreachable },
      database: { read: unreachable, promote: unreachable },
      invoke: { lambda: unreachable, webhook: unreachable },
      notify: { notify: unreachable },
      tables: { snapshot: unreachable, restore: unreachable },
    },
  };
}

/** What the settings guarantee: every control region has its client and its bucket. */
function clientOf<Value>(values: ReadonlyMap<RegionId, Value>, region: RegionId): Value {
  const value = values.get(region);
  invariant(value !== undefined, 'region-without-client', { region });
  return value;
}
