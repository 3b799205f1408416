import { describe, expect, test } from 'vitest';
import { epochMillis, type MonotonicMillis } from '../../../lib/base/identifiers.ts';
import { Confirmation } from '../../../lib/control/confirmation.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createLogStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, servicePolicy, T0, WEST } from '../../support/service-states.ts';

function createHarness(fencing: 'none' | 'lease' = 'lease') {
  const story = createLogStory();
  story.configure(servicePolicy({ fencing }));
  const clock = createManualClock(T0);
  let answers = true;
  let takesMs = 0;
  let reads = 0;
  const confirmation = new Confirmation({
    confirm: async () => {
      reads += 1;
      await clock.sleep(takesMs);
      return answers;
    },
    state: story.state,
    clock,
  });
  const health = memoryHealthStore(new MemoryHealthTable());
  const ingest = new Ingest(health, story.state, { clock, confirmation });
  let sequence = 0;
  const beat = async (site: string = EAST, bootId = 'boot-1', fenced = false) => {
    sequence += 1;
    const said = { service: 'checkout', status: 'ok', replicationLagMs: null } as const;
    const receivedAt = epochMillis(clock.wallNow());
    return ingest.ingest({ ...said, site, bootId, sequence, receivedAt, fenced });
  };
  return {
    clock,
    confirmation,
    beat,
    since: async (site: string) => {
      const read = await health.read('checkout', site);
      return read.kind === 'found' ? read.record.fencedSince : null;
    },
    reads: () => reads,
    cut: () => {
      answers = false;
    },
    slow: (ms: number) => {
      takesMs = ms;
    },
  };
}

describe('the active role of a fenced service', () => {
  test('is told and not lent before the quorum was read', async () => {
    const { beat } = createHarness();
    expect(await beat()).toMatchObject({ role: 'active', leaseMs: 0 });
  });

  test('is lent for three beats less the age of the last read, from when that began', async () => {
    const { beat, clock, confirmation, slow } = createHarness();
    await beat();
    slow(400);
    const read = confirmation.renew();
    await clock.advance(400);
    await read;
    expect(await beat()).toMatchObject({ role: 'active', leaseMs: 2600 });
    await clock.advance(2000);
    expect(await beat()).toMatchObject({ leaseMs: 600 });
    await clock.advance(2000);
    expect(await beat()).toMatchObject({ role: 'active', leaseMs: 0 });
  });

  test('is not lent by a read that failed', async () => {
    const { beat, confirmation, cut } = createHarness();
    await beat();
    cut();
    await confirmation.renew();
    expect(await beat()).toMatchObject({ leaseMs: 0 });
  });

  test('is not lent to a start that was first heard after the read began', async () => {
    const { beat, clock, confirmation } = createHarness();
    await beat();
    await confirmation.renew();
    await clock.advance(1);
    expect(await beat(EAST, 'boot-2')).toMatchObject({ leaseMs: 0 });
    await confirmation.renew();
    expect(await beat(EAST, 'boot-2')).toMatchObject({ leaseMs: 3000 });
  });

  test('leaves the standby its lease, which harms nobody', async () => {
    const { beat } = createHarness();
    expect(await beat(WEST)).toMatchObject({ role: 'standby', leaseMs: 3000 });
  });
});

describe('a site that says that no answer reaches it', () => {
  test('is not believed while this region could not have lent it its role', async () => {
    const { beat, confirmation, since } = createHarness();
    await beat(EAST, 'boot-1', true);
    expect(await since(EAST)).toBeNull();
    await confirmation.renew();
    await beat(EAST, 'boot-1', true);
    expect(await since(EAST)).toBe(T0);
    await beat(EAST);
    expect(await since(EAST)).toBeNull();
  });

  test('is not believed where nobody lends', async () => {
    const { beat, since } = createHarness('none');
    await beat(EAST, 'boot-1', true);
    expect(await since(EAST)).toBeNull();
  });
});

describe('a service without a fence', () => {
  test('is lent its role whatever the quorum does, and costs no read', async () => {
    const { beat, confirmation, reads } = createHarness('none');
    await confirmation.renew();
    expect(await beat()).toMatchObject({ role: 'active', leaseMs: 3000 });
    expect(reads()).toBe(0);
  });
});

describe('a confirmation', () => {
  test('is read once, however many ask at once, and half as often as the sites beat', async () => {
    const { confirmation, reads, clock, slow } = createHarness();
    slow(50);
    const all = Promise.all([confirmation.renew(), confirmation.renew(), confirmation.renew()]);
    await clock.advance(50);
    await all;
    expect(reads()).toBe(1);
    expect(confirmation.confirmedFrom).toBe((clock.monotonicNow() - 50) as MonotonicMillis);
    expect(confirmation.pauseMs()).toBe(500);
  });
});
