/**
 * Makes the two tables of a control region where no CDK stack does: on one machine, and in tests.
 *
 * The same shape as the stack's: string keys `pk` and `sk`, paid per request, no index. Safe to
 * repeat: a table that stands is left alone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import { TABLE_KEYS, TABLES } from '../../config/names.ts';
import type { DynamoClient } from './client.ts';
import { TABLE_POLL_INTERVAL_MS, TABLE_POLLS_MAX } from './limits.ts';

/**
 * Resolves when the tables take requests.
 *
 * @throws AppError `table-not-ready` when one does not become active within 10 seconds.
 */
export async function createTables(
  client: DynamoClient,
  tableNames: readonly string[] = Object.values(TABLES),
  sleep: Clock['sleep'] = pause,
): Promise<void> {
  for (const tableName of tableNames) {
    await createTable(client, tableName);
  }
  for (const tableName of tableNames) {
    await untilActive(client, tableName, sleep);
  }
}

async function createTable(client: DynamoClient, tableName: string): Promise<void> {
  const { partition, sort } = TABLE_KEYS;
  try {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: [
          { AttributeName: partition, AttributeType: 'S' },
          { AttributeName: sort, AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: partition, KeyType: 'HASH' },
          { AttributeName: sort, KeyType: 'RANGE' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) {
      throw error;
    }
  }
}

async function untilActive(
  client: DynamoClient,
  tableName: string,
  sleep: Clock['sleep'],
): Promise<void> {
  for (let polls = 0; polls < TABLE_POLLS_MAX; polls += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.TableStatus === 'ACTIVE') {
      return;
    }
    await sleep(TABLE_POLL_INTERVAL_MS);
  }
  throw new AppError(`table ${tableName} did not become active`, {
    code: 'table-not-ready',
    hint: 'A store that was killed while it made its tables keeps them half-made: delete its folder.',
    retryable: true,
  });
}
