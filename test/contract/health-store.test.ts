/**
 * The health store contract on everything that runs with `npm test`: in memory, and on the embedded
 * store over real HTTP. With `TRIPOINT_TEST_TABLES="region=table,…"` also on tables of a real
 * account. DynamoDB Local is in `test/conformance`.
 */
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';
import { embeddedTable, realTables, type TableUnderTest } from '../support/dynamodb.ts';
import { type HealthHarness, healthStoreContract } from './health-store-contract.ts';
import { healthTableContract } from './health-table-contract.ts';

healthStoreContract('memory', async () => {
  const table = new MemoryHealthTable();
  return { open: () => memoryHealthStore(table), close: async () => undefined };
});

healthStoreContract('embedded store', async () => harnessOf(await embeddedTable()));

healthTableContract('embedded store', embeddedTable);

for (const { region, table } of realTables()) {
  healthStoreContract(`AWS ${region}`, async () => harnessOf(table));
}

function harnessOf({ client, tableName, close }: TableUnderTest): HealthHarness {
  return { open: () => createHealthStore({ client, tableName }), close };
}
