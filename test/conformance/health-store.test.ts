/** The health store contract on the official DynamoDB Local. */
import { inject } from 'vitest';
import { createHealthStore } from '../../lib/aws/dynamodb/health-store.ts';
import { healthStoreContract } from '../contract/health-store-contract.ts';
import { healthTableContract } from '../contract/health-table-contract.ts';
import { tableIn } from '../support/dynamodb.ts';

healthStoreContract('DynamoDB Local', async () => {
  const { client, tableName, close } = await tableIn(inject('dynamoDbLocalUrl'));
  return { open: () => createHealthStore({ client, tableName }), close };
});

healthTableContract('DynamoDB Local', () => tableIn(inject('dynamoDbLocalUrl')));
