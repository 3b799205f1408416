/** What the DynamoDB adapter of the health store must do in the face of a faulty network or writer. */
import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Item, keyItem } from '../../lib/aws/dynamodb/attributes.ts';
import type { OwnedDynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { encodeSite, OBSERVER_KEY, siteKey } from '../../lib/aws/dynamodb/health-mapping.ts';
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { HealthStore } from '../../lib/control/health-store.ts';
import { type LocalTable, localClient } from '../support/dynamodb.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import { siteRecord } from '../support/site-records.ts';

export function healthTableContract(name: string, start: () => Promise<LocalTable>): void {
  describe(`health table: ${name}`, () => {
    let table: LocalTable;
    let proxy: FaultyProxy;
    let proxiedClient: OwnedDynamoClient;
    let direct: HealthStore;
    let proxied: HealthStore;

    beforeAll(async () => {
      table = await start();
      proxy = await startFaultyProxy(table.url);
      proxiedClient = localClient(proxy.url);
      direct = createHealthStore({ client: table.client, tableName: table.tableName });
      proxied = createHealthStore({ client: proxiedClient, tableName: table.tableName });
    });
    afterEach(() => proxy.inject({ kind: 'none' }));
    afterAll(async () => {
      proxiedClient.destroy();
      await proxy.close();
      await table.close();
    });

    test('a table without an observer record says that it is absent', async () => {
      expect(await direct.readObserver()).toEqual({ kind: 'absent' });
    });

    test('a beat is one request', async () => {
      const service = randomUUID();
      proxy.takeOperations();
      await proxied.write(0, siteRecord({ service }));
      await proxied.write(1, siteRecord({ service }));
      expect(proxy.takeOperations()).toEqual(['PutItem', 'PutItem']);
    });

    test('a beat whose reply is lost is unknown, and a read shows that it was applied', async () => {
      const service = randomUUID();
      proxy.inject({ kind: 'drop-reply' });
      expect(await proxied.write(0, siteRecord({ service }))).toMatchObject({ kind: 'unknown' });
      expect(await direct.read(service, 'us-east-1')).toMatchObject({ kind: 'found' });
    });

    test('without an answer nothing is claimed', async () => {
      proxy.inject({ kind: 'drop-request', after: 0 });
      expect(await proxied.read('checkout', 'us-east-1')).toMatchObject({ kind: 'unknown' });
      expect(await proxied.list()).toBeNull();
      expect(await proxied.readObserver()).toMatchObject({ kind: 'unknown' });
      expect(await proxied.writeObserver(observer())).toBe(false);
    });

    test('a list of several pages is whole', async () => {
      const service = randomUUID();
      const padding = { S: 'x'.repeat(390_000) };
      for (const site of ['a', 'b', 'c', 'd']) {
        const item = { ...encodeSite(1, siteRecord({ service, site })), padding };
        await plant({ ...keyItem(siteKey(service, site)), ...item });
      }
      proxy.takeOperations();
      const listed = (await proxied.list())?.filter((record) => record.service === service);
      expect(listed?.map(({ site }) => site)).toEqual(['a', 'b', 'c', 'd']);
      expect(proxy.takeOperations().length).toBeGreaterThan(1);
    });

    describe('a damaged record', () => {
      const site = encodeSite(1, siteRecord());
      test.each<readonly [string, Item]>([
        ['whose window is of another version', { ...site, history: { B: new Uint8Array(20) } }],
        ['whose status is not known', { ...site, reportedStatus: { S: 'splendid' } }],
        ['without a revision', { ...site, revision: { S: '1' } }],
        ['whose deadline is not a number', { ...site, failAt: { S: 'soon' } }],
      ])('%s halts, and names the item', async (_, item) => {
        const service = randomUUID();
        await plant({ ...keyItem(siteKey(service, 'us-east-1')), ...item });
        await expect(direct.read(service, 'us-east-1')).rejects.toMatchObject({
          code: 'health-record-corrupt',
          message: expect.stringContaining(`${service}@us-east-1`),
        });
      });
    });

    test('a damaged observer record halts', async () => {
      await plant({ ...keyItem(OBSERVER_KEY), evaluatedAt: { S: 'x' } });
      await expect(direct.readObserver()).rejects.toMatchObject({ code: 'health-record-corrupt' });
    });

    async function plant(item: Item): Promise<void> {
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: item }));
    }
  });
}

function observer() {
  return { evaluatedAt: epochMillis(1), baselineAt: epochMillis(1) };
}
