/** What every metric port must keep, whatever cloud it asks. */
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { MetricPort } from '../../lib/recovery/metric-port.ts';

const AT = Date.UTC(2026, 10, 23, 10, 0);
const METRIC = {
  region: 'us-west-2',
  namespace: 'AWS/RDS',
  name: 'AuroraGlobalDBReplicationLag',
  dimensions: { DBClusterIdentifier: 'checkout-us-west-2' },
};

export interface MetricWorld {
  readonly port: MetricPort;
  /** What the cloud has of the metric: values by instant, newest first. */
  readonly hold: (values: readonly { readonly at: number; readonly value: number }[]) => void;
  readonly fail: (how: 'error' | 'refusal' | 'partial') => void;
  /** What it was asked, as text. */
  readonly asked: () => readonly string[];
}

export function metricPortContract(name: string, world: () => MetricWorld): void {
  const read = ({ port }: MetricWorld) =>
    port.newest(METRIC, epochMillis(AT - 300_000), epochMillis(AT));

  describe(`metric port: ${name}`, () => {
    test('takes the newest of the values, and asks for nothing but this metric', async () => {
      const cloud = world();
      cloud.hold([
        { at: AT - 60_000, value: 84 },
        { at: AT - 120_000, value: 70 },
      ]);
      expect(await read(cloud)).toEqual({ kind: 'found', value: 84, at: AT - 60_000 });
      for (const word of ['AuroraGlobalDBReplicationLag', 'checkout-us-west-2', 'AWS/RDS']) {
        expect(cloud.asked().at(-1)).toContain(word);
      }
    });

    test('says that there is nothing where the metric has no data', async () => {
      const cloud = world();
      cloud.hold([]);
      expect(await read(cloud)).toEqual({ kind: 'none' });
    });

    test.each(['error', 'refusal', 'partial'] as const)(
      'takes a failure for not knowing (%s)',
      async (how) => {
        const cloud = world();
        cloud.fail(how);
        expect(await read(cloud)).toMatchObject({ kind: 'unknown', cause: expect.any(String) });
      },
    );
  });
}
