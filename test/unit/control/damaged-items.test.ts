import { expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
import { DamagedItems } from '../../../lib/control/damaged-items.ts';
import type { FoundRecords, HealthStore, SiteName } from '../../../lib/control/health-store.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import { CONTROL_LIMITS } from '../../../lib/control/limits.ts';
import { Observer } from '../../../lib/control/observe.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createLogStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, T0, WEST } from '../../support/service-states.ts';

const [A = regionId('a')] = OBSERVERS;
const DAMAGE = { kind: 'damaged', cause: 'window damaged' } as const;

/** The store as it answers while the item of one site cannot be read. */
function damagedStore(store: HealthStore, isDamaged: (site: SiteName) => boolean): HealthStore {
  const split = <Found extends FoundRecords>(found: Found): Found => ({
    ...found,
    records: found.records.filter((record) => !isDamaged(record)),
    damaged: found.records
      .filter(isDamaged)
      .map(({ service, site }) => ({ service, site, cause: DAMAGE.cause })),
  });
  return {
    ...store,
    read: async (service, site) =>
      isDamaged({ service, site }) ? DAMAGE : store.read(service, site),
    write: async (expected, record, wakeAt) =>
      isDamaged(record) ? DAMAGE : store.write(expected, record, wakeAt),
    readMany: async (sites) => {
      const found = await store.readMany(sites);
      return found === null ? null : split(found);
    },
    list: async (after, limit) => {
      const page = await store.list(after, limit);
      return page === null ? null : split(page);
    },
  };
}

test('a record that cannot be read makes its own site unknown, is told once, and nothing else', async () => {
  const clock = createManualClock(T0);
  const story = createLogStory();
  story.configure();
  story.finishRuns();
  let damaged: string | null = null;
  let areTimersDamaged = false;
  const store = memoryHealthStore(new MemoryHealthTable());
  const health: HealthStore = {
    ...damagedStore(store, ({ site }) => site === damaged),
    due: async (until, limit) => {
      const due = await store.due(until, limit);
      return due === null || !areTimersDamaged
        ? due
        : {
            ...due,
            timers: [],
            damaged: due.timers.map((timer) => ({ ...timer, cause: 'timer' })),
          };
    },
  };
  const ingest = new Ingest(health, story.state);
  const logged: unknown[] = [];
  const observer = new Observer({
    ...{ region: A, health, clock, takeStoreErrors: () => ingest.takeStoreErrors() },
    log: (level, event, fields) => logged.push({ level, event, ...fields }),
  });
  let sequence = 0;
  const seconds = async (count: number, ...sites: readonly string[]) => {
    const news: unknown[] = [];
    for (const end = sequence + count; sequence < end; ) {
      sequence += 1;
      for (const site of sites) {
        const said = { service: 'checkout', bootId: 'boot-1', status: 'ok' } as const;
        const order = { sequence, receivedAt: clock.wallNow() };
        await ingest.ingest({ ...said, ...order, site, replicationLagMs: null });
      }
      for (const command of await observer.observe(story.state())) {
        story.write(command, command.at);
        news.push(command.kind === 'verdict' && [command.site, command.verdict.code]);
      }
      await observer.tidy(story.state());
      await clock.advance(1000);
    }
    return news;
  };
  await seconds(30, EAST, WEST);
  damaged = EAST;
  expect(await seconds(40, EAST, WEST)).toEqual([[EAST, 'record-damaged']]);
  expect(logged).toEqual([
    {
      level: 'error',
      event: 'health-record-damaged',
      service: 'checkout',
      site: EAST,
      cause: DAMAGE.cause,
    },
  ]);
  await observer.look();
  expect(observer.observations(story.state()).map(({ sentence }) => sentence)).toEqual([
    expect.stringContaining('cannot be read'),
    expect.stringContaining('silent'),
  ]);
  // Meanwhile the others are convicted as ever.
  expect(await seconds(20, EAST)).toEqual([
    [WEST, 'phi-over-suspect'],
    [WEST, 'phi-over-fail'],
  ]);
  damaged = null;
  const healed = await seconds(20, EAST, WEST);
  expect(healed.filter((one) => String(one).startsWith(EAST)).at(-1)).toEqual([EAST, 'beating']);
  await seconds(120, EAST, WEST);
  // A timer that cannot be read loses no site either.
  areTimersDamaged = true;
  expect((await seconds(20, WEST)).at(-1)).toEqual([EAST, 'phi-over-fail']);
});

test('few are remembered, and one that is sound again is told anew when it breaks again', () => {
  const told: unknown[] = [];
  const items = new DamagedItems((_level, _event, fields) => told.push(fields?.['site']));
  const named = (place: number) => ({ service: 's', site: `site-${place}`, cause: 'damaged' });
  items.replace([], [named(1)]);
  items.replace([named(1)], [named(1)]);
  expect(told).toEqual(['site-1']);
  items.replace([named(1)], []);
  expect(items.has(named(1))).toBe(false);
  items.replace([], [named(1)]);
  expect(told).toEqual(['site-1', 'site-1']);
  const many = Array.from({ length: CONTROL_LIMITS.observedSitesMax }, (_, at) => named(at + 2));
  items.replace([], many);
  expect([items.has(named(1)), items.has(named(2))]).toEqual([false, true]);
});
