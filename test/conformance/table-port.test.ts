/** The whole contract of table copies, on the official DynamoDB Local and on dynalite. */
import { inject } from 'vitest';
import { startEmbeddedDynamoDb } from '../../lib/local/embedded-dynamodb.ts';
import { tablePortContract } from '../contract/table-port-contract.ts';

tablePortContract('DynamoDB Local', 'whole', async () => ({
  url: inject('dynamoDbLocalUrl'),
  close: async () => undefined,
}));

tablePortContract('dynalite', 'whole', () => startEmbeddedDynamoDb({ path: null, port: 0 }));
