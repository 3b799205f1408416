import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EpochMillis, epochMillis } from '../../../lib/base/identifiers.ts';
import { type JobEvent, type JobRecord, jobAfter } from '../../../lib/detection/job.ts';
import {
  expectedAt,
  type JudgeScheduleInput,
  judgeSchedule,
  NO_DEADLINE,
  type Schedule,
  scheduleDeadlines,
} from '../../../lib/detection/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Midnight of some day. */
const DAY_0 = Math.floor(1_790_000_000_000 / DAY) * DAY;
const at = (offsetMs: number) => epochMillis(DAY_0 + offsetMs);

/** Each night at three. */
const NIGHTLY: Schedule = {
  next: (after) => epochMillis(Math.floor((after - 3 * HOUR) / DAY) * DAY + DAY + 3 * HOUR),
  isCalendar: true,
  graceMs: 30 * MINUTE,
  runMsMax: null,
};
const HOURLY: Schedule = {
  next: (after) => epochMillis(after + HOUR),
  isCalendar: false,
  graceMs: 6 * MINUTE,
  runMsMax: 20 * MINUTE,
};

function jobOf(
  ...events: readonly (readonly [JobEvent['kind'], number, number?])[]
): JobRecord | null {
  return events.reduce<JobRecord | null>(
    (job, [kind, offsetMs, exitCode = null]) =>
      jobAfter(job, { kind, exitCode, message: null }, at(offsetMs)),
    null,
  );
}

function judged(
  job: JobRecord | null,
  now: EpochMillis,
  changes: Partial<JudgeScheduleInput> = {},
) {
  return judgeSchedule({
    job,
    heard: { bootId: 'ping', lastSequence: 1, lastArrivalAt: at(0) },
    hasLeft: false,
    schedule: NIGHTLY,
    now,
    presentSince: at(-DAY),
    doubt: null,
    ...changes,
  });
}

const codeAt = (job: JobRecord | null, offsetMs: number, changes?: Partial<JudgeScheduleInput>) =>
  judged(job, at(offsetMs), changes).code;

describe('judgeSchedule', () => {
  test('expects nothing before the first beat, however long that takes', () => {
    expect(judged(null, at(400 * DAY), { heard: null })).toMatchObject({
      state: 'pending',
      code: 'never-heard',
      lastArrivalAt: null,
      silentMs: 0,
    });
    expect(codeAt(jobOf(['log', 0]), 400 * DAY)).toBe('never-heard');
  });

  test('goes from on time over due and late to missed', () => {
    const job = jobOf(['success', 3 * HOUR + MINUTE]);
    const due = DAY + 3 * HOUR;
    const codes = [due - 1, due, due + 20 * MINUTE - 1, due + 20 * MINUTE, due + 30 * MINUTE].map(
      (offsetMs) => codeAt(job, offsetMs),
    );
    expect(codes).toEqual(['run-on-time', 'run-due', 'run-due', 'run-late', 'run-missed']);
    expect(judged(job, at(due + 30 * MINUTE)).sentence).toBe(
      'no success 30 min after it was expected, grace 30 min',
    );
  });

  test('lets a beat just before an instant stand for it, because clocks of hosts run ahead', () => {
    const early = jobOf(['success', 3 * HOUR - 2000]);
    expect(expectedAt(early, NIGHTLY)).toBe(at(DAY + 3 * HOUR));
    const long = jobOf(['success', 3 * HOUR - 2 * MINUTE]);
    expect(expectedAt(long, NIGHTLY)).toBe(at(3 * HOUR));
  });

  test('never skips an instant of a job that runs each minute', () => {
    const minutely: Schedule = {
      next: (after) => epochMillis((Math.floor(after / MINUTE) + 1) * MINUTE),
      isCalendar: true,
      graceMs: 5 * MINUTE,
      runMsMax: null,
    };
    expect(expectedAt(jobOf(['success', 1000]), minutely)).toBe(at(MINUTE));
    expect(expectedAt(jobOf(['success', 58_000]), minutely)).toBe(at(2 * MINUTE));
  });

  test('believes a job that says it failed, until it succeeds', () => {
    const job = jobOf(['success', 0], ['fail', HOUR, 3]);
    expect(judged(job, at(HOUR))).toMatchObject({
      state: 'failed',
      code: 'run-failed',
      sentence: 'the last run failed with exit code 3',
    });
    const again = jobOf(['success', 0], ['fail', HOUR, 3], ['start', 2 * HOUR]);
    expect(codeAt(again, 2 * HOUR)).toBe('run-failed');
    const well = jobOf(
      ['success', 0],
      ['fail', HOUR, 3],
      ['start', 2 * HOUR],
      ['success', 3 * HOUR],
    );
    expect(codeAt(well, 3 * HOUR)).toBe('run-on-time');
  });

  test('leaves an open run alone until the run after it is missed', () => {
    const job = jobOf(['success', 3 * HOUR], ['start', DAY + 3 * HOUR]);
    expect(codeAt(job, DAY + 9 * HOUR)).toBe('running');
    expect(codeAt(job, 2 * DAY + 3 * HOUR + 30 * MINUTE)).toBe('run-missed');
  });

  test('misses a success though a new run begins each time, and is told so by the end of one', () => {
    const begun = jobOf(['success', 0], ['start', HOUR], ['start', 2 * HOUR]);
    const changes = { schedule: { ...HOURLY, runMsMax: null } };
    expect(codeAt(begun, 2 * HOUR + 1, changes)).toBe('running');
    expect(codeAt(begun, 2 * HOUR + 6 * MINUTE, changes)).toBe('run-missed');
    const ended = jobOf(['start', HOUR], ['success', 2 * HOUR], ['start', 3 * HOUR]);
    expect(codeAt(ended, 3 * HOUR + 6 * MINUTE, changes)).toBe('running');
  });

  test('fails a run that is open for longer than it may', () => {
    const job = jobOf(['success', 0], ['start', HOUR]);
    const changes = { schedule: HOURLY };
    expect(codeAt(job, HOUR + 20 * MINUTE - 1, changes)).toBe('running');
    expect(codeAt(job, HOUR + 20 * MINUTE, changes)).toBe('run-too-long');
    expect(
      codeAt(jobOf(['start', HOUR], ['success', HOUR + MINUTE]), HOUR + 21 * MINUTE, changes),
    ).toBe('run-on-time');
  });

  test('convicts nobody while the observer doubts itself, but for a failure that was reported', () => {
    const job = jobOf(['success', 0]);
    for (const doubt of ['store-errors', 'evaluation-late'] as const) {
      expect(judged(job, at(DAY), { doubt })).toMatchObject({ state: 'unknown', code: doubt });
    }
    expect(codeAt(jobOf(['fail', 0]), DAY, { doubt: 'store-errors' })).toBe('run-failed');
    expect(codeAt(job, DAY, { doubt: 'many-silent-at-once' })).toBe('run-missed');
  });

  test('says nothing of a run that fell into a time when this region was away', () => {
    const job = jobOf(['success', 3 * HOUR]);
    const away = { presentSince: at(DAY + 4 * HOUR) };
    expect(codeAt(job, DAY + 5 * HOUR, away)).toBe('not-watched-long-enough');
    expect(codeAt(job, 2 * DAY + 3 * HOUR + 29 * MINUTE, away)).toBe('not-watched-long-enough');
    expect(codeAt(job, 2 * DAY + 3 * HOUR + 30 * MINUTE, away)).toBe('run-missed');
  });

  test('expects nothing of a site that left on purpose', () => {
    expect(codeAt(jobOf(['fail', 0]), 9 * DAY, { hasLeft: true })).toBe('deregistered');
  });

  test('is content with a schedule that names no further instant', () => {
    const once: Schedule = { ...NIGHTLY, next: () => null };
    expect(codeAt(jobOf(['success', 0]), 400 * DAY, { schedule: once })).toBe('run-on-time');
    expect(scheduleDeadlines(jobOf(['success', 0]), once)).toEqual({
      suspectAt: NO_DEADLINE,
      failAt: NO_DEADLINE,
    });
  });
});

const story = fc.array(
  fc.tuple(
    fc.constantFrom<JobEvent['kind']>('start', 'success', 'fail', 'log'),
    fc.integer({ min: 0, max: 3 * DAY }),
  ),
  { maxLength: 8 },
);

describe('scheduleDeadlines', () => {
  test('are the instants at which the verdict changes by time alone, and there is no other', () => {
    const accused = new Set(['suspect', 'failed']);
    fc.assert(
      fc.property(story, fc.constantFrom(NIGHTLY, HOURLY), (events, schedule) => {
        const ordered = events.toSorted(([, left], [, right]) => left - right);
        const job = jobOf(...ordered);
        const { suspectAt, failAt } = scheduleDeadlines(job, schedule);
        const stateAt = (now: EpochMillis) => judged(job, now, { schedule }).state;
        const newest = at(ordered.at(-1)?.[1] ?? 0);
        if (suspectAt === NO_DEADLINE) {
          expect(stateAt(at(900 * DAY))).toBe(stateAt(newest));
          return;
        }
        expect(failAt).toBeGreaterThanOrEqual(suspectAt);
        expect(stateAt(failAt)).toBe('failed');
        expect(accused.has(stateAt(epochMillis(Math.max(newest, suspectAt))))).toBe(true);
        if (suspectAt > newest) {
          expect(stateAt(epochMillis(suspectAt - 1))).toBe(stateAt(newest));
        }
        expect(stateAt(epochMillis(failAt + 400 * DAY))).toBe('failed');
      }),
      { seed: 20_261_123, numRuns: 500 },
    );
  });
});
