/** What every health store must do, whatever keeps it: same runs as the register contract. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { HealthStore, SitePage, SiteRecord } from '../../lib/control/health-store.ts';
import {
  fullForecast,
  fullJobRecord,
  fullSiteRecord,
  siteRecord,
} from '../support/site-records.ts';

const NOTHING_YET = {
  lastSucceededAt: null,
  lastFailedAt: null,
  exitCode: null,
  message: null,
} as const;

export interface HealthHarness {
  /** A view of the one table of this harness. */
  readonly open: () => HealthStore;
  readonly close: () => Promise<void>;
}

export function healthStoreContract(name: string, start: () => Promise<HealthHarness>): void {
  describe(`health store: ${name}`, () => {
    let harness: HealthHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());

    siteCases(() => harness.open());
    manyCases(() => harness.open());
    timerCases(() => harness.open());
    settleCases(() => harness.open());
    observerCases(() => harness.open());
  });
}

function siteCases(open: () => HealthStore): void {
  test('a site that never beat is absent', async () => {
    expect(await open().read(randomUUID(), 'us-east-1')).toEqual({ kind: 'absent' });
  });

  test.each<readonly [string, Partial<SiteRecord>]>([
    ['a first beat', {}],
    ['a full window', { window: fullSiteRecord().window }],
    ['a job that said everything', { job: fullJobRecord() }],
    ['a job that only began', { job: { ...fullJobRecord(), ...NOTHING_YET } }],
    ['a mark that the next beat must wake the observer', { wakesOnBeat: true }],
    ['a site that left', { reportedStatus: 'leaving' }],
    ['a warning', { forecast: fullForecast() }],
    ['a reported lag', { replicationLagMs: 1234.5, reportedStatus: 'degraded' }],
    ['a lag of zero', { replicationLagMs: 0, reportedStatus: 'failing' }],
    ['instants between two milliseconds', { suspectAt: epochMillis(1.7e12 + 0.123) }],
  ])('keeps %s, one revision higher', async (_, changes) => {
    const [store, other] = [open(), open()];
    const record = siteRecord({ service: randomUUID(), ...changes });
    expect(await store.write(0, record, null)).toEqual({ kind: 'applied' });
    expect(await other.read(record.service, record.site)).toEqual({
      kind: 'found',
      record: { ...record, revision: 1 },
    });
  });

  test('of 20 concurrent beats at one revision exactly one wins, and 19 get its record back', async () => {
    const [left, right] = [open(), open()];
    const service = randomUUID();
    await left.write(0, siteRecord({ service }), null);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, writer) =>
        (writer % 2 === 0 ? left : right).write(
          1,
          siteRecord({ service, replicationLagMs: writer }),
          null,
        ),
      ),
    );
    const winner = outcomes.findIndex(({ kind }) => kind === 'applied');
    const record = siteRecord({ service, replicationLagMs: winner, revision: 2 });
    expect(outcomes.toSpliced(winner, 1)).toEqual(Array(19).fill({ kind: 'conflict', record }));
    expect(await left.read(service, record.site)).toEqual({ kind: 'found', record });
  });

  test('of 20 concurrent first beats exactly one creates the record', async () => {
    const store = open();
    const service = randomUUID();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => store.write(0, siteRecord({ service }), null)),
    );
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'conflict')).toHaveLength(19);
  });

  test('a beat at a revision of a site that is gone conflicts with nothing', async () => {
    const record = siteRecord({ service: randomUUID() });
    expect(await open().write(3, record, null)).toEqual({ kind: 'conflict', record: null });
  });

  test('the sites of one service are kept apart', async () => {
    const store = open();
    const service = randomUUID();
    await store.write(0, siteRecord({ service, site: 'us-east-1' }), null);
    expect(await store.read(service, 'us-east-2')).toEqual({ kind: 'absent' });
  });
}

function manyCases(open: () => HealthStore): void {
  test('of many sites those that are there are read at once', async () => {
    const store = open();
    const service = randomUUID();
    const names = Array.from({ length: 230 }, (_, place) => ({ service, site: `site-${place}` }));
    const present = names.filter((_, place) => place % 2 === 0);
    await Promise.all(present.map((name) => store.write(0, siteRecord(name), null)));
    const records = (await store.readMany(names))?.records ?? [];
    expect(records.map(({ site }) => site).sort()).toEqual(present.map(({ site }) => site).sort());
    expect(records[0]).toEqual(siteRecord({ ...records[0], revision: 1 }));
    expect(await store.readMany([])).toEqual({ records: [], damaged: [] });
  });

  test('the pages of a list hold every site, once, as it was last written', async () => {
    const store = open();
    const prefix = randomUUID();
    const records = Array.from({ length: 25 }, (_, place) =>
      siteRecord({ service: `${prefix}-${place % 5}`, site: `site-${place}` }),
    );
    await Promise.all(records.map((record) => store.write(0, record, null)));
    await store.write(1, siteRecord({ ...records[0], replicationLagMs: 7 }), null);
    const listed = (await allOf(store)).filter(({ service }) => service.startsWith(prefix));
    expect(listed).toHaveLength(25);
    expect(listed).toEqual(
      expect.arrayContaining([
        { ...records[0], revision: 2, replicationLagMs: 7 },
        ...records.slice(1).map((record) => ({ ...record, revision: 1 })),
      ]),
    );
  });
}

function timerCases(open: () => HealthStore): void {
  test('a timer is due from its instant on, and the earliest comes first', async () => {
    const [store, other] = [open(), open()];
    const service = randomUUID();
    expect(await store.wake(epochMillis(5000), service, 'b')).toBe(true);
    expect(await store.wake(epochMillis(4000.9), service, 'blue@us-east-1')).toBe(true);
    const of = async (until: number) =>
      (await dueOf(other, service, until)).map(({ site }) => site);
    expect(await of(3999)).toEqual([]);
    expect(await of(4000)).toEqual(['blue@us-east-1']);
    expect(await of(4999.9)).toEqual(['blue@us-east-1']);
    expect(await of(5000)).toEqual(['blue@us-east-1', 'b']);
  });

  test('two timers of a site at one instant are one, and of two instants two', async () => {
    const store = open();
    const service = randomUUID();
    await store.wake(epochMillis(100), service, 'a');
    await store.wake(epochMillis(100), service, 'a');
    await store.wake(epochMillis(101), service, 'a');
    expect((await dueOf(store, service, 200)).map(({ at }) => at)).toEqual([100, 101]);
  });

  test('no more come back than asked for, and it says so', async () => {
    const store = open();
    const service = randomUUID();
    await Promise.all([1, 2, 3].map((at) => store.wake(epochMillis(at), service, `site-${at}`)));
    const few = await store.due(epochMillis(10), 2);
    expect(few?.timers.map(({ at }) => at)).toEqual([1, 2]);
    expect(few?.isAll).toBe(false);
    const all = await store.due(epochMillis(1000), 1000);
    expect(all?.isAll).toBe(true);
  });

  test('a record that comes with a timer has it, and the timer names its revision', async () => {
    const store = open();
    const service = randomUUID();
    await store.write(0, siteRecord({ service }), epochMillis(700));
    await store.write(1, siteRecord({ service }), null);
    await store.write(2, siteRecord({ service }), epochMillis(800));
    const due = await dueOf(store, service, 1000);
    expect(due.map(({ at, awaits }) => [at, awaits])).toEqual([
      [700, 1],
      [800, 3],
    ]);
  });
}

function settleCases(open: () => HealthStore): void {
  test('a timer that was looked after moves, or goes', async () => {
    const store = open();
    const service = randomUUID();
    await store.write(0, siteRecord({ service }), epochMillis(500));
    const [first] = await dueOf(store, service, 1000);
    expect(first && (await store.settle(first, epochMillis(900.5)))).toBe(true);
    const [second, ...others] = await dueOf(store, service, 1000);
    expect(others).toEqual([]);
    expect(second).toMatchObject({ at: 900, awaits: 0 });
    expect(second && (await store.settle(second, null))).toBe(true);
    expect(await dueOf(store, service, 1000)).toEqual([]);
    expect(second && (await store.settle(second, null))).toBe(true);
  });

  test('a timer that was set anew meanwhile stays', async () => {
    const store = open();
    const service = randomUUID();
    await store.wake(epochMillis(600), service, 'a');
    const [seen] = await dueOf(store, service, 1000);
    await store.wake(epochMillis(600), service, 'a');
    expect(seen && (await store.settle(seen, null))).toBe(true);
    const [standing] = await dueOf(store, service, 1000);
    expect(standing).toMatchObject({ at: 600 });
    expect(standing && (await store.settle(standing, epochMillis(600)))).toBe(true);
    expect(await dueOf(store, service, 1000)).toHaveLength(1);
  });
}

async function dueOf(store: HealthStore, service: string, until: number) {
  const due = await store.due(epochMillis(until), 1000);
  expect(due?.isAll).toBe(true);
  return (due?.timers ?? []).filter((timer) => timer.service === service);
}

async function allOf(store: HealthStore): Promise<readonly SiteRecord[]> {
  const records: SiteRecord[] = [];
  let after: string | null = null;
  do {
    const page: SitePage | null = await store.list(after, 7);
    expect(page?.records.length).toBeLessThanOrEqual(7);
    records.push(...(page?.records ?? []));
    after = page?.next ?? null;
  } while (after !== null);
  return records;
}

function observerCases(open: () => HealthStore): void {
  test('the observer record is absent until it is written, and then the last one written', async () => {
    const store = open();
    const gap = { from: epochMillis(900.25), to: epochMillis(1000) };
    const first = {
      evaluatedAt: epochMillis(1000),
      baselineAt: epochMillis(0),
      presentSince: epochMillis(0),
      score: 0,
      alone: 0,
    };
    const second = {
      evaluatedAt: epochMillis(2000.5),
      baselineAt: epochMillis(1000),
      presentSince: epochMillis(500),
      score: 7,
      alone: 12,
    };
    expect(await store.writeObserver({ ...second, gap })).toBe(true);
    expect(await open().readObserver()).toEqual({ kind: 'found', record: { ...second, gap } });
    expect(await store.writeObserver({ ...first, gap: null })).toBe(true);
    expect(await open().readObserver()).toEqual({ kind: 'found', record: { ...first, gap: null } });
  });
}
