/**
 * Sites with a schedule: what a beat of theirs writes, and how they are judged. Joins the pure
 * `judgeSchedule` with the instants of an expression (`lib/config/cron.ts`).
 *
 * A job keeps no arrival history: of the window only the newest beat and its order stand, so that a
 * repeated or overtaken beat changes nothing. A ping has no sequence of its own, so every ping
 * counts: a start and an end may share a millisecond.
 */

import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { nextOccurrence } from '../config/cron.ts';
import { type ArrivalWindow, startWindow } from '../detection/arrival-window.ts';
import { bootsBefore, isHeard } from '../detection/boots.ts';
import { NO_FORECAST } from '../detection/forecast.ts';
import { type JobEvent, jobAfter } from '../detection/job.ts';
import type { SelfObservation } from '../detection/observer.ts';
import { numbered } from '../detection/record-arrival.ts';
import {
  expectedAt,
  judgeSchedule,
  type Schedule,
  scheduleDeadlines,
} from '../detection/schedule.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { SchedulePolicy } from '../recovery/policy.ts';
import { arrivalOf, isGoodbyeOfAnother, saidAfter } from './beat-content.ts';
import type { RecordedBeats } from './beat-record.ts';
import type { Heartbeat } from './control-plane.ts';
import type { SiteRecord } from './health-store.ts';
import type { WatchedSite } from './watched-sites.ts';

/** A watched site that is known to have a schedule. */
export type ScheduledSite = WatchedSite & { readonly schedule: SchedulePolicy };

export function isScheduled(site: WatchedSite): site is ScheduledSite {
  return site.schedule !== null;
}

/**
 * What the beats of a job make of its record.
 *
 * @param beats in the order in which they were sent
 */
export function jobRecordAfter(
  known: SiteRecord | null,
  beats: readonly Heartbeat[],
  site: ScheduledSite,
): RecordedBeats {
  let record = known;
  const areNew: boolean[] = [];
  for (const beat of beats) {
    const next = recordAfterOne(record, beat, site);
    areNew.push(next !== null);
    record = next ?? record;
  }
  const revision = (known?.revision ?? 0) + 1;
  return { record: record === null || record === known ? null : { ...record, revision }, areNew };
}

function recordAfterOne(
  known: SiteRecord | null,
  beat: Heartbeat,
  site: ScheduledSite,
): SiteRecord | null {
  const window = windowAfter(known?.window ?? null, beat, site);
  if (window === null) {
    return null;
  }
  const said = saidAfter(known, beat);
  const hasLeft = said.reportedStatus === 'leaving';
  const job = hasLeft ? null : jobAfter(known?.job ?? null, eventOf(beat), beat.receivedAt);
  return {
    service: beat.service,
    site: beat.site,
    revision: known?.revision ?? 0,
    window,
    ...said,
    lagWord: null,
    wakesOnBeat: false,
    forecast: NO_FORECAST,
    job,
    ...scheduleDeadlines(job, scheduleOf(site.schedule)),
  };
}

/** A heartbeat says that a run ended, unless it is a ping that says something else. */
function eventOf({ job, status }: Heartbeat): JobEvent {
  return job ?? { kind: status === 'failing' ? 'fail' : 'success', exitCode: null, message: null };
}

function windowAfter(
  known: ArrivalWindow | null,
  beat: Heartbeat,
  { detection }: ScheduledSite,
): ArrivalWindow | null {
  const arrival = arrivalOf(beat);
  const isPing = arrival.sequence === null;
  // A job has no timing that a restart could spoil: its newest beat is in force, whoever sent it.
  const own = known?.bootId === beat.bootId ? known : null;
  const numberedBeat = isPing ? numbered(own, arrival) : arrival;
  const { bootId, sequence } = numberedBeat;
  const isKnown = known !== null && isHeard(known, { bootId, lastSequence: sequence });
  if ((isKnown && !isPing) || isGoodbyeOfAnother(beat, known)) {
    return null;
  }
  const next = startWindow(numberedBeat, detection.intervalMs);
  return known === null ? next : { ...next, formerBoots: bootsBefore(known, bootId) };
}

export function judgeJob(
  record: SiteRecord | null,
  { schedule }: ScheduledSite,
  self: Pick<SelfObservation, 'presentSince' | 'doubt'> & { readonly now: EpochMillis },
): Verdict {
  return judgeSchedule({
    job: record?.job ?? null,
    heard: record?.window ?? null,
    hasLeft: record?.reportedStatus === 'leaving',
    schedule: scheduleOf(schedule),
    now: self.now,
    presentSince: self.presentSince,
    doubt: self.doubt,
  });
}

/** The next instant at which a run of this site is expected; null = none, or never heard. */
export function nextRunAt(
  record: SiteRecord | null,
  { schedule }: ScheduledSite,
): EpochMillis | null {
  return expectedAt(record?.job ?? null, scheduleOf(schedule));
}

/** How long until the run after this instant is expected; null = never. */
export function untilNextRunMs(policy: SchedulePolicy, after: EpochMillis): number | null {
  const next = scheduleOf(policy).next(after);
  return next === null ? null : next - after;
}

function scheduleOf(policy: SchedulePolicy): Schedule {
  const { graceMs, runMsMax } = policy;
  return policy.kind === 'cron'
    ? { next: (after) => nextOccurrence(policy, after), isCalendar: true, graceMs, runMsMax }
    : {
        next: (after) => epochMillis(after + policy.everyMs),
        isCalendar: false,
        graceMs,
        runMsMax,
      };
}
