import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { LagMetrics } from '../../../lib/control/lag-metrics.ts';
import type { MetricPort, MetricReading } from '../../../lib/recovery/metric-port.ts';
import { lagOf } from '../../../lib/recovery/replication.ts';
import { createLogStory } from '../../support/log-story.ts';
import { OBSERVERS, servicePolicy, WEST } from '../../support/service-states.ts';

const METRIC = {
  region: 'us-west-2',
  namespace: 'AWS/RDS',
  name: 'AuroraGlobalDBReplicationLag',
  dimensions: { DBClusterIdentifier: 'checkout-{site}' },
  unit: 'milliseconds',
} as const;

function createHarness() {
  const story = createLogStory();
  const { replication } = servicePolicy();
  story.configure(servicePolicy({ replication: { ...replication, metric: METRIC } }));
  const asked: string[] = [];
  const [region] = OBSERVERS;
  if (region === undefined) {
    throw new Error('no observer');
  }
  const world: { reading: MetricReading; isLeading: boolean } = {
    reading: { kind: 'none' },
    isLeading: true,
  };
  const port: MetricPort = {
    newest: async ({ dimensions }) => {
      asked.push(JSON.stringify(dimensions));
      return world.reading;
    },
  };
  const logged: string[] = [];
  const metrics = new LagMetrics({
    port,
    region,
    state: story.state,
    isLeading: () => world.isLeading,
    propose: (command) => story.write(command),
    clock: { wallNow: story.now },
    log: (_level, event) => logged.push(event),
  });
  const round = async (reading: MetricReading) => {
    world.reading = reading;
    story.wait(30_000);
    await metrics.round();
  };
  const found = (value: number): MetricReading => ({
    kind: 'found',
    value,
    at: epochMillis(story.now() + 1),
  });
  const entries = () => story.log().filter(({ command }) => command.kind === 'lag').length;
  return { story, world, asked, round, found, entries, logged };
}

describe('a metric of replication lag', () => {
  test('is asked for each standby by its name, and told when it matters', async () => {
    const { round, found, asked, story, entries } = createHarness();
    await round(found(80));
    await round(found(85));
    expect(asked[0]).toBe(JSON.stringify({ DBClusterIdentifier: `checkout-${WEST}` }));
    expect(entries()).toBe(1);
    await round(found(1500));
    expect(entries()).toBe(2);
    expect(lagOf(story.service(), story.now(), WEST)).toMatchObject({ lagMs: 1500 });
  });

  test('that falls silent is unknown after a while, and not zero', async () => {
    const { round, found, story, entries, logged } = createHarness();
    await round(found(80));
    for (let rounds = 0; rounds < 12; rounds += 1) {
      await round(rounds % 2 === 0 ? { kind: 'none' } : { kind: 'unknown', cause: 'throttled' });
    }
    expect(lagOf(story.service(), story.now(), WEST)).toBeNull();
    expect(entries()).toBe(2);
    expect(logged).toContain('lag-metric-unread');
  });

  test('is read by the leading region alone', async () => {
    const { world, round, found, asked } = createHarness();
    world.isLeading = false;
    await round(found(80));
    expect(asked).toEqual([]);
  });
});
