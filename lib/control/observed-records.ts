/**
 * The site records that the observer has read last, in bounded memory.
 *
 * A round goes by what it has just read. The memory is for two things: while the table does not
 * answer, sites whose deadline passes are *unknown*, not forgotten; and a status view, which has all
 * of them read when somebody asks. Which items cannot be read, `damaged-items.ts` remembers.
 */
import type { Clock } from '../base/clock.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import { siteKeyOf } from './attention.ts';
import type { DamagedItems } from './damaged-items.ts';
import type { FoundRecords, SiteName, SiteRecord, SiteStore } from './health-store.ts';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from './limits.ts';

/** Records of up to 1 KB that a unit of 4 KB reads when they follow each other. */
const RECORDS_PER_UNIT = 4;

export const NOTHING: FoundRecords = { records: [], damaged: [] };

/** Guards its bound, and that one reading of all sites is under way at a time. */
export class SiteRecords {
  readonly #health: Pick<SiteStore, 'readMany' | 'list'>;
  readonly #clock: Pick<Clock, 'monotonicNow'>;
  readonly #damaged: DamagedItems;
  /** Least recently read first. */
  #records = new Map<string, SiteRecord>();
  #readAllAt: number | null = null;
  #underWay: Promise<void> | null = null;

  constructor(
    health: Pick<SiteStore, 'readMany' | 'list'>,
    clock: Pick<Clock, 'monotonicNow'>,
    damaged: DamagedItems,
  ) {
    this.#health = health;
    this.#clock = clock;
    this.#damaged = damaged;
  }

  /** What is remembered of a site. */
  get(key: string): SiteRecord | undefined {
    return this.#records.get(key);
  }

  /**
   * The records of these sites, by key, as they stand now; null = no answer.
   *
   * @param fleet how many sites there are: where most are wanted, a page of all costs less, for a read
   *   unit takes four records that follow each other, or one by its name
   */
  async read(
    sites: readonly SiteName[],
    fleet: number,
  ): Promise<ReadonlyMap<string, SiteRecord> | null> {
    const isMost = sites.length * RECORDS_PER_UNIT >= fleet;
    const all = isMost && sites.length > 1 ? await this.#readPage(fleet) : null;
    const read = all ?? (sites.length === 0 ? NOTHING : await this.#health.readMany(sites));
    if (read === null) {
      return null;
    }
    for (const site of sites) {
      this.#records.delete(siteKeyOf(site));
    }
    this.#damaged.replace(sites, read.damaged);
    const found = new Map(read.records.map((record) => [siteKeyOf(record), record]));
    for (const [key, record] of found) {
      this.#records.set(key, record);
    }
    this.#forgetOldest();
    return found;
  }

  /** All sites, when they are few; null = they are not, or there is no answer. */
  async #readPage(fleet: number): Promise<FoundRecords | null> {
    if (fleet > CONTROL_LIMITS.lookPageSites) {
      return null;
    }
    const page = await this.#health.list(null, CONTROL_LIMITS.lookPageSites);
    return page?.next === null ? page : null;
  }

  /** Sites that would be suspect by what is known of them. */
  overdue(now: EpochMillis): readonly SiteRecord[] {
    return [...this.#records.values()].filter(({ suspectAt }) => suspectAt <= now);
  }

  /** Reads all sites, unless that was done a moment ago. Without an answer what is known stays. */
  async lookAtAll(): Promise<void> {
    const ageMs = this.#clock.monotonicNow() - (this.#readAllAt ?? -Infinity);
    if (this.#underWay === null && ageMs >= CONTROL_TIMINGS.lookAgeMsMax) {
      this.#readAllAt = this.#clock.monotonicNow();
      this.#underWay = this.#readAll().finally(() => {
        this.#underWay = null;
      });
    }
    await this.#underWay;
  }

  async #readAll(): Promise<void> {
    const all = new Map<string, SiteRecord>();
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<SiteStore['list']>> = await this.#health.list(
        after,
        CONTROL_LIMITS.lookPageSites,
      );
      if (page === null) {
        return;
      }
      this.#damaged.replace(page.records, page.damaged);
      for (const record of page.records) {
        const key = siteKeyOf(record);
        const known = this.#records.get(key);
        // A round may have read it since this page was.
        all.set(key, known !== undefined && known.revision > record.revision ? known : record);
      }
      after = page.next;
    } while (after !== null && all.size < CONTROL_LIMITS.observedSitesMax);
    this.#records = all;
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const key of this.#records.keys()) {
      if (this.#records.size <= CONTROL_LIMITS.observedSitesMax) {
        return;
      }
      this.#records.delete(key);
    }
  }
}
