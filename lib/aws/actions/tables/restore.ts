/**
 * Makes a new DynamoDB table from the newest complete copy of another: a few seconds' worth at each call.
 *
 * Which copy it is, is written down first, in the store that holds it, under the token of the step; so
 * every attempt goes on with the same copy, and a table that this very step has half filled is told from
 * one that was there before, over which nothing is ever written. After the last part the new table is
 * read whole and counted; only if its items are those of the copy, number and content, is it done.
 *
 * The new table has the keys of the old one and is paid per request. Indexes, streams, time-to-live
 * and tags are not part of a copy.
 */
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { type CopyManifest, type TablePlace, totalOf } from '../../../backup/table-copy.ts';
import { monotonicMillis } from '../../../base/identifiers.ts';
import { canonicalJson } from '../../../base/json.ts';
import type { ActionOutcome } from '../../../recovery/action-ports.ts';
import { classifyActionFailure, refused } from '../errors.ts';
import { beginRestore, type Restore, type RestoreBegun } from './restore-begin.ts';
import { advanceScan } from './resumable-scan.ts';
import { describeTable, keysOf } from './snapshot.ts';
import type { Errand, TableOptions } from './table-options.ts';
import { writeParts } from './write-parts.ts';

export async function restoreTable(
  options: TableOptions,
  restore: Restore,
): Promise<ActionOutcome> {
  const { clock } = options;
  const until = monotonicMillis(clock.monotonicNow() + options.budgetMs);
  const begun = await beginRestore(options, restore);
  if (begun.kind !== 'begun') {
    return begun;
  }
  const { into } = restore;
  const { store, manifest, copy, folder } = begun;
  const notReady = await makeTable(options, into, manifest);
  if (notReady !== null) {
    return notReady;
  }
  const errand: Errand = { client: options.clientOf(into.region), store, clock, until };
  const written = await writeParts({ ...errand, tableName: into.table, copy, folder, manifest });
  if (written.kind !== 'complete') {
    return written.kind === 'stopped' ? written.failure : underWay(into, written.items);
  }
  const checked = await advanceScan({
    ...errand,
    ...{ tableName: into.table, folder: `${folder}/checked`, isCopy: false },
    segments: manifest.segments,
  });
  if (checked.kind !== 'complete') {
    return checked.kind === 'stopped' ? checked.failure : underWay(into, manifest.tally.items);
  }
  return verdictOf(begun, totalOf(checked.ends.map(({ tally }) => tally)));
}

function verdictOf(
  { manifest, copy, region }: RestoreBegun,
  found: CopyManifest['tally'],
): ActionOutcome {
  const { items, sum } = manifest.tally;
  if (found.items !== items || found.sum !== sum) {
    const detail = `the copy has ${items} items, the new table ${found.items} or others: was it written to?`;
    return refused('table-not-same', detail);
  }
  const { takenAt } = manifest;
  return { kind: 'done', evidence: { copy, store: region, items, sum, takenAt } };
}

function underWay({ table }: TablePlace, items: number): ActionOutcome {
  return { kind: 'pending', code: 'restore-under-way', evidence: { table, items } };
}

/** null = the table is there, with the right keys, and takes writes. */
async function makeTable(
  options: TableOptions,
  into: TablePlace,
  { keys }: CopyManifest,
): Promise<ActionOutcome | null> {
  const described = await describeTable(options, into);
  if (described.kind === 'table') {
    const found = keysOf(described.table).map(({ name, type, role }) => ({ name, type, role }));
    const wanted = keys.map(({ name, type, role }) => ({ name, type, role }));
    if (canonicalJson(found) !== canonicalJson(wanted)) {
      return refused('table-not-same', `${into.table} in ${into.region} has other keys`);
    }
    return described.table.TableStatus === 'ACTIVE' ? null : underWay(into, 0);
  }
  if (described.kind !== 'absent') {
    return described;
  }
  try {
    await options.clientOf(into.region).send(
      new CreateTableCommand({
        TableName: into.table,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: keys.map(({ name, role }) => ({ AttributeName: name, KeyType: role })),
        AttributeDefinitions: keys.map(({ name, type }) => ({
          AttributeName: name,
          AttributeType: type,
        })),
      }),
    );
    return underWay(into, 0);
  } catch (thrown) {
    return classifyActionFailure(thrown, `table ${into.table} in ${into.region}`);
  }
}
