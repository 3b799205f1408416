/**
 * One region's store on a thread of its own, as each region has machines of its own: three stores
 * that shared the client's thread would stand in each other's way, and in the client's.
 */
import { parentPort } from 'node:worker_threads';
import { startEmbeddedDynamoDb } from '../../lib/local/embedded-dynamodb.ts';

const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
parentPort?.postMessage(store.url);
