/** The core of the contract of table copies, on dynalite, which local mode runs. */
import { startEmbeddedDynamoDb } from '../../lib/local/embedded-dynamodb.ts';
import { tablePortContract } from './table-port-contract.ts';

tablePortContract('dynalite', 'core', () => startEmbeddedDynamoDb({ path: null, port: 0 }));
