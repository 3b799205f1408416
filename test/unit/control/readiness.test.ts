import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import { type ReadinessPorts, ReadinessWatch } from '../../../lib/control/readiness.ts';
import type { RecordSet } from '../../../lib/recovery/switch-port.ts';
import { steadyStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, WEST } from '../../support/service-states.ts';

/** A leader over a steady `checkout`, whose records can be edited by hand. */
function watched() {
  const story = steadyStory();
  const clock = createManualClock(story.now());
  const proposed: ControlCommand[] = [];
  const { epoch } = story.service();
  let [isLeading, reads] = [true, 0];
  let address = '192.0.2.11';
  const standing = (): readonly RecordSet[] => [
    { name: 'checkout.example.test', type: 'A', ttlSeconds: 5, values: [address] },
    {
      ...{ name: '_tripoint.checkout.example.test', type: 'TXT', ttlSeconds: 5 },
      values: [
        `v=tp1 term=${epoch.term} index=${epoch.index} site=${EAST} run=checkout-${epoch.index}`,
      ],
    },
  ];
  const unused = async () => ({ kind: 'unknown', cause: 'not asked here' }) as const;
  const ports: ReadinessPorts = {
    switchPort: {
      read: async () => {
        reads += 1;
        return { kind: 'read', recordSets: standing(), foreign: [] };
      },
    },
    probePort: {
      probe: async () => ({
        ...{ outcome: 'passed', code: 'passed', detail: '' },
        endedAt: epochMillis(clock.wallNow()),
      }),
    },
    actions: { scale: { read: unused, set: unused }, database: { read: unused, promote: unused } },
  };
  const watch = new ReadinessWatch({
    ...ports,
    state: story.state,
    isLeading: () => isLeading,
    propose: (command) => {
      proposed.push(command);
      story.write(command);
    },
    clock,
    log: () => undefined,
  });
  const rounds = async (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 10_000) {
      await clock.advance(10_000);
      await watch.round();
    }
  };
  return {
    story,
    proposed,
    rounds,
    reads: () => reads,
    edit: (value: string) => {
      address = value;
    },
    lead: (leads: boolean) => {
      isLeading = leads;
    },
  };
}

describe('the look at the plans', () => {
  test('comes at least every five minutes, and enters the log only when it has news', async () => {
    const { proposed, rounds, reads, story } = watched();
    await rounds(20 * 60_000);
    expect(reads()).toBeGreaterThanOrEqual(4);
    expect(proposed).toHaveLength(1);
    expect(story.service().readiness?.findings).toEqual([]);
  });

  test('tells a record that somebody edited, and tells when it is mended', async () => {
    const { proposed, rounds, edit, story } = watched();
    await rounds(60_000);
    edit('192.0.2.99');
    await rounds(310_000);
    expect(story.service().readiness?.findings).toMatchObject([
      { code: 'records-changed-outside', severity: 'failing' },
    ]);
    edit('192.0.2.11');
    await rounds(310_000);
    expect(story.service().readiness?.findings).toEqual([]);
    expect(proposed).toHaveLength(3);
  });

  test('comes again when a site comes up that was not heard at the first look', async () => {
    const { rounds, reads, story } = watched();
    story.say(WEST, 'failed');
    await rounds(60_000);
    expect(reads()).toBe(1);
    story.say(WEST, 'healthy');
    await rounds(10_000);
    expect(reads()).toBe(2);
    await rounds(60_000);
    expect(reads()).toBe(2);
  });

  test('comes at once when somebody asks, and says so even when there is no news', async () => {
    const { proposed, rounds, story } = watched();
    await rounds(60_000);
    story.write({ kind: 'check-plans', service: 'checkout', by: 'ann', reason: 'before the sale' });
    expect(story.service().readinessDueAt).not.toBeNull();
    await rounds(10_000);
    expect(story.service().readinessDueAt).toBeNull();
    expect(proposed).toHaveLength(2);
  });

  test('is that of whoever leads', async () => {
    const { rounds, reads, lead } = watched();
    lead(false);
    await rounds(20 * 60_000);
    expect(reads()).toBe(0);
  });

  test('moves nothing, whatever it finds', async () => {
    const { rounds, edit, story } = watched();
    edit('192.0.2.99');
    const runs = story.state().runs.length;
    await rounds(60_000);
    expect(story.state().runs).toHaveLength(runs);
    expect(story.service()).toMatchObject({ activeSite: EAST, phase: { kind: 'steady' } });
  });
});
