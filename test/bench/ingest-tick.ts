/**
 * A tick of the controller while 100,000 sites stand in the store and none is due: beside the two
 * requests that no tick can do without (what is due; when this region evaluated last), sent bare.
 */
import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { itemBytes, keyItem } from '../../lib/aws/dynamodb/attributes.ts';
import type { DynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { encodeSite, siteKey, timerKey } from '../../lib/aws/dynamodb/health-mapping.ts';
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import { epochMillis } from '../../lib/base/identifiers.ts';
import { inParallel } from '../../lib/control/in-parallel.ts';
import { Observer } from '../../lib/control/observe.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import type { RecoveryState } from '../../lib/recovery/state.ts';
import type { LocalTable } from '../support/dynamodb.ts';
import { OBSERVERS, verdictOf } from '../support/service-states.ts';
import { siteRecord } from '../support/site-records.ts';
import { fleetState, SERVICE, siteName } from './ingest-fleet.ts';
import { type Benchmark, median, quantile, rounded, timeOfAsync } from './measure.ts';

const IDLE_SITES = 100_000;
/** Sites that the log knows: a fleet larger than any that one log holds. */
const KNOWN_SITES = 2000;
const BATCH_ITEMS = 25;
const BATCHES_PARALLEL = 4;
const ROUNDS = 40;
const WARM_UP = 5;
const [REGION] = OBSERVERS;

interface TickTraffic {
  requests: number;
  readUnits: number;
}

export async function benchTick(table: LocalTable): Promise<Benchmark> {
  const now = SYSTEM_CLOCK.wallNow();
  await fill(table, now);
  const traffic: TickTraffic = { requests: 0, readUnits: 0 };
  const client = watched(table.client, traffic);
  const health = createHealthStore({ client, tableName: table.tableName });
  if (REGION === undefined) {
    throw new Error('needs an observer');
  }
  const observer = new Observer({
    region: REGION,
    health,
    clock: SYSTEM_CLOCK,
    takeStoreErrors: () => 0,
  });
  const state = quietState();
  const first = await timeOfAsync(() => observer.observe(state));
  const ticks: number[] = [];
  const bare: number[] = [];
  const before = { ...traffic };
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    ticks.push(await timeOfAsync(() => observer.observe(state)));
    bare.push(await timeOfAsync(() => bareTick(table)));
  }
  const rounds = ROUNDS + WARM_UP;
  const [ours, theirs] = [ticks.slice(WARM_UP), bare.slice(WARM_UP)];
  return {
    idleSites: IDLE_SITES,
    tickMedianMs: rounded(median(ours)),
    tickP99Ms: rounded(quantile(ours, 0.99)),
    bareTwoRequestsMedianMs: rounded(median(theirs)),
    tickOverBare: rounded(median(ours.map((time, round) => time / (theirs[round] ?? time)))),
    firstTickMs: rounded(first),
    requestsPerTick: rounded((traffic.requests - before.requests) / rounds),
    readUnitsPerTick: rounded((traffic.readUnits - before.readUnits) / rounds),
  };
}

/** Each site with a timer some time ahead. */
async function fill({ client, tableName }: LocalTable, now: number): Promise<void> {
  const places = Array.from(
    { length: IDLE_SITES / BATCH_ITEMS },
    (_, batch) => batch * BATCH_ITEMS,
  );
  await inParallel(places, BATCHES_PARALLEL, async (start) => {
    const names = Array.from({ length: BATCH_ITEMS }, (_, place) => siteName(start + place));
    const sites = names.map((site) => ({
      ...keyItem(siteKey(SERVICE, site)),
      ...encodeSite(1, siteRecord({ service: SERVICE, site })),
    }));
    const timers = names.map((site, place) => {
      const at = epochMillis(now + 3_600_000 + start + place);
      return {
        ...keyItem(timerKey({ at, service: SERVICE, site, awaits: 0 })),
        mark: { S: 'bench' },
      };
    });
    for (const items of [sites, timers]) {
      const RequestItems = { [tableName]: items.map((Item) => ({ PutRequest: { Item } })) };
      await client.send(new BatchWriteItemCommand({ RequestItems }));
    }
  });
}

/** All sites are healthy, and the log says so. */
function quietState(): RecoveryState {
  const state = fleetState(KNOWN_SITES);
  const service = state.services[SERVICE];
  if (service === undefined || REGION === undefined) {
    throw new Error('the fleet is not configured');
  }
  const verdict = { verdict: verdictOf('healthy'), replicationLagMs: null, at: 0, index: 1 };
  const sites = Object.fromEntries(
    Object.entries(service.sites).map(([site, standing]) => [
      site,
      { ...standing, verdicts: { [REGION]: verdict } },
    ]),
  );
  const next = { ...service, sites } as RecoveryState['services'][string];
  return { ...state, services: { [SERVICE]: next } };
}

async function bareTick({ client, tableName: TableName }: LocalTable): Promise<void> {
  await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk AND sk < :sk',
      ExpressionAttributeValues: { ':pk': { S: 'timer' }, ':sk': { S: '0' } },
      ConsistentRead: true,
    }),
  );
  const Item = { pk: { S: 'observer' }, sk: { S: 'bare' }, evaluatedAt: { N: '1' } };
  await client.send(new PutItemCommand({ TableName, Item }));
}

/** Read units as the service counts them: 4 KB each of what a strongly consistent read looked at. */
function watched(client: LocalTable['client'], traffic: TickTraffic): DynamoClient {
  const send = async (command: unknown): Promise<unknown> => {
    traffic.requests += 1;
    const output = await (client.send as (command: unknown) => Promise<unknown>).call(
      client,
      command,
    );
    if (command instanceof QueryCommand) {
      const { Items = [] } = output as { Items?: Parameters<typeof itemBytes>[0][] };
      const bytes = Items.reduce((sum, item) => sum + itemBytes(item), 0);
      traffic.readUnits += Math.max(1, Math.ceil(bytes / 4096));
    }
    return output;
  };
  return { send: send as DynamoClient['send'] };
}
