/**
 * What a site's record becomes by its heartbeats, and whether the observer must be woken for it.
 *
 * The rule that lets a beat be one write: a timer stands at or before the record's next deadline, and
 * a beat moves that deadline ahead. So only a beat that does *not* do so, or that changes what the
 * site is judged by, comes with a timer. No clock is asked, so no delay of a write can make the rule
 * wrong (`health-store.ts`).
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { afterStatus } from '../detection/flapping.ts';
import { NO_FORECAST, stepForecast } from '../detection/forecast.ts';
import { recordArrival } from '../detection/record-arrival.ts';
import { deadlines } from '../detection/suspicion.ts';
import { fencedLong } from '../detection/verdict.ts';
import { arrivalOf, isGoodbyeOfAnother, saidAfter } from './beat-content.ts';
import type { Heartbeat } from './control-plane.ts';
import type { SiteRecord } from './health-store.ts';
import { isScheduled, jobRecordAfter } from './jobs.ts';
import { lagWordOf } from './lag-words.ts';
import { ruledBy } from './watch-change.ts';
import type { WatchedSite } from './watched-sites.ts';

export interface RecordedBeats {
  /** The record to write; null = all of these beats are known already, or say nothing. */
  readonly record: SiteRecord | null;
  /** Of each beat: whether it was not known before. */
  readonly areNew: readonly boolean[];
}

/**
 * @param known its window belongs to this call afterwards
 * @param beats of this site, in the order in which they were sent
 */
export function recordAfter(
  known: SiteRecord | null,
  beats: readonly Heartbeat[],
  site: WatchedSite,
): RecordedBeats {
  if (isScheduled(site)) {
    return jobRecordAfter(known, beats, site);
  }
  const { detection } = site;
  let said: ReturnType<typeof saidAfter> | null = known;
  let window = known?.window ?? null;
  let forecast = known?.forecast ?? NO_FORECAST;
  const areNew = beats.map((beat) => {
    if (isGoodbyeOfAnother(beat, window)) {
      return false;
    }
    const policy = ruledBy(detection, site.watchChange, window?.lastArrivalAt ?? null);
    const outcome = recordArrival(window, arrivalOf(beat), policy);
    if (outcome.kind === 'duplicate' || outcome.kind === 'refused') {
      return false;
    }
    const { replicationLagMs } = beat;
    forecast = stepForecast(forecast, {
      before: window,
      window: outcome.window,
      replicationLagMs,
      hasLagObjective: site.lagRules !== null,
      policy,
    });
    const before = said?.reportedStatus ?? 'ok';
    said = saidAfter(said, beat);
    window = afterStatus(outcome.window, { before, status: said.reportedStatus });
    return true;
  });
  if (window === null || said === null || !areNew.includes(true)) {
    return { record: null, areNew };
  }
  const record: SiteRecord = {
    service: site.service,
    site: site.site,
    revision: (known?.revision ?? 0) + 1,
    window,
    forecast,
    ...deadlines(window, detection),
    reportedStatus: said.reportedStatus,
    replicationLagMs: said.replicationLagMs,
    replicationLagWrites: said.replicationLagWrites,
    lagWord: lagWordOf(known, { said, window, forecast }, site),
    acknowledgedEpoch: said.acknowledgedEpoch,
    fencedSince: said.fencedSince,
    wakesOnBeat: false,
    job: null,
  };
  return { record, areNew };
}

/**
 * The instant of the timer that must be stored with this record; null = none is needed.
 *
 * @param known what the record replaces
 * @param by `isFirstHere`: whether this process has just met the site: then it arms a timer for the next
 *   deadline, so that one that was lost by whatever means is back with the next process
 */
export function wakeAtOf(
  known: SiteRecord | null,
  next: SiteRecord,
  { isFirstHere, intervalMs }: { readonly isFirstHere: boolean; readonly intervalMs: number },
): EpochMillis | null {
  // A job beats rarely, and what it says is judged, not only that it says something.
  const isJob = known?.job !== next.job;
  if (
    known === null ||
    isJob ||
    known.wakesOnBeat ||
    known.reportedStatus !== next.reportedStatus ||
    known.forecast.code !== next.forecast.code ||
    known.lagWord !== next.lagWord ||
    hasGivenUp(known, intervalMs) !== hasGivenUp(next, intervalMs)
  ) {
    return next.window.lastArrivalAt;
  }
  return next.suspectAt < known.suspectAt || isFirstHere ? next.suspectAt : null;
}

/** Told by beats alone, so only the beat that makes it so, or ends it, wakes the observer. */
function hasGivenUp({ window, fencedSince }: SiteRecord, intervalMs: number): boolean {
  return fencedLong(window, fencedSince, intervalMs);
}
