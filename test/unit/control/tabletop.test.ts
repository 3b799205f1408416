import { describe, expect, test } from 'vitest';
import { epochMillis, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { ReadablePorts } from '../../../lib/control/described-ports.ts';
import { playTabletop } from '../../../lib/control/tabletop.ts';
import type { CapacityPolicy } from '../../../lib/recovery/plan.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import type { RecordSet } from '../../../lib/recovery/switch-port.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { EAST, OBSERVERS, servicePolicy, sitePolicy, WEST } from '../../support/service-states.ts';
import { sha256 } from './archived-log.ts';

const GROUP: CapacityPolicy = {
  resource: { kind: 'auto-scaling-group', region: WEST, group: 'web' },
  serving: 6,
  standby: 1,
};

const WARM = servicePolicy({
  strategy: 'warm-standby',
  sites: [sitePolicy(EAST), sitePolicy(WEST, { capacity: GROUP })],
  notify: [{ kind: 'webhook', url: 'https://chat.example.test/hook', secretName: null }],
});

/** Ports that answer what stands and count what they are asked to change. */
function countedPorts(story: LogStory): {
  ports: ReadablePorts;
  changes: () => number;
  reads: () => number;
} {
  let [changes, reads] = [0, 0];
  const { epoch } = story.service();
  const fence = `v=tp1 term=${epoch.term} index=${epoch.index} site=${EAST} run=checkout-${epoch.index}`;
  const recordSets: readonly RecordSet[] = [
    { name: 'checkout.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.11'] },
    { name: '_tripoint.checkout.example.test', type: 'TXT', ttlSeconds: 5, values: [fence] },
  ];
  const change = async () => {
    changes += 1;
    return { kind: 'unknown', cause: 'a tabletop changed something' } as const;
  };
  return {
    changes: () => changes,
    reads: () => reads,
    ports: {
      switchPort: {
        calls: {
          read: 'route53:ListResourceRecordSets',
          change: 'route53:ChangeResourceRecordSets',
          status: 'route53:GetChange',
        },
        read: async (names) => {
          reads += 1;
          return {
            kind: 'read',
            recordSets: recordSets.filter(({ name }) => names.includes(name)),
            foreign: [],
          };
        },
        change,
        changeStatus: async () => ({ kind: 'unknown', cause: 'nothing was changed' }),
      },
      verifyPort: {
        resolve: async () => ({ kind: 'resolved', values: ['192.0.2.11'] }),
        probe: async () => ({ kind: 'serving', status: 200, elapsedMs: 4 }),
      },
      actions: {
        scale: {
          read: async () => ({ kind: 'read', capacity: { desired: 1, ready: 1, max: 10 } }),
          set: change,
        },
        database: { read: async () => ({ kind: 'read', members: {} }), promote: change },
        invoke: { lambda: change, webhook: change },
        notify: { notify: change },
        tables: { snapshot: change, restore: change },
      },
    },
  };
}

function groundOf(story: LogStory) {
  return {
    state: story.state(),
    index: logIndex(story.log().length),
    term: term(1),
    chain: '0'.repeat(64),
    region: EAST,
    founders: OBSERVERS,
    sha256,
  };
}

function drillOf(story: LogStory, changes: object = {}) {
  return {
    kind: 'drill',
    service: 'checkout',
    to: null,
    durationMs: 600_000,
    scheduled: false,
    by: 'ann',
    reason: 'tabletop',
    at: epochMillis(story.now() + 1000),
    ...changes,
  } as const;
}

async function played(policy: ServicePolicy = servicePolicy()) {
  const story = steadyStory(policy);
  const counted = countedPorts(story);
  const before = JSON.stringify(story.state());
  const table = await playTabletop(drillOf(story), groundOf(story), counted.ports);
  expect(JSON.stringify(story.state())).toBe(before);
  return { table, counted };
}

describe('a tabletop of a drill', () => {
  test('plays the way there and the way home, and changes nothing', async () => {
    const { table, counted } = await played();
    expect(table.decision).toMatchObject({ kind: 'accepted', code: 'drill-authorised' });
    expect([...new Set(table.steps.map(({ kind }) => kind))]).toEqual(['drill', 'drill-return']);
    expect(table.steps.every(({ state }) => state === 'done')).toBe(true);
    expect(table.changes).toBeGreaterThan(0);
    expect(counted.reads()).toBeGreaterThan(0);
    expect(counted.changes()).toBe(0);
  });

  test('prints the exact difference of the records, there and back', async () => {
    const { table } = await played();
    const batches = table.steps.flatMap(({ calls }) =>
      calls.flatMap(({ records }) => records ?? []),
    );
    const addresses = batches.filter((line) => line.includes(' IN A '));
    expect(addresses).toEqual([
      '- checkout.example.test. 5 IN A 192.0.2.11',
      '+ checkout.example.test. 5 IN A 192.0.2.12',
      '- checkout.example.test. 5 IN A 192.0.2.12',
      '+ checkout.example.test. 5 IN A 192.0.2.11',
    ]);
    expect(batches.filter((line) => line.includes(' IN TXT '))).toHaveLength(4);
  });

  test('of a warm standby grows it before the switch, and shrinks it at home', async () => {
    const { table, counted } = await played(WARM);
    const sized = table.steps.flatMap(({ kind, step, calls }) =>
      calls
        .filter(({ api }) => api === 'autoscaling:SetDesiredCapacity')
        .map(({ detail }) => [kind, step, detail]),
    );
    expect(sized).toEqual([
      ['drill', 'scale-target', `web in ${WEST}: 1 → 6`],
      ['drill-return', 'scale-source', `web in ${WEST}: 6 → 1`],
    ]);
    const order = table.steps.filter(({ kind }) => kind === 'drill').map(({ step }) => step);
    expect(order.indexOf('scale-target')).toBeLessThan(order.indexOf('switch'));
    expect(counted.changes()).toBe(0);
  });

  test('where health checks steer a second name looks at that, and takes its turn to come', async () => {
    const policy = servicePolicy({ dataPlaneName: 'steered.example.test' });
    const story = steadyStory(policy);
    const status = async () => ({ kind: 'routed', values: ['192.0.2.11'] }) as const;
    const wired = { ...countedPorts(story).ports, routingPort: { status } };
    for (const ports of [wired, null]) {
      const { steps } = await playTabletop(drillOf(story), groundOf(story), ports);
      const looks = steps.filter(({ step }) => step === 'data-plane');
      expect(looks.map(({ state }) => state)).toEqual(['done', 'done']);
      const [there] = looks;
      expect(there?.note).toBe('would wait (routing-not-moved-yet); taken to come');
      expect(there?.calls.map(({ detail }) => detail)).toEqual([
        'what health checks give clients of checkout, A',
      ]);
    }
  });

  test('that would be refused says why and plays nothing', async () => {
    const story = steadyStory();
    const { ports } = countedPorts(story);
    const table = await playTabletop(drillOf(story, { to: EAST }), groundOf(story), ports);
    expect(table.decision).toMatchObject({ kind: 'refused', code: 'drill-without-target' });
    expect(table.steps).toEqual([]);
  });

  test('without ports to look with takes what stands from the log', async () => {
    const story = steadyStory(WARM);
    const table = await playTabletop(drillOf(story), groundOf(story), null);
    expect(table.ground).toBe('assumed');
    const batches = table.steps.flatMap(({ calls }) =>
      calls.flatMap(({ records }) => records ?? []),
    );
    expect(batches[0]).toBe('- checkout.example.test. 5 IN A 192.0.2.11');
  });
});
