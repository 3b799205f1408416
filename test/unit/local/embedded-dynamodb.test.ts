import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRegisterStore } from '../../../lib/aws/dynamodb/register-store.ts';
import { createTables } from '../../../lib/aws/dynamodb/tables.ts';
import { TABLES } from '../../../lib/config/names.ts';
import { startEmbeddedDynamoDb } from '../../../lib/local/embedded-dynamodb.ts';
import { localClient } from '../../support/dynamodb.ts';
import { emptyServer, identityOf } from '../../support/servers.ts';

async function openRegister(url: string) {
  const client = localClient(url);
  onTestFinished(() => client.destroy());
  await createTables(client);
  return createRegisterStore({ client, tableName: TABLES.consensus, identity: identityOf() });
}

test('a store on disk finds everything again after it was closed', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tripoint-store-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const before = await startEmbeddedDynamoDb({ path: join(path, 'new', 'folder'), port: 0 });
  await (await openRegister(before.url)).compareAndSet(0, emptyServer());
  await before.close();
  const after = await startEmbeddedDynamoDb({ path: join(path, 'new', 'folder'), port: 0 });
  onTestFinished(after.close);
  expect(await (await openRegister(after.url)).read()).toEqual({
    kind: 'found',
    copy: { revision: 1, server: emptyServer() },
  });
});

test('a client that hangs up in the middle of a request does no harm', async () => {
  const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
  onTestFinished(store.close);
  const register = await openRegister(store.url);
  for (const size of [10, 1000]) {
    const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n{"half":`);
    // The store has the half request for certain once it has answered a whole one after it.
    await register.read();
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  expect(await register.compareAndSet(0, emptyServer())).toEqual({ kind: 'applied' });
});

test('a port that is taken is reported with its number', async () => {
  const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
  onTestFinished(store.close);
  const port = Number(new URL(store.url).port);
  await expect(startEmbeddedDynamoDb({ path: null, port })).rejects.toMatchObject({
    code: 'port-in-use',
    hint: expect.stringContaining(String(port)),
  });
});

test('a folder that another store holds, or that cannot be made, is reported with its cause', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tripoint-store-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const store = await startEmbeddedDynamoDb({ path, port: 0 });
  onTestFinished(store.close);
  // dynalite opens the folder in the background: it holds it for certain once it has answered.
  await (await openRegister(store.url)).read();
  const unusable = [path, join(path, 'CURRENT', 'below-a-file')];
  for (const folder of unusable) {
    await expect(startEmbeddedDynamoDb({ path: folder, port: 0 })).rejects.toMatchObject({
      code: 'store-unusable',
      cause: { code: 'LEVEL_DATABASE_NOT_OPEN' },
    });
  }
});

test('closing does not wait for connections that clients keep open', async () => {
  const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
  await (await openRegister(store.url)).read();
  await expect(store.close()).resolves.toBeUndefined();
});
