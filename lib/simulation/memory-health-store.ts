/**
 * A health table in memory, with the answers of the DynamoDB adapter: a synchronous core for the
 * simulator, and the port on top of it. Contract suite: `test/contract/health-store`.
 *
 * Every step that is one request in the table is one step here, so that a test can lose, delay or
 * repeat each of them, or let a process die between two.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type {
  DueTimers,
  HealthStore,
  ObserverRecord,
  RecordWrite,
  SiteName,
  SitePage,
  SiteRecord,
  Timer,
} from '../control/health-store.ts';
import { deepFreeze } from './deep-freeze.ts';

/** What stands in the store. Guards it: records that go out are frozen. */
export class MemoryHealthTable {
  readonly #sites = new Map<string, SiteRecord>();
  readonly #timers = new Map<string, Timer>();
  #observer: ObserverRecord | null = null;
  #marks = 0;

  get observer(): ObserverRecord | null {
    return this.#observer;
  }

  /** All that stand, in no order. */
  get timers(): readonly Timer[] {
    return [...this.#timers.values()];
  }

  read(service: string, site: string): SiteRecord | null {
    return this.#sites.get(nameOf({ service, site })) ?? null;
  }

  write(expected: number, record: SiteRecord): Exclude<RecordWrite, { readonly kind: 'unknown' }> {
    const current = this.read(record.service, record.site);
    if ((current?.revision ?? 0) !== expected) {
      return { kind: 'conflict', record: current };
    }
    this.#sites.set(nameOf(record), deepFreeze({ ...record, revision: expected + 1 }));
    return { kind: 'applied' };
  }

  /** In the order of service and site, as the table's Query gives them. */
  list(after: string | null = null, limit: number = Number.MAX_SAFE_INTEGER): SitePage {
    const names = [...this.#sites.keys()].sort().filter((name) => after === null || name > after);
    const taken = names.slice(0, limit);
    return {
      records: taken.flatMap((name) => this.#sites.get(name) ?? []),
      damaged: [],
      next: names.length > taken.length ? (taken.at(-1) ?? null) : null,
    };
  }

  putTimer(at: EpochMillis, { service, site }: SiteName, awaits: number): void {
    this.#marks += 1;
    const timer = { at: epochMillis(Math.floor(at)), service, site, awaits };
    this.#timers.set(keyOf(timer), deepFreeze({ ...timer, mark: String(this.#marks) }));
  }

  /** Only the putting that the caller has seen. */
  dropTimer(timer: Timer): void {
    if (this.#timers.get(keyOf(timer))?.mark === timer.mark) {
      this.#timers.delete(keyOf(timer));
    }
  }

  dueTimers(until: EpochMillis, limit: number): DueTimers {
    const due = this.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
    return { timers: due.slice(0, limit), damaged: [], isAll: due.length <= limit };
  }

  writeObserver(record: ObserverRecord): void {
    this.#observer = deepFreeze(record);
  }
}

export type MemoryStep = 'read' | 'write' | 'put-timer' | 'drop-timer';

/** What becomes of one request: the answer, or null when there is none. */
export type Passage = <Answer>(step: MemoryStep, apply: () => Answer) => Promise<Answer | null>;

const UNKNOWN = { kind: 'unknown', cause: 'no answer' } as const;

/** @param pass how requests get to the table; all of them and at once, unless told otherwise. */
export function memoryHealthStore(
  table: MemoryHealthTable,
  pass: Passage = async (_, apply) => apply(),
): HealthStore {
  const put = async (at: EpochMillis, name: SiteName, awaits: number): Promise<boolean> =>
    (await pass('put-timer', () => table.putTimer(at, name, awaits))) !== null;
  return {
    read: async (service, site) => {
      const found = await pass('read', () => ({ record: table.read(service, site) }));
      if (found === null) {
        return UNKNOWN;
      }
      const { record } = found;
      return record === null ? { kind: 'absent' } : { kind: 'found', record };
    },
    readMany: (sites) =>
      pass('read', () => ({
        records: sites.flatMap(({ service, site }) => table.read(service, site) ?? []),
        damaged: [],
      })),
    write: async (expected, record, wakeAt) => {
      if (wakeAt !== null && !(await put(wakeAt, record, expected + 1))) {
        return UNKNOWN;
      }
      return (await pass('write', () => table.write(expected, record))) ?? UNKNOWN;
    },
    list: (after, limit) => pass('read', () => table.list(after, limit)),
    wake: (at, service, site) => put(at, { service, site }, 0),
    due: (until, limit) => pass('read', () => table.dueTimers(until, limit)),
    settle: async (timer, nextAt) => {
      if (nextAt !== null && !(await put(nextAt, timer, 0))) {
        return false;
      }
      return (await pass('drop-timer', () => table.dropTimer(timer))) !== null;
    },
    readObserver: async () => {
      const found = await pass('read', () => ({ record: table.observer }));
      if (found === null) {
        return UNKNOWN;
      }
      const { record } = found;
      return record === null ? { kind: 'absent' } : { kind: 'found', record };
    },
    writeObserver: async (record) =>
      (await pass('write', () => table.writeObserver(record))) !== null,
  };
}

function nameOf({ service, site }: SiteName): string {
  return `${service}@${site}`;
}

function keyOf({ at, service, site, awaits }: Omit<Timer, 'mark'>): string {
  return `${at}#${service}@${site}#${awaits}`;
}
