/** What a real store cannot show: which reads ask for the newest value. */
import { expect, test } from 'vitest';
import type { DynamoClient } from '../../../../lib/aws/dynamodb/client.ts';
import { createHealthStore } from '../../../../lib/aws/dynamodb/health-store.ts';
import { createRegisterStore } from '../../../../lib/aws/dynamodb/register-store.ts';
import { logIndex, term } from '../../../../lib/base/identifiers.ts';
import { identityOf } from '../../../support/servers.ts';

test('every read of both stores is strongly consistent', async () => {
  const inputs: object[] = [];
  const client: DynamoClient = {
    send: async ({ input }: { readonly input: object }) => {
      inputs.push(input);
      return {};
    },
  };
  const register = createRegisterStore({ client, tableName: 'table', identity: identityOf() });
  const health = createHealthStore({ client, tableName: 'table' });
  await register.read();
  await register.readBeat();
  await register.readSnapshot({ index: logIndex(1), term: term(1) });
  await register.dropSnapshotsBelow(logIndex(2));
  await health.read('checkout', 'us-east-1');
  await health.list(null, 10);
  await health.readObserver();
  expect(inputs).toEqual(Array(7).fill(expect.objectContaining({ ConsistentRead: true })));
});
