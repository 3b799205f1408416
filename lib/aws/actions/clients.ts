/**
 * SDK clients of the services that steps act on, one for each service and region, made when it is first
 * needed: a run reaches few of them, and a client that nobody uses still costs its cold start.
 */
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { SNSClient } from '@aws-sdk/client-sns';
import { createDynamoClient, type DynamoClient } from '../dynamodb/client.ts';
import { type SdkClientConfiguration, type SdkClientOptions, sdkOptions } from '../sdk-options.ts';
import type { DatabaseClient } from './aurora-global.ts';
import type { GroupClient } from './auto-scaling.ts';
import type { ServiceClients } from './ecs-service.ts';
import { ACTION_SOCKETS_MAX, ACTION_TIMEOUTS, INVOKE_TIMEOUTS, TABLE_TIMEOUTS } from './limits.ts';

type ClientOf<Client> = (region: string) => Client;

export interface ActionClients {
  readonly groups: ClientOf<GroupClient>;
  readonly services: ClientOf<ServiceClients>;
  /** For a function's configuration. */
  readonly functions: ClientOf<Pick<LambdaClient, 'send'>>;
  /** For a call that the function may take its time to answer. */
  readonly invocations: ClientOf<Pick<LambdaClient, 'send'>>;
  readonly databases: ClientOf<DatabaseClient>;
  readonly topics: ClientOf<Pick<SNSClient, 'send'>>;
  readonly tables: ClientOf<DynamoClient>;
}

/** Where a service answers instead of AWS: a stand-in, or a local store. */
export type PlaceOf = (region: string) => Pick<SdkClientOptions, 'endpoint' | 'credentials'>;

export interface ActionClientPlaces {
  readonly tables?: PlaceOf;
  readonly others?: PlaceOf;
}

export function createActionClients({
  tables = () => ({}),
  others = () => ({}),
}: ActionClientPlaces = {}): ActionClients {
  const options = (region: string, timeouts = ACTION_TIMEOUTS): SdkClientConfiguration =>
    sdkOptions({ region, ...others(region), ...timeouts }, ACTION_SOCKETS_MAX);
  return {
    groups: perRegion((region) => new AutoScalingClient(options(region))),
    services: perRegion((region) => ({
      ecs: new ECSClient(options(region)),
      scaling: new ApplicationAutoScalingClient(options(region)),
    })),
    functions: perRegion((region) => new LambdaClient(options(region))),
    invocations: perRegion((region) => {
      const { requestTimeoutMs, connectionTimeoutMs } = INVOKE_TIMEOUTS;
      const place = { region, ...others(region), requestTimeoutMs, connectionTimeoutMs };
      return new LambdaClient(sdkOptions(place, ACTION_SOCKETS_MAX));
    }),
    databases: perRegion((region) => new RDSClient(options(region))),
    topics: perRegion((region) => new SNSClient(options(region))),
    tables: perRegion((region) =>
      createDynamoClient({ region, ...tables(region), ...TABLE_TIMEOUTS }),
    ),
  };
}

function perRegion<Client>(make: ClientOf<Client>): ClientOf<Client> {
  const made = new Map<string, Client>();
  return (region) => {
    const client = made.get(region) ?? make(region);
    made.set(region, client);
    return client;
  };
}
