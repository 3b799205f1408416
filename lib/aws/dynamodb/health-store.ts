/**
 * The health store port on one DynamoDB table: a heartbeat is one conditional write of one unit.
 *
 * Two API functions may take two beats of a site at once. Both hold revision r; one writes r + 1,
 * the other gets the winner's record back with its conflict and adds its beat to that. No beat is
 * lost and none is counted twice, because the window knows sequence numbers.
 *
 * Timers are items of their own. Each step is one write of one item, in the order that the port's
 * invariant asks for; the mark tells one putting of a timer from another.
 */
import { randomUUID } from 'node:crypto';
import type { EpochMillis } from '../../base/identifiers.ts';
import { TABLE_KEYS, TIMER_PARTITION } from '../../config/names.ts';
import type {
  DamagedItem,
  DueTimers,
  FoundRecords,
  HealthStore,
  ObserverRecord,
  RecordRead,
  RecordWrite,
  SiteName,
  SitePage,
  SiteRecord,
  Timer,
} from '../../control/health-store.ts';
import { type Item, keyItem, textValue } from './attributes.ts';
import type { DynamoClient } from './client.ts';
import { isEqual } from './conditions.ts';
import {
  decodeObserver,
  decodeSite,
  decodeTimer,
  encodeObserver,
  encodeSite,
  isCorrupt,
  nameOf,
  OBSERVER_KEY,
  SITES,
  siteKey,
  timerKey,
  timersUntil,
} from './health-mapping.ts';
import { BATCH_KEYS_MAX, PARALLEL_BATCHES_MAX } from './limits.ts';
import {
  deleteIf,
  getItem,
  getItems,
  putItem,
  putRevision,
  queryPage,
  type Table,
} from './requests.ts';

export interface HealthStoreOptions {
  readonly client: DynamoClient;
  readonly tableName: string;
}

export function createHealthStore(options: HealthStoreOptions): HealthStore {
  const table: Table = { client: options.client, tableName: options.tableName };
  return {
    read: (service, site) => read(table, service, site),
    readMany: (sites) => readMany(table, sites),
    write: (expected, record, wakeAt) => write(table, expected, { record, wakeAt }),
    list: (after, limit) => list(table, after, limit),
    wake: (at, service, site) => putTimer(table, { at, service, site, awaits: 0 }),
    due: (until, limit) => due(table, until, limit),
    settle: (timer, nextAt) => settle(table, timer, nextAt),
    readObserver: () => readObserver(table),
    writeObserver: (record) => writeObserver(table, record),
  };
}

async function read(table: Table, service: string, site: string): Promise<RecordRead> {
  const outcome = await getItem(table, siteKey(service, site));
  switch (outcome.kind) {
    case 'found':
      return recordRead(outcome.item);
    case 'absent':
      return outcome;
    case 'unreachable':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

async function readMany(table: Table, sites: readonly SiteName[]): Promise<FoundRecords | null> {
  const keys = sites.map(({ service, site }) => siteKey(service, site));
  const found: Item[] = [];
  const stride = BATCH_KEYS_MAX * PARALLEL_BATCHES_MAX;
  for (let start = 0; start < keys.length; start += stride) {
    const batches = Array.from({ length: PARALLEL_BATCHES_MAX }, (_, place) => {
      const first = start + place * BATCH_KEYS_MAX;
      return getItems(table, keys.slice(first, first + BATCH_KEYS_MAX));
    });
    for (const items of await Promise.all(batches)) {
      if (items === null) {
        return null;
      }
      found.push(...items);
    }
  }
  return recordsOf(found);
}

async function write(
  table: Table,
  expected: number,
  { record, wakeAt }: { readonly record: SiteRecord; readonly wakeAt: EpochMillis | null },
): Promise<RecordWrite> {
  const { service, site } = record;
  const timer = wakeAt === null ? null : { at: wakeAt, service, site, awaits: expected + 1 };
  if (timer !== null && !(await putTimer(table, timer))) {
    return { kind: 'unknown', cause: 'the timer of the record is not known to be stored' };
  }
  const item = encodeSite(expected + 1, record);
  const outcome = await putRevision(table, siteKey(service, site), { expected, item });
  switch (outcome.kind) {
    case 'applied':
      return outcome;
    case 'conflict':
      return conflictWith(outcome.item);
    case 'refused':
    case 'unknown':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

async function list(table: Table, after: string | null, limit: number): Promise<SitePage | null> {
  const page = await queryPage(table, {
    KeyConditionExpression: '#partition = :partition',
    ExpressionAttributeNames: { '#partition': TABLE_KEYS.partition },
    ExpressionAttributeValues: { ':partition': textValue(SITES) },
    ConsistentRead: true,
    Limit: limit,
    ...(after === null ? {} : { ExclusiveStartKey: keyItem({ partition: SITES, sort: after }) }),
  });
  return page === null
    ? null
    : {
        ...recordsOf(page.Items ?? []),
        next: page.LastEvaluatedKey?.[TABLE_KEYS.sort]?.S ?? null,
      };
}

async function putTimer(table: Table, timer: Omit<Timer, 'mark'>): Promise<boolean> {
  const item = { ...keyItem(timerKey(timer)), mark: textValue(randomUUID()) };
  return (await putItem(table, item, null)).kind === 'applied';
}

async function due(table: Table, until: EpochMillis, limit: number): Promise<DueTimers | null> {
  const page = await queryPage(table, {
    KeyConditionExpression: '#partition = :partition AND #sort < :until',
    ExpressionAttributeNames: { '#partition': TABLE_KEYS.partition, '#sort': TABLE_KEYS.sort },
    ExpressionAttributeValues: {
      ':partition': textValue(TIMER_PARTITION),
      ':until': textValue(timersUntil(until)),
    },
    ConsistentRead: true,
    Limit: limit,
  });
  if (page === null) {
    return null;
  }
  const { sound, damaged } = readable(page.Items ?? [], decodeTimer);
  return { timers: sound, damaged, isAll: page.LastEvaluatedKey === undefined };
}

async function settle(table: Table, timer: Timer, nextAt: EpochMillis | null): Promise<boolean> {
  const { service, site, mark } = timer;
  if (nextAt !== null && !(await putTimer(table, { at: nextAt, service, site, awaits: 0 }))) {
    return false;
  }
  return deleteIf(table, timerKey(timer), isEqual('mark', textValue(mark)));
}

async function readObserver(table: Table): ReturnType<HealthStore['readObserver']> {
  const outcome = await getItem(table, OBSERVER_KEY);
  switch (outcome.kind) {
    case 'found':
      return observerRead(outcome.item);
    case 'absent':
      return outcome;
    case 'unreachable':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

/** What cannot be read is as good as not known; the next round writes it anew. */
function observerRead(item: Item): Awaited<ReturnType<HealthStore['readObserver']>> {
  const { sound, damaged } = readable([item], decodeObserver);
  const [record] = sound;
  return record === undefined
    ? { kind: 'unknown', cause: damaged[0]?.cause ?? '' }
    : { kind: 'found', record };
}

function recordRead(item: Item): Exclude<RecordRead, { readonly kind: 'absent' | 'unknown' }> {
  const { records, damaged } = recordsOf([item]);
  const [record] = records;
  return record === undefined
    ? { kind: 'damaged', cause: damaged[0]?.cause ?? '' }
    : { kind: 'found', record };
}

function conflictWith(item: Item | null): RecordWrite {
  const current = item === null ? null : recordRead(item);
  return current?.kind === 'damaged'
    ? current
    : { kind: 'conflict', record: current?.record ?? null };
}

function recordsOf(items: readonly Item[]): FoundRecords {
  const { sound, damaged } = readable(items, decodeSite);
  return { records: sound, damaged };
}

/** Item by item: one that is damaged may not hide the others. */
function readable<Value>(
  items: readonly Item[],
  decode: (item: Item) => Value,
): { readonly sound: readonly Value[]; readonly damaged: readonly DamagedItem[] } {
  const sound: Value[] = [];
  const damaged: DamagedItem[] = [];
  for (const item of items) {
    try {
      sound.push(decode(item));
    } catch (thrown) {
      if (!isCorrupt(thrown)) {
        throw thrown;
      }
      damaged.push({ ...nameOf(item), cause: thrown.message });
    }
  }
  return { sound, damaged };
}

async function writeObserver(table: Table, record: ObserverRecord): Promise<boolean> {
  const item = { ...keyItem(OBSERVER_KEY), ...encodeObserver(record) };
  return (await putItem(table, item, null)).kind === 'applied';
}
