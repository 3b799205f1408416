/**
 * The health store port on one DynamoDB table: a heartbeat is one conditional write of one unit.
 *
 * Two API functions may take two beats of a site at once. Both hold revision r; one writes r + 1,
 * the other gets the winner's record back with its conflict and adds its beat to that. No beat is
 * lost and none is counted twice, because the window knows sequence numbers.
 */
import { AppError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { TABLE_KEYS } from '../../config/names.ts';
import type {
  HealthStore,
  ObserverRecord,
  RecordRead,
  RecordWrite,
  SiteRecord,
} from '../../control/health-store.ts';
import { integerValue, keyItem, textValue } from './attributes.ts';
import type { DynamoClient } from './client.ts';
import { isAbsent, isEqual } from './conditions.ts';
import {
  decodeObserver,
  decodeSite,
  encodeObserver,
  encodeSite,
  OBSERVER_KEY,
  SITES,
  siteKey,
} from './health-mapping.ts';
import { SITE_PAGES_MAX } from './limits.ts';
import { compareAndPut, getItem, putItem, queryPage, type Table } from './requests.ts';

export interface HealthStoreOptions {
  readonly client: DynamoClient;
  readonly tableName: string;
}

export function createHealthStore(options: HealthStoreOptions): HealthStore {
  const table: Table = { client: options.client, tableName: options.tableName };
  return {
    read: (service, site) => read(table, service, site),
    write: (expected, record) => write(table, expected, record),
    list: () => list(table),
    readObserver: () => readObserver(table),
    writeObserver: (record) => writeObserver(table, record),
  };
}

async function read(table: Table, service: string, site: string): Promise<RecordRead> {
  const outcome = await getItem(table, siteKey(service, site));
  switch (outcome.kind) {
    case 'found':
      return { kind: 'found', record: decodeSite(outcome.item) };
    case 'absent':
      return outcome;
    case 'unreachable':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

async function write(table: Table, expected: number, record: SiteRecord): Promise<RecordWrite> {
  invariant(Number.isSafeInteger(expected) && expected >= 0, 'revision-malformed', { expected });
  const outcome = await compareAndPut(table, siteKey(record.service, record.site), {
    item: encodeSite(expected + 1, record),
    condition: expected === 0 ? isAbsent() : isEqual('revision', integerValue(expected)),
  });
  switch (outcome.kind) {
    case 'applied':
      return outcome;
    case 'conflict':
      return {
        kind: 'conflict',
        record: outcome.item === null ? null : decodeSite(outcome.item),
      };
    case 'refused':
    case 'unknown':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

/** Strongly consistent: a stale deadline would be a false suspicion. */
async function list(table: Table): Promise<readonly SiteRecord[] | null> {
  const records: SiteRecord[] = [];
  let startKey: ReturnType<typeof keyItem> | undefined;
  for (let pages = 0; pages < SITE_PAGES_MAX; pages += 1) {
    const page = await queryPage(table, {
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': TABLE_KEYS.partition },
      ExpressionAttributeValues: { ':partition': textValue(SITES) },
      ConsistentRead: true,
      ExclusiveStartKey: startKey,
    });
    if (page === null) {
      return null;
    }
    records.push(...(page.Items ?? []).map(decodeSite));
    startKey = page.LastEvaluatedKey;
    if (startKey === undefined) {
      return records;
    }
  }
  throw new AppError(`the health table has more than ${SITE_PAGES_MAX} pages of sites`, {
    code: 'health-table-too-large',
    hint: 'Remove sites that are gone, or spread the services over several clusters.',
    retryable: false,
  });
}

async function readObserver(table: Table): ReturnType<HealthStore['readObserver']> {
  const outcome = await getItem(table, OBSERVER_KEY);
  switch (outcome.kind) {
    case 'found':
      return { kind: 'found', record: decodeObserver(outcome.item) };
    case 'absent':
      return outcome;
    case 'unreachable':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

async function writeObserver(table: Table, record: ObserverRecord): Promise<boolean> {
  const item = { ...keyItem(OBSERVER_KEY), ...encodeObserver(record) };
  return (await putItem(table, item, null)).kind === 'applied';
}
