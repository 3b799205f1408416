/** A process of a torture run: the store of one region, on disk, as one machine would lose it. */
import { createTables } from '../../lib/aws/dynamodb/tables.ts';
import { TABLES } from '../../lib/config/names.ts';
import { type ChildParts, runChild } from '../../lib/local/child-main.ts';
import { startEmbeddedDynamoDb } from '../../lib/local/embedded-dynamodb.ts';
import { createLocalClient } from '../../lib/local/region-stores.ts';
import type { StoreSettings } from './settings.ts';

const [, , processName = 'store'] = process.argv;

runChild<StoreSettings>(processName, async (settings, { prepared }): Promise<ChildParts> => {
  const { region, folder, port, isNew } = settings;
  const store = await startEmbeddedDynamoDb({ path: folder, port });
  if (isNew) {
    const maker = createLocalClient({ region, databaseUrl: store.url }, 'making');
    await createTables(maker, [TABLES.consensus]);
    maker.destroy();
  }
  await prepared();
  return { stop: store.close };
});
