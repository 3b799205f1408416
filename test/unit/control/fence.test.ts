import { describe, expect, test } from 'vitest';
import { type EpochMillis, epochMillis, logIndex, term } from '../../../lib/base/identifiers.ts';
import { lapseMs, leaseMsMax } from '../../../lib/control/lease.ts';
import { awaitLapse } from '../../../lib/control/step-effects/fence.ts';
import type { StepWork } from '../../../lib/control/step-effects/step-work.ts';
import { startWindow } from '../../../lib/detection/arrival-window.ts';
import type { StepResult } from '../../../lib/recovery/run.ts';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import {
  atMs,
  EAST,
  servicePolicy,
  serviceState,
  sitePolicy,
  siteState,
  T0,
  WEST,
} from '../../support/service-states.ts';
import { siteRecord } from '../../support/site-records.ts';

const EPOCH = { term: term(2), index: logIndex(20) };
const LEASE_MS = 3000;

function createHarness(service: ServiceState = serviceState()) {
  const clock = createManualClock(T0);
  const table = new MemoryHealthTable();
  const work = {
    run: { from: EAST, to: WEST },
    step: { epoch: EPOCH, openedAt: T0, isUndo: false },
    service,
    ports: { clock, health: memoryHealthStore(table) },
    context: { openSince: clock.monotonicNow() },
  } as unknown as StepWork;
  const acknowledge = (
    site: string,
    { index = 20, startedAt = atMs(-600_000) }: { index?: number; startedAt?: EpochMillis } = {},
  ) => {
    const window = startWindow({ bootId: 'b', sequence: 1, arrivedAt: startedAt }, 1000);
    const acknowledgedEpoch = { term: term(2), index: logIndex(index) };
    const known = table.read('checkout', site);
    table.write(known?.revision ?? 0, siteRecord({ site, window, acknowledgedEpoch }));
  };
  const perform = async (): Promise<StepResult> => {
    let result: StepResult | null = null;
    void awaitLapse(work).then((outcome) => {
      result = outcome;
    });
    while (result === null) {
      await clock.advance(50);
    }
    return result;
  };
  return { clock, acknowledge, perform };
}

describe('the fence step', () => {
  test('ends when no lease of before can be in force, by the clock of the one who waits', async () => {
    const { clock, perform } = createHarness();
    const result = await perform();
    expect(result).toMatchObject({ kind: 'done', evidence: { lapsed: true, leaseMs: LEASE_MS } });
    expect(clock.wallNow() - T0).toBeGreaterThanOrEqual(lapseMs(LEASE_MS));
    expect(clock.wallNow() - T0).toBeLessThan(lapseMs(LEASE_MS) + 200);
  });

  test('ends at once when the site that is left has given the role up', async () => {
    const { clock, acknowledge, perform } = createHarness();
    acknowledge(EAST);
    expect(await perform()).toMatchObject({ kind: 'done', evidence: { acknowledged: true } });
    expect(clock.wallNow() - T0).toBeLessThan(250);
  });

  test.each([
    ['of an older grant', { index: 19 }],
    ['of a site where a second agent may beat', { startedAt: atMs(-1000) }],
  ])('takes no word %s', async (_case, word) => {
    const { acknowledge, perform } = createHarness();
    acknowledge(EAST, word);
    expect(await perform()).toMatchObject({ evidence: { acknowledged: false } });
  });

  test('needs the word of every site that may hold the role, also of one that was skipped', async () => {
    const third = 'us-east-2';
    const policy = servicePolicy({ sites: [EAST, WEST, third].map((site) => sitePolicy(site)) });
    const { acknowledge, perform } = createHarness(serviceState({ policy }));
    acknowledge(EAST);
    expect(await perform()).toMatchObject({ evidence: { acknowledged: false } });
    const both = createHarness(serviceState({ policy }));
    both.acknowledge(EAST);
    both.acknowledge(third);
    expect(await both.perform()).toMatchObject({ evidence: { acknowledged: true } });
  });

  test('hands a long wait back, and goes on from where the first one began', async () => {
    const slow = { ...servicePolicy().detection, intervalMs: 3000 };
    const policy = servicePolicy({ detection: slow });
    const { clock, perform } = createHarness(serviceState({ policy }));
    expect(await perform()).toEqual({ kind: 'waiting', code: 'lease-not-lapsed' });
    expect(await perform()).toMatchObject({ kind: 'done' });
    expect(clock.wallNow() - T0).toBeLessThan(lapseMs(9000) + 200);
  });

  test('heeds the leases of a policy that was replaced a moment ago', () => {
    const before = { ...servicePolicy().detection, intervalMs: 10_000 };
    const changed = siteState('healthy', { watchChange: { at: T0, before } });
    const service = serviceState({ sites: { [EAST]: changed } });
    expect(leaseMsMax(service, atMs(5000))).toBe(30_000);
    expect(leaseMsMax(service, epochMillis(T0 + 86_400_000))).toBe(LEASE_MS);
  });
});
