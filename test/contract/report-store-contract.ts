/** What every store of callers' reports must do. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReportStore, SiteReports } from '../../lib/control/report-store.ts';

export interface ReportHarness {
  /** Another process's view of the same store. */
  readonly open: () => ReportStore;
  readonly close: () => Promise<void>;
}

const REPORTS: SiteReports = {
  service: 'checkout',
  site: 'us-east-1',
  revision: 1,
  slots: [
    { slot: 179_500_000, ok: 3, failing: 0 },
    { slot: 179_500_002, ok: 0, failing: 1_000_000, accusers: ['0123abcd', 'ef456789'] },
  ],
};

export function reportStoreContract(name: string, make: () => Promise<ReportHarness>): void {
  describe(`report store: ${name}`, () => {
    let harness: ReportHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(() => harness.close());

    test('a site that nobody reported on is absent', async () => {
      const store = harness.open();
      expect(await store.read('checkout', 'us-east-1')).toEqual({ kind: 'absent' });
      expect(await store.list()).toEqual([]);
    });

    test('what was written is read by every other process', async () => {
      expect(await harness.open().write(0, REPORTS)).toEqual({ kind: 'applied' });
      expect(await harness.open().read('checkout', 'us-east-1')).toEqual({
        kind: 'found',
        reports: REPORTS,
      });
    });

    test('of two writers one wins, and the other gets what the winner wrote', async () => {
      const [first, second] = [harness.open(), harness.open()];
      await first.write(0, REPORTS);
      const newer = { ...REPORTS, revision: 2, slots: REPORTS.slots.slice(1) };
      expect(await first.write(1, newer)).toEqual({ kind: 'applied' });
      const lost = { kind: 'conflict', reports: newer };
      expect(await second.write(1, REPORTS)).toEqual(lost);
      expect(await second.write(0, REPORTS)).toEqual(lost);
      expect(await second.write(2, { ...newer, revision: 3 })).toEqual({ kind: 'applied' });
    });

    test('a writer that expects what is not there learns that nothing is', async () => {
      expect(await harness.open().write(4, REPORTS)).toEqual({ kind: 'conflict', reports: null });
    });

    test('the list has every site that was reported on', async () => {
      const store = harness.open();
      const others = ['us-west-2', 'us-east-2'].map((site) => ({ ...REPORTS, site }));
      for (const reports of [REPORTS, ...others]) {
        await store.write(0, reports);
      }
      const listed = (await store.list()) ?? [];
      expect(new Set(listed)).toEqual(new Set([REPORTS, ...others]));
    });
  });
}
