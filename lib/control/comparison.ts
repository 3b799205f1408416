/**
 * Compares what this observer finds silent with what the others last brought to the log, so that it
 * can tell the failure of many sites from a failure of its own (`lib/detection/observer.ts`).
 *
 * Jobs are left out: they are silent by nature, and often tell one region only. The sites that this
 * observer accuses in the log are listed anew when the state is another one, which only an applied
 * entry makes it; a tick of a quiet fleet compares nothing.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { type Comparison, compareViews } from '../detection/comparison.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { siteKeyOf } from './attention.ts';
import { isScheduled } from './jobs.ts';
import { proofMsMaxOf } from './service-events.ts';
import { type WatchedSite, watchedSites } from './watched-sites.ts';

/** A verdict of this round, before any doubt; null = the site is configured no more. */
export interface Tentative {
  readonly watched: WatchedSite | null;
  readonly verdict: Verdict | null;
}

/** Guards what was seen of the log so far. */
export class ComparedSites {
  readonly #region: RegionId;
  #state: RecoveryState | null = null;
  /** Sites that this observer knows, and that another one knows too. */
  #known = 0;
  /** Of those, the ones that may count against it, by key. */
  #silent: ReadonlyMap<string, WatchedSite> = new Map();

  constructor(region: RegionId) {
    this.#region = region;
  }

  /** @param tentative the verdicts of this round; of all other sites those in the log count. */
  compare(state: RecoveryState, tentative: readonly Tentative[], now: EpochMillis): Comparison {
    this.#read(state, now);
    const views = new Map<string, readonly [WatchedSite, Verdict | undefined]>();
    for (const [key, watched] of this.#silent) {
      views.set(key, [watched, this.#standing(watched)]);
    }
    for (const { watched, verdict } of tentative) {
      if (watched !== null && verdict !== null && !isScheduled(watched)) {
        views.set(siteKeyOf(watched), [watched, verdict]);
      }
    }
    const counts = { known: this.#known, unconfirmed: 0, alone: 0 };
    for (const [watched, own] of views.values()) {
      const { unconfirmed, alone } = this.#view(watched, own, now);
      counts.unconfirmed += unconfirmed;
      counts.alone += alone;
    }
    return counts;
  }

  #read(state: RecoveryState, now: EpochMillis): void {
    if (state === this.#state) {
      return;
    }
    const silent = new Map<string, WatchedSite>();
    let known = 0;
    for (const watched of watchedSites(state)) {
      if (!isScheduled(watched)) {
        const view = this.#view(watched, this.#standing(watched), now);
        known += view.known;
        if (view.unconfirmed > 0) {
          silent.set(siteKeyOf(watched), watched);
        }
      }
    }
    this.#state = state;
    this.#known = known;
    this.#silent = silent;
  }

  #standing({ verdicts }: WatchedSite): Verdict | undefined {
    return ownValue(verdicts, this.#region)?.verdict;
  }

  #view(
    { verdicts, detection }: WatchedSite,
    own: Verdict | undefined,
    now: EpochMillis,
  ): Comparison {
    const others = Object.entries(verdicts).flatMap(([observer, { verdict }]) =>
      observer === this.#region ? [] : [verdict],
    );
    return compareViews({ own, others, now, silenceMsMax: proofMsMaxOf(detection) });
  }
}
