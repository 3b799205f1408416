/** The report store contract in memory, and on the health table of the embedded store. */
import { expect, test } from 'vitest';
import { itemBytes } from '../../lib/aws/dynamodb/attributes.ts';
import { createReportStore } from '../../lib/aws/dynamodb/report-store.ts';
import { getItem, putItem } from '../../lib/aws/dynamodb/requests.ts';
import { REPORT_LIMITS } from '../../lib/detection/limits.ts';
import { memoryReportStore } from '../../lib/simulation/memory-report-store.ts';
import { embeddedTable } from '../support/dynamodb.ts';
import { reportStoreContract } from './report-store-contract.ts';

reportStoreContract('memory', async () => {
  const store = memoryReportStore();
  return { open: () => store, close: async () => undefined };
});

reportStoreContract('embedded store', async () => {
  const { client, tableName, close } = await embeddedTable();
  return { open: () => createReportStore({ client, tableName }), close };
});

test('the largest item costs one write unit, and a damaged one hides no other', async () => {
  const table = await embeddedTable();
  const store = createReportStore(table);
  const slots = Array.from({ length: REPORT_LIMITS.slotsMax + 1 }, (_, place) => ({
    slot: 999_999_990 + place,
    ok: REPORT_LIMITS.slotCountMax,
    failing: REPORT_LIMITS.slotCountMax,
  }));
  const name = { service: 's'.repeat(63), site: 't'.repeat(63) };
  await store.write(0, { ...name, revision: 1, slots });
  const key = { partition: 'report', sort: `${name.service}@${name.site}` };
  const stored = await getItem(table, key);
  expect(stored.kind).toBe('found');
  const item = stored.kind === 'found' ? stored.item : {};
  expect(itemBytes(item)).toBeLessThan(1024);
  await putItem(table, { ...item, slots: { S: '1:2' } }, null);
  const other = { service: 'checkout', site: 'us-east-1', revision: 1, slots };
  await store.write(0, other);
  expect(await store.list()).toEqual([other]);
  const damaged = { kind: 'unknown', cause: expect.stringContaining('a slot is malformed') };
  expect(await store.read(name.service, name.site)).toEqual(damaged);
  expect(await store.write(0, { ...other, ...name })).toEqual(damaged);
  await table.close();
});
