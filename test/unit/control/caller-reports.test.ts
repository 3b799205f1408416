import { expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { CallerReports } from '../../../lib/control/caller-reports.ts';
import type { ReportStore } from '../../../lib/control/report-store.ts';
import { REPORT_LIMITS } from '../../../lib/detection/limits.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { memoryReportStore } from '../../../lib/simulation/memory-report-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, serviceState } from '../../support/service-states.ts';

const STATE: RecoveryState = {
  observers: OBSERVERS,
  freeze: null,
  configHash: 'configured',
  services: { checkout: serviceState() },
  monitors: {},
  runs: [],
  timeline: [],
};
const NAME = { service: 'checkout', site: EAST };

function reader(store: ReportStore) {
  const clock = createManualClock();
  const told: string[] = [];
  const reports = new CallerReports({
    store,
    state: () => STATE,
    clock,
    onChange: ({ service, site }) => told.push(`${service}@${site}`),
  });
  const add = (outcome: 'ok' | 'failing', count: number) =>
    reports.add(NAME, { outcome, count, receivedAt: clock.wallNow() });
  return { clock, told, reports, add };
}

test('what one function of the region took, another one learns, and tells once', async () => {
  const store = memoryReportStore();
  const api = reader(store);
  const controller = reader(store);
  expect(await api.add('failing', 20)).toMatchObject({ finding: { state: 'content' } });
  await controller.reports.refresh();
  expect(controller.told).toEqual([]);
  await api.clock.advance(REPORT_LIMITS.slotMs);
  await controller.clock.advance(REPORT_LIMITS.slotMs);
  expect(await api.add('failing', 20)).toMatchObject({
    kind: 'stored',
    finding: { state: 'troubled', failing: 40, total: 40 },
  });
  await controller.reports.refresh();
  await controller.reports.refresh();
  expect(controller.told).toEqual([`checkout@${EAST}`]);
  expect(controller.reports.findingOf('checkout', EAST, controller.clock.wallNow())).toMatchObject({
    state: 'troubled',
  });
});

test('trouble that nobody reports any more fades, and that is told too', async () => {
  const store = memoryReportStore();
  const { clock, told, reports, add } = reader(store);
  await add('failing', 20);
  await clock.advance(REPORT_LIMITS.slotMs);
  await add('failing', 20);
  await reports.refresh();
  await clock.advance(REPORT_LIMITS.slotMs * REPORT_LIMITS.slotsMax);
  await reports.refresh();
  expect(told).toHaveLength(2);
  expect(reports.findingOf('checkout', EAST, clock.wallNow())).toBeNull();
});

test('reports that race for one item are all counted', async () => {
  const { add } = reader(memoryReportStore());
  const outcomes = await Promise.all([add('ok', 1), add('ok', 2), add('failing', 3)]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored']);
  expect(await add('ok', 4)).toMatchObject({ finding: { failing: 3, total: 10 } });
});

test('a store that does not answer loses the report and keeps what was known', async () => {
  const store = memoryReportStore();
  let answers = true;
  const faltering: ReportStore = {
    read: async (service, site) =>
      answers ? await store.read(service, site) : { kind: 'unknown', cause: 'away' },
    write: store.write,
    list: async () => (answers ? await store.list() : null),
  };
  const { reports, add, clock } = reader(faltering);
  await add('failing', 3);
  await reports.refresh();
  answers = false;
  expect(await add('failing', 3)).toEqual({ kind: 'unavailable', cause: 'away' });
  await reports.refresh();
  expect(reports.findingOf('checkout', EAST, clock.wallNow())).toMatchObject({ failing: 3 });
});

test('a site that is not configured has no reports', async () => {
  const { reports } = reader(memoryReportStore());
  const report = { outcome: 'ok', count: 1, receivedAt: epochMillis(1) } as const;
  expect(await reports.add({ service: 'checkout', site: 'nowhere' }, report)).toEqual({
    kind: 'unknown-site',
  });
});
