/**
 * What the DynamoDB adapter must do when the network between it and its table misbehaves, and when
 * somebody else writes to the table: real HTTP through a proxy that loses and delays on command.
 */
import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Item, itemBytes, keyItem, textValue } from '../../lib/aws/dynamodb/attributes.ts';
import type { OwnedDynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { ITEM_BYTES_WALL } from '../../lib/aws/dynamodb/limits.ts';
import { beatKey, encodeRegister, registerKey } from '../../lib/aws/dynamodb/mapping.ts';
import { createRegisterStore } from '../../lib/aws/dynamodb/register-store.ts';
import { deleteItem, getItem, putItem } from '../../lib/aws/dynamodb/requests.ts';
import { logIndex, regionId, term } from '../../lib/base/identifiers.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import type { Base } from '../../lib/consensus/server.ts';
import { type LocalTable, localClient } from '../support/dynamodb.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { emptyServer, identityOf, serverWith } from '../support/servers.ts';

/** Long for a healthy store on a busy machine, short for a test that waits it out. */
const IMPATIENT_MS = 400;

export interface ReachableTable extends LocalTable {
  /** Whether a failed condition brings the item back, at no extra read. */
  readonly sendsConflictingItem: boolean;
}

interface Stage {
  readonly table: ReachableTable;
  readonly proxy: FaultyProxy;
  /** Through the proxy, one with a long and one with a short timeout. */
  readonly patient: OwnedDynamoClient;
  readonly impatient: OwnedDynamoClient;
}

export function registerTableContract(name: string, start: () => Promise<ReachableTable>): void {
  describe(`register table: ${name}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      const table = await start();
      const proxy = await startFaultyProxy(table.url);
      const patient = localClient(proxy.url);
      stage = { table, proxy, patient, impatient: localClient(proxy.url, IMPATIENT_MS) };
    });
    afterEach(() => stage.proxy.inject({ kind: 'none' }));
    afterAll(async () => {
      stage.patient.destroy();
      stage.impatient.destroy();
      await stage.proxy.close();
      await stage.table.close();
    });

    unknownOutcomeCases(() => stage);
    refusalCases(() => stage);
    requestCountCases(() => stage);
    damagedRegisterCases(() => stage);
    damagedSnapshotCases(() => stage);
    sizeCases(() => stage);
  });
}

/** One register seen directly and through the proxy. */
function openRegister(stage: Stage, client = stage.patient) {
  const group = randomUUID();
  const { tableName } = stage.table;
  const identity = identityOf();
  return {
    group,
    direct: createRegisterStore({ client: stage.table.client, tableName, identity, group }),
    proxied: createRegisterStore({ client, tableName, identity, group }),
  };
}

async function revisionOf(register: RegisterPort): Promise<number> {
  const read = await register.read();
  return read.kind === 'found' ? read.copy.revision : 0;
}

function unknownOutcomeCases(stage: () => Stage): void {
  test('a reply that is lost leaves the outcome unknown, and a read shows that it was applied', async () => {
    const { direct, proxied } = openRegister(stage());
    stage().proxy.inject({ kind: 'drop-reply' });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'unknown' });
    expect(await revisionOf(direct)).toBe(1);
  });

  test('a request that is lost leaves the outcome unknown, and a read shows that it was not applied', async () => {
    const { direct, proxied } = openRegister(stage());
    stage().proxy.inject({ kind: 'drop-request', after: 0 });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'unknown' });
    expect(await revisionOf(direct)).toBe(0);
  });

  test('a reply that comes after the timeout leaves the outcome unknown', async () => {
    const { direct, proxied } = openRegister(stage(), stage().impatient);
    stage().proxy.inject({ kind: 'swallow-reply' });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'unknown' });
    expect(await revisionOf(direct)).toBe(1);
  });

  test('a write that was held up cannot overwrite a newer revision', async () => {
    const { direct, proxied } = openRegister(stage(), stage().impatient);
    await direct.compareAndSet(0, emptyServer());
    stage().proxy.inject({ kind: 'hold-request' });
    const late = await proxied.compareAndSet(1, serverWith(['late']));
    await direct.compareAndSet(1, serverWith(['newer']));
    stage().proxy.inject({ kind: 'none' });
    await stage().proxy.release();
    expect(late).toMatchObject({ kind: 'unknown' });
    expect(await direct.read()).toEqual({
      kind: 'found',
      copy: { revision: 2, server: serverWith(['newer']) },
    });
  });

  test('a write that was held up can still be applied after its outcome was unknown', async () => {
    const { direct, proxied } = openRegister(stage(), stage().impatient);
    stage().proxy.inject({ kind: 'hold-request' });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'unknown' });
    const before = await revisionOf(direct);
    stage().proxy.inject({ kind: 'none' });
    await stage().proxy.release();
    expect([before, await revisionOf(direct)]).toEqual([0, 1]);
  });

  test('a reply that stops half way ends in the timeout', async () => {
    const { direct, proxied } = openRegister(stage(), stage().impatient);
    await direct.compareAndSet(0, emptyServer());
    stage().proxy.inject({ kind: 'half-reply' });
    expect(await proxied.read()).toMatchObject({ kind: 'unreachable' });
    expect(await proxied.compareAndSet(1, serverWith([]))).toMatchObject({ kind: 'unknown' });
    expect(await revisionOf(direct)).toBe(2);
  });

  test('an internal error of the service leaves the outcome unknown', async () => {
    const { proxied } = openRegister(stage());
    stage().proxy.inject({ kind: 'reply', status: 500, body: { __type: 'InternalServerError' } });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'unknown' });
  });

  test('a beat and a snapshot whose replies are lost are not counted as kept', async () => {
    const { proxied } = openRegister(stage());
    stage().proxy.inject({ kind: 'drop-reply' });
    expect(await proxied.writeBeat(beat())).toBe(false);
    expect(await proxied.writeSnapshot(BASE, 'text')).toBe(false);
  });
}

function refusalCases(stage: () => Stage): void {
  test('where nobody listens, every answer is that it cannot be reached', async () => {
    const gone = await startFaultyProxy(stage().table.url);
    await gone.close();
    const client = localClient(gone.url);
    const { proxied } = openRegister(stage(), client);
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({
      kind: 'refused',
      code: 'unreachable',
    });
    expect(await proxied.read()).toMatchObject({ kind: 'unreachable' });
    expect(await proxied.readBeat()).toMatchObject({ kind: 'unreachable' });
    expect(await proxied.writeBeat(beat())).toBe(false);
    expect(await proxied.readSnapshot(BASE)).toBeNull();
    expect(await proxied.writeSnapshot(BASE, 'text')).toBe(false);
    await proxied.dropSnapshotsBelow(logIndex(9));
    client.destroy();
  });

  test('a table that does not exist is refused as unreachable, with its cause', async () => {
    const { client } = stage().table;
    const store = createRegisterStore({
      client,
      tableName: 'no-such-table',
      identity: identityOf(),
    });
    expect(await store.compareAndSet(0, emptyServer())).toMatchObject({
      kind: 'refused',
      code: 'unreachable',
      cause: expect.stringContaining('ResourceNotFoundException'),
    });
    expect(await store.read()).toMatchObject({ kind: 'unreachable' });
  });

  test('a throttled write is refused as throttled', async () => {
    const { direct, proxied } = openRegister(stage());
    const __type = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';
    stage().proxy.inject({ kind: 'reply', status: 400, body: { __type, message: 'slow down' } });
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({
      kind: 'refused',
      code: 'throttled',
    });
    expect(await revisionOf(direct)).toBe(0);
  });

  test('an over-size register is refused before a request is made', async () => {
    const { proxied } = openRegister(stage());
    stage().proxy.takeOperations();
    const outcome = await proxied.compareAndSet(0, serverWith(Array(400).fill('x'.repeat(1024))));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'too-large' });
    expect(stage().proxy.takeOperations()).toEqual([]);
  });
}

function requestCountCases(stage: () => Stage): void {
  test('a compare-and-set that is applied is one request, also when its outcome is unknown', async () => {
    const { proxied } = openRegister(stage());
    stage().proxy.takeOperations();
    await proxied.compareAndSet(0, emptyServer());
    await proxied.compareAndSet(1, emptyServer());
    expect(stage().proxy.takeOperations()).toEqual(['PutItem', 'PutItem']);
    stage().proxy.inject({ kind: 'drop-reply' });
    await proxied.compareAndSet(2, emptyServer());
    expect(stage().proxy.takeOperations()).toEqual(['PutItem']);
  });

  test('a conflict costs a read only where the store does not send the item', async () => {
    const { proxied } = openRegister(stage());
    await proxied.compareAndSet(0, emptyServer());
    stage().proxy.takeOperations();
    expect(await proxied.compareAndSet(0, emptyServer())).toMatchObject({ kind: 'conflict' });
    expect(stage().proxy.takeOperations()).toEqual(
      stage().table.sendsConflictingItem ? ['PutItem'] : ['PutItem', 'GetItem'],
    );
  });
}

function damagedRegisterCases(stage: () => Stage): void {
  const { log: _log, ...withoutLog } = encodeRegister(1, serverWith([]));
  test.each<readonly [string, Item]>([
    ['has no log', withoutLog],
    ['has a log that is not JSON', { ...withoutLog, log: { S: '[[1]' } }],
    ['has a log that is not a list', { ...withoutLog, log: { S: '{}' } }],
    ['has an entry that is not a list', { ...withoutLog, log: { S: '[7]' } }],
    ['has an entry without a term', { ...withoutLog, log: { S: '[[]]' } }],
    ['has an entry without a basis', { ...withoutLog, log: { S: '[[3,"id",null,1]]' } }],
    ['has an entry of a future term', { ...withoutLog, log: { S: '[[99]]' } }],
    ['has a fractional term', { ...encodeRegister(1, serverWith([])), term: { N: '3.5' } }],
    [
      'has a term too large to count',
      { ...encodeRegister(1, serverWith([])), term: { N: '1e17' } },
    ],
    ['has a term that is a text', { ...encodeRegister(1, serverWith([])), term: { S: '3' } }],
    ['has revision 0', encodeRegister(0, serverWith([]))],
  ])('a register that %s halts reads and writes', async (_, item) => {
    const { group, direct } = openRegister(stage());
    await plant(stage(), { ...keyItem(registerKey(group)), ...item });
    await expect(direct.read()).rejects.toMatchObject({ code: 'register-corrupt' });
    await expect(direct.compareAndSet(0, emptyServer())).rejects.toMatchObject({
      code: 'register-corrupt',
    });
  });

  test('a beat that makes no sense halts', async () => {
    const { group, direct } = openRegister(stage());
    await plant(stage(), { ...keyItem(beatKey(group)), term: { N: '1' } });
    await expect(direct.readBeat()).rejects.toMatchObject({ code: 'register-corrupt' });
  });
}

function damagedSnapshotCases(stage: () => Stage): void {
  const text = 'x'.repeat(700_000);

  test('a snapshot whose writer died before the manifest was complete reads as none', async () => {
    const { direct, proxied } = openRegister(stage());
    await writeOnlyChunks(stage(), proxied, text);
    expect(await direct.readSnapshot(BASE)).toBeNull();
  });

  test('the next writer finishes what a dead writer began', async () => {
    const { direct, proxied } = openRegister(stage());
    await writeOnlyChunks(stage(), proxied, text);
    expect(await direct.writeSnapshot(BASE, text)).toBe(true);
    expect((await direct.readSnapshot(BASE)) === text).toBe(true);
  });

  test('dropping removes the chunks of a dead writer too', async () => {
    const { group, direct, proxied } = openRegister(stage());
    await writeOnlyChunks(stage(), proxied, text);
    const before = await getItem(stage().table, firstChunkKey(group));
    await direct.dropSnapshotsBelow(logIndex(BASE.index + 1));
    const after = await Promise.all(
      [firstChunkKey(group), manifestKey(group)].map((key) => getItem(stage().table, key)),
    );
    expect(before.kind).toBe('found');
    expect(after.map(({ kind }) => kind)).toEqual(['absent', 'absent']);
  });

  test('a snapshot with a missing chunk reads as none', async () => {
    const { group, direct } = openRegister(stage());
    await direct.writeSnapshot(BASE, text);
    await deleteItem(stage().table, firstChunkKey(group));
    expect(await direct.readSnapshot(BASE)).toBeNull();
  });

  test('a snapshot with a changed chunk halts', async () => {
    const { group, direct } = openRegister(stage());
    await direct.writeSnapshot(BASE, text);
    await plant(stage(), { ...keyItem(firstChunkKey(group)), data: { B: new Uint8Array(9) } });
    await expect(direct.readSnapshot(BASE)).rejects.toMatchObject({ code: 'snapshot-corrupt' });
  });
}

function sizeCases(stage: () => Stage): void {
  test('the size arithmetic finds the wall of the store to the byte', async () => {
    const key = { partition: 'size', sort: randomUUID() };
    const filled = (bytes: number): Item => {
      const empty = itemBytes({ ...keyItem(key), text: { S: '' } });
      return { ...keyItem(key), text: textValue('x'.repeat(bytes - empty)) };
    };
    expect(await putItem(stage().table, filled(ITEM_BYTES_WALL), null)).toEqual({
      kind: 'applied',
    });
    expect(await putItem(stage().table, filled(ITEM_BYTES_WALL + 1), null)).toMatchObject({
      kind: 'refused',
      code: 'too-large',
    });
  });
}

const BASE: Base = { index: logIndex(7), term: term(2) };

function beat() {
  return { term: term(1), leader: regionId('us-east-1'), counter: 1, commit: BASE };
}

function manifestKey(group: string) {
  return { partition: 'snapshot', sort: `${group}#0000000000000007#0000000000000002` };
}

function firstChunkKey(group: string) {
  return {
    partition: `snapshot#${group}#0000000000000007#0000000000000002`,
    sort: 'chunk#0000',
  };
}

/** Three chunks arrive, the manifest that would make them a snapshot does not. */
async function writeOnlyChunks(stage: Stage, register: RegisterPort, text: string): Promise<void> {
  const announcementAndChunks = 4;
  stage.proxy.inject({ kind: 'drop-request', after: announcementAndChunks });
  expect(await register.writeSnapshot(BASE, text)).toBe(false);
  stage.proxy.inject({ kind: 'none' });
}

/** Puts an item as somebody else would who can reach the table. */
async function plant(stage: Stage, item: Item): Promise<void> {
  await stage.table.client.send(
    new PutItemCommand({ TableName: stage.table.tableName, Item: item }),
  );
}
