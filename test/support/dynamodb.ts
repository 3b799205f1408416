/** DynamoDB stores for tests: clients, tables of one test run, and the tables of a real account. */
import { randomUUID } from 'node:crypto';
import { createDynamoClient, type OwnedDynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { createTables } from '../../lib/aws/dynamodb/tables.ts';
import { startEmbeddedDynamoDb } from '../../lib/local/embedded-dynamodb.ts';

/** A store on this machine, so that a test can put a proxy before it. */
export interface LocalTable extends TableUnderTest {
  readonly url: string;
}

/** Any will do for a local store. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Generous: no call of a healthy store on a busy machine may run into it. */
const PATIENT_MS = 10_000;

/** One store with one table that nobody else uses. */
export interface TableUnderTest {
  readonly client: OwnedDynamoClient;
  readonly tableName: string;
  readonly close: () => Promise<void>;
}

export function localClient(url: string, requestTimeoutMs: number = PATIENT_MS): OwnedDynamoClient {
  return createDynamoClient({
    region: 'us-east-1',
    endpoint: url,
    requestTimeoutMs,
    connectionTimeoutMs: requestTimeoutMs,
    credentials: LOCAL_CREDENTIALS,
  });
}

/** A fresh table in a store that runs already. */
export async function tableIn(url: string): Promise<LocalTable> {
  const client = localClient(url);
  const tableName = `test-${randomUUID()}`;
  await createTables(client, [tableName]);
  return {
    client,
    tableName,
    url,
    close: async () => client.destroy(),
  };
}

/** A fresh embedded store, in memory, over real HTTP. */
export async function embeddedTable(): Promise<LocalTable> {
  const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
  const table = await tableIn(store.url);
  return {
    ...table,
    close: async () => {
      await table.close();
      await store.close();
    },
  };
}

/**
 * Tables of a real account to test against, from `TRIPOINT_TEST_TABLES="region=table,…"`. They need
 * string keys `pk` and `sk`, and should be thrown away afterwards: tests leave items behind.
 */
export function realTables(): readonly {
  readonly region: string;
  readonly table: TableUnderTest;
}[] {
  const pairs = (process.env['TRIPOINT_TEST_TABLES'] ?? '')
    .split(',')
    .filter((pair) => pair !== '');
  return pairs.map((pair) => {
    const [region = '', tableName = ''] = pair.split('=');
    const client = createDynamoClient({
      region,
      requestTimeoutMs: PATIENT_MS,
      connectionTimeoutMs: PATIENT_MS,
    });
    const table = { client, tableName, close: async () => client.destroy() };
    return { region, table };
  });
}
