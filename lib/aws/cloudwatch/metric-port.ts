/**
 * The newest value of a CloudWatch metric (GetMetricData, maximum of each minute, newest first).
 *
 * A client is made for each region when it is first needed. One attempt a call: the next round comes in
 * half a minute by itself.
 */
import {
  CloudWatchClient,
  type CloudWatchClientConfig,
  GetMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { describeError } from '../../base/errors.ts';
import { epochMillis } from '../../base/identifiers.ts';
import type { MetricPort, MetricReading } from '../../recovery/metric-port.ts';
import { type SdkClientOptions, sdkOptions } from '../sdk-options.ts';

/** The one call that is used. */
export type MetricClient = Pick<CloudWatchClient, 'send'>;

const TIMEOUTS = { requestTimeoutMs: 4000, connectionTimeoutMs: 1500 } as const;
const SOCKETS_MAX = 4;
const PERIOD_SECONDS = 60;
const QUERY_ID = 'lag';

/** @param placeOf where a stand-in answers instead of AWS */
export function createMetricPort(
  placeOf: (region: string) => Pick<SdkClientOptions, 'endpoint' | 'credentials'> = () => ({}),
): MetricPort {
  const clients = new Map<string, MetricClient>();
  const clientOf = (region: string): MetricClient => {
    const known = clients.get(region);
    if (known !== undefined) {
      return known;
    }
    const options: CloudWatchClientConfig = sdkOptions(
      { region, ...placeOf(region), ...TIMEOUTS },
      SOCKETS_MAX,
    );
    const client = new CloudWatchClient(options);
    clients.set(region, client);
    return client;
  };
  return {
    newest: async ({ region, namespace, name, dimensions }, since, until) => {
      const command = new GetMetricDataCommand({
        StartTime: new Date(since),
        EndTime: new Date(until),
        ScanBy: 'TimestampDescending',
        MaxDatapoints: 100,
        MetricDataQueries: [
          {
            Id: QUERY_ID,
            MetricStat: {
              Metric: {
                Namespace: namespace,
                MetricName: name,
                Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
              },
              Period: PERIOD_SECONDS,
              Stat: 'Maximum',
            },
          },
        ],
      });
      try {
        return readingOf(await clientOf(region).send(command));
      } catch (thrown) {
        return { kind: 'unknown', cause: describeError(thrown) };
      }
    },
  };
}

interface Answer {
  readonly MetricDataResults?:
    | readonly {
        readonly StatusCode?: string | undefined;
        readonly Timestamps?: readonly Date[] | undefined;
        readonly Values?: readonly number[] | undefined;
      }[]
    | undefined;
}

function readingOf({ MetricDataResults: [result] = [] }: Answer): MetricReading {
  if (result?.StatusCode === 'InternalError' || result?.StatusCode === 'Forbidden') {
    return { kind: 'unknown', cause: `CloudWatch answers ${result.StatusCode}` };
  }
  const [at] = result?.Timestamps ?? [];
  const [value] = result?.Values ?? [];
  return at === undefined || value === undefined || !Number.isFinite(value)
    ? { kind: 'none' }
    : { kind: 'found', value, at: epochMillis(at.getTime()) };
}
