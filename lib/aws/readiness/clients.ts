/** SDK clients of Service Quotas, one for each region, made when it is first needed. */
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ACTION_SOCKETS_MAX, ACTION_TIMEOUTS } from '../actions/limits.ts';
import { sdkOptions } from '../sdk-options.ts';
import type { QuotaClients } from './quotas.ts';

export function createQuotaClients(): QuotaClients {
  const made = new Map<string, ServiceQuotasClient>();
  return (region) => {
    const options = sdkOptions({ region, ...ACTION_TIMEOUTS }, ACTION_SOCKETS_MAX);
    const client = made.get(region) ?? new ServiceQuotasClient(options);
    made.set(region, client);
    return client;
  };
}
