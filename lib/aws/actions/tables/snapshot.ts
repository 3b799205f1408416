/**
 * Copies a DynamoDB table into the snapshot store: a few seconds' worth at each call, until the manifest
 * stands.
 *
 * The copy is named by the token of its step, so every attempt, by whichever worker, goes on with the
 * same one. It is kept in the first store outside of the table's region that answers: a copy beside its
 * table dies with it.
 */
import { DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb';
import type { SnapshotStore } from '../../../backup/snapshot-store.ts';
import {
  type CopyBegin,
  copyFolder,
  keySegment,
  manifestOf,
  newestKey,
  readBegin,
  type TableKey,
  type TablePlace,
} from '../../../backup/table-copy.ts';
import { monotonicMillis } from '../../../base/identifiers.ts';
import type { ActionOutcome, ActionToken } from '../../../recovery/action-ports.ts';
import { classifyActionFailure, refused } from '../errors.ts';
import { TABLE_SEGMENTS } from '../limits.ts';
import { advanceScan } from './resumable-scan.ts';
import { type Failure, sha256Text, type TableOptions } from './table-options.ts';

export async function snapshotTable(
  options: TableOptions,
  source: TablePlace,
  token: ActionToken,
): Promise<ActionOutcome> {
  const until = monotonicMillis(options.clock.monotonicNow() + options.budgetMs);
  const client = options.clientOf(source.region);
  const copy = keySegment(token, sha256Text);
  const folder = copyFolder(source, copy, sha256Text);
  const begun = await beginCopy(options, { source, copy, folder });
  if (begun.kind !== 'begun') {
    return begun;
  }
  const { store, begin } = begun;
  const progress = await advanceScan({
    ...{ client, store, clock: options.clock, until, folder },
    tableName: source.table,
    segments: begin.segments,
    isCopy: true,
  });
  if (progress.kind !== 'complete') {
    const evidence = { copy, items: progress.kind === 'under-way' ? progress.items : 0 };
    return progress.kind === 'stopped'
      ? progress.failure
      : { kind: 'pending', code: 'copy-under-way', evidence };
  }
  const manifest = manifestOf(begin, progress.ends);
  const encoder = new TextEncoder();
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  // The name in the list of copies comes last: a copy that can be found is complete.
  const outcomes = [
    await store.put(`${folder}/manifest.json`, encoder.encode(text)),
    await store.put(newestKey(begin, sha256Text), encoder.encode(`${folder}\n`)),
  ];
  const unknown = outcomes.find((outcome) => outcome.kind === 'unknown');
  if (unknown !== undefined) {
    return unknown;
  }
  const { items, sum } = manifest.tally;
  const { takenAt } = manifest;
  return { kind: 'done', evidence: { copy: folder, store: begun.region, items, sum, takenAt } };
}

interface Begun {
  readonly kind: 'begun';
  readonly region: string;
  readonly store: SnapshotStore;
  readonly begin: CopyBegin;
}

interface CopyName {
  readonly source: TablePlace;
  readonly copy: string;
  readonly folder: string;
}

async function beginCopy(options: TableOptions, name: CopyName): Promise<Begun | Failure> {
  let failure: Failure = { kind: 'unknown', cause: 'there is no snapshot store' };
  for (const [region, store] of storesInOrder(options.stores, name.source.region)) {
    const begun = await beginIn({ region, store }, options, name);
    if (begun.kind !== 'unknown') {
      return begun;
    }
    failure = begun;
  }
  return failure;
}

/** Away from `region` first. */
export function storesInOrder(
  stores: ReadonlyMap<string, SnapshotStore>,
  region: string,
): readonly (readonly [string, SnapshotStore])[] {
  const isHome = (name: string) => (name === region ? 1 : 0);
  return [...stores].toSorted(
    ([left], [right]) => isHome(left) - isHome(right) || (left < right ? -1 : 1),
  );
}

async function beginIn(
  { region, store }: { readonly region: string; readonly store: SnapshotStore },
  options: TableOptions,
  { source, copy, folder }: CopyName,
): Promise<Begun | Failure> {
  const key = `${folder}/begin.json`;
  const standing = await readBegun(store, key);
  if (standing !== null) {
    return 'kind' in standing ? standing : { kind: 'begun', region, store, begin: standing };
  }
  const described = await describeTable(options, source);
  if (described.kind !== 'table') {
    return described.kind === 'absent'
      ? refused('resource-absent', `there is no table ${source.table} in ${source.region}`)
      : described;
  }
  const begin: CopyBegin = {
    ...{ format: 1, source, copy, segments: TABLE_SEGMENTS },
    takenAt: options.clock.wallNow(),
    keys: keysOf(described.table),
  };
  const outcome = await store.put(key, new TextEncoder().encode(JSON.stringify(begin)));
  switch (outcome.kind) {
    case 'unknown':
      return outcome;
    case 'conflict': {
      // Another worker was first by a moment.
      const other = await readBegun(store, key);
      return other === null || 'kind' in other
        ? (other ?? { kind: 'unknown', cause: `${key} is gone` })
        : { kind: 'begun', region, store, begin: other };
    }
    default:
      return { kind: 'begun', region, store, begin };
  }
}

/** null = nothing is begun. */
async function readBegun(store: SnapshotStore, key: string): Promise<CopyBegin | Failure | null> {
  const found = await store.get(key);
  if (found.kind === 'absent') {
    return null;
  }
  if (found.kind === 'unknown') {
    return found;
  }
  const begin = found.kind === 'found' ? readBegin(new TextDecoder().decode(found.bytes)) : null;
  return begin ?? refused('copy-damaged', `${key} cannot be read`);
}

export type DescribeOutcome =
  | { readonly kind: 'table'; readonly table: TableDescription }
  | { readonly kind: 'absent' }
  | Failure;

export async function describeTable(
  { clientOf }: Pick<TableOptions, 'clientOf'>,
  { region, table }: TablePlace,
): Promise<DescribeOutcome> {
  try {
    const { Table } = await clientOf(region).send(new DescribeTableCommand({ TableName: table }));
    return Table === undefined ? { kind: 'absent' } : { kind: 'table', table: Table };
  } catch (thrown) {
    const isAbsent = thrown instanceof Error && thrown.name === 'ResourceNotFoundException';
    return isAbsent
      ? { kind: 'absent' }
      : classifyActionFailure(thrown, `table ${table} in ${region}`);
  }
}

/** Partition key first, as the API has it. */
export function keysOf({
  KeySchema = [],
  AttributeDefinitions = [],
}: TableDescription): readonly TableKey[] {
  return KeySchema.map(({ AttributeName: name = '', KeyType: role = 'HASH' }) => {
    const definition = AttributeDefinitions.find(({ AttributeName }) => AttributeName === name);
    return { name, role, type: definition?.AttributeType ?? 'S' };
  });
}
