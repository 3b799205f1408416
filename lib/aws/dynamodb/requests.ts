/**
 * The requests the stores make, each with its outcome as a value: one attempt, no exception for
 * anything that the network or another writer can cause.
 *
 * The race that a condition settles:
 *
 *   writer A                      store                     writer B
 *   read revision 7 ───────────▶  7
 *                                 7  ◀─────────── read revision 7
 *   put 8, if revision = 7 ────▶  8
 *                                 8  ◀─── put 8', if revision = 7: conflict, 8 comes back
 *
 * AWS and DynamoDB Local send the item with the conflict (ReturnValuesOnConditionCheckFailure), at
 * no extra read. The embedded store does not: then a strongly consistent read follows.
 */
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { describeError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { type Item, type ItemKey, integerValue, keyItem } from './attributes.ts';
import type { DynamoClient } from './client.ts';
import { type Condition, isAbsent, isEqual } from './conditions.ts';
import { classifyWriteFailure, type WriteFailure } from './errors.ts';
import { BATCH_REQUESTS_MAX } from './limits.ts';

/** Where a store's items are. */
export interface Table {
  readonly client: DynamoClient;
  readonly tableName: string;
}

export type GetOutcome =
  | { readonly kind: 'found'; readonly item: Item }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreachable'; readonly cause: string };

export type PutOutcome = { readonly kind: 'applied' } | WriteFailure;

/** Strongly consistent. */
export async function getItem(table: Table, key: ItemKey): Promise<GetOutcome> {
  try {
    const output = await table.client.send(
      new GetItemCommand({
        TableName: table.tableName,
        Key: keyItem(key),
        ConsistentRead: true,
      }),
    );
    return output.Item === undefined ? { kind: 'absent' } : { kind: 'found', item: output.Item };
  } catch (error) {
    return { kind: 'unreachable', cause: describeError(error) };
  }
}

/** Replaces the whole item, if the condition holds of what stands there. */
export async function putItem(
  table: Table,
  item: Item,
  condition: Condition | null,
): Promise<PutOutcome> {
  try {
    await table.client.send(
      new PutItemCommand({ TableName: table.tableName, Item: item, ...conditionInput(condition) }),
    );
    return { kind: 'applied' };
  } catch (error) {
    return classifyWriteFailure(error);
  }
}

function conditionInput(condition: Condition | null): object {
  if (condition === null) {
    return {};
  }
  return {
    ConditionExpression: condition.text,
    ExpressionAttributeNames: condition.names,
    // An empty map is refused by the service.
    ...(Object.keys(condition.values).length === 0
      ? {}
      : { ExpressionAttributeValues: condition.values }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/**
 * As `putItem`, and the conflict always carries the item: when the store did not send it, it is
 * read. A read that fails then makes the write `refused`, for the failed condition is proof enough
 * that it was not applied.
 */
export async function compareAndPut(
  table: Table,
  key: ItemKey,
  write: { readonly item: Item; readonly condition: Condition },
): Promise<PutOutcome> {
  const outcome = await putItem(table, { ...keyItem(key), ...write.item }, write.condition);
  if (outcome.kind !== 'conflict' || outcome.item !== null) {
    return outcome;
  }
  const current = await getItem(table, key);
  switch (current.kind) {
    case 'found':
      return { kind: 'conflict', item: current.item };
    case 'absent':
      return outcome;
    case 'unreachable':
      return {
        kind: 'refused',
        code: 'unreachable',
        cause: `the condition failed, and reading the item failed too: ${current.cause}`,
      };
  }
}

/**
 * Puts the item of revision `expected + 1`, if the stored one has revision `expected` (0 = none is
 * stored). The item must carry its revision.
 */
export async function putRevision(
  table: Table,
  key: ItemKey,
  write: { readonly expected: number; readonly item: Item },
): Promise<PutOutcome> {
  const { expected, item } = write;
  invariant(Number.isSafeInteger(expected) && expected >= 0, 'revision-malformed', { expected });
  const condition = expected === 0 ? isAbsent() : isEqual('revision', integerValue(expected));
  return compareAndPut(table, key, { item, condition });
}

/** Resolves false when the item may still be there. */
export async function deleteItem(table: Table, key: ItemKey): Promise<boolean> {
  try {
    await table.client.send(
      new DeleteItemCommand({ TableName: table.tableName, Key: keyItem(key) }),
    );
    return true;
  } catch (error) {
    // A delete has no reply that matters: whatever went wrong, the item may be there.
    void error;
    return false;
  }
}

/**
 * Deletes the item only while the condition holds of it.
 *
 * @returns false when nothing is known; an item that is gone, or is another one by now, is known.
 */
export async function deleteIf(table: Table, key: ItemKey, condition: Condition): Promise<boolean> {
  try {
    await table.client.send(
      new DeleteItemCommand({
        TableName: table.tableName,
        Key: keyItem(key),
        ConditionExpression: condition.text,
        ExpressionAttributeNames: condition.names,
        ExpressionAttributeValues: condition.values,
      }),
    );
    return true;
  } catch (error) {
    return classifyWriteFailure(error).kind === 'conflict';
  }
}

/**
 * The items of up to 100 keys that are there, strongly consistent and in any order; null = no answer.
 * What the service leaves undone, because of size or load, is asked for again, a few times.
 */
export async function getItems(
  table: Table,
  keys: readonly ItemKey[],
): Promise<readonly Item[] | null> {
  const items: Item[] = [];
  let left: Item[] = keys.map(keyItem);
  for (let requests = 0; left.length > 0; requests += 1) {
    if (requests === BATCH_REQUESTS_MAX) {
      return null;
    }
    try {
      const output = await table.client.send(
        new BatchGetItemCommand({
          RequestItems: { [table.tableName]: { Keys: left, ConsistentRead: true } },
        }),
      );
      items.push(...(output.Responses?.[table.tableName] ?? []));
      left = output.UnprocessedKeys?.[table.tableName]?.Keys ?? [];
    } catch (error) {
      // As for a page: a read changes nothing.
      void error;
      return null;
    }
  }
  return items;
}

/** One page; null = no answer. */
export async function queryPage(
  table: Table,
  input: Omit<QueryCommandInput, 'TableName'>,
): Promise<QueryCommandOutput | null> {
  try {
    return await table.client.send(new QueryCommand({ TableName: table.tableName, ...input }));
  } catch (error) {
    // Reads change nothing; the caller only needs to know that there is no answer.
    void error;
    return null;
  }
}
