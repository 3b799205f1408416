/** What every health store must do, whatever keeps it: same runs as the register contract. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { HealthStore, SiteRecord } from '../../lib/control/health-store.ts';
import { fullSiteRecord, siteRecord } from '../support/site-records.ts';

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
    listCases(() => harness.open());
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
    ['a reported lag', { replicationLagMs: 1234.5, reportedStatus: 'degraded' }],
    ['a lag of zero', { replicationLagMs: 0, reportedStatus: 'failing' }],
    ['instants between two milliseconds', { suspectAt: epochMillis(1.7e12 + 0.123) }],
  ])('keeps %s, one revision higher', async (_, changes) => {
    const [store, other] = [open(), open()];
    const record = siteRecord({ service: randomUUID(), ...changes });
    expect(await store.write(0, record)).toEqual({ kind: 'applied' });
    expect(await other.read(record.service, record.site)).toEqual({
      kind: 'found',
      record: { ...record, revision: 1 },
    });
  });

  test('of 20 concurrent beats at one revision exactly one wins, and 19 get its record back', async () => {
    const [left, right] = [open(), open()];
    const service = randomUUID();
    await left.write(0, siteRecord({ service }));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, writer) =>
        (writer % 2 === 0 ? left : right).write(
          1,
          siteRecord({ service, replicationLagMs: writer }),
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
      Array.from({ length: 20 }, () => store.write(0, siteRecord({ service }))),
    );
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'conflict')).toHaveLength(19);
  });

  test('a beat at a revision of a site that is gone conflicts with nothing', async () => {
    const record = siteRecord({ service: randomUUID() });
    expect(await open().write(3, record)).toEqual({ kind: 'conflict', record: null });
  });

  test('the sites of one service are kept apart', async () => {
    const store = open();
    const service = randomUUID();
    await store.write(0, siteRecord({ service, site: 'us-east-1' }));
    expect(await store.read(service, 'us-east-2')).toEqual({ kind: 'absent' });
  });
}

function listCases(open: () => HealthStore): void {
  test('the list holds every site, once, as it was last written', async () => {
    const store = open();
    const prefix = randomUUID();
    const records = Array.from({ length: 25 }, (_, place) =>
      siteRecord({ service: `${prefix}-${place % 5}`, site: `site-${place}` }),
    );
    await Promise.all(records.map((record) => store.write(0, record)));
    await store.write(1, siteRecord({ ...records[0], replicationLagMs: 7 }));
    const listed = (await store.list())?.filter(({ service }) => service.startsWith(prefix));
    expect(listed).toHaveLength(25);
    expect(listed).toEqual(
      expect.arrayContaining([
        { ...records[0], revision: 2, replicationLagMs: 7 },
        ...records.slice(1).map((record) => ({ ...record, revision: 1 })),
      ]),
    );
  });
}

function observerCases(open: () => HealthStore): void {
  test('the observer record is absent until it is written, and then the last one written', async () => {
    const store = open();
    const first = { evaluatedAt: epochMillis(1000), baselineAt: epochMillis(0) };
    const second = { evaluatedAt: epochMillis(2000.5), baselineAt: epochMillis(1000) };
    expect(await store.writeObserver(first)).toBe(true);
    expect(await store.writeObserver(second)).toBe(true);
    expect(await open().readObserver()).toEqual({ kind: 'found', record: second });
  });
}
