/**
 * Judges a job by its schedule: is a run missing, too long, or did the last one fail?
 *
 * Silence is normal for a job, so φ has nothing to say. Each success promises the next one: the
 * first expected instant after it, plus a grace in which to run. The last third of the grace is
 * *suspect*, its end is *failed*; a job that says itself that it failed is believed at once. A run
 * that is open is no missed run until the instant after its start is missed too, or until it has
 * been open longer than it may. Of runs that begin and never end the first start counts, or each
 * would excuse the one before it for ever.
 *
 * A beat just before an instant belongs to it: the clock of a cron host runs seconds ahead, and
 * a job that takes no time would else be missed each night. Instants are an argument (`next`),
 * because calendars and time zones are no business of a pure room. Everything is compared with the
 * clock that stamped the beats.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { JobRecord } from './job.ts';
import { EARLY_MS_MAX, SUSPECT_BOUND_SHARE } from './limits.ts';
import type { ObserverDoubt } from './observer.ts';
import type { Deadlines } from './suspicion.ts';
import { VERDICT_CODES, type Verdict, type VerdictCode } from './verdict.ts';

/** Stands where nothing is due by time alone: later than anything that is stored. */
export const NO_DEADLINE: EpochMillis = epochMillis(9_999_999_999_999);

export interface Schedule {
  /** The first instant after `after` at which a run is expected; null = none ever. */
  readonly next: (after: EpochMillis) => EpochMillis | null;
  /** Whether `next` names fixed instants of a calendar, not only a distance from `after`. */
  readonly isCalendar: boolean;
  readonly graceMs: number;
  /** null = a run may stay open until the next one is missed. */
  readonly runMsMax: number | null;
}

export interface JudgeScheduleInput {
  readonly job: JobRecord | null;
  readonly schedule: Schedule;
  /** Newest beat of the site; null before the first. */
  readonly heard: Pick<Verdict, 'bootId' | 'lastSequence' | 'lastArrivalAt'> | null;
  /** Whether the site said that it goes; then nothing is expected of it until it beats again. */
  readonly hasLeft: boolean;
  readonly now: EpochMillis;
  /** Since when this region is at work, and the site is watched by this schedule. */
  readonly presentSince: EpochMillis;
  readonly doubt: ObserverDoubt | null;
}

/** Pure: the same input gives the same verdict, however often and wherever it is evaluated. */
export function judgeSchedule(input: JudgeScheduleInput): Verdict {
  const { job, heard, now } = input;
  const expectation = expectationOf(job, input.schedule);
  const code = codeOf(input, expectation);
  const lastArrivalAt = heard?.lastArrivalAt ?? null;
  return {
    state: VERDICT_CODES[code],
    code,
    sentence: sentenceOf(code, input, expectation),
    phi: 0,
    silentMs: lastArrivalAt === null ? 0 : Math.max(0, now - lastArrivalAt),
    judgedAt: now,
    bootId: heard?.bootId ?? null,
    lastSequence: heard?.lastSequence ?? null,
    lastArrivalAt,
  };
}

/** When the job becomes suspect and failed if nothing more is heard; far away where it cannot. */
export function scheduleDeadlines(job: JobRecord | null, schedule: Schedule): Deadlines {
  const { suspectAt, failAt, overrunsAt } = expectationOf(job, schedule);
  const isEnded = job !== null && hasFailed(job);
  return isEnded
    ? { suspectAt: NO_DEADLINE, failAt: NO_DEADLINE }
    : { suspectAt: earlier(suspectAt, overrunsAt), failAt: earlier(failAt, overrunsAt) };
}

/** The next instant at which a run is expected; null = none, or nothing was ever heard. */
export function expectedAt(job: JobRecord | null, schedule: Schedule): EpochMillis | null {
  return expectationOf(job, schedule).at;
}

interface Expectation {
  readonly at: EpochMillis | null;
  readonly suspectAt: EpochMillis;
  readonly failAt: EpochMillis;
  readonly overrunsAt: EpochMillis;
}

const NOTHING_EXPECTED: Expectation = {
  at: null,
  suspectAt: NO_DEADLINE,
  failAt: NO_DEADLINE,
  overrunsAt: NO_DEADLINE,
};

function expectationOf(job: JobRecord | null, schedule: Schedule): Expectation {
  const base = job === null ? null : latest(job.lastSucceededAt, job.unfinishedSince);
  if (job === null || base === null) {
    return NOTHING_EXPECTED;
  }
  const at = following(base, schedule);
  const { runMsMax } = schedule;
  const overrunsAt =
    job.runningSince === null || runMsMax === null
      ? NO_DEADLINE
      : epochMillis(job.runningSince + runMsMax);
  return { at, overrunsAt, ...boundsOf(at, schedule) };
}

function boundsOf(at: EpochMillis | null, { graceMs }: Schedule): Deadlines {
  return at === null
    ? { suspectAt: NO_DEADLINE, failAt: NO_DEADLINE }
    : {
        suspectAt: epochMillis(at + Math.ceil(SUSPECT_BOUND_SHARE * graceMs)),
        failAt: epochMillis(at + graceMs),
      };
}

/** The instant that the next run is for: not the one that this beat came just too early for. */
function following(base: EpochMillis, { next, isCalendar, graceMs }: Schedule): EpochMillis | null {
  const first = next(base);
  invariant(first === null || first > base, 'schedule-goes-back', { base, first });
  if (first === null || !isCalendar) {
    return first;
  }
  const second = next(first);
  const gapMs = second === null ? Infinity : second - first;
  const earlyMs = Math.min(EARLY_MS_MAX, graceMs / 2, gapMs / 2);
  return first - base <= earlyMs ? second : first;
}

function codeOf(input: JudgeScheduleInput, expectation: Expectation): VerdictCode {
  const { job, now } = input;
  const doubt = doubtOf(input);
  if (input.hasLeft) {
    return 'deregistered';
  }
  if (job === null || (expectation.at === null && !hasFailed(job) && job.runningSince === null)) {
    return job?.lastSucceededAt == null ? 'never-heard' : 'run-on-time';
  }
  if (hasFailed(job)) {
    return 'run-failed';
  }
  if (now >= expectation.overrunsAt) {
    return doubt ?? 'run-too-long';
  }
  if (now >= expectation.suspectAt) {
    return doubt ?? codeOfSilent(input, expectation);
  }
  if (job.runningSince !== null) {
    return 'running';
  }
  return expectation.at !== null && now >= expectation.at ? 'run-due' : 'run-on-time';
}

/**
 * Many jobs that are missed at once, at the hour they share, accuse no observer, and nothing is
 * moved for them: that guard is for sites of services.
 */
function doubtOf({
  doubt,
}: JudgeScheduleInput): Exclude<ObserverDoubt, 'many-silent-at-once'> | null {
  return doubt === 'many-silent-at-once' ? null : doubt;
}

/** A run that fell into a time when this region was away says nothing: the next one will. */
function codeOfSilent(input: JudgeScheduleInput, expectation: Expectation): VerdictCode {
  const { now, presentSince, schedule } = input;
  if (expectation.at !== null && expectation.at < presentSince) {
    const watched = boundsOf(schedule.next(presentSince), schedule);
    return now < watched.failAt ? 'not-watched-long-enough' : 'run-missed';
  }
  return now < expectation.failAt ? 'run-late' : 'run-missed';
}

/** The last end was a failure. A new run does not wash it off before it ends well. */
function hasFailed({ lastFailedAt, lastSucceededAt }: JobRecord): boolean {
  return lastFailedAt !== null && (lastSucceededAt === null || lastFailedAt > lastSucceededAt);
}

function sentenceOf(
  code: VerdictCode,
  { job, now, schedule }: JudgeScheduleInput,
  { at }: Expectation,
): string {
  const late = at === null ? '' : `${span(now - at)} after it was expected`;
  const grace = `grace ${span(schedule.graceMs)}`;
  switch (code) {
    case 'never-heard':
      return 'no run was ever heard of';
    case 'deregistered':
      return 'left on purpose; nothing is expected until it beats again';
    case 'run-on-time':
      return at === null ? 'no further run is expected' : `next run expected in ${span(at - now)}`;
    case 'running':
      return `running for ${span(now - (job?.runningSince ?? now))}`;
    case 'run-due':
    case 'run-late':
    case 'run-missed':
      return `no success ${late}, ${grace}`;
    case 'run-failed':
      return `the last run failed${job?.exitCode == null ? '' : ` with exit code ${job.exitCode}`}`;
    case 'run-too-long':
      return `running for ${span(now - (job?.runningSince ?? now))}, allowed ${span(schedule.runMsMax ?? 0)}`;
    case 'not-watched-long-enough':
      return `no success ${late}, but this region was away when it was expected`;
    default:
      return `this observer doubts itself (${code}) and convicts nobody; no success ${late}`;
  }
}

const SPANS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const;

/** In the largest unit that it fills: `25 min`, `3.5 h`. */
function span(durationMs: number): string {
  const [unitMs, name] = SPANS.find(([size]) => Math.abs(durationMs) >= size) ?? [1000, 's'];
  return `${Number((durationMs / unitMs).toFixed(1))} ${name}`;
}

function latest(left: EpochMillis | null, right: EpochMillis | null): EpochMillis | null {
  return left === null || right === null ? (left ?? right) : left > right ? left : right;
}

function earlier(left: EpochMillis, right: EpochMillis): EpochMillis {
  return left < right ? left : right;
}
