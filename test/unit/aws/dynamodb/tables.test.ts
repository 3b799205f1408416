import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DynamoClient, OwnedDynamoClient } from '../../../../lib/aws/dynamodb/client.ts';
import { createTables } from '../../../../lib/aws/dynamodb/tables.ts';
import { TABLES } from '../../../../lib/config/names.ts';
import {
  type EmbeddedDynamoDb,
  startEmbeddedDynamoDb,
} from '../../../../lib/local/embedded-dynamodb.ts';
import { localClient } from '../../../support/dynamodb.ts';

describe('the tables of a region', () => {
  let store: EmbeddedDynamoDb;
  let client: OwnedDynamoClient;
  beforeAll(async () => {
    store = await startEmbeddedDynamoDb({ path: null, port: 0 });
    client = localClient(store.url);
  });
  afterAll(async () => {
    client.destroy();
    await store.close();
  });

  test('are both made, and making them again changes nothing', async () => {
    await createTables(client);
    const before = await describeAll(client);
    await createTables(client);
    expect(await describeAll(client)).toEqual(before);
    expect(before.map((table) => table?.TableStatus)).toEqual(['ACTIVE', 'ACTIVE']);
    expect(before.map((table) => table?.KeySchema)).toEqual(
      Array(2).fill([
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ]),
    );
  });

  test('may be made by two processes at once', async () => {
    const names = ['at-once-a', 'at-once-b'];
    await expect(
      Promise.all([createTables(client, names), createTables(client, names)]),
    ).resolves.toBeDefined();
  });
});

test('a table that never becomes active is reported after 10 seconds of looking', async () => {
  const halfMade: DynamoClient = { send: async () => ({ Table: { TableStatus: 'CREATING' } }) };
  let waitedMs = 0;
  const wait = async (durationMs: number): Promise<void> => {
    waitedMs += durationMs;
  };
  await expect(createTables(halfMade, ['half-made'], wait)).rejects.toMatchObject({
    code: 'table-not-ready',
  });
  expect(waitedMs).toBe(10_000);
});

function describeAll(client: DynamoClient) {
  return Promise.all(
    Object.values(TABLES).map(async (TableName) => {
      return (await client.send(new DescribeTableCommand({ TableName }))).Table;
    }),
  );
}
