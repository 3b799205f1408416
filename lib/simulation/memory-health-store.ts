/**
 * A health table in memory, with the answers of the DynamoDB adapter: a synchronous core for the
 * simulator, and the port on top of it. Contract suite: `test/contract/health-store`.
 */
import type {
  HealthStore,
  ObserverRecord,
  RecordWrite,
  SiteRecord,
} from '../control/health-store.ts';
import { deepFreeze } from './deep-freeze.ts';

/** What stands in the store. Guards it: records that go out are frozen. */
export class MemoryHealthTable {
  readonly #sites = new Map<string, SiteRecord>();
  #observer: ObserverRecord | null = null;

  get observer(): ObserverRecord | null {
    return this.#observer;
  }

  read(service: string, site: string): SiteRecord | null {
    return this.#sites.get(nameOf(service, site)) ?? null;
  }

  write(expected: number, record: SiteRecord): Exclude<RecordWrite, { readonly kind: 'unknown' }> {
    const current = this.read(record.service, record.site);
    if ((current?.revision ?? 0) !== expected) {
      return { kind: 'conflict', record: current };
    }
    const name = nameOf(record.service, record.site);
    this.#sites.set(name, deepFreeze({ ...record, revision: expected + 1 }));
    return { kind: 'applied' };
  }

  /** In the order of service and site, as the table's Query gives them. */
  list(): readonly SiteRecord[] {
    return [...this.#sites.keys()].sort().flatMap((name) => this.#sites.get(name) ?? []);
  }

  writeObserver(record: ObserverRecord): void {
    this.#observer = deepFreeze(record);
  }
}

export function memoryHealthStore(table: MemoryHealthTable): HealthStore {
  return {
    read: async (service, site) => {
      const record = table.read(service, site);
      return record === null ? { kind: 'absent' } : { kind: 'found', record };
    },
    write: async (expected, record) => table.write(expected, record),
    list: async () => table.list(),
    readObserver: async () =>
      table.observer === null ? { kind: 'absent' } : { kind: 'found', record: table.observer },
    writeObserver: async (record) => {
      table.writeObserver(record);
      return true;
    },
  };
}

function nameOf(service: string, site: string): string {
  return `${service}@${site}`;
}
