/**
 * The report store port on the health table of a region: one small item a reported site.
 *
 *   pk `report`   sk <service>@<site>   revision, slots joined by spaces, each
 *                                   `<slot>:<ok>:<failing>` and perhaps `:<accuser>,<accuser>`
 *
 * Two API functions may take two reports of a site at once: as with heartbeats, the loser of the
 * conditional write gets the winner's item and adds its report to that.
 */
import { AppError } from '../../base/errors.ts';
import { TABLE_KEYS } from '../../config/names.ts';
import type {
  ReportStore,
  ReportsRead,
  ReportsWrite,
  SiteReports,
} from '../../control/report-store.ts';
import type { ReportSlot } from '../../detection/caller-reports.ts';
import {
  type Item,
  type ItemKey,
  integerValue,
  type keyItem,
  readItem,
  textValue,
} from './attributes.ts';
import type { DynamoClient } from './client.ts';
import { decodeName, siteKey } from './health-mapping.ts';
import { REPORT_PAGES_MAX } from './limits.ts';
import { getItem, putRevision, queryPage, type Table } from './requests.ts';

const REPORTS = 'report';
const SLOT = /^(\d{1,12}):(\d{1,8}):(\d{1,8})(?::([0-9a-f,]+))?$/;
const CORRUPT = {
  code: 'caller-reports-corrupt',
  hint:
    'Something other than this version of Tripoint wrote to the health table. Delete the item; the ' +
    'next report makes it anew.',
};

export interface ReportStoreOptions {
  readonly client: DynamoClient;
  readonly tableName: string;
}

export function createReportStore(options: ReportStoreOptions): ReportStore {
  const table: Table = { client: options.client, tableName: options.tableName };
  return {
    read: (service, site) => read(table, reportKey(service, site)),
    write: (expected, reports) => write(table, expected, reports),
    list: () => list(table),
  };
}

function reportKey(service: string, site: string): ItemKey {
  return { ...siteKey(service, site), partition: REPORTS };
}

async function read(table: Table, key: ItemKey): Promise<ReportsRead> {
  const outcome = await getItem(table, key);
  switch (outcome.kind) {
    case 'found':
      return reportsRead(outcome.item);
    case 'absent':
      return outcome;
    case 'unreachable':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

async function write(table: Table, expected: number, reports: SiteReports): Promise<ReportsWrite> {
  const item = encodeReports(expected + 1, reports);
  const key = reportKey(reports.service, reports.site);
  const outcome = await putRevision(table, key, { expected, item });
  switch (outcome.kind) {
    case 'applied':
      return outcome;
    case 'conflict': {
      const current = outcome.item === null ? null : reportsRead(outcome.item);
      return current?.kind === 'unknown'
        ? current
        : { kind: 'conflict', reports: current?.reports ?? null };
    }
    case 'refused':
    case 'unknown':
      return { kind: 'unknown', cause: outcome.cause };
  }
}

/** What a moment ago is enough for a finding that takes two slots of ten seconds. */
async function list(table: Table): Promise<readonly SiteReports[] | null> {
  const found: SiteReports[] = [];
  let startKey: ReturnType<typeof keyItem> | undefined;
  for (let pages = 0; pages < REPORT_PAGES_MAX; pages += 1) {
    const page = await queryPage(table, {
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': TABLE_KEYS.partition },
      ExpressionAttributeValues: { ':partition': textValue(REPORTS) },
      ConsistentRead: false,
      ExclusiveStartKey: startKey,
    });
    if (page === null) {
      return null;
    }
    for (const item of page.Items ?? []) {
      const one = reportsRead(item);
      found.push(...(one.kind === 'found' ? [one.reports] : []));
    }
    startKey = page.LastEvaluatedKey;
    if (startKey === undefined) {
      break;
    }
  }
  return found;
}

/** Of an item that cannot be read nothing is known; the reports on other sites count as ever. */
function reportsRead(item: Item): Exclude<ReportsRead, { readonly kind: 'absent' }> {
  try {
    return { kind: 'found', reports: decodeReports(item) };
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === CORRUPT.code) {
      return { kind: 'unknown', cause: thrown.message };
    }
    throw thrown;
  }
}

function encodeReports(revision: number, { slots }: SiteReports): Item {
  const text = slots
    .map(({ slot, ok, failing, accusers }) =>
      [slot, ok, failing, ...(accusers === undefined ? [] : [accusers.join(',')])].join(':'),
    )
    .join(' ');
  return { revision: integerValue(revision), slots: textValue(text) };
}

/** @throws AppError `caller-reports-corrupt` */
function decodeReports(item: Item): SiteReports {
  const reader = readItem(item, CORRUPT);
  const slots = reader
    .text('slots')
    .split(' ')
    .map((text): ReportSlot => {
      const [, slot, ok, failing, accusers] = SLOT.exec(text) ?? reader.fail('a slot is malformed');
      const counts = { slot: Number(slot), ok: Number(ok), failing: Number(failing) };
      return accusers === undefined ? counts : { ...counts, accusers: accusers.split(',') };
    });
  return {
    ...decodeName(reader.text(TABLE_KEYS.sort)),
    revision: reader.integer('revision'),
    slots,
  };
}
