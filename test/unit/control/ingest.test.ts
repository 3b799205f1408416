import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { Heartbeat } from '../../../lib/control/control-plane.ts';
import type { HealthStore, RecordWrite, SiteRecord } from '../../../lib/control/health-store.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import { CONTROL_LIMITS, PING_BOOT_ID } from '../../../lib/control/limits.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createLogStory, steadyStory } from '../../support/log-story.ts';
import { EAST, servicePolicy, T0, WEST } from '../../support/service-states.ts';

interface Harness {
  readonly table: MemoryHealthTable;
  readonly ingest: Ingest;
  /** Calls to the store in order. */
  readonly calls: string[];
  /** What the next writes answer instead; an answer may come after the write was made. */
  readonly answers: { outcome: RecordWrite; isApplied: boolean }[];
  readonly setReadable: (isReadable: boolean) => void;
}

const LOST: RecordWrite = { kind: 'unknown', cause: 'the answer was lost' };

function createHarness(state: RecoveryState = steadyStory().state()): Harness {
  const table = new MemoryHealthTable();
  const calls: string[] = [];
  const answers: Harness['answers'] = [];
  let isReadable = true;
  const store = memoryHealthStore(table);
  const health: HealthStore = {
    ...store,
    read: async (service, site) => {
      calls.push('read');
      return isReadable ? await store.read(service, site) : { kind: 'unknown', cause: 'away' };
    },
    write: async (expected, record, wakeAt) => {
      calls.push('write');
      const answer = answers.shift();
      if (answer === undefined || answer.isApplied) {
        const outcome = await store.write(expected, record, wakeAt);
        return answer?.outcome ?? outcome;
      }
      return answer.outcome;
    },
  };
  return {
    table,
    ingest: new Ingest(health, () => state),
    calls,
    answers,
    setReadable: (next) => {
      isReadable = next;
    },
  };
}

function beatOf(sequence: number, changes: Partial<Heartbeat> = {}): Heartbeat {
  return {
    service: 'checkout',
    site: EAST,
    sequence,
    bootId: 'boot-1',
    status: 'ok',
    replicationLagMs: null,
    receivedAt: epochMillis(T0 + sequence * 1000),
    ...changes,
  };
}

describe('a heartbeat', () => {
  test('costs one write and no read, but for the first of a site in a process', async () => {
    const { ingest, calls, table } = createHarness();
    for (let sequence = 1; sequence <= 20; sequence += 1) {
      expect(await ingest.ingest(beatOf(sequence))).toMatchObject({ kind: 'accepted' });
    }
    expect(calls).toEqual(['read', ...Array.from({ length: 20 }, () => 'write')]);
    expect(table.read('checkout', EAST)).toMatchObject({
      revision: 20,
      window: { lastSequence: 20 },
    });
  });

  test('is answered with the role of the site, the epoch and when to beat again', async () => {
    const story = steadyStory();
    const { ingest } = createHarness(story.state());
    const { epoch } = story.service();
    expect(await ingest.ingest(beatOf(1))).toEqual({
      kind: 'accepted',
      role: 'active',
      epoch,
      nextBeatMs: 1000,
      leaseMs: 3000,
      isNew: true,
    });
    expect(await ingest.ingest(beatOf(1, { site: WEST }))).toMatchObject({ role: 'standby' });
  });

  test('keeps what the site said of itself', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(1, { status: 'failing', replicationLagMs: 420 }));
    expect(table.read('checkout', EAST)).toMatchObject({
      reportedStatus: 'failing',
      replicationLagMs: 420,
    });
  });

  test('by URL beside an agent proves life, and leaves order, lag and a log what was said', async () => {
    const { ingest, table } = createHarness();
    const ping = { sequence: null, bootId: PING_BOOT_ID } as const;
    const log = { kind: 'log', exitCode: null, message: 'halfway' } as const;
    await ingest.ingest(beatOf(1, { status: 'failing', replicationLagMs: 420 }));
    const after = { ...ping, receivedAt: epochMillis(T0 + 1500) };
    expect(await ingest.ingest(beatOf(1, { ...after, job: log }))).toMatchObject({ isNew: true });
    expect(table.read('checkout', EAST)).toMatchObject({
      window: { bootId: 'boot-1', lastSequence: 1, lastArrivalAt: T0 + 1500, flapPenalty: 0 },
      reportedStatus: 'failing',
      replicationLagMs: 420,
    });
    await ingest.ingest(beatOf(1, { ...after, receivedAt: epochMillis(T0 + 2000) }));
    expect(table.read('checkout', EAST)).toMatchObject({
      reportedStatus: 'ok',
      replicationLagMs: 420,
    });
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ isNew: true });
  });

  test('that came before changes nothing and is accepted', async () => {
    const { ingest, table, calls } = createHarness();
    await ingest.ingest(beatOf(2));
    const before = table.read('checkout', EAST);
    expect(await ingest.ingest(beatOf(2, { receivedAt: epochMillis(T0 + 60_000) }))).toMatchObject({
      kind: 'accepted',
      isNew: false,
    });
    await ingest.ingest(beatOf(1));
    expect(table.read('checkout', EAST)).toBe(before);
    expect(calls).toEqual(['read', 'write']);
  });

  test.each([
    ['service', { service: 'toString' }],
    ['site', { site: 'constructor' }],
  ])('of an unknown %s is refused before the table is asked', async (_, changes) => {
    const { ingest, calls } = createHarness();
    expect(await ingest.ingest(beatOf(1, changes))).toEqual({ kind: 'unknown-site' });
    expect(calls).toEqual([]);
  });

  test('is not refused by a region that knows no configuration yet: it may be behind', async () => {
    const { ingest } = createHarness(createLogStory().state());
    expect(await ingest.ingest(beatOf(1))).toMatchObject({ kind: 'unavailable' });
  });
});

describe('a goodbye', () => {
  test('of another boot than the one in force is not obeyed, remembered or not', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(7, { bootId: 'boot-0', status: 'leaving' }));
    expect(table.read('checkout', EAST)).toBeNull();
    for (let boot = 1; boot <= 20; boot += 1) {
      await ingest.ingest(beatOf(boot, { bootId: `boot-${boot}` }));
    }
    const before = table.read('checkout', EAST);
    for (const old of [1, 15, 19, 99]) {
      const goodbye = { bootId: `boot-${old}`, status: 'leaving' } as const;
      expect(await ingest.ingest(beatOf(500 + old, goodbye))).toMatchObject({ isNew: false });
    }
    expect(table.read('checkout', EAST)).toEqual(before);
    await ingest.ingest(beatOf(21, { bootId: 'boot-20', status: 'leaving' }));
    expect(table.read('checkout', EAST)?.reportedStatus).toBe('leaving');
  });
});

describe('two processes that take beats of one site', () => {
  test('both get theirs in: a conflict brings the newer record, and no further read', async () => {
    const { ingest, table, calls } = createHarness();
    const other = new Ingest(memoryHealthStore(table), () => steadyStory().state());
    await ingest.ingest(beatOf(1));
    await other.ingest(beatOf(2));
    await ingest.ingest(beatOf(3));
    expect(calls).toEqual(['read', 'write', 'write', 'write']);
    expect(table.read('checkout', EAST)).toMatchObject({
      revision: 3,
      window: { lastSequence: 3, received: 3 },
    });
  });

  test('never turn time back: the older beat of the two is a duplicate', async () => {
    const { ingest, table } = createHarness();
    const other = new Ingest(memoryHealthStore(table), () => steadyStory().state());
    await ingest.ingest(beatOf(1));
    await other.ingest(beatOf(5));
    expect(await ingest.ingest(beatOf(4))).toMatchObject({ kind: 'accepted' });
    expect(table.read('checkout', EAST)).toMatchObject({
      revision: 2,
      window: { lastSequence: 5 },
    });
  });
});

describe('a site that sends faster than its record can be written', () => {
  test('has its beats written one after the other, each with one call', async () => {
    const { ingest, calls, table } = createHarness();
    await ingest.ingest(beatOf(1));
    const outcomes = await Promise.all(
      [2, 3, 4, 5].map((sequence) => ingest.ingest(beatOf(sequence))),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => 'accepted'));
    expect(calls).toEqual(['read', 'write', 'write', 'write', 'write', 'write']);
    expect(table.read('checkout', EAST)).toMatchObject({ window: { received: 5 } });
  });

  test('is turned away beyond a limit, alone, and without the observer doubting itself', async () => {
    const { ingest } = createHarness();
    const count = CONTROL_LIMITS.beatsWaitingMax + 5;
    const flood = Array.from({ length: count }, (_, place) => ingest.ingest(beatOf(place + 1)));
    const other = await ingest.ingest(beatOf(1, { site: WEST }));
    const outcomes = await Promise.all(flood);
    expect(other.kind).toBe('accepted');
    expect(outcomes.filter(({ kind }) => kind === 'unavailable')).toHaveLength(5);
    expect(ingest.takeStoreErrors()).toBe(0);
    expect(await ingest.ingest(beatOf(count + 1))).toMatchObject({ kind: 'accepted' });
  });
});

describe('a table that falters', () => {
  test('a lost answer of a write that was made: the beat counts once', async () => {
    const { ingest, table, calls, answers } = createHarness();
    await ingest.ingest(beatOf(1));
    answers.push({ outcome: LOST, isApplied: true });
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ kind: 'accepted' });
    expect(calls).toEqual(['read', 'write', 'write', 'read']);
    expect(table.read('checkout', EAST)).toMatchObject({ revision: 2, window: { received: 2 } });
    expect(ingest.takeStoreErrors()).toBe(0);
  });

  test('a lost answer of a write that was not made: it is made again', async () => {
    const { ingest, table, answers } = createHarness();
    await ingest.ingest(beatOf(1));
    answers.push({ outcome: LOST, isApplied: false });
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ kind: 'accepted' });
    expect(table.read('checkout', EAST)).toMatchObject({
      revision: 2,
      window: { lastSequence: 2 },
    });
  });

  test('no answer at all: the sender is told, and the observer learns of it once', async () => {
    const { ingest, answers, calls } = createHarness();
    await ingest.ingest(beatOf(1));
    for (let count = 0; count < CONTROL_LIMITS.ingestAttemptsMax; count += 1) {
      answers.push({ outcome: LOST, isApplied: false });
    }
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ kind: 'unavailable' });
    expect(calls.filter((call) => call === 'write')).toHaveLength(
      1 + CONTROL_LIMITS.ingestAttemptsMax,
    );
    expect(ingest.takeStoreErrors()).toBe(1);
    expect(ingest.takeStoreErrors()).toBe(0);
  });

  test('a read that is not answered is a store error too, and the next beat may succeed', async () => {
    const { ingest, setReadable } = createHarness();
    setReadable(false);
    expect(await ingest.ingest(beatOf(1))).toMatchObject({ kind: 'unavailable', cause: 'away' });
    expect(ingest.takeStoreErrors()).toBe(1);
    setReadable(true);
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ kind: 'accepted' });
    expect(ingest.takeStoreErrors()).toBe(0);
  });

  test('a record that was deleted under the cache is begun anew', async () => {
    const { ingest, answers, table } = createHarness();
    await ingest.ingest(beatOf(1));
    answers.push({ outcome: { kind: 'conflict', record: null }, isApplied: false });
    expect(await ingest.ingest(beatOf(2))).toMatchObject({ kind: 'accepted' });
    expect(table.read('checkout', EAST)).toMatchObject({ window: { lastSequence: 2 } });
  });
});

describe('beats that come together', () => {
  test('cost one write for all of a site, and are answered each in their place', async () => {
    const { ingest, calls, table } = createHarness();
    const beats = [beatOf(1), beatOf(1, { site: WEST }), beatOf(2), beatOf(2), beatOf(3)];
    const outcomes = await ingest.ingestBatch(beats);
    expect(outcomes).toMatchObject([
      { kind: 'accepted', role: 'active', isNew: true },
      { kind: 'accepted', role: 'standby', isNew: true },
      { kind: 'accepted', isNew: true },
      { kind: 'accepted', isNew: false },
      { kind: 'accepted', isNew: true },
    ]);
    expect(calls.toSorted()).toEqual(['read', 'read', 'write', 'write']);
    expect(table.read('checkout', EAST)).toMatchObject({
      revision: 1,
      window: { lastSequence: 3, received: 3 },
    });
  });

  test('leave out what is about no site, and keep the rest', async () => {
    const { ingest } = createHarness();
    const beats = [beatOf(1, { site: 'nowhere' }), beatOf(1), beatOf(2, { site: 'nowhere' })];
    expect((await ingest.ingestBatch(beats)).map(({ kind }) => kind)).toEqual([
      'unknown-site',
      'accepted',
      'unknown-site',
    ]);
    expect(await ingest.ingestBatch([])).toEqual([]);
  });

  test('of one site whose write gets lost say so, and those of the others are in', async () => {
    const { ingest, answers } = createHarness();
    await ingest.ingest(beatOf(1));
    await ingest.ingest(beatOf(1, { site: WEST }));
    for (let count = 0; count < CONTROL_LIMITS.ingestAttemptsMax; count += 1) {
      answers.push({ outcome: LOST, isApplied: false });
    }
    const [first, second] = await ingest.ingestBatch([beatOf(2), beatOf(3)]);
    expect([first?.kind, second?.kind]).toEqual(['unavailable', 'unavailable']);
    expect(await ingest.ingestBatch([beatOf(2, { site: WEST })])).toMatchObject([
      { kind: 'accepted' },
    ]);
  });

  test('whose answer was lost are told as new: they were not known before', async () => {
    const { ingest, answers } = createHarness();
    await ingest.ingest(beatOf(1));
    answers.push({ outcome: LOST, isApplied: true });
    expect(await ingest.ingestBatch([beatOf(1), beatOf(2)])).toMatchObject([
      { isNew: false },
      { isNew: true },
    ]);
  });
});

describe('the timer of a site', () => {
  const timersOf = (table: MemoryHealthTable) =>
    table.timers.map(({ at, awaits }) => [at - T0, awaits]).sort(([a = 0], [b = 0]) => a - b);

  test('comes with the first beat, and no further beat at its pace touches it', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(1));
    expect(timersOf(table)).toEqual([[1000, 1]]);
    for (let sequence = 2; sequence <= 15; sequence += 1) {
      await ingest.ingest(beatOf(sequence));
    }
    expect(timersOf(table)).toEqual([[1000, 1]]);
  });

  test('comes at once when the site describes itself in other words', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(1));
    await ingest.ingest(beatOf(2, { status: 'degraded' }));
    await ingest.ingest(beatOf(3, { status: 'degraded' }));
    await ingest.ingest(beatOf(4, { status: 'leaving' }));
    expect(timersOf(table)).toEqual([
      [1000, 1],
      [2000, 2],
      [4000, 4],
    ]);
  });

  test('comes where the deadline is earlier than it was, as after a change of the policy', async () => {
    const story = steadyStory();
    const table = new MemoryHealthTable();
    const ingest = new Ingest(memoryHealthStore(table), story.state);
    await ingest.ingest(beatOf(1));
    await ingest.ingest(beatOf(2));
    const before = table.read('checkout', EAST)?.suspectAt ?? 0;
    const detection = { intervalMs: 200, suspectPhi: 8, failPhi: 16, silenceMsMax: 2000 };
    story.configure(servicePolicy({ detection }));
    await ingest.ingest(beatOf(3));
    const after = table.read('checkout', EAST)?.suspectAt ?? 0;
    expect(after).toBeLessThan(before);
    expect(timersOf(table)).toEqual([
      [1000, 1],
      [after - T0, 3],
    ]);
  });

  test('comes with the beat that follows when the observer has given the site up', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(1));
    const record = table.read('checkout', EAST);
    table.write(1, { ...record, wakesOnBeat: true } as SiteRecord);
    await ingest.ingest(beatOf(2));
    expect(timersOf(table)).toContainEqual([2000, 3]);
    expect(table.read('checkout', EAST)).toMatchObject({ revision: 3, wakesOnBeat: false });
  });

  test('is armed for the next deadline by a process that meets the site for the first time', async () => {
    const { ingest, table } = createHarness();
    await ingest.ingest(beatOf(1));
    const other = new Ingest(memoryHealthStore(table), () => steadyStory().state());
    await other.ingest(beatOf(2));
    const suspectAt = (table.read('checkout', EAST)?.suspectAt ?? 0) - T0;
    expect(timersOf(table)).toEqual([
      [1000, 1],
      [suspectAt, 2],
    ]);
  });
});
