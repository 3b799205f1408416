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

interface Patience {
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
}

/**
 * A call on loopback takes a few milliseconds, and a killed neighbour refuses at once. These matter
 * for a neighbour that is frozen, and for a machine so busy that timers fire before answers are read.
 */
const WORKING: Patience = { requestTimeoutMs: 800, connectionTimeoutMs: 400 };
/** While things are being made nobody else waits, and giving up helps nobody. */
const MAKING: Patience = { requestTimeoutMs: 10_000, connectionTimeoutMs: 5000 };
/** dynalite asks for credentials and checks none. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

interface Place {
  readonly region: RegionId;
  readonly databaseUrl: string;
}

/** @param purpose `making` waits much longer for an answer. */
export function createLocalClient(
  { region, databaseUrl }: Place,
  purpose: 'working' | 'making',
): OwnedDynamoClient {
  return createDynamoClient({
    region,
    endpoint: databaseUrl,
    ...(purpose === 'working' ? WORKING : MAKING),
    credentials: CREDENTIALS,
  });
}

/**
 * Where the tables are that a plan copies: those of a region that this machine plays are in its store,
 * those of any other in AWS, with the credentials of whoever started this.
 */
export function localTables(
  peers: readonly Place[],
  region: string,
): { readonly endpoint?: string; readonly credentials?: typeof CREDENTIALS } {
  const place = peers.find((peer) => peer.region === region);
  return place === undefined ? {} : { endpoint: place.databaseUrl, credentials: CREDENTIALS };
}

export interface LocalRegisters {
  /** One for each region, in the order of `peers`. */
  readonly registers: readonly RegisterPort[];
  readonly close: () => void;
}

export function openRegisters(
  clusterId: string,
  peers: readonly Place[],
  purpose: 'working' | 'making',
): LocalRegisters {
  const founders = peers.map(({ region }) => region).toSorted();
  const clients = peers.map((place) => ({
    region: place.region,
    client: createLocalClient(place, purpose),
  }));
  return {
    registers: clients.map(({ region, client }) =>
      createRegisterStore({
        client,
        tableName: TABLES.consensus,
        identity: { clusterId, region, founders },
      }),
    ),
    close: () => {
      for (const { client } of clients) {
        client.destroy();
      }
    },
  };
}
