/**
 * The register contract on everything that runs with `npm test`: in memory, and on the embedded
 * store over real HTTP. With `TRIPOINT_TEST_TABLES="region=table,…"` also on tables of a real
 * account. DynamoDB Local is in `test/conformance`.
 */
import { createRegisterStore } from '../../lib/aws/dynamodb/register-store.ts';
import { MemoryRegister, memoryRegisterPort } from '../../lib/simulation/memory-register.ts';
import { embeddedTable, realTables, type TableUnderTest } from '../support/dynamodb.ts';
import { type RegisterHarness, registerPortContract } from './register-port-contract.ts';
import { registerTableContract } from './register-table-contract.ts';

registerPortContract('memory', async () => {
  const stores = new Map<string, MemoryRegister>();
  return {
    open: (identity, group) => {
      const store = stores.get(group) ?? new MemoryRegister();
      stores.set(group, store);
      return memoryRegisterPort(store, identity);
    },
    close: async () => undefined,
  };
});

registerPortContract('embedded store', async () => harnessOf(await embeddedTable()));

registerTableContract('embedded store', async () => ({
  ...(await embeddedTable()),
  sendsConflictingItem: false,
}));

for (const { region, table } of realTables()) {
  registerPortContract(`AWS ${region}`, async () => harnessOf(table));
}

function harnessOf({ client, tableName, close }: TableUnderTest): RegisterHarness {
  return {
    open: (identity, group) => createRegisterStore({ client, tableName, identity, group }),
    close,
  };
}
