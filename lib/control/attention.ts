/**
 * Which sites the log makes an observer look at, whatever their timers say.
 *
 * Timers tell of what time and beats change. Four things come from the log instead: a site of which
 * this observer has not said anything yet; one of which its last word was *suspect* or *unknown*,
 * which it takes back as soon as it can; one that as many observers accuse as hear, for it must bring
 * its proof of life; and one without a timer, if the log's word of it is not the one that was found to
 * be true when the timer was taken down (a word of before may reach the log late). Also all sites of a
 * service whose policy changed, for their timers stand where the old one put them.
 *
 * The list is made anew when the state is another one, which only an applied entry makes it: a tick
 * of a quiet fleet walks over nothing.
 */
import type { RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isAccusing, isLiving } from '../detection/comparison.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { SiteName } from './health-store.ts';
import { type WatchedSite, watchedSites } from './watched-sites.ts';

/** Guards what was seen of the log so far. */
export class Attention {
  readonly #region: RegionId;
  #state: RecoveryState | null = null;
  #wanted: ReadonlyMap<string, SiteName> = new Map();
  /** Sites without a timer, with the verdict that the log held of them then. */
  readonly #ended = new Map<string, Verdict>();
  /** Policies by which the sites were looked at last, as text. */
  #policies: ReadonlyMap<string, string> = new Map();
  /** Sites to look at once, for another reason than the log's; until the next round. */
  readonly #called = new Map<string, SiteName>();

  constructor(region: RegionId) {
    this.#region = region;
  }

  /** Sites to look at in this round, by key. */
  of(state: RecoveryState): ReadonlyMap<string, SiteName> {
    if (state !== this.#state) {
      this.#state = state;
      this.#callChanged(state);
      this.#wanted = new Map(
        [...watchedSites(state)]
          .filter((watched) => this.#isWanted(watched))
          .map((watched) => [siteKeyOf(watched), watched]),
      );
    }
    const sites = new Map([...this.#wanted, ...this.#called]);
    this.#called.clear();
    return sites;
  }

  /** How many sites there are. */
  get fleet(): number {
    return this.#policies.size;
  }

  /** Look at this site in the next round. */
  call(site: SiteName): void {
    this.#called.set(siteKeyOf(site), site);
  }

  /**
   * A site was looked after.
   *
   * @param ended the verdict of the log, when it was found to be so and the last timer taken down
   */
  settled(site: SiteName, ended: Verdict | null): void {
    const key = siteKeyOf(site);
    if (ended !== (this.#ended.get(key) ?? null)) {
      this.#state = null;
    }
    if (ended === null) {
      this.#ended.delete(key);
    } else {
      this.#ended.set(key, ended);
    }
  }

  #isWanted(watched: WatchedSite): boolean {
    const { verdicts } = watched;
    const own = ownValue(verdicts, this.#region)?.verdict;
    const ended = this.#ended.get(siteKeyOf(watched));
    if (own === undefined || own.state === 'unknown' || own.state === 'suspect') {
      return true;
    }
    if (ended === undefined ? own.state === 'failed' : own !== ended) {
      return true;
    }
    const committed = Object.values(verdicts).map(({ verdict }) => verdict);
    const accusers = committed.filter(isAccusing).length;
    return accusers > 0 && isLiving(own) && accusers >= committed.filter(isLiving).length;
  }

  #callChanged(state: RecoveryState): void {
    const policies = new Map<string, string>();
    for (const watched of watchedSites(state)) {
      const key = siteKeyOf(watched);
      const text = JSON.stringify([watched.detection, watched.schedule]);
      const before = this.#policies.get(key);
      policies.set(key, text);
      if (before !== undefined && before !== text) {
        this.call(watched);
      }
    }
    this.#policies = policies;
    for (const key of this.#ended.keys()) {
      if (!policies.has(key)) {
        this.#ended.delete(key);
      }
    }
  }
}

export function siteKeyOf({ service, site }: SiteName): string {
  return `${service}/${site}`;
}
