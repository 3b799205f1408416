/** The register contract on the official DynamoDB Local. */
import { inject } from 'vitest';
import { createRegisterStore } from '../../lib/aws/dynamodb/register-store.ts';
import { registerPortContract } from '../contract/register-port-contract.ts';
import { registerTableContract } from '../contract/register-table-contract.ts';
import { tableIn } from '../support/dynamodb.ts';

registerPortContract('DynamoDB Local', async () => {
  const { client, tableName, close } = await tableIn(inject('dynamoDbLocalUrl'));
  return {
    open: (identity, group) => createRegisterStore({ client, tableName, identity, group }),
    close,
  };
});

registerTableContract('DynamoDB Local', async () => ({
  ...(await tableIn(inject('dynamoDbLocalUrl'))),
  sendsConflictingItem: true,
}));
