/**
 * The three regional tables as one local process reaches them: over HTTP, also its own.
 *
 * Its own too, so that a local region meets the very same answers, timeouts and lost replies as a
 * function on AWS does.
 */
import { createDynamoClient, type OwnedDynamoClient } from '../aws/dynamodb/client.ts';
import { createRegisterStore } from '../aws/dynamodb/register-store.ts';
import type { RegionId } from '../base/identifiers.ts';
import { TABLES } from '../config/names.ts';
import type { RegisterPort } from '../consensus/register-port.ts';

/** A call on loopback takes a few milliseconds; a dead neighbour must not hold up a beat for long. */
const REQUEST_TIMEOUT_MS = 400;
const CONNECTION_TIMEOUT_MS = 200;
/** dynalite asks for credentials and checks none. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export function createLocalClient(region: RegionId, databaseUrl: string): OwnedDynamoClient {
  return createDynamoClient({
    region,
    endpoint: databaseUrl,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
    credentials: CREDENTIALS,
  });
}

export interface LocalRegisters {
  /** One for each region, in the order of `peers`. */
  readonly registers: readonly RegisterPort[];
  readonly close: () => void;
}

export function openRegisters(
  clusterId: string,
  peers: readonly { readonly region: RegionId; readonly databaseUrl: string }[],
): LocalRegisters {
  const members = peers.map(({ region }) => region).toSorted();
  const clients = peers.map(({ region, databaseUrl }) => ({
    region,
    client: createLocalClient(region, databaseUrl),
  }));
  return {
    registers: clients.map(({ region, client }) =>
      createRegisterStore({
        client,
        tableName: TABLES.consensus,
        identity: { clusterId, region, members },
      }),
    ),
    close: () => {
      for (const { client } of clients) {
        client.destroy();
      }
    },
  };
}
