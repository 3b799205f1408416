/**
 * The API of one region on a thread of its own, over real HTTP: the production app, ingestion and
 * adapter, and beside them a bare route of the same framework. What the adapter sends is counted at
 * the one place where it leaves for the SDK.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { Hono } from 'hono';
import { createApi } from '../../lib/api/app.ts';
import { LOCAL_EVENTS } from '../../lib/api/dependencies.ts';
import { itemBytes } from '../../lib/aws/dynamodb/attributes.ts';
import type { DynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import type { ControlPlane, StatusView } from '../../lib/control/control-plane.ts';
import { Ingest } from '../../lib/control/ingest.ts';
import { listen } from '../../lib/local/listen.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import { localClient } from '../support/dynamodb.ts';
import { fleetState } from './ingest-fleet.ts';

export interface IngestWorker {
  readonly storeUrl: string;
  readonly tableName: string;
}

/** Requests to the store since the start. */
export interface IngestCounts {
  requests: number;
  writeUnits: number;
  itemBytesMax: number;
  lastWrite: PutItemCommandInput | null;
}

const { storeUrl, tableName } = workerData as IngestWorker;
const counts: IngestCounts = { requests: 0, writeUnits: 0, itemBytesMax: 0, lastWrite: null };
const state = fleetState();
const ingest = new Ingest(createHealthStore({ client: counted(), tableName }), () => state);

const [apiPort, barePort] = [await freePort(), await freePort()];
const endless = { capacity: 1e6, refillPerSecond: 1e6 };
const api = createApi({
  plane: plane(),
  auth: { operatorTokenHashes: [] },
  settings: {
    mode: 'local',
    version: 'bench',
    openReads: true,
    heartbeatRate: endless,
    events: LOCAL_EVENTS,
  },
  clock: SYSTEM_CLOCK,
  arrivedAt: () => SYSTEM_CLOCK.wallNow(),
  randomId: randomUUID,
  log: (level, event, fields) => {
    if (level === 'error') {
      console.error(event, fields);
    }
  },
});
const bare = new Hono();
bare.post('/beat', async (c) => {
  const body: unknown = await c.req.json();
  return c.json({ role: 'standby', nextBeatMs: 1000, body: typeof body });
});
await Promise.all([listen(api, { port: apiPort }), listen(bare, { port: barePort })]);
parentPort?.on('message', () => parentPort?.postMessage(counts));
parentPort?.postMessage({ apiPort, barePort });

/** All of the plane that heartbeats go through. */
function plane(): ControlPlane {
  const parts: Partial<ControlPlane> = {
    ingest: (beat) => ingest.ingest(beat),
    ingestBatch: (beats) => ingest.ingestBatch(beats),
    status: () => ({ state }) as StatusView,
    onChange: () => () => undefined,
  };
  return parts as ControlPlane;
}

function counted(): DynamoClient {
  const client = localClient(storeUrl);
  const send = (command: unknown): Promise<unknown> => {
    counts.requests += 1;
    if (command instanceof PutItemCommand && command.input.Item !== undefined) {
      const bytes = itemBytes(command.input.Item);
      counts.writeUnits += Math.ceil(bytes / 1024);
      if (command.input.Item['pk']?.S === 'site') {
        counts.itemBytesMax = Math.max(counts.itemBytesMax, bytes);
        counts.lastWrite = command.input;
      }
    }
    return (client.send as (command: unknown) => Promise<unknown>).call(client, command);
  };
  return { send: send as DynamoClient['send'] };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}
