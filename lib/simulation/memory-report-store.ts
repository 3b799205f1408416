/** Callers' reports in memory, with the answers of the table. Contract: `test/contract/report-store`. */
import type { ReportStore, SiteReports } from '../control/report-store.ts';
import { deepFreeze } from './deep-freeze.ts';

export function memoryReportStore(): ReportStore {
  const items = new Map<string, SiteReports>();
  return {
    read: async (service, site) => {
      const reports = items.get(`${service}@${site}`);
      return reports === undefined ? { kind: 'absent' } : { kind: 'found', reports };
    },
    write: async (expected, reports) => {
      const key = `${reports.service}@${reports.site}`;
      const current = items.get(key) ?? null;
      if ((current?.revision ?? 0) !== expected) {
        return { kind: 'conflict', reports: current };
      }
      items.set(key, deepFreeze({ ...reports, revision: expected + 1 }));
      return { kind: 'applied' };
    },
    list: async () => [...items.keys()].sort().flatMap((key) => items.get(key) ?? []),
  };
}
