/** What the DynamoDB adapter of the health store must do in the face of a faulty network or writer. */
import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Item, keyItem } from '../../lib/aws/dynamodb/attributes.ts';
import type { OwnedDynamoClient } from '../../lib/aws/dynamodb/client.ts';
import { encodeSite, OBSERVER_KEY, siteKey } from '../../lib/aws/dynamodb/health-mapping.ts';
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import { epochMillis } from '../../lib/base/identifiers.ts';
import { TIMER_PARTITION } from '../../lib/config/names.ts';
import type { HealthStore, SiteName, SitePage } from '../../lib/control/health-store.ts';
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
      await proxied.write(0, siteRecord({ service }), null);
      await proxied.write(1, siteRecord({ service }), null);
      expect(proxy.takeOperations()).toEqual(['PutItem', 'PutItem']);
    });

    test('a beat whose reply is lost is unknown, and a read shows that it was applied', async () => {
      const service = randomUUID();
      proxy.inject({ kind: 'drop-reply' });
      expect(await proxied.write(0, siteRecord({ service }), null)).toMatchObject({
        kind: 'unknown',
      });
      expect(await direct.read(service, 'us-east-1')).toMatchObject({ kind: 'found' });
    });

    test('without an answer nothing is claimed', async () => {
      proxy.inject({ kind: 'drop-request', after: 0 });
      expect(await proxied.read('checkout', 'us-east-1')).toMatchObject({ kind: 'unknown' });
      expect(await proxied.list(null, 10)).toBeNull();
      expect(await proxied.readMany([{ service: 'checkout', site: 'us-east-1' }])).toBeNull();
      expect(await proxied.due(epochMillis(1), 10)).toBeNull();
      expect(await proxied.wake(epochMillis(1), 'checkout', 'us-east-1')).toBe(false);
      const timer = { at: epochMillis(1), service: 'checkout', site: 'a', awaits: 0, mark: 'x' };
      expect(await proxied.settle(timer, null)).toBe(false);
      expect(await proxied.settle(timer, epochMillis(2))).toBe(false);
      expect(await proxied.readObserver()).toMatchObject({ kind: 'unknown' });
      expect(await proxied.writeObserver(observer())).toBe(false);
    });

    test('a record whose timer is not known to be stored is not written', async () => {
      const service = randomUUID();
      proxy.inject({ kind: 'drop-request', after: 0 });
      expect(await proxied.write(0, siteRecord({ service }), epochMillis(1))).toMatchObject({
        kind: 'unknown',
      });
      expect(await direct.read(service, 'us-east-1')).toEqual({ kind: 'absent' });
    });

    test('a look at what is due is one request, and moving a timer is two', async () => {
      const service = randomUUID();
      await direct.write(0, siteRecord({ service }), epochMillis(1));
      proxy.takeOperations();
      const due = await proxied.due(epochMillis(10), 100);
      await proxied.readMany(due?.timers ?? []);
      expect(proxy.takeOperations()).toEqual(['Query', 'BatchGetItem']);
      const timer = due?.timers.find((candidate) => candidate.service === service);
      expect(timer && (await proxied.settle(timer, epochMillis(20)))).toBe(true);
      expect(proxy.takeOperations()).toEqual(['PutItem', 'DeleteItem']);
    });

    test('a page that the service cuts short is followed by the rest', async () => {
      const service = randomUUID();
      const padding = { S: 'x'.repeat(390_000) };
      for (const site of ['a', 'b', 'c', 'd']) {
        const item = { ...encodeSite(1, siteRecord({ service, site })), padding };
        await plant({ ...keyItem(siteKey(service, site)), ...item });
      }
      proxy.takeOperations();
      const sites: string[] = [];
      let after: string | null = null;
      do {
        const page: SitePage | null = await proxied.list(after, 1000);
        const own = page?.records.filter((record) => record.service === service) ?? [];
        sites.push(...own.map(({ site }) => site));
        after = page?.next ?? null;
      } while (after !== null);
      expect(sites).toEqual(['a', 'b', 'c', 'd']);
      expect(proxy.takeOperations().length).toBeGreaterThan(1);
    });

    describe('a damaged record', () => {
      const site = encodeSite(1, siteRecord());
      test.each<readonly [string, Item]>([
        ['whose window is of another version', { ...site, history: { B: new Uint8Array(20) } }],
        ['whose status is not known', { ...site, reportedStatus: { S: 'splendid' } }],
        ['without a revision', { ...site, revision: { S: '1' } }],
        ['whose deadline is not a number', { ...site, failAt: { S: 'soon' } }],
      ])('%s is told as such, and hides no other', async (_, item) => {
        const service = randomUUID();
        const bad: SiteName = { service, site: 'us-east-1' };
        const good: SiteName = { service, site: 'us-west-2' };
        await plant({ ...keyItem(siteKey(service, 'us-east-1')), ...item });
        await direct.write(0, siteRecord(good), null);
        const cause = expect.stringContaining(`${service}@us-east-1`);
        expect(await direct.read(service, 'us-east-1')).toEqual({ kind: 'damaged', cause });
        expect(await direct.write(7, siteRecord(bad), null)).toEqual({ kind: 'damaged', cause });
        for (const found of [await direct.readMany([bad, good]), await direct.list(service, 2)]) {
          expect(found?.records.filter((one) => one.service === service)).toMatchObject([good]);
          expect(found?.damaged).toContainEqual({ ...bad, cause });
        }
      });
    });

    test('a timer whose key cannot be read hides no other', async () => {
      const service = randomUUID();
      await plant(keyItem({ partition: TIMER_PARTITION, sort: `000000000000001#${service}` }));
      await direct.wake(epochMillis(2), service, 'us-east-1');
      const due = await direct.due(epochMillis(3), 1000);
      expect(due?.timers.some((timer) => timer.service === service)).toBe(true);
      expect(due?.damaged.some(({ cause }) => cause.includes(service))).toBe(true);
    });

    test('an observer record that is damaged is not known, and is written anew', async () => {
      await plant({ ...keyItem(OBSERVER_KEY), evaluatedAt: { S: 'x' } });
      expect(await direct.readObserver()).toMatchObject({ kind: 'unknown' });
      await direct.writeObserver(observer());
      expect(await direct.readObserver()).toMatchObject({ kind: 'found' });
    });

    async function plant(item: Item): Promise<void> {
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: item }));
    }
  });
}

function observer() {
  const since = { baselineAt: epochMillis(1), presentSince: epochMillis(1) };
  return { evaluatedAt: epochMillis(1), ...since, gap: null, score: 0, alone: 0 };
}
