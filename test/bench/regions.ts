/**
 * Three regions for the benchmarks: a real store each, the real adapter and SDK client, and what the
 * adapter really sends, noted at the one place where it leaves for the SDK.
 */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { GetItemCommand, PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../../lib/aws/dynamodb/attributes.ts';
import type { DynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { createRegisterStore } from '../../lib/aws/dynamodb/register-store.ts';
import { type RegionId, regionId } from '../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../lib/consensus/bootstrap.ts';
import type { Identity } from '../../lib/consensus/server.ts';
import { writeUnits } from '../../lib/consensus/size.ts';
import { type LocalTable, tableIn } from '../support/dynamodb.ts';

export const [EAST_1, EAST_2, WEST_2] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId) as [
  RegionId,
  RegionId,
  RegionId,
];
export const REGIONS: readonly RegionId[] = [EAST_1, EAST_2, WEST_2];

const CLUSTER_ID = 'bench';

export function identityOf(region: RegionId): Identity {
  return { clusterId: CLUSTER_ID, region, founders: REGIONS, incarnation: 1 };
}

/** What was sent to one region's register item, and to nothing else. */
export interface Traffic {
  writes: number;
  reads: number;
  /** Write units, as the service counts them: a KiB each of the whole item. */
  units: number;
  /** Requests of any kind without an answer yet. */
  underWay: number;
  lastWrite: PutItemCommandInput | null;
}

export interface BenchRegion {
  readonly region: RegionId;
  readonly table: LocalTable;
  /** The table's client, which notes what is sent. */
  readonly client: DynamoClient;
  readonly traffic: Traffic;
}

export interface BenchRegions {
  readonly all: readonly BenchRegion[];
  readonly close: () => Promise<void>;
}

/** Fresh stores with pristine registers. */
export async function startRegions(): Promise<BenchRegions> {
  const workers = REGIONS.map(() => new Worker(new URL('./store-main.ts', import.meta.url)));
  const urls = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  const all = await Promise.all(
    REGIONS.map(async (region, place) => {
      const table = await tableIn(String(urls[place]));
      return { region, table, ...observed(table.client) };
    }),
  );
  const registers = all.map(registerOf);
  await bootstrapCluster({ registers, clusterId: CLUSTER_ID, founders: REGIONS });
  return {
    all,
    close: async () => {
      await Promise.all(all.map(({ table }) => table.close()));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

export function registerOf({
  region,
  table,
  client,
}: BenchRegion): ReturnType<typeof createRegisterStore> {
  return createRegisterStore({ client, tableName: table.tableName, identity: identityOf(region) });
}

export function regionIn({ all }: BenchRegions, region: RegionId): BenchRegion {
  const found = all.find((one) => one.region === region);
  if (found === undefined) {
    throw new Error(`no region ${region}`);
  }
  return found;
}

function observed(client: DynamoClient): Pick<BenchRegion, 'client' | 'traffic'> {
  const traffic: Traffic = { writes: 0, reads: 0, units: 0, underWay: 0, lastWrite: null };
  const send = async (command: unknown): Promise<unknown> => {
    note(traffic, command);
    traffic.underWay += 1;
    try {
      return await (client.send as (command: unknown) => Promise<unknown>).call(client, command);
    } finally {
      traffic.underWay -= 1;
    }
  };
  return { client: { send: send as DynamoClient['send'] }, traffic };
}

function note(traffic: Traffic, command: unknown): void {
  if (command instanceof PutItemCommand && command.input.Item?.['pk']?.S === 'register') {
    traffic.writes += 1;
    traffic.units += writeUnits(itemBytes(command.input.Item));
    traffic.lastWrite = command.input;
  }
  if (command instanceof GetItemCommand && command.input.Key?.['pk']?.S === 'register') {
    traffic.reads += 1;
  }
}

/** The writes, reads and units of each region since `before` (a copy taken with this function). */
export function trafficOf({ all }: BenchRegions): readonly Omit<Traffic, 'lastWrite'>[] {
  return all.map(({ traffic: { writes, reads, units, underWay } }) => ({
    writes,
    reads,
    units,
    underWay,
  }));
}

/** Resolves when nothing is under way, also what a process had put off by some milliseconds. */
export async function quiet({ all }: BenchRegions): Promise<void> {
  const isQuiet = () => all.every(({ traffic }) => traffic.underWay === 0);
  for (let looks = 0; looks < 3; looks += 1) {
    while (!isQuiet()) {
      await setImmediate();
    }
    await pause(1);
  }
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}
