/**
 * Which items of the health table cannot be read, as far as this process has met them.
 *
 * A damaged item is the problem of its site: the verdict on it is *unknown* while the item stands,
 * and everybody else is judged as ever. Each is logged when it is first met, not each time.
 *
 * Invariant: at most `observedSitesMax` are remembered; one beyond that may be told again.
 */
import type { LogEvent } from '../base/log.ts';
import { siteKeyOf } from './attention.ts';
import type { DamagedItem, SiteName } from './health-store.ts';
import { CONTROL_LIMITS } from './limits.ts';

export class DamagedItems {
  readonly #log: LogEvent | undefined;
  /** Longest known first. */
  readonly #keys = new Set<string>();

  constructor(log: LogEvent | undefined) {
    this.#log = log;
  }

  has(site: SiteName): boolean {
    return this.#keys.has(siteKeyOf(site));
  }

  /**
   * What was read just now.
   *
   * @param sites what was asked for, or found sound: those of them that are not damaged are so no more
   */
  replace(sites: readonly SiteName[], damaged: readonly DamagedItem[]): void {
    const now = new Map(damaged.map((item) => [siteKeyOf(item), item]));
    if (this.#keys.size > 0) {
      for (const key of sites.map(siteKeyOf)) {
        if (!now.has(key)) {
          this.#keys.delete(key);
        }
      }
    }
    for (const [key, { service, site, cause }] of now) {
      if (!this.#keys.has(key)) {
        this.#keys.add(key);
        this.#log?.('error', 'health-record-damaged', { service, site, cause });
      }
    }
    for (const oldest of this.#keys) {
      if (this.#keys.size <= CONTROL_LIMITS.observedSitesMax) {
        return;
      }
      this.#keys.delete(oldest);
    }
  }
}
