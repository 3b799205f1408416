/**
 * Makes the DynamoDB client. The low-level client on purpose: no document client, whose number and
 * error handling would stand between us and the item that a failed condition brings back.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type SdkClientOptions, sdkOptions } from '../sdk-options.ts';
import { SOCKETS_MAX } from './limits.ts';

/** All that the stores use of the SDK's client. */
export type DynamoClient = Pick<DynamoDBClient, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedDynamoClient = Pick<DynamoDBClient, 'send' | 'destroy'>;

export function createDynamoClient(options: SdkClientOptions): OwnedDynamoClient {
  return new DynamoDBClient(sdkOptions(options, SOCKETS_MAX));
}
