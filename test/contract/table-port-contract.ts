/**
 * What copying tables must do, whatever serves the tables: run on dynalite and, on demand, on DynamoDB
 * Local. The store of the copies is in memory; it has its own contract.
 */
import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  PutItemCommand,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { itemLine } from '../../lib/aws/actions/tables/item-codec.ts';
import { restoreTable } from '../../lib/aws/actions/tables/restore.ts';
import { snapshotTable } from '../../lib/aws/actions/tables/snapshot.ts';
import type { TableOptions } from '../../lib/aws/actions/tables/table-options.ts';
import type { DynamoClient, OwnedDynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import type { ActionOutcome } from '../../lib/recovery/action-ports.ts';
import { localClient } from '../support/dynamodb.ts';
import { MemorySnapshotStore } from '../support/memory-snapshot-store.ts';

export interface TableServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const REGION = 'us-east-1';
const CALLS_MAX = 200;
const LARGE_ITEMS = 20;

export function tablePortContract(
  name: string,
  extent: 'core' | 'whole',
  start: () => Promise<TableServer>,
): void {
  describe(`copies of tables: ${name}`, () => {
    let server: TableServer;
    let client: OwnedDynamoClient;
    beforeAll(async () => {
      server = await start();
      client = localClient(server.url);
    });
    afterAll(async () => {
      client.destroy();
      await server.close();
    });

    let east: MemorySnapshotStore;
    let west: MemorySnapshotStore;
    let source: { region: string; table: string };
    let into: { region: string; table: string };
    beforeEach(async () => {
      east = new MemorySnapshotStore();
      west = new MemorySnapshotStore();
      source = { region: REGION, table: `Orders-${randomUUID()}` };
      into = { region: 'us-west-2', table: `Orders-copy-${randomUUID()}` };
      await makeTable(client, source.table);
    });

    /** @param budgetMs 0 = one page or part at each call. */
    const options = (budgetMs = 6000): TableOptions => ({
      clientOf: () => client,
      stores: new Map([
        [REGION, east.port],
        ['us-west-2', west.port],
      ]),
      clock: SYSTEM_CLOCK,
      budgetMs,
    });
    const snapshot = (token = 'checkout-9/copy', how = options()) =>
      untilSettled(() => snapshotTable(how, source, token));
    const restore = (token = 'checkout-9/restore', how = options()) =>
      untilSettled(() => restoreTable(how, { source, into, token }));

    test('a table is made again from its copy, item for item', async () => {
      await fill(client, source.table, { length: 120 });
      expect(await snapshot()).toMatchObject({ kind: 'done', evidence: { items: 120 } });
      expect(await restore()).toMatchObject({ kind: 'done', evidence: { items: 120 } });
      expect(await linesOf(client, into.table)).toEqual(await linesOf(client, source.table));
    });

    test('the copy is kept away from its table, and is found only when it is whole', async () => {
      await fill(client, source.table, { length: 10 });
      expect(await snapshot()).toMatchObject({ evidence: { store: 'us-west-2' } });
      expect(east.keys()).toEqual([]);
      expect(west.keys().filter((key) => key.includes('/newest/'))).toHaveLength(1);
    });

    test('over a table that holds items nothing is written', async () => {
      await fill(client, source.table, { length: 3 });
      await snapshot();
      await makeTable(client, into.table);
      await fill(client, into.table, { length: 1 });
      const before = await linesOf(client, into.table);
      expect(await restore()).toMatchObject({ kind: 'refused', code: 'table-has-items' });
      expect(await linesOf(client, into.table)).toEqual(before);
    });

    test('two workers at one copy and one restore end with the same table', async () => {
      await fill(client, source.table, { length: 80 });
      const copies = await Promise.all([snapshot(), snapshot()]);
      expect(copies[0]).toEqual(copies[1]);
      const restores = await Promise.all([restore(), restore()]);
      expect(restores).toEqual([copies[0], copies[0]]);
      expect(await linesOf(client, into.table)).toEqual(await linesOf(client, source.table));
    });

    test('answers that get lost cost calls, not items', async () => {
      await fill(client, source.table, { length: 50 });
      const lossy = { ...options(), clientOf: () => losingAnswers(client) };
      expect(await snapshot('a-1/copy', lossy)).toMatchObject({ evidence: { items: 50 } });
      expect(await restore('a-1/restore', lossy)).toMatchObject({ evidence: { items: 50 } });
      expect(await linesOf(client, into.table)).toEqual(await linesOf(client, source.table));
    });

    describe.skipIf(extent === 'core')('in detail, on demand: it takes seconds', () => {
      test('an empty table too', async () => {
        expect(await snapshot()).toMatchObject({ kind: 'done', evidence: { items: 0 } });
        expect(await restore()).toMatchObject({ kind: 'done', evidence: { items: 0 } });
      });

      test('where that store does not answer, the next one takes it', async () => {
        west.isAway = true;
        expect(await snapshot()).toMatchObject({ kind: 'done', evidence: { store: REGION } });
      });

      test('of two copies the newer one is restored', async () => {
        await fill(client, source.table, { length: 3 });
        await snapshot('checkout-9/copy');
        await fill(client, source.table, { length: 5 });
        await SYSTEM_CLOCK.sleep(2);
        await snapshot('checkout-12/copy');
        expect(await restore()).toMatchObject({ kind: 'done', evidence: { items: 5 } });
      });

      test('without a copy there is nothing to restore, and nothing is made', async () => {
        expect(await restore()).toMatchObject({ kind: 'refused', code: 'copy-absent' });
        east.isAway = true;
        const outcome = await restoreTable(options(), {
          source,
          into,
          token: 'checkout-9/restore',
        });
        expect(outcome).toMatchObject({ kind: 'unknown' });
      });

      test('a table that is not there is not copied', async () => {
        source = { region: REGION, table: `absent-${randomUUID()}` };
        expect(await snapshot()).toMatchObject({ kind: 'refused', code: 'resource-absent' });
      });

      test('a part that is gone or was changed is found out before the restore is done', async () => {
        await fill(client, source.table, { length: 40 });
        await snapshot();
        const [first = ''] = west.keys().filter((key) => key.includes('/part-'));
        west.lose(first);
        expect(await restore()).toMatchObject({ kind: 'refused', code: 'copy-damaged' });
      });

      test('a new table that somebody else writes to is not the copy', async () => {
        await fill(client, source.table, { length: 4 });
        await snapshot();
        const once = () => restoreTable(options(), { source, into, token: 'checkout-9/restore' });
        expect(await once()).toMatchObject({ code: 'restore-under-way' });
        await untilActive(client, into.table);
        await fill(client, into.table, { length: 1, prefix: 'other' });
        expect(await restore()).toMatchObject({ kind: 'refused', code: 'table-not-same' });
      });

      test('each call does a little, and whoever makes the next goes on from there', async () => {
        await fillLarge(client, source.table);
        const calls = { pending: 0 };
        const counted = async (act: () => Promise<ActionOutcome>) => {
          const outcome = await act();
          calls.pending += outcome.kind === 'pending' ? 1 : 0;
          return outcome;
        };
        const { table } = source;
        await untilSettled(() => counted(() => snapshotTable(options(0), source, 'a-1/copy')));
        expect(calls.pending).toBeGreaterThanOrEqual(1);
        expect(west.keys().some((key) => key.endsWith('part-000001.gz'))).toBe(true);
        calls.pending = 0;
        const how = { source, into, token: 'a-1/restore' };
        const outcome = await untilSettled(() => counted(() => restoreTable(options(0), how)));
        expect(outcome).toMatchObject({ kind: 'done', evidence: { items: LARGE_ITEMS } });
        expect(calls.pending).toBeGreaterThanOrEqual(2);
        expect(await linesOf(client, into.table)).toEqual(await linesOf(client, table));
      });
    });
  });
}

/** Every third call is done and its answer lost. */
function losingAnswers(client: DynamoClient): DynamoClient {
  let calls = 0;
  const send = async (...values: Parameters<DynamoClient['send']>): Promise<unknown> => {
    const answer = await client.send(...values);
    calls += 1;
    if (calls % 3 === 0) {
      throw new Error('socket hang up');
    }
    return answer;
  };
  return { send: send as DynamoClient['send'] };
}

/** As the worker does: again while it is under way or nothing is known. */
async function untilSettled(act: () => Promise<ActionOutcome>): Promise<ActionOutcome> {
  let outcome = await act();
  for (let calls = 1; calls < CALLS_MAX && isUnsettled(outcome); calls += 1) {
    await SYSTEM_CLOCK.sleep(5);
    outcome = await act();
  }
  return outcome;
}

function isUnsettled({ kind }: ActionOutcome): boolean {
  return kind === 'pending' || kind === 'unknown';
}

async function makeTable(client: DynamoClient, table: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'order', KeyType: 'HASH' },
        { AttributeName: 'line', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'order', AttributeType: 'S' },
        { AttributeName: 'line', AttributeType: 'N' },
      ],
    }),
  );
  await untilActive(client, table);
}

async function untilActive(client: DynamoClient, table: string): Promise<void> {
  for (let polls = 0; polls < CALLS_MAX; polls += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') {
      return;
    }
    await SYSTEM_CLOCK.sleep(5);
  }
}

/** Items with every type that an attribute can have. */
async function fill(
  client: DynamoClient,
  table: string,
  { length, prefix = 'order' }: { readonly length: number; readonly prefix?: string },
): Promise<void> {
  const items = Array.from(
    { length },
    (_, line): Record<string, AttributeValue> => ({
      order: { S: `${prefix}-${line % 17}` },
      line: { N: String(line) },
      price: { N: '12.50' },
      note: { S: 'größer "or" smaller\n' },
      bytes: { B: Buffer.from([0, 255, line % 256]) },
      tags: { SS: ['b', 'a', String(line)] },
      sizes: { NS: ['10', '9', '1.5'] },
      blobs: { BS: [Buffer.from([2]), Buffer.from([1, 2])] },
      nested: { M: { list: { L: [{ BOOL: true }, { NULL: true }, { M: {} }] } } },
    }),
  );
  for (let start = 0; start < items.length; start += 25) {
    const some = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: some } }));
  }
}

/** More than one page in some segment: a page ends at a megabyte. */
async function fillLarge(client: DynamoClient, table: string): Promise<void> {
  for (let line = 0; line < LARGE_ITEMS; line += 1) {
    const Item = {
      order: { S: `order-${line}` },
      line: { N: String(line) },
      text: { S: 'x'.repeat(350_000) },
    };
    await client.send(new PutItemCommand({ TableName: table, Item }));
  }
}

async function linesOf(client: DynamoClient, table: string): Promise<readonly string[]> {
  const lines: string[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey: from }),
    );
    lines.push(...(page.Items ?? []).map(itemLine));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return lines.toSorted();
}
